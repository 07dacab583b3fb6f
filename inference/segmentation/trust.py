"""Is a mask believable? A first, simple estimate from the network's own probabilities.

The soft Dice between the probabilities and the mask cut from them: 1 when the network is certain of every
pixel, low when it wavers. It needs no ground truth and follows the true Dice on held-out phantoms
(`docs/results.md`, metric trust_dice_correlation).
"""

import torch
from torch import Tensor


def soft_dice(probabilities: Tensor, masks: Tensor) -> Tensor:
    """(C, H, W) probabilities and booleans -> (C,) trust in 0..1; zero for an empty mask."""
    assert probabilities.shape == masks.shape, f"{tuple(probabilities.shape)} against {tuple(masks.shape)}"
    hard = masks.to(probabilities.dtype)
    overlap = (probabilities * hard).sum(dim=(-2, -1))
    total = probabilities.sum(dim=(-2, -1)) + hard.sum(dim=(-2, -1))
    return torch.where(hard.sum(dim=(-2, -1)) > 0, 2 * overlap / total.clamp_min(1e-6), 0.0)
