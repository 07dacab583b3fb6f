"""Real chest radiographs with lung masks (public, CC BY; see the bundle's card), split by patient."""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from inference.contract import ImageInput
from inference.segmentation.geometry import to_square
from inference.structures import STRUCTURES

HELD_OUT_SHARE = 0.3
SMALL = 0.02
"""Components below this share of the whole lung mask are specks."""
_RIGHT, _LEFT = (
    next(i for i, s in enumerate(STRUCTURES) if s.code == code) for code in ("lung_right", "lung_left")
)


@dataclass(frozen=True)
class Radiograph:
    """One real image. lungs: (rows, cols) bool, both lungs together, None where nobody drew them."""

    name: str
    patient: str
    held_out: bool
    grayscale: NDArray[np.float32]
    lungs: NDArray[np.bool_] | None

    def image_input(self) -> ImageInput:
        return ImageInput(sop_instance_uid=self.name, grayscale=self.grayscale, secondary_capture=True)


@dataclass(frozen=True)
class Squares:
    """Radiographs as the network sees them: images (N, 1, S, S), lungs (N, S, S) and, where the two lungs lie
    apart, sides (N, 2, S, S) right and left; known (N, 2): [lungs drawn, sides known]."""

    images: torch.Tensor
    lungs: torch.Tensor
    sides: torch.Tensor
    known: torch.Tensor

    @property
    def parts(self) -> tuple[torch.Tensor, ...]:
        return self.images, self.lungs, self.sides, self.known

    def to(self, device: torch.device | str) -> "Squares":
        return Squares(*(part.to(device) for part in self.parts))

    def and_also(self, other: "Squares") -> "Squares":
        """These, then those of the other, of the same size."""
        return Squares(*map(torch.cat, zip(self.parts, other.parts, strict=True)))


def read(folder: Path) -> list[Radiograph]:
    """Every radiograph of the folder's index.csv, in its order."""
    with (folder / "index.csv").open(newline="") as file:
        return [_read_row(folder, row) for row in csv.DictReader(file)]


def _read_row(folder: Path, row: dict[str, str]) -> Radiograph:
    pixels = np.asarray(Image.open(folder / row["file"]).convert("L")).astype(np.float32) / np.float32(255)
    lungs = None
    if row["lung_mask"]:
        lungs = np.asarray(Image.open(folder / row["lung_mask"]).convert("L")) > 127
    return Radiograph(row["file"], row["patient"], is_held_out(row["patient"]), pixels, lungs)


def is_held_out(patient: str) -> bool:
    """A stable split by patient: the same on every machine and in every run."""
    return int(hashlib.sha256(patient.encode()).hexdigest()[:8], 16) / 2**32 < HELD_OUT_SHARE


def squares(radiographs: list[Radiograph], size: int) -> Squares:
    """All of them at the network's size."""
    count = len(radiographs)
    images, lungs = torch.zeros(count, 1, size, size), torch.zeros(count, size, size)
    sides, known = torch.zeros(count, 2, size, size), torch.zeros(count, 2, dtype=torch.bool)
    for row, radiograph in enumerate(radiographs):
        images[row], box = to_square(radiograph.image_input(), size)
        if radiograph.lungs is None:
            continue
        lungs[row] = box.shrink(torch.from_numpy(radiograph.lungs.astype(np.float32))[None])[0] >= 0.5
        known[row, 0] = True
        apart = two_lungs(lungs[row].numpy() > 0)
        if apart is not None:
            sides[row], known[row, 1] = torch.from_numpy(np.stack(apart)).float(), True
    return Squares(images, lungs, sides, known)


def two_lungs(lungs: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
    """(right, left) of the patient when the mask falls into exactly two parts beside each other, else None.

    A frontal radiograph shows the patient's right on the left of the picture.
    """
    labels, _ = ndimage.label(lungs)
    sizes = np.bincount(labels.ravel())[1:]
    large = [i + 1 for i, size in enumerate(sizes) if size > SMALL * max(1, lungs.sum())]
    if len(large) != 2:
        return None
    one, other = (labels == part for part in large)
    if np.nonzero(one)[1].mean() > np.nonzero(other)[1].mean():
        one, other = other, one
    return one, other


def lung_channels() -> tuple[int, int]:
    """Where right and left lung stand in `STRUCTURES`."""
    return _RIGHT, _LEFT
