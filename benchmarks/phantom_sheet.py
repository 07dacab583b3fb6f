"""Pictures of phantoms, alone and beside real radiographs: `python -m benchmarks.phantom_sheet WHAT TO.png`.

WHAT is one of: `phantoms`, a contact sheet of phantoms with captions; `statistics`, plots of gray levels,
gradients and spectrum of phantoms and real radiographs; `compare`, rows of real radiographs above rows of
phantoms. Real ones are read from a folder and are seen in `compare` alone, which is not for the repository.
"""

import argparse
import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from inference.contract import Side, ViewPosition
from inference.phantom import study
from inference.phantom.study import PlannedFinding

SIDE = 256
Gray = NDArray[np.float32]
Curve = NDArray[np.float64]

PA, AP, LL = ViewPosition.PA, ViewPosition.AP, ViewPosition.LEFT_LATERAL
RIGHT, LEFT = Side.RIGHT, Side.LEFT
CASES: tuple[tuple[ViewPosition, tuple[PlannedFinding, ...]], ...] = (
    (PA, ()),
    (PA, ()),
    (AP, ()),
    (LL, ()),
    (PA, (PlannedFinding("pleural_effusion", RIGHT, "moderate"),)),
    (LL, (PlannedFinding("pleural_effusion", RIGHT, "moderate"),)),
    (AP, (PlannedFinding("pleural_effusion", LEFT, "large"),)),
    (PA, (PlannedFinding("pneumothorax", LEFT, "moderate"),)),
    (PA, (PlannedFinding("consolidation", RIGHT, "dense", "upper_lobe"),)),
    (PA, (PlannedFinding("consolidation", LEFT, "patchy", "lower_lobe"),)),
    (PA, (PlannedFinding("atelectasis", RIGHT, "lobar", "upper_lobe"),)),
    (AP, (PlannedFinding("pulmonary_edema", extent="severe"),)),
    (PA, (PlannedFinding("mass", LEFT, zone="upper"),)),
    (PA, (PlannedFinding("cardiomegaly", extent="marked"),)),
    (PA, (PlannedFinding("hiatus_hernia", extent="large"),)),
    (PA, (PlannedFinding("free_air", extent="large"),)),
    (AP, (PlannedFinding("endotracheal_tube"), PlannedFinding("nasogastric_tube"))),
    (AP, (PlannedFinding("central_line", RIGHT, zone="jugular"), PlannedFinding("chest_drain", LEFT))),
    (PA, (PlannedFinding("pacemaker", LEFT, "dual_lead"),)),
    (AP, (PlannedFinding("tracheostomy_tube"), PlannedFinding("rib_fracture", RIGHT, "multiple"))),
)
"""View and findings of each phantom on the contact sheet."""


def real(folder: Path, count: int | None, seed: int) -> list[Gray]:
    """Frontal radiographs of the folder's index.csv in an order drawn by seed; None for all."""
    with (folder / "index.csv").open(newline="") as file:
        names = [row["file"] for row in csv.DictReader(file) if row["view"].startswith(("PA", "AP"))]
    chosen = np.random.default_rng(seed).permutation(len(names))[:count]
    return [_square(np.asarray(Image.open(folder / names[i]).convert("L"), np.float32)) for i in chosen]


def made(count: int, seed: int) -> list[Gray]:
    """Frontal phantoms, as they come."""
    studies = (study.generate(seed, index, size=2 * SIDE, with_prior=False) for index in range(count))
    return [_shown(each) for each in studies]


def _shown(phantom: study.PhantomStudy) -> Gray:
    return _square(phantom.images[0].grayscale() * np.float32(255))


def _square(pixels: Gray) -> Gray:
    """(SIDE, SIDE), the 1st and 99th percentile at 0 and 1: what a window shows."""
    picture = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX)
    values = np.asarray(picture, np.float32)
    low, high = np.percentile(values, (1, 99))
    return np.clip((values - low) / max(float(high - low), 1e-3), 0, 1).astype(np.float32)


