"""Set-of-marks: outlines and numbers drawn into the pixels of a square, for an encoder that sees pixels only.

After Yang et al., Set-of-Mark Prompting (arXiv:2310.11441): each region is outlined and numbered. Grayscale
images have no colours to tell marks apart by, so the number is the structure's place among `STRUCTURES`.
"""

from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

SHADE = 1.0
"""Marks are white: inside a chest little else is."""


def draw(images: Tensor, masks: Tensor, shown: Tensor) -> Tensor:
    """Copies of images (B, 1, S, S) with the outlines and numbers of masks (B, M, S, S) whose `shown` (B, M)
    says so."""
    wanted = masks.bool() & shown[..., None, None]
    marked = images.clone()
    marked[outlines(wanted).any(dim=1, keepdim=True)] = SHADE
    for row, structure in wanted.flatten(2).any(dim=-1).nonzero().tolist():
        _write(marked[row, 0], structure, wanted[row, structure])
    return marked


def outlines(masks: Tensor) -> Tensor:
    """(B, M, S, S) bool -> the pixels of each mask that touch its outside, bool; of a thin mask all."""
    outside = F.pad((~masks).float(), (1, 1, 1, 1), value=1.0)
    return masks & (F.max_pool2d(outside, 3, stride=1) > 0)


def _write(image: Tensor, number: int, mask: Tensor) -> None:
    """The number over the middle of the mask, on black."""
    rows, cols = mask.nonzero(as_tuple=True)
    glyph = _glyph(number).to(image.device)
    height, width = glyph.shape
    top = min(max(int(rows.float().mean()) - height // 2, 0), image.shape[0] - height)
    left = min(max(int(cols.float().mean()) - width // 2, 0), image.shape[1] - width)
    image[top : top + height, left : left + width] = glyph * SHADE


@cache
def _glyph(number: int) -> Tensor:
    font = ImageFont.load_default()
    left, top, right, bottom = (int(edge) for edge in font.getbbox(str(number)))
    picture = Image.new("L", (right - left + 2, bottom - top + 2))
    ImageDraw.Draw(picture).text((1 - left, 1 - top), str(number), fill=255, font=font)
    return torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255)
