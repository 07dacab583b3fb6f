"""Batches for the segmenter, the encoder and the language model."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inference.contract import Certainty, Side
from inference.maira_seg import processor as words
from inference.maira_seg.processor import Processor
from inference.maira_seg.prompt import PRESENT
from inference.structures import FINDINGS, STRUCTURES, Group
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
    wanted = [i for i, structure in enumerate(STRUCTURES) if structure.group != Group.ANATOMY]
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


def shown_ids(processor: Processor, report: Sequence[int], states: Sequence[int]) -> list[int]:
    """A report's ids without citations of structures that the prompt does not show."""
    shown = {c for c, state in zip(processor.structures, states, strict=True) if state == PRESENT} | {""}
    return [token for token in report if processor.cite_ids.get(token, "") in shown]


def padded(reports: Sequence[Sequence[int]], pad: int, longest: int) -> Tensor:
    """(B, R) ids, padded on the right, cut at `longest`."""
    length = min(longest, max(len(report) for report in reports))
    out = torch.full((len(reports), length), pad)
    for row, report in enumerate(reports):
        out[row, : min(length, len(report))] = torch.tensor(report[:length])
    return out


def pad_id(processor: Processor) -> int:
    return processor.id(words.PAD)
