"""Real and synthetic radiographs side by side, and their statistics: `python -m benchmarks.phantom_sheet`.

Writes SHEET.png (rows of real above rows of synthetic), and SHEET-statistics.png with three plots: gray
levels, gradients, radial power spectrum. Real images are read from the folder given and never stored beside
the code.
"""

import argparse
import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from inference.phantom.solid import study

SIDE = 256
Gray = NDArray[np.float32]
_REAL, _MADE = (200, 60, 40), (20, 90, 200)


def real(folder: Path, count: int, seed: int) -> list[Gray]:
    """Pictures of the folder's index.csv, drawn by seed."""
    with (folder / "index.csv").open(newline="") as file:
        names = [row["file"] for row in csv.DictReader(file)]
    chosen = np.random.default_rng(seed).permutation(len(names))[:count]
    return [_square(np.asarray(Image.open(folder / names[i]).convert("L"), np.float32)) for i in chosen]


def made(count: int, seed: int) -> list[Gray]:
    """Frontal phantoms."""
    studies = (study.generate(seed, index, size=2 * SIDE, with_prior=False) for index in range(count))
    return [_square(each.images[0].grayscale() * np.float32(255)) for each in studies]


def _square(pixels: Gray) -> Gray:
    """(SIDE, SIDE), the 1st and 99th percentile at 0 and 1: what a window shows."""
    picture = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX)
    values = np.asarray(picture, np.float32)
    low, high = np.percentile(values, (1, 99))
    return np.clip((values - low) / max(float(high - low), 1e-3), 0, 1).astype(np.float32)


def sheet(pictures: list[tuple[Gray, Gray]], per_row: int = 4) -> Image.Image:
    """Pairs of rows: real above, synthetic below."""
    rows = -(-len(pictures) // per_row)
    page = Image.new("L", (per_row * SIDE, rows * 2 * SIDE))
    for place, pair in enumerate(pictures):
        for lower, gray in enumerate(pair):
            at = ((place % per_row) * SIDE, (2 * (place // per_row) + lower) * SIDE)
            page.paste(Image.fromarray((gray * 255).astype(np.uint8)), at)
    return page


def gray_histogram(gray: Gray) -> NDArray[np.float64]:
    return np.histogram(gray, bins=64, range=(0, 1))[0] / gray.size


def gradient_histogram(gray: Gray) -> NDArray[np.float64]:
    """log10 of the share of pixels at each steepness."""
    down, across = np.gradient(gray)
    counts = np.histogram(np.hypot(down, across), bins=64, range=(0, 0.25))[0]
    return np.log10(counts / gray.size + 1e-6)


def power_spectrum(gray: Gray) -> NDArray[np.float64]:
    """log10 of the mean power at each radial frequency, under a Hann window."""
    window = np.hanning(SIDE)
    power = np.abs(np.fft.fft2((gray - gray.mean()) * np.outer(window, window))) ** 2
    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE))) * SIDE
    rings = np.clip(radius.astype(int), 0, SIDE // 2)
    total = np.bincount(rings.ravel(), power.ravel())
    return np.log10(total / np.bincount(rings.ravel()) + 1e-9)[1 : SIDE // 2]


STATISTICS: dict[str, Callable[[Gray], NDArray[np.float64]]] = {
    "gray levels": gray_histogram,
    "gradient (log share)": gradient_histogram,
    "power spectrum (log)": power_spectrum,
}


def plots(reals: list[Gray], mades: list[Gray]) -> Image.Image:
    """Mean curves with their quartiles: red real, blue synthetic."""
    width, height = 460, 340
    page = Image.new("RGB", (width * len(STATISTICS), height), "white")
    pen = ImageDraw.Draw(page)
    for number, (name, measure) in enumerate(STATISTICS.items()):
        groups = [np.stack([measure(one) for one in group]) for group in (reals, mades)]
        low = min(float(np.percentile(g, 25, axis=0).min()) for g in groups)
        high = max(float(np.percentile(g, 75, axis=0).max()) for g in groups)
        pen.text((number * width + 12, 6), f"{name}: red real, blue synthetic", fill="black")
        for group, colour in zip(groups, (_REAL, _MADE), strict=True):
            for share, thick in ((25, 1), (50, 3), (75, 1)):
                curve = np.percentile(group, share, axis=0)
                x = number * width + 12 + np.arange(curve.size) * (width - 24) / curve.size
                y = height - 12 - (curve - low) / max(high - low, 1e-9) * (height - 40)
                pen.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=colour, width=thick)
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sheet", type=Path, help="PNG to write")
    parser.add_argument("--real", type=Path, default=Path("../shared/data/cxr"))
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--shown", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    reals, mades = real(options.real, options.count, options.seed), made(options.count, options.seed)
    sheet(list(zip(reals, mades, strict=True))[: options.shown]).save(options.sheet)
    target = options.sheet.with_name(f"{options.sheet.stem}-statistics.png")
    plots(reals, mades).save(target)
    print(options.sheet, target)


if __name__ == "__main__":
    main()
