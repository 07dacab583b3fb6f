"""The square the models look at, and the way from an image into it and back.

An image of any size is resized with its aspect kept (area average when shrinking, so that a catheter one
pixel wide still darkens its cell) and padded to a square. Masks and probabilities come back the same way.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from inference.contract import ImageInput

LOW_PERCENTILE, HIGH_PERCENTILE = 1.0, 99.0
MIN_SIDE = 64
"""Images whose shorter side is below this many pixels carry no anatomy worth a mask."""


@dataclass(frozen=True)
class Letterbox:
    """Where an image of (rows, cols) lies inside a square of `size` pixels."""

    rows: int
    cols: int
    size: int

    @property
    def inner(self) -> tuple[int, int]:
        """(rows, cols) of the image inside the square."""
        scale = self.size / max(self.rows, self.cols)
        return max(1, round(self.rows * scale)), max(1, round(self.cols * scale))

    @property
    def offset(self) -> tuple[int, int]:
        """(top, left) of the image inside the square."""
        rows, cols = self.inner
        return (self.size - rows) // 2, (self.size - cols) // 2

    def shrink(self, image: Tensor) -> Tensor:
        """(C, rows, cols) -> (C, size, size), zero where padded. Shrinking averages areas."""
        assert image.shape[-2:] == (self.rows, self.cols), f"image is {tuple(image.shape)}, not {self}"
        inner = resize(image[None], self.inner)[0]
        (rows, cols), (top, left) = self.inner, self.offset
        return F.pad(inner, (left, self.size - cols - left, top, self.size - rows - top))

    def grow(self, maps: Tensor) -> Tensor:
        """(C, size, size) -> (C, rows, cols): the padding is cut off, the rest resized to the image's
        pixels."""
        (rows, cols), (top, left) = self.inner, self.offset
        inner = maps[None, :, top : top + rows, left : left + cols]
        return resize(inner, (self.rows, self.cols))[0]


def resize(maps: Tensor, to: tuple[int, int]) -> Tensor:
    """(B, C, H, W) -> (B, C, *to). Area average where it shrinks, bilinear where it grows."""
    height, width = maps.shape[-2:]
    smaller = (min(height, to[0]), min(width, to[1]))
    if smaller != (height, width):
        maps = F.interpolate(maps, smaller, mode="area")
    if smaller != to:
        maps = F.interpolate(maps, to, mode="bilinear", align_corners=False)
    return maps


def normalise(pixels: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Grayscale stretched so that the 1st and 99th percentile inside become 0 and 1; zero outside.

    Makes the models indifferent to the window an image was first shown with.
    """
    if not inside.any():
        return np.zeros_like(pixels)
    low, high = np.percentile(pixels[inside], (LOW_PERCENTILE, HIGH_PERCENTILE))
    stretched = np.clip((pixels - low) / max(float(high - low), 1e-3), 0.0, 1.0)
    return np.where(inside, stretched, 0.0).astype(np.float32)


def to_square(image: ImageInput, size: int) -> tuple[Tensor, Letterbox]:
    """The (1, size, size) float tensor a model sees, and the box to come back by."""
    rows, cols = image.grayscale.shape
    box = Letterbox(rows, cols, size)
    valid = np.ones((rows, cols), np.float32) if image.valid is None else image.valid.astype(np.float32)
    both = torch.from_numpy(np.stack([image.grayscale * valid, valid]))
    pixels, inside = box.shrink(both).numpy()
    seen = inside > 0.5
    mean = np.divide(pixels, inside, out=np.zeros_like(pixels), where=seen)
    return torch.from_numpy(normalise(mean, seen))[None], box
