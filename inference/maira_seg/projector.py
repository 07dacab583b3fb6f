"""From patches of the encoder to image tokens of the language model."""

import torch.nn.functional as F
from torch import Tensor, nn

from inference.maira_seg.config import MairaSegConfig


class Projector(nn.Module):
    """An MLP with GELU between its layers, as in MAIRA-2 (whose four layers are named `layers.{0,2,4,6}`)."""

    def __init__(self, config: MairaSegConfig) -> None:
        super().__init__()
        width = config.language.width
        steps: list[nn.Module] = [nn.Linear(config.vision.width, width)]
        for _ in range(config.projector_layers - 1):
            steps += [nn.GELU(), nn.Linear(width, width)]
        self.layers = nn.Sequential(*steps)

    def forward(self, pooled: Tensor) -> Tensor:
        """(B, T, C) pooled patches -> (B, T, hidden)."""
        return self.layers(pooled)


def pool_patches(last: Tensor, grid: int, pooled_grid: int) -> Tensor:
    """(B, 1 + grid*grid, C) of the last level -> (B, pooled_grid**2, C): class token dropped, areas
    averaged."""
    return pool(last[:, 1:], grid, pooled_grid)


def pool(patches: Tensor, grid: int, pooled_grid: int) -> Tensor:
    """(B, grid*grid, C) -> (B, pooled_grid**2, C), areas averaged."""
    patches = patches.transpose(1, 2).unflatten(2, (grid, grid))
    if pooled_grid != grid:
        patches = F.adaptive_avg_pool2d(patches, pooled_grid)
    return patches.flatten(2).transpose(1, 2)
