"""What an X-ray machine, a room and a screen do to an image: shifts, scale, turn, gamma, contrast,
noise, blur.

Never a mirror (left is left) and never an inversion (the pixel pipeline settles that).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def geometric(images: Tensor, masks: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Turn by up to 8 degrees, scale by 0.85..1.15, shift by up to 6 %. images (B, 1, S, S), masks (B,
    M, S, S)."""
    batch = len(images)
    angle = _between(batch, -8, 8, generator) * math.pi / 180
    scale = _between(batch, 0.87, 1.15, generator)
    shift = _between(batch * 2, -0.12, 0.12, generator).view(batch, 2)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    theta = torch.stack([cos, -sin, shift[:, 0], sin, cos, shift[:, 1]], dim=1).view(batch, 2, 3)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    moved = F.grid_sample(torch.cat([images, masks], dim=1), grid, align_corners=False)
    return moved[:, :1], (moved[:, 1:] >= 0.5).float()


def photometric(images: Tensor, generator: torch.Generator) -> Tensor:
    """Gamma, contrast, a slow brightness gradient, noise and a little blur; stays in 0..1."""
    batch = len(images)
    gamma = torch.exp(_between(batch, -0.45, 0.45, generator)).view(-1, 1, 1, 1)
    contrast = _between(batch, 0.8, 1.2, generator).view(-1, 1, 1, 1)
    offset = _between(batch, -0.08, 0.08, generator).view(-1, 1, 1, 1)
    changed = (images.clamp(0, 1).pow(gamma) - 0.5) * contrast + 0.5 + offset
    slope = torch.randn(batch, 1, 3, 3, generator=generator, device=generator.device) * 0.05
    changed = changed + F.interpolate(slope, images.shape[-2:], mode="bilinear", align_corners=True)
    sigma = _between(batch, 0, 0.04, generator).view(-1, 1, 1, 1)
    changed = changed + torch.randn(images.shape, generator=generator, device=generator.device) * sigma
    blurred = F.avg_pool2d(changed, 3, stride=1, padding=1, count_include_pad=False)
    share = _between(batch, -0.6, 0.6, generator).clamp_min(0).view(-1, 1, 1, 1)
    return (changed + share * (blurred - changed)).clamp(0, 1)


def _between(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """(count,) on the generator's device, where the images must be."""
    return torch.rand(count, generator=generator, device=generator.device) * (high - low) + low
