"""The segmentation tokens extractor, after Osprey (CircleRadon/Osprey, `osprey/model/layer.py`).

Two tokens per mask. The mask token: features of every level pooled under the mask, one linear layer per
level, summed, one linear layer more. The spatial token: the mask itself, resized, through an MLP.

Two departures. Masks are resized by area, never by bare bilinear sampling, which drops a catheter that
falls between the sampled pixels; and pooling weighs a cell by how much of it the mask covers.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inference.maira_seg.config import MairaSegConfig


def pool_under(features: Tensor, masks: Tensor, grid: int) -> Tensor:
    """Average features under each mask.

    features (B, L, 1 + grid*grid, C), masks (B, M, S, S) in 0..1 -> (B, M, L, C); zeros for an empty mask.
    """
    weights = F.adaptive_avg_pool2d(masks, grid).flatten(2)  # (B, M, N)
    weights = weights / weights.sum(dim=-1, keepdim=True).clamp_min(1e-8)
    return torch.einsum("blnc,bmn->bmlc", features[:, :, 1:], weights)


def shrink_masks(masks: Tensor, size: int) -> Tensor:
    """(B, M, S, S) -> (B, M, size*size): the share of each cell that the mask covers."""
    return F.adaptive_avg_pool2d(masks, size).flatten(2)


class MaskExtractor(nn.Module):
    """Pooled features and shrunken masks in, a mask token and a spatial token out."""

    def __init__(self, config: MairaSegConfig) -> None:
        super().__init__()
        width, out = config.extractor_width, config.language.width
        self.level_linears = nn.ModuleList(
            nn.Linear(config.vision.width, width) for _ in config.vision.levels
        )
        self.feat_linear = nn.Linear(width, out)
        self.spatial = nn.Sequential(
            nn.Linear(config.spatial_size**2, width), nn.ReLU(),
            nn.Linear(width, width), nn.ReLU(),
            nn.Linear(width, out),
        )  # fmt: skip

    def forward(self, pooled: Tensor, shrunk: Tensor) -> Tensor:
        """pooled (B, M, L, C), shrunk (B, M, size*size) -> (B, M, 2, hidden): mask token, then spatial
        token."""
        levels = [linear(pooled[:, :, i]) for i, linear in enumerate(self.level_linears)]
        mask_token = self.feat_linear(torch.stack(levels).sum(dim=0))
        return torch.stack([mask_token, self.spatial(shrunk)], dim=2)
