"""Set-of-marks: outlines and numbers drawn into the pixels of a square, for an encoder that sees pixels only.

After Yang et al., Set-of-Mark Prompting (arXiv:2310.11441): each region is outlined and numbered. Grayscale
images have no colours to tell marks apart by, so the number is the structure's place among `STRUCTURES`.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

SHADE = 1.0
"""Marks are white: inside a chest little else is."""


def draw(images: Tensor, masks: Tensor, shown: Tensor) -> Tensor:
    """Copies of images (B, 1, S, S) with the outlines and numbers of masks (B, M, S, S) whose `shown` (B, M)
    says so."""
    wanted = masks[shown].bool()
    marked = images.clone()
    for row, edge in zip(shown.nonzero()[:, 0].tolist(), outlines(wanted), strict=True):
        marked[row, 0, edge] = SHADE
    there = shown.nonzero()[masks[shown].flatten(1).any(dim=-1)]
    middles = _middles(wanted)[wanted.flatten(1).any(dim=-1)]
    pictures = marked.cpu().numpy()
    for (row, number), middle in zip(there.tolist(), middles.tolist(), strict=True):
        _write(pictures[row, 0], number, middle)
    return torch.from_numpy(pictures).to(images.device)


def _middles(masks: Tensor) -> Tensor:
    """(..., S, S) bool -> mean row and column (..., 2), cut to whole pixels; nonsense where empty."""
    places = torch.arange(masks.shape[-1], dtype=torch.float64, device=masks.device)
    along = torch.stack([masks.sum(dim=-1).double() @ places, masks.sum(dim=-2).double() @ places], dim=-1)
    return (along / masks.sum(dim=(-2, -1))[..., None].clamp_min(1)).long()


def outlines(masks: Tensor) -> Tensor:
    """(..., S, S) bool -> the pixels of each mask that touch its outside, bool; of a thin mask all."""
    inside = F.pad(masks, (1, 1, 1, 1))
    for along in (-1, -2):  # a square of nine pixels, as three rows of three
        length = masks.shape[along]
        before, here, after = (inside.narrow(along, start, length) for start in range(3))
        inside = before & here & after
    return masks & ~inside


def _write(image: NDArray[np.float32], number: int, middle: Sequence[int]) -> None:
    """The number over the middle (row, column) of its mask, on black."""
    glyph = _glyph(number)
    height, width = glyph.shape
    top = min(max(middle[0] - height // 2, 0), image.shape[0] - height)
    left = min(max(middle[1] - width // 2, 0), image.shape[1] - width)
    image[top : top + height, left : left + width] = glyph * SHADE


@cache
def _glyph(number: int) -> NDArray[np.float32]:
    font = ImageFont.load_default()
    left, top, right, bottom = (int(edge) for edge in font.getbbox(str(number)))
    picture = Image.new("L", (right - left + 2, bottom - top + 2))
    ImageDraw.Draw(picture).text((1 - left, 1 - top), str(number), fill=255, font=font)
    return np.asarray(picture, dtype=np.float32) / np.float32(255)
