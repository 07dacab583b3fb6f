"""The same held-out phantoms as other rooms would show them: view, turn, crop, letters, contrast, blur."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from inference.contract import ImageInput, ViewPosition
from inference.phantom.study import PhantomImage
from inference.training import records
from inference.training.report.outlined import held_out

TEXT = ("PORTABLE  AP SUPINE", "ACC 0042 7719 1150", "110 kV  2.5 mAs", "FOR REVIEW  WL 2048 / 4096")
TEXT_HEIGHT = 0.05
"""Of a line of burned-in letters, as a share of the picture."""
LOW_CONTRAST = 0.15
"""The share of the gray range that is used; the values are rounded to eight bits."""
BLUR_MM = 2.0
CROPPED = 0.1

Gray = NDArray[np.float32]


@dataclass(frozen=True)
class Picture:
    """An image with its true masks."""

    image: ImageInput
    masks: Mapping[str, NDArray[np.bool_]]


Condition = Callable[[Picture, int], Picture]


def rotated(degrees: float) -> Condition:
    """Every other study turned the other way; what comes into the picture is black."""

    def turn(picture: Picture, index: int) -> Picture:
        angle = degrees if index % 2 else -degrees
        gray = ndimage.rotate(picture.image.grayscale, angle, reshape=False, order=1)
        masks = {
            code: ndimage.rotate(mask.astype(np.uint8), angle, reshape=False, order=0) > 0
            for code, mask in picture.masks.items()
        }
        return Picture(replace(picture.image, grayscale=gray.clip(0, 1)), _left(masks))

    return turn


def cropped(picture: Picture, index: int) -> Picture:
    """A tenth of the height and of the width is lost, at each corner in turn."""
    rows, cols = picture.image.grayscale.shape
    lost = round(rows * CROPPED), round(cols * CROPPED)
    top, left = lost[0] * (index % 2), lost[1] * (index // 2 % 2)
    window = slice(top, top + rows - lost[0]), slice(left, left + cols - lost[1])
    masks = {code: np.ascontiguousarray(mask[window]) for code, mask in picture.masks.items()}
    gray = np.ascontiguousarray(picture.image.grayscale[window])
    return Picture(replace(picture.image, grayscale=gray), _left(masks))


def lettered(picture: Picture, index: int) -> Picture:
    """White letters burned into the upper left and lower right, over whatever lies there."""
    rows, cols = picture.image.grayscale.shape
    page = Image.new("L", (cols, rows))
    pen, height = ImageDraw.Draw(page), round(rows * TEXT_HEIGHT)
    font = ImageFont.load_default(height)
    for line, text in enumerate(TEXT):
        pen.text((height // 2, height // 2 + line * height * 1.2), text, fill=255, font=font)
    pen.text((cols - height // 2, rows - height // 2), TEXT[index % len(TEXT)], 255, font, anchor="rd")
    letters = np.asarray(page, np.float32) / np.float32(255)
    return _shown(picture, np.maximum(picture.image.grayscale, letters))


def inverted(picture: Picture, _index: int) -> Picture:
    return _shown(picture, 1 - picture.image.grayscale)


def low_contrast(picture: Picture, _index: int) -> Picture:
    """Pressed into a part of the gray range and rounded to eight bits, so that detail is lost for good."""
    pressed = 0.5 + (picture.image.grayscale - 0.5) * LOW_CONTRAST
    return _shown(picture, np.rint(pressed * 255) / 255)


def blurred(picture: Picture, _index: int) -> Picture:
    """By a Gaussian of `BLUR_MM` standard deviation."""
    assert picture.image.pixel_spacing is not None, "a phantom knows its pixel spacing"
    sigma = [BLUR_MM / mm for mm in picture.image.pixel_spacing]
    return _shown(picture, ndimage.gaussian_filter(picture.image.grayscale, sigma))


def unchanged(picture: Picture, _index: int) -> Picture:
    return picture


CONDITIONS: dict[str, Condition] = {
    "PA": unchanged,
    "AP": unchanged,
    "rotated 5 degrees": rotated(5),
    "rotated 10 degrees": rotated(10),
    "cropped by a tenth": cropped,
    "burned-in text": lettered,
    "inverted": inverted,
    "low contrast": low_contrast,
    f"blurred by {BLUR_MM:g} mm": blurred,
}
"""All but AP change the picture of the PA view; AP is the same patient lying, rendered anew."""


def pictures(studies: int) -> Iterator[tuple[str, Picture]]:
    """(condition, picture) of the first held-out phantoms under every condition."""
    for index in range(studies):
        standing, lying = (_picture(held_out(index, view)) for view in (ViewPosition.PA, ViewPosition.AP))
        for name, condition in CONDITIONS.items():
            yield name, condition(lying if name == "AP" else standing, index)


def _picture(image: PhantomImage) -> Picture:
    return Picture(records.image_input(image), image.masks)


def _shown(picture: Picture, gray: NDArray[np.floating]) -> Picture:
    shown = np.clip(gray, 0, 1).astype(np.float32)
    return Picture(replace(picture.image, grayscale=shown), picture.masks)


def _left(masks: dict[str, NDArray[np.bool_]]) -> dict[str, NDArray[np.bool_]]:
    """Without those that lie outside the picture now."""
    return {code: mask for code, mask in masks.items() if mask.any()}
