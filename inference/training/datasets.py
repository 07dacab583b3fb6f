"""Batches for the segmenter, the encoder and the language model."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from inference.contract import Certainty, Side
from inference.maira_seg import processor as words
from inference.maira_seg.processor import Processor
from inference.maira_seg.prompt import PRESENT
from inference.structures import BY_CODE, FINDINGS, Group
from inference.training import augment
from inference.training.radiographs import Squares
from inference.training.records import Phantoms, Truth

LABELS: tuple[tuple[str, str], ...] = tuple(
    itertools.chain.from_iterable(
        [(f.code, str(Side.RIGHT)), (f.code, str(Side.LEFT))] if f.sided else [(f.code, "")] for f in FINDINGS
    )
)
"""What the encoder is trained to tell: each finding, per side where it has one."""
PLAIN_CHANCE = 0.15
"""How often a phantom without finding or device is drawn, against one with."""


@dataclass(frozen=True)
class ImageBatch:
    """images (B, 1, S, S), masks (B, M, S, S), rows (B,) of the population."""

    images: Tensor
    masks: Tensor
    rows: Tensor


def phantom_batches(phantoms: Phantoms, batch: int, generator: torch.Generator) -> Iterator[ImageBatch]:
    """Endless, drawn at random and augmented; phantoms that show nothing but anatomy come up less often."""
    chances = torch.where(shows_findings(phantoms), 1.0, PLAIN_CHANCE)
    while True:
        rows = torch.multinomial(chances, batch, generator=generator).sort().values
        images, masks = augment.geometric(phantoms.images(rows), phantoms.masks(rows), generator)
        yield ImageBatch(augment.photometric(images, generator), masks, rows)


def image_batches(
    phantoms: Phantoms, batch: int, generator: torch.Generator, rows_among: Tensor | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless: images (B, 1, S, S), drawn and augmented as above, and their rows; `rows_among` (N,) bool says
    which studies there are. Masks are left packed, which makes a batch several times cheaper."""
    chances = torch.where(shows_findings(phantoms), 1.0, PLAIN_CHANCE)
    if rows_among is not None:
        chances = chances * rows_among.to(chances.device)
    while True:
        rows = torch.multinomial(chances, batch, replacement=True, generator=generator)
        images = phantoms.images(rows)
        images, _ = augment.geometric(images, images[:, :0], generator)
        yield augment.photometric(images, generator), rows


def shows_findings(phantoms: Phantoms) -> Tensor:
    """(N,) bool: is any finding or device outlined?"""
    wanted = [i for i, code in enumerate(phantoms.structures) if BY_CODE[code].group != Group.ANATOMY]
    each = [(part[:, wanted] > 0).flatten(1).any(dim=1) for part in phantoms.packed.split(256)]
    return torch.cat(each)


@dataclass(frozen=True)
class RealBatch:
    """images (B, 1, S, S), lungs (B, S, S), sides (B, 2, S, S), known (B, 2)."""

    images: Tensor
    lungs: Tensor
    sides: Tensor
    known: Tensor


def real_batches(squares: Squares, batch: int, generator: torch.Generator) -> Iterator[RealBatch]:
    """Endless, drawn at random, augmented like the phantoms."""
    drawn = torch.cat([squares.lungs[:, None], squares.sides], dim=1)
    while True:
        rows = torch.randint(len(squares.images), (batch,), generator=generator, device=generator.device)
        images, masks = augment.geometric(squares.images[rows], drawn[rows], generator)
        yield RealBatch(
            augment.photometric(images, generator), masks[:, 0], masks[:, 1:], squares.known[rows]
        )


def finding_targets(truths: Sequence[Truth]) -> Tensor:
    """(N, len(LABELS)) float: 1 where the finding is there on that side (certain or not)."""
    targets = torch.zeros(len(truths), len(LABELS))
    places = {label: i for i, label in enumerate(LABELS)}
    for row, truth in enumerate(truths):
        for finding in truth.findings:
            if finding.certainty != Certainty.ABSENT:
                targets[row, places[finding.finding, str(finding.side)]] = 1.0
    return targets


@dataclass(frozen=True)
class Reports:
    """Reports as ids (N, W, R), W of each study, padded on the right. slots: (V,) the place of the structure
    that an id cites, -1 if it cites none."""

    ids: Tensor
    slots: Tensor
    pad: int

    @classmethod
    def of(cls, processor: Processor, written: Sequence[Sequence[Sequence[int]]]) -> "Reports":
        """From lists of ids, as many for each study."""
        longest = max(len(report) for study in written for report in study)
        pad = pad_id(processor)
        ids = torch.stack([padded(study, pad, longest, longest) for study in written])
        slots = torch.full((processor.tokenizer.get_vocab_size(),), -1)
        for token, structure in processor.cite_ids.items():
            slots[token] = processor.structures.index(structure)
        return cls(ids.int(), slots, pad)

    def to(self, device: torch.device | str) -> "Reports":
        return Reports(self.ids.to(device), self.slots.to(device), self.pad)

    @cached_property
    def lengths(self) -> Tensor:
        """(N, W)."""
        return (self.ids != self.pad).sum(dim=-1)

    def shown(self, rows: Tensor, numbers: Tensor, states: Tensor, longest: int) -> Tensor:
        """(B, R) ids of reports `numbers` of studies `rows`, without citations of structures that the prompt,
        its states (B, M), does not show; cut at `longest`."""
        ids = self.ids[rows, numbers].long()
        slots = self.slots[ids]
        told = (states == PRESENT).to(ids.device).gather(1, slots.clamp_min(0))
        kept = (ids != self.pad) & ((slots < 0) | told)
        closed = ids.masked_fill(~kept, self.pad).gather(1, (~kept).byte().argsort(dim=1, stable=True))
        return closed[:, : min(longest, int(kept.sum(dim=1).max()))]


def padded(reports: Sequence[Sequence[int]], pad: int, longest: int, shortest: int = 0) -> Tensor:
    """(B, R) ids, padded on the right, R from `shortest` to `longest`, where they are cut."""
    length = max(shortest, min(longest, max(len(report) for report in reports)))
    out = torch.full((len(reports), length), pad)
    for row, report in enumerate(reports):
        out[row, : min(length, len(report))] = torch.tensor(report[:length])
    return out


def pad_id(processor: Processor) -> int:
    return processor.id(words.PAD)
