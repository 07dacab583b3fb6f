"""What the prompt shows of each phantom, computed once with the frozen encoder and a trained segmenter.

Two variants of each study: with the segmenter's masks (of studies it never trained on, so its errors
are those it will make in use) and with the true masks.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from inference.maira_seg import vision
from inference.maira_seg.model import MairaSeg
from inference.maira_seg.prompt import ABSENT, PRESENT, WITHHELD, PromptInputs
from inference.segmentation import trust
from inference.segmentation.segmenter import Segmenter
from inference.training.records import Phantoms

BATCH = 16


@dataclass(frozen=True)
class Features:
    """predicted and true prompts of N studies (half precision, on the processor), and what gates look at.

    draft_descriptors (N, D), mask_descriptors (N, E). trust (N, M) of the predicted masks.
    """

    predicted: PromptInputs
    true: PromptInputs
    draft_descriptors: Tensor
    mask_descriptors: Tensor
    trust: Tensor


def slot_states(masks: Tensor, believed: Tensor, threshold: float) -> Tensor:
    """masks (B, M, S, S) bool, trust (B, M) -> states (B, M): present, absent, or withheld when not
    believed."""
    found = masks.flatten(2).any(dim=-1)
    shown = torch.where(believed >= threshold, PRESENT, WITHHELD)
    return torch.where(found, shown, ABSENT)


@torch.inference_mode()
def compute(model: MairaSeg, segmenter: Segmenter, phantoms: Phantoms) -> Features:
    """Everything above, for a whole population."""
    parts: list[tuple[PromptInputs, PromptInputs, Tensor, Tensor, Tensor]] = []
    for rows in torch.arange(len(phantoms)).split(BATCH):
        images, true = phantoms.images(rows), phantoms.masks(rows)
        features = model.vision(images)
        masks, states, believed, mask_descriptors = segmented(segmenter, images)
        predicted_inputs = model.look(features, masks.float(), states)
        true_states = torch.where(true.flatten(2).any(dim=-1), PRESENT, ABSENT)
        parts.append(
            (
                halved(predicted_inputs),
                halved(model.look(features, true, true_states)),
                vision.descriptor(features),
                mask_descriptors,
                believed,
            )
        )
    predicted, real, draft, mask, believed_all = zip(*parts, strict=True)
    return Features(
        joined(predicted), joined(real), torch.cat(draft), torch.cat(mask), torch.cat(believed_all)
    )


def segmented(segmenter: Segmenter, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """images (B, 1, S, S) -> masks (B, M, S, S) bool, states (B, M), trust (B, M), descriptors (B, E)."""
    probabilities, descriptors = segmenter.probabilities(images)
    masks = segmenter.cut(probabilities, tidy=False)  # mask by mask it would take longer than all else
    believed = torch.stack([trust.soft_dice(p, m) for p, m in zip(probabilities, masks, strict=True)])
    return masks, slot_states(masks, believed, segmenter.config.trust_threshold), believed, descriptors


def halved(inputs: PromptInputs) -> PromptInputs:
    pictures = inputs.patches.half(), inputs.pooled.half(), inputs.shrunk.half()
    return PromptInputs(*pictures, inputs.states, languages=inputs.languages)


def full(inputs: PromptInputs) -> PromptInputs:
    """Back to single precision, ready for the model."""
    pictures = inputs.patches.float(), inputs.pooled.float(), inputs.shrunk.float()
    return PromptInputs(*pictures, inputs.states, languages=inputs.languages)


def joined(parts: tuple[PromptInputs, ...]) -> PromptInputs:
    return PromptInputs(
        torch.cat([p.patches for p in parts]),
        torch.cat([p.pooled for p in parts]),
        torch.cat([p.shrunk for p in parts]),
        torch.cat([p.states for p in parts]),
    )


def withhold(states: Tensor, generator: torch.Generator) -> Tensor:
    """Say nothing of slots at random, so that the model learns to do without: (B, I, M) states -> the same.

    One study in ten is told nothing, one in four is not told some. Whether there was a mask makes no
    difference: else "withheld" would mean that there is something.
    """
    batch = len(states)
    device = generator.device
    kind = torch.rand(batch, 1, 1, generator=generator, device=device)
    chance = torch.where(kind < 0.1, 1.0, torch.where(kind < 0.35, 0.3, 0.0))
    taken = torch.rand(states.shape, generator=generator, device=device) < chance
    return torch.where(taken.to(states.device), WITHHELD, states)
