"""What a step of fine-tuning is fed: a pure function of the seed, the step and the place in the batch.

Nothing is kept from one step to the next, so a run that goes on after a kill, or on another number of
processes, sees the same batches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import torch
from torch import Tensor

from inference.maira_seg.config import MairaSegConfig
from inference.maira_seg.model import MairaSeg
from inference.maira_seg.processor import Processor
from inference.maira_seg.prompt import ABSENT, PRESENT, PromptInputs
from inference.maira_seg.vision import VisionEncoder
from inference.segmentation.segmenter import Segmenter
from inference.training import features
from inference.training.datasets import Reports
from inference.training.records import Phantoms
from inference.training.train_maira_seg import PLAIN_CHANCE, TRUE_SHARE

WORDINGS = 64
"""Reports that may be written of one study."""


class Masks(StrEnum):
    """Whose masks the prompt shows: the segmenter's, the true ones, or either, as `train_maira_seg` does."""

    PREDICTED = "predicted"
    TRUE = "true"
    MIXED = "mixed"


TRUE_SHARES = {Masks.PREDICTED: 0.0, Masks.TRUE: 1.0, Masks.MIXED: TRUE_SHARE}


@dataclass(frozen=True)
class Draw:
    """One place of one batch: a study, its wording, whether its true masks are shown, and what else falls."""

    row: int
    wording: int
    true: bool
    generator: torch.Generator


class Draws:
    """Draws places of batches from a population."""

    def __init__(self, phantoms: Phantoms, seed: int, masks: Masks) -> None:
        plain = torch.tensor([not truth.findings for truth in phantoms.truths])
        self.chances = torch.where(plain, PLAIN_CHANCE, 1.0)
        self.seed, self.true_share = seed, TRUE_SHARES[masks]

    def at(self, step: int, place: int) -> Draw:
        """The same for the same numbers, whatever was drawn before."""
        mixed = np.random.SeedSequence([self.seed, step, place]).generate_state(1, np.uint64)[0]
        generator = torch.Generator().manual_seed(int(mixed >> np.uint64(1)))
        return Draw(
            row=int(torch.multinomial(self.chances, 1, generator=generator)),
            wording=int(torch.randint(WORDINGS, (1,), generator=generator)),
            true=bool(torch.rand(1, generator=generator) < self.true_share),
            generator=generator,
        )


@dataclass(frozen=True)
class Eyes:
    """The frozen parts that look at an image, and what they need to turn it into a prompt's inputs.

    They stay outside the model that trains: nothing of them is sent round or kept in checkpoints.
    """

    encoder: VisionEncoder
    segmenter: Segmenter | None
    model: MairaSeg
    """For `MairaSeg.look` alone, which uses no weights."""

    @torch.no_grad()
    def inputs(self, images: Tensor, masks: Tensor, true: Tensor) -> PromptInputs:
        """images (B, 1, S, S), true masks (B, M, S, S), true (B,) bool: whose masks are shown."""
        states = torch.where(masks.flatten(2).any(dim=-1), PRESENT, ABSENT)
        if self.segmenter is not None and not bool(true.all()):
            found, found_states, _, _ = features.segmented(self.segmenter, images)
            masks = torch.where(true[:, None, None, None], masks, found.to(masks.dtype))
            states = torch.where(true[:, None], states, found_states)
        return self.model.look(self.encoder(images), masks, states)


@dataclass(frozen=True)
class Source:
    """Batches of prompts and the reports that go with them."""

    phantoms: Phantoms
    draws: Draws
    eyes: Eyes
    processor: Processor
    config: MairaSegConfig
    device: torch.device

    def batch(self, step: int, places: Sequence[int]) -> tuple[PromptInputs, Tensor]:
        """These places of the batch of a step: inputs of a prompt, and reports (B, R)."""
        drawn = [self.draws.at(step, place) for place in places]
        rows = torch.tensor([draw.row for draw in drawn])
        true = torch.tensor([draw.true for draw in drawn])
        images, masks = self.phantoms.images(rows), self.phantoms.masks(rows)
        seen = self.eyes.inputs(images.to(self.device), masks.to(self.device), true.to(self.device))
        parts = zip(seen.states.cpu().split(1), drawn, strict=True)
        states = torch.cat([features.withhold(part, draw.generator) for part, draw in parts])
        spoken = torch.tensor([draw.wording % len(self.config.languages) for draw in drawn])
        reports = Reports.of(self.processor, [[self._report(draw)] for draw in drawn])
        every, first = torch.arange(len(drawn)), torch.zeros(len(drawn), dtype=torch.long)
        ids = reports.shown(every, first, states[:, 0], self.config.max_report_tokens)
        return replace(seen, states=states, languages=spoken).to(self.device), ids.to(self.device)

    def _report(self, draw: Draw) -> list[int]:
        """In the language that the wording's number asks for."""
        language = self.config.languages[draw.wording % len(self.config.languages)]
        truth = self.phantoms.truths[draw.row]
        return self.processor.encode(truth.report((self.phantoms.seed, draw.row, draw.wording), language))
