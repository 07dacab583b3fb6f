"""A loaded segmentation network: one image in, one mask per structure out, in the image's own pixels."""

from dataclasses import dataclass

import numpy as np
import torch
from monai.networks.nets.unet import UNet
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from inference.contract import ImageInput
from inference.segmentation import geometry, model, trust
from inference.structures import BY_CODE, Group

SPECK = 0.15
"""Parts of anatomy smaller than this share of its largest part are no anatomy."""
SCATTERED = ("ribs",)
"""Anatomy that lies in many pieces, small ones too."""


@dataclass(frozen=True)
class Square:
    """What the network saw and said at its own size.

    pixels: (1, S, S). probabilities: (C, S, S). masks: bool (C, S, S), all-false where absent.
    trust: (C,). descriptor: (D,) features of the whole image from the bottom of the U.
    """

    pixels: Tensor
    probabilities: Tensor
    masks: Tensor
    trust: Tensor
    descriptor: Tensor
    box: geometry.Letterbox


class Segmenter:
    """Runs the network. Holds no state beyond its weights; deterministic."""

    def __init__(self, config: model.SegmenterConfig, network: UNet) -> None:
        self.config = config
        self.network = network.eval()
        self._anatomy = [
            i
            for i, code in enumerate(config.structures)
            if BY_CODE[code].group == Group.ANATOMY and code not in SCATTERED
        ]
        self._bottom: list[Tensor] = []
        model.deepest(network).register_forward_hook(lambda _m, _i, output: self._bottom.append(output))

    @torch.inference_mode()
    def look(self, image: ImageInput) -> Square:
        """Everything about one image at the network's size."""
        pixels, box = geometry.to_square(image, self.config.image_size)
        probabilities, descriptors = self.probabilities(pixels[None])
        masks = self.cut(probabilities)[0]
        believed = trust.soft_dice(probabilities[0], masks)
        return Square(pixels, probabilities[0], masks, believed, descriptors[0], box)

    def probabilities(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 1, S, S) -> probabilities (B, C, S, S) and descriptors (B, D)."""
        self._bottom.clear()
        logits = self.network(pixels)
        bottom = self._bottom.pop()
        described = torch.cat([bottom.mean(dim=(-2, -1)), bottom.amax(dim=(-2, -1))], dim=-1)
        return logits.sigmoid(), described

    def cut(self, probabilities: Tensor, *, tidy: bool = True) -> Tensor:
        """(B, C, S, S) probabilities -> bool masks; a structure below its least area is absent (all
        false).

        Anatomy lies in one piece, or in two where something crosses it: with `tidy`, specks beside it are
        taken away (on the processor, mask by mask).
        """
        masks = probabilities >= self.config.threshold
        for channel in self._anatomy if tidy else ():
            for mask in masks[:, channel]:
                mask &= torch.from_numpy(without_specks(mask.cpu().numpy())).to(mask.device)
        least = torch.tensor(
            [self.config.min_area_of(i) for i in range(masks.shape[1])], device=probabilities.device
        )
        return masks & (masks.sum(dim=(-2, -1)) >= least)[..., None, None]

    def to_image(self, square: Square, index: int) -> NDArray[np.bool_]:
        """The mask of one structure in the pixels of the image, bool (rows, cols)."""
        taken_away = (square.probabilities[index] >= self.config.threshold) & ~square.masks[index]
        wanted = square.probabilities[index].masked_fill(taken_away, 0.0)
        grown = square.box.grow(wanted[None])[0]
        return np.asarray((grown >= self.config.threshold).numpy(), dtype=np.bool_)


def without_specks(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without its parts smaller than `SPECK` of the largest; diagonal neighbours touch."""
    labels, parts = ndimage.label(mask, structure=np.ones((3, 3)))
    if parts < 2:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray((sizes >= SPECK * sizes.max())[labels] & mask, dtype=np.bool_)
