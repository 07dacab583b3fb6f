"""The segmentation network: MONAI's U-Net, one sigmoid per structure because structures overlap."""

from dataclasses import asdict, dataclass
from typing import Any

from monai.networks.layers.simplelayers import SkipConnection
from monai.networks.nets.unet import UNet
from torch import nn

from inference.structures import STRUCTURES


@dataclass(frozen=True)
class SegmenterConfig:
    """image_size: pixels of the square input. structures: one output channel each, in this order.

    thresholds: probability from which a pixel belongs to the structure. min_area: pixels of the square
    below which a structure counts as absent. trust_threshold: see `inference.segmentation.trust`.
    validated_outside: structures whose masks were measured on real radiographs and may be trusted there.
    unproven: structures whose masks are never trusted, whatever the network says: too many of those it
    was sure of had nothing below (`training.calibrate.unproven`).
    """

    image_size: int = 256
    channels: tuple[int, ...] = (24, 48, 96, 128, 160)
    res_units: int = 2
    structures: tuple[str, ...] = tuple(structure.code for structure in STRUCTURES)
    threshold: float = 0.5
    min_area: tuple[int, ...] = ()
    trust_threshold: float = 0.6
    validated_outside: tuple[str, ...] = ("lung_right", "lung_left")
    unproven: tuple[str, ...] = ()

    def min_area_of(self, index: int) -> int:
        return self.min_area[index] if self.min_area else 1

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "SegmenterConfig":
        read: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**read)


def build(config: SegmenterConfig) -> UNet:
    """Input (B, 1, S, S), output logits (B, len(structures), S, S). Instance norm: no batch statistics
    to drift."""
    return UNet(
        spatial_dims=2,
        in_channels=1,
        out_channels=len(config.structures),
        channels=config.channels,
        strides=(2,) * (len(config.channels) - 1),
        num_res_units=config.res_units,
        norm="instance",
    )


def deepest(network: UNet) -> nn.Module:
    """The module at the bottom of the U: its output describes the image as a whole."""
    module: nn.Module = network.model
    while isinstance(module, nn.Sequential) and len(module) > 1 and isinstance(module[1], SkipConnection):
        module = module[1].submodule
    return module
