"""Images inside the drafter's domain, at its edge and far outside: by population, a few of each kind."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from inference.contract import ImageInput, ViewPosition
from inference.imaging import dicom, pixels
from inference.imaging.refusals import Refusal
from inference.phantom import study as phantom
from inference.training import radiographs, records
from inference.training.report import outlined

SEED_MADE = 0
WORDS = (
    "Chest radiograph",
    "No acute findings.",
    "Page 1 of 2",
    "Accession",
    "Impression:",
    "胸部単純X線",
    "signed",
)
SHAPES = ((512, 512), (640, 512), (768, 1024), (256, 256))
BLOCK = 32

Gray = NDArray[np.floating]
Change = Callable[[NDArray[np.float32], np.random.Generator], Gray]


def noisy(sigma: float) -> Change:
    return lambda gray, rng: gray + rng.normal(0, sigma, gray.shape)


def blurred(sigma: float) -> Change:
    return lambda gray, _rng: ndimage.gaussian_filter(gray, sigma)


def gamma(exponent: float) -> Change:
    return lambda gray, _rng: np.power(gray, exponent)


def scrambled(gray: NDArray[np.float32], rng: np.random.Generator) -> Gray:
    """Blocks of `BLOCK` pixels in another order, as a broken decoder leaves them."""
    rows, cols = (size // BLOCK for size in gray.shape)
    cut = gray[: rows * BLOCK, : cols * BLOCK].reshape(rows, BLOCK, cols, BLOCK).swapaxes(1, 2)
    mixed = rng.permutation(cut.reshape(-1, BLOCK, BLOCK)).reshape(rows, cols, BLOCK, BLOCK)
    return mixed.swapaxes(1, 2).reshape(rows * BLOCK, cols * BLOCK)


def truncated(gray: NDArray[np.float32], _rng: np.random.Generator) -> Gray:
    """The lower half never came."""
    cut = gray.copy()
    cut[len(gray) // 2 :] = 0
    return cut


def not_numbers(gray: NDArray[np.float32], _rng: np.random.Generator) -> Gray:
    broken = gray.copy()
    broken[::64] = np.nan
    return broken


SHIFTS: dict[str, Change] = {
    "phantom": lambda gray, _rng: gray,
    "phantom, noise 0.05": noisy(0.05),
    "phantom, noise 0.15": noisy(0.15),
    "phantom, blur 1.5 px": blurred(1.5),
    "phantom, blur 4 px": blurred(4),
    "phantom, gamma 0.5": gamma(0.5),
    "phantom, gamma 2": gamma(2),
    "phantom, inverted": lambda gray, _rng: 1 - gray,
    "phantom, upside down": lambda gray, _rng: np.rot90(gray, 2),
    "phantom, on its side": lambda gray, _rng: np.rot90(gray),
    "phantom, mirrored": lambda gray, _rng: gray[:, ::-1],
    "phantom, lower half missing": truncated,
    "phantom, blocks scrambled": scrambled,
    "phantom, not numbers": not_numbers,
}
"""What happens to the pixels of a held-out phantom, in 0..1."""


def shifted(studies: int) -> Iterator[tuple[str, ImageInput]]:
    """(population, image): held-out phantoms as they come and with their pixels changed."""
    for index in range(studies):
        image = records.image_input(outlined.held_out(index))
        for number, (name, change) in enumerate(SHIFTS.items()):
            gray = change(image.grayscale, np.random.default_rng([SEED_MADE, index, number]))
            yield name, replace(image, grayscale=np.ascontiguousarray(gray.clip(0, 1), dtype=np.float32))


def generated(studies: int) -> Iterator[tuple[str, ImageInput]]:
    """Held-out phantoms of other settings of the generator."""
    settings: dict[str, dict[str, Any]] = {
        "phantom, AP": {"views": [ViewPosition.AP]},
        "phantom, 1024 px": {"size": 1024},
        "phantom, 256 px": {"size": 256},
        "phantom, wide": {"size": (400, 560)},
        "phantom, without grain": {"with_noise": False},
        "phantom, lateral called frontal": {"views": [ViewPosition.LEFT_LATERAL]},
    }
    for index in range(studies):
        for name, setting in settings.items():
            wanted = {"size": outlined.SIZE, "views": [ViewPosition.PA], **setting}
            study = phantom.generate(outlined.SEED_PHANTOMS, index, with_prior=False, **wanted)
            yield name, replace(records.image_input(study.images[0]), view_position=ViewPosition.UNKNOWN)


def chests(folder: Path) -> Iterator[tuple[str, ImageInput]]:
    """Real radiographs of patients on whom no gate was fitted."""
    for radiograph in radiographs.read(folder):
        if radiograph.held_out:
            yield "real chest, held-out patients", radiograph.image_input()


def dicom_files(folder: Path) -> Iterator[tuple[str, ImageInput | None]]:
    """The files of `chest/` by what they show, through the application's door; None where that refuses."""
    with (folder / "index.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["file"].startswith("chest/"):
                yield f"DICOM, {_shows(row)}", _read(folder / row["file"])


def _shows(row: dict[str, str]) -> str:
    if "VETERINARY" in row["note"]:
        return "dog"
    if "no pixels" in row["note"]:
        return "no pixels"
    return {"CHEST": "chest", "": "body part not stated"}.get(row["body_part"], row["body_part"].lower())


def _read(path: Path) -> ImageInput | None:
    try:
        dataset, header = dicom.read(path)
        shown = pixels.render(dataset)
    except Refusal:
        return None
    return ImageInput(
        sop_instance_uid=header.sop_instance_uid,
        grayscale=shown.grayscale(),
        pixel_spacing=shown.display.pixel_spacing,
        valid=shown.valid(),
    )


def made(count: int) -> Iterator[tuple[str, ImageInput]]:
    """What is no radiograph at all."""
    kinds: dict[str, Callable[[tuple[int, int], np.random.Generator], Gray]] = {
        "blank": lambda shape, rng: np.full(shape, rng.uniform()),
        "white noise": lambda shape, rng: rng.uniform(size=shape),
        "smooth noise": _clouds,
        "text": _page,
    }
    for index in range(count):
        for number, (name, make) in enumerate(kinds.items()):
            rng = np.random.default_rng([SEED_MADE, index, 100 + number])
            gray = make(SHAPES[index % len(SHAPES)], rng).astype(np.float32)
            yield name, ImageInput(f"{name} {index}", gray)


def _clouds(shape: tuple[int, int], rng: np.random.Generator) -> Gray:
    field = ndimage.gaussian_filter(rng.standard_normal(shape), rng.uniform(4, 40))
    return (field - field.min()) / max(float(np.ptp(field)), 1e-9)


def _page(shape: tuple[int, int], rng: np.random.Generator) -> Gray:
    """Lines of words, dark on light or light on dark."""
    page = Image.new("L", (shape[1], shape[0]))
    pen, height = ImageDraw.Draw(page), int(rng.integers(10, 40))
    for top in range(4, shape[0], round(height * 1.4)):
        words = "  ".join(rng.permutation(WORDS)[: rng.integers(1, len(WORDS))])
        pen.text((6, top), words, fill=int(rng.integers(140, 256)), font=ImageFont.load_default(height))
    gray = np.asarray(page, np.float32) / 255
    return 1 - gray if rng.uniform() < 0.5 else gray
