"""Dice and cross-entropy for overlapping structures, and for masks that say only part of the truth."""

import torch
import torch.nn.functional as F
from torch import Tensor

SMOOTH = 8.0
"""Pixels added to both sides of a Dice fraction: a missed speck costs less than a missed lung."""
CROSS_WEIGHT = 4.0


def dice_and_bce(logits: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """Soft Dice loss plus pixel cross-entropy over the known channels.

    logits, target (B, C, H, W); known (B, C) bool: what nobody annotated teaches nothing. Dice is taken over
    the whole batch and only for channels that show something in it. Taken image by image, with most
    structures absent from most images, its cheapest answer was to find nothing at all.
    """
    weight = known.to(logits.dtype)
    shown = weight[..., None, None]
    probabilities = logits.sigmoid()
    overlap = (probabilities * target * shown).sum(dim=(0, -2, -1))
    total = ((probabilities + target) * shown).sum(dim=(0, -2, -1))
    there = ((target * shown).sum(dim=(0, -2, -1)) > 0).to(logits.dtype)
    dice = 1 - (2 * overlap + SMOOTH) / (total + SMOOTH)
    crossed = F.binary_cross_entropy_with_logits(logits, target, reduction="none").mean(dim=(-2, -1))
    pixels = (crossed * weight).sum() / weight.sum().clamp_min(1)
    return (dice * there).sum() / there.sum().clamp_min(1) + CROSS_WEIGHT * pixels


def union_loss(logits: Tensor, union: Tensor, known: Tensor) -> Tensor:
    """The same loss for two channels of which only the union is known: the likelier channel answers a pixel.

    logits (B, 2, H, W), union (B, H, W), known (B,) bool.
    """
    together = logits.amax(dim=1, keepdim=True)
    return dice_and_bce(together, union[:, None], known[:, None])


def report_loss(logits: Tensor, report: Tensor, pad: int, words: range, head_weight: float) -> Tensor:
    """Cross-entropy over the tokens of a report (B, R); control tokens (ids outside `words`) weigh more.

    The codes and citations are few, and everything that follows hangs on them.
    """
    weights = report_weights(report, pad, words, head_weight)
    return report_sum(logits, report, weights) / weights.sum().clamp_min(1)


def report_weights(report: Tensor, pad: int, words: range, head_weight: float) -> Tensor:
    """(B, R) ids -> what each token weighs in the loss; padding weighs nothing."""
    text = (report >= words.start) & (report < words.stop)
    return torch.where(text, 1.0, head_weight) * (report != pad)


def report_sum(logits: Tensor, report: Tensor, weights: Tensor) -> Tensor:
    """The weighted cross-entropies of all tokens, added up: parts of a batch may be added to each other."""
    crossed = F.cross_entropy(logits.flatten(0, 1), report.flatten(), reduction="none")
    return (crossed * weights.flatten()).sum()
