"""The image encoder: transformers' own DINOv2, frozen, several hidden levels exposed."""

import torch
from torch import Tensor, nn
from transformers import Dinov2Backbone, Dinov2Config

from inference.maira_seg.config import VisionConfig


def build(config: VisionConfig) -> Dinov2Backbone:
    """Feature maps come as (B, 1 + grid * grid, width), the class token first, the last layer norm
    applied."""
    shape = Dinov2Config(
        hidden_size=config.width,
        num_hidden_layers=config.depth,
        num_attention_heads=config.heads,
        image_size=config.image_size,
        patch_size=config.patch_size,
        num_channels=config.channels,
        layerscale_value=1.0,
        reshape_hidden_states=False,
    )
    shape.set_output_features_output_indices(out_features=None, out_indices=list(config.levels))
    return Dinov2Backbone(shape)


class VisionEncoder(nn.Module):
    """Grayscale squares in, one grid of features per level out."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = build(config)

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 1, S, S) in 0..1 -> (B, L, 1 + G*G, C), levels ascending."""
        size = self.config.image_size
        assert pixels.shape[-2:] == (size, size), f"encoder wants {size} px, got {tuple(pixels.shape)}"
        presented = ((pixels - self.config.mean) / self.config.std).expand(-1, self.config.channels, -1, -1)
        return torch.stack(self.backbone(presented).feature_maps, dim=1)

    def freeze(self) -> "VisionEncoder":
        """No gradient from here on: the rest of MAIRA-Seg trains on fixed features."""
        self.requires_grad_(False)
        return self.eval()


def descriptor(features: Tensor) -> Tensor:
    """(B, L, 1 + N, C) -> (B, 2 * L * C): mean and spread of the patches of every level, for applicability.

    The spread is what tells a real radiograph from a phantom: means alone let half of them through.
    """
    patches = features[:, :, 1:]
    return torch.cat([patches.mean(dim=2), patches.std(dim=2)], dim=-1).flatten(1)