def compared(pictures: list[tuple[Gray, Gray]], per_row: int = 4) -> Image.Image:
    """Pairs of rows: real above, synthetic below."""
    rows = -(-len(pictures) // per_row)
    page = Image.new("L", (per_row * SIDE, rows * 2 * SIDE))
    for place, pair in enumerate(pictures):
        for lower, gray in enumerate(pair):
            at = ((place % per_row) * SIDE, (2 * (place // per_row) + lower) * SIDE)
            page.paste(_bytes(gray), at)
    return page


def _bytes(gray: Gray) -> Image.Image:
    return Image.fromarray((gray * 255).astype(np.uint8))


_CAPTION, _GAP = 42, 8


def contact_sheet(seed: int, per_row: int = 4) -> Image.Image:
    """A phantom for each of `CASES`, its view and findings written below it."""
    wide, tall = SIDE + _GAP, SIDE + _CAPTION
    page = Image.new("L", (per_row * wide + _GAP, -(-len(CASES) // per_row) * tall + _GAP), 255)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size=13)
    for place, (view, findings) in enumerate(CASES):
        x, y = _GAP + (place % per_row) * wide, _GAP + (place // per_row) * tall
        phantom = study.generate(
            seed, place, size=2 * SIDE, findings=findings, views=[view], with_prior=False
        )
        page.paste(_bytes(_shown(phantom)), (x, y))
        lines = [_named(one) for one in findings] or ["no findings"]
        pen.text((x, y + SIDE + 3), f"{view}: " + ",\n".join(lines), fill=0, font=font, spacing=2)
    return page


def _named(one: PlannedFinding) -> str:
    words = (one.extent, one.side, one.zone, one.finding)
    return " ".join(str(word).replace("_", " ") for word in words if word)


def gray_histogram(gray: Gray) -> Curve:
    """% of pixels at each level."""
    return np.histogram(gray, bins=64, range=(0, 1))[0] * (100 / gray.size)


def gradient_histogram(gray: Gray) -> Curve:
    """log10 of the % of pixels at each steepness."""
    down, across = np.gradient(gray)
    counts = np.histogram(np.hypot(down, across), bins=50, range=(0, 0.25))[0]
    return np.log10(counts * (100 / gray.size) + 1e-3)


def power_spectrum(gray: Gray) -> Curve:
    """log10 of the mean power at each radial frequency, under a Hann window."""
    window = np.hanning(SIDE)
    power = np.abs(np.fft.fft2((gray - gray.mean()) * np.outer(window, window))) ** 2
    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE))) * SIDE
    rings = np.clip(radius.astype(int), 0, SIDE // 2)
    total = np.bincount(rings.ravel(), power.ravel())
    return np.log10(total / np.bincount(rings.ravel()) + 1e-9)[1 : SIDE // 2]


@dataclass(frozen=True)
class Plot:
    """One statistic: at, its place on the x axis for each value of its curve; ticks: place and label."""

    title: str
    measure: Callable[[Gray], Curve]
    at: Curve
    x_label: str
    x_ticks: tuple[tuple[float, str], ...]
    y_label: str
    y_ticks: tuple[tuple[float, str], ...]


PLOTS = (
    Plot(
        "Gray levels",
        gray_histogram,
        (np.arange(64) + 0.5) / 64,
        "gray (0: 1st, 1: 99th percentile)",
        tuple((x / 4, f"{x / 4:g}") for x in range(5)),
        "pixels (% per 1/64)",
        tuple((float(y), str(y)) for y in range(6)),
    ),
    Plot(
        "Gradient",
        gradient_histogram,
        (np.arange(50) + 0.5) / 200,
        "gray per pixel of 1/256 of the width",
        tuple((x / 20, f"{x / 20:g}") for x in range(6)),
        "pixels (% per 0.005)",
        tuple((float(y), f"{10.0**y:g}") for y in range(-3, 3)),
    ),
    Plot(
        "Radial power spectrum",
        power_spectrum,
        np.log2(np.arange(1, SIDE // 2)),
        "cycles per width",
        tuple((float(x), str(2**x)) for x in range(0, 8)),
        "mean power (log10)",
        tuple((float(y), str(y)) for y in range(-1, 8, 2)),
    ),
)
_REAL, _MADE = (200, 60, 40), (20, 90, 200)
_PANEL, _BOX = (460, 380), (66, 40, 444, 322)
"""Size of a plot, and left, top, right, bottom of its axes in it."""
_SHARP = 2
"""Plots are drawn so many times larger, then reduced: smooth lines."""


def plots(groups: Sequence[tuple[str, list[Gray], tuple[int, int, int]]]) -> Image.Image:
    """The three statistics: for each group, given with its name and colour, the median and quartiles."""
    page = Image.new("RGB", (_PANEL[0] * len(PLOTS) * _SHARP, _PANEL[1] * _SHARP), "white")
    for place, plot in enumerate(PLOTS):
        panel = Image.new("RGB", (_PANEL[0] * _SHARP, _PANEL[1] * _SHARP), "white")
        _axes(panel, plot)
        for number, (name, pictures, colour) in enumerate(groups):
            quartiles = np.percentile([plot.measure(one) for one in pictures], (25, 50, 75), axis=0)
            _band(panel, plot, quartiles, colour)
            _legend(panel, number, f"{name} (n = {len(pictures)})", colour)
        page.paste(panel, (place * panel.width, 0))
    return page.resize((_PANEL[0] * len(PLOTS), _PANEL[1]), Image.Resampling.LANCZOS)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size * _SHARP)


def _axes(panel: Image.Image, plot: Plot) -> None:
    """Frame, grid, ticks, labels, title."""
    pen = ImageDraw.Draw(panel)
    left, top, right, bottom = (edge * _SHARP for edge in _BOX)
    for value, label in plot.x_ticks:
        x = _x(plot, value)
        pen.line([(x, top), (x, bottom)], fill=(228, 228, 228), width=_SHARP)
        pen.text((x, bottom + 6 * _SHARP), label, fill="black", font=_font(11), anchor="mt")
    for value, label in plot.y_ticks:
        y = _y(plot, value)
        pen.line([(left, y), (right, y)], fill=(228, 228, 228), width=_SHARP)
        pen.text((left - 6 * _SHARP, y), label, fill="black", font=_font(11), anchor="rm")
    pen.rectangle((left, top, right, bottom), outline=(90, 90, 90), width=_SHARP)
    middle = (left + right) / 2
    pen.text((middle, 14 * _SHARP), plot.title, fill="black", font=_font(15), anchor="mt")
    pen.text((middle, bottom + 28 * _SHARP), plot.x_label, fill="black", font=_font(12), anchor="mt")
    upright = Image.new("L", (bottom - top, 18 * _SHARP), 255)
    ImageDraw.Draw(upright).text(
        (upright.width / 2, 2 * _SHARP), plot.y_label, fill=0, font=_font(12), anchor="mt"
    )
    panel.paste(upright.rotate(90, expand=True), (6 * _SHARP, top))


def _x(plot: Plot, value: float) -> float:
    first, last = plot.x_ticks[0][0], plot.x_ticks[-1][0]
    return _SHARP * (_BOX[0] + (_BOX[2] - _BOX[0]) * (value - first) / (last - first))


def _y(plot: Plot, value: float) -> float:
    first, last = plot.y_ticks[0][0], plot.y_ticks[-1][0]
    share = min(max((value - first) / (last - first), 0), 1)
    return _SHARP * (_BOX[3] - (_BOX[3] - _BOX[1]) * share)


def _band(panel: Image.Image, plot: Plot, quartiles: Curve, colour: tuple[int, int, int]) -> None:
    """The median as a line, between the quartiles a tint."""
    x = [_x(plot, float(at)) for at in plot.at]
    low, middle, high = ([_y(plot, float(value)) for value in curve] for curve in quartiles)
    tint = Image.new("L", panel.size)
    edge = [*zip(x, low, strict=True), *reversed(list(zip(x, high, strict=True)))]
    ImageDraw.Draw(tint).polygon(edge, fill=56)
    panel.paste(colour, mask=tint)
    ImageDraw.Draw(panel).line(list(zip(x, middle, strict=True)), fill=colour, width=2 * _SHARP)


def _legend(panel: Image.Image, number: int, text: str, colour: tuple[int, int, int]) -> None:
    pen = ImageDraw.Draw(panel)
    x, y = (_BOX[2] - 190) * _SHARP, (_BOX[1] + 16 + 18 * number) * _SHARP
    pen.line([(x, y), (x + 22 * _SHARP, y)], fill=colour, width=3 * _SHARP)
    pen.text((x + 30 * _SHARP, y), text, fill="black", font=_font(12), anchor="lm")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("phantoms", "statistics", "compare"))
    parser.add_argument("target", type=Path, help="PNG to write")
    parser.add_argument("--real", type=Path, default=Path("../shared/data/cxr"))
    parser.add_argument("--shown", type=int, default=8, help="pairs to compare")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.what == "phantoms":
        page = contact_sheet(options.seed)
    elif options.what == "statistics":
        reals = real(options.real, None, options.seed)
        mades = made(len(reals), options.seed)
        page = plots([("real radiographs", reals, _REAL), ("phantoms", mades, _MADE)])
    else:
        reals = real(options.real, options.shown, options.seed)
        page = compared(list(zip(reals, made(options.shown, options.seed), strict=True)))
    page.save(options.target, optimize=True)
    print(options.target)


if __name__ == "__main__":
    main()
