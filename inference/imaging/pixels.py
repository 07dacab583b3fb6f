"""The one grayscale pipeline: stored values -> modality -> values of interest -> photometric -> gray.

Server, browser and model see the same image because all of them read what `write_derivatives` wrote: a value
image (uint16, modality = value * slope + intercept, nothing lost) and a table of the gray each value is first
shown with. Grayscale is `table[values] / 65535`; the browser's 8 bits are `table[values] >> 8`.

Steps and formulas are those of DICOM PS3.3: C.7.6.3 pixels, C.11.1 modality, C.11.2 values of interest.
"""

import gzip
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset

from inference.imaging import voi
from inference.imaging.header import floats, pixel_spacing, text, value
from inference.imaging.refusals import Refusal, RefusalCode
from inference.imaging.stored import big_endian, stored_image
from inference.imaging.voi import LEVELS, WHITE, ValueScale, Window

PIPELINE_VERSION = "2"
"""Changes whenever the same file would give other derivatives."""
_READ_AS_WELL = ("1",)
"""Versions whose derivatives are right as far as they go: 1 offered only the first of several VOI LUTs."""

PREVIEW_SIDE = 640
FULL, PREVIEW, TABLE, DISPLAY = "full.bin", "preview.bin", "table.bin", "display.json"
AUTOMATIC = "Automatic"
"""The explanation of the window computed from the image's own percentiles; always the last of the list."""

_PERCENTILES = (0.005, 0.995)
_STRIP_ROWS = 256
_COMPRESSION_LEVEL = 4
"""gzip: level 6 and above cost several times the time for one or two per cent of noise-limited pixels."""


@dataclass(frozen=True)
class DisplayInfo:
    """What display.json holds, beside the version.

    windows are in modality units: VOI LUTs before others, whose tables `table.bin` holds; the first is shown,
    the last is `AUTOMATIC`. invert: low values are bright. value_min and value_max leave padding out; padding
    is a range of values or None. pixel_aspect_ratio is a pixel's height divided by its width.
    """

    rows: int
    columns: int
    preview_rows: int
    preview_columns: int
    value_slope: float
    value_intercept: float
    windows: tuple[Window, ...]
    invert: bool
    value_min: int
    value_max: int
    padding: tuple[int, int] | None
    pixel_spacing: tuple[float, float] | None
    pixel_spacing_source: str
    pixel_aspect_ratio: float
    photometric_interpretation: str

    def as_json(self) -> dict[str, Any]:
        return {"version": PIPELINE_VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "DisplayInfo":
        """The inverse of `as_json`. Raises ValueError when another pipeline version wrote it."""
        fields = dict(content)
        version = fields.pop("version", None)
        if version not in (PIPELINE_VERSION, *_READ_AS_WELL):
            raise ValueError(f"derivatives of pipeline version {version!r}, this is {PIPELINE_VERSION!r}")
        for pair in ("padding", "pixel_spacing"):
            fields[pair] = None if fields[pair] is None else tuple(fields[pair])
        fields["windows"] = tuple(Window(**window) for window in fields["windows"])
        return cls(**fields)


@dataclass(frozen=True)
class Rendered:
    """A decoded image. values: (rows, cols) uint16; tables: of (65536,) uint16, the gray that each value gets
    by the first window, and by every further one that is a VOI LUT."""

    values: NDArray[np.uint16]
    tables: tuple[NDArray[np.uint16], ...]
    display: DisplayInfo

    @property
    def table(self) -> NDArray[np.uint16]:
        """(65536,) uint16: the gray each value is first shown with."""
        return self.tables[0]

    def grayscale(self) -> NDArray[np.float32]:
        """(rows, cols) float32 in 0..1."""
        return _grayscale(self.values, self.table)

    def eight_bit(self) -> NDArray[np.uint8]:
        """(rows, cols) uint8, as the browser first shows it."""
        return (self.table >> 8).astype(np.uint8)[self.values]

    def valid(self) -> NDArray[np.bool_] | None:
        """(rows, cols), false on padding; None when there is none."""
        return _valid(self.values, self.display.padding)


def render(dataset: Dataset) -> Rendered:
    """Decode an accepted data set (see `dicom.read`) and work out how it is first shown.

    Raises
    ------
    Refusal
        When the pixels cannot be decoded or contradict the header.
    """
    stored, signed = stored_image(dataset)
    pads = _padding_range(dataset, signed=signed)
    values, scale, padding = _values(dataset, stored, signed=signed, pads=pads)
    valid = _valid(values, padding)
    if valid is None or not valid.any():
        padding = None
    low, high, automatic = _statistics(values, padding, scale)
    modality = scale.modality()
    offered, grays = _views(dataset, modality, automatic)
    invert = _inverted(dataset)
    rows, columns = values.shape
    preview_rows, preview_columns = preview_size(rows, columns)
    spacing, source = pixel_spacing(dataset)
    display = DisplayInfo(
        rows=rows,
        columns=columns,
        preview_rows=preview_rows,
        preview_columns=preview_columns,
        value_slope=scale.slope,
        value_intercept=scale.intercept,
        windows=offered,
        invert=invert,
        value_min=low,
        value_max=high,
        padding=padding,
        pixel_spacing=spacing,
        pixel_spacing_source=source,
        pixel_aspect_ratio=_aspect_ratio(dataset, spacing),
        photometric_interpretation=text(dataset, "PhotometricInterpretation").upper(),
    )
    return Rendered(values, tuple(voi.table(gray, invert=invert, padding=padding) for gray in grays), display)


def window_table(display: DisplayInfo, window: Window) -> NDArray[np.uint16]:
    """(65536,) uint16: the gray of each value through another window than the first.

    Raises
    ------
    ValueError
        For a VOI LUT: its table is its own, and `table.bin` holds it at the window's place in the list.
    """
    if window.function == voi.LUT_FUNCTION:
        raise ValueError("a VOI LUT is no formula: its table is table.bin")
    scale = ValueScale(display.value_slope, display.value_intercept)
    gray = voi.window_gray(scale.modality(), window)
    return voi.table(gray, invert=display.invert, padding=display.padding)


def write_derivatives(dataset: Dataset, folder: Path) -> DisplayInfo:
    """Write full.bin, preview.bin, table.bin and display.json (docs/imaging.md), in that order.

    Raises
    ------
    Refusal
        When the pixels cannot be decoded or contradict the header.
    """
    rendered = render(dataset)
    display = rendered.display
    folder.mkdir(parents=True, exist_ok=True)
    size = (display.preview_rows, display.preview_columns)
    _write_image(folder / PREVIEW, shrink(rendered.values, size, display.padding))
    _write_image(folder / FULL, rendered.values)
    _write(folder / TABLE, b"".join(table.astype("<u2").tobytes() for table in rendered.tables))
    (folder / DISPLAY).write_text(json.dumps(display.as_json(), allow_nan=False), encoding="utf-8")
    return display


def read_display(folder: Path) -> DisplayInfo:
    """Read display.json back."""
    return DisplayInfo.from_json(json.loads((folder / DISPLAY).read_text(encoding="utf-8")))


def read_values(folder: Path, display: DisplayInfo) -> NDArray[np.uint16]:
    """(rows, cols) uint16 of full.bin."""
    content = np.frombuffer(gzip.decompress((folder / FULL).read_bytes()), "<u2")
    differences = content.reshape(display.rows, display.columns)
    return np.cumsum(differences, axis=1, dtype=np.uint16)


def model_input(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
    """The derivatives as a model wants them: grayscale (rows, cols) float32 in 0..1 as first shown, and the
    pixels that are not padding, or None when all are image. DICOM is never opened."""
    display = read_display(folder)
    values = read_values(folder, display)
    table = np.frombuffer(gzip.decompress((folder / TABLE).read_bytes()), "<u2", LEVELS)
    return _grayscale(values, table), _valid(values, display.padding)


def preview_size(rows: int, columns: int) -> tuple[int, int]:
    """(rows, columns) of the preview: the longest side is at most `PREVIEW_SIDE`."""
    factor = min(1.0, PREVIEW_SIDE / max(rows, columns))
    return max(1, round(rows * factor)), max(1, round(columns * factor))


def shrink(
    values: NDArray[np.uint16], size: tuple[int, int], padding: tuple[int, int] | None
) -> NDArray[np.uint16]:
    """Reduce a value image by averaging areas. Padding is no value: it is left out of every average, and
    stays padding where nothing else is covered."""
    valid = _valid(values, padding)
    if valid is None or padding is None:
        return _rounded(_area_mean(values.astype(np.float32), size))
    share = _area_mean(valid.astype(np.float32), size)
    sums = _area_mean(np.where(valid, values, 0).astype(np.float32), size)
    small = _rounded(np.divide(sums, np.maximum(share, 1e-6), dtype=np.float32))
    small[share < 1e-3] = padding[0]
    return small


def _area_mean(image: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    resized = Image.fromarray(image).resize((size[1], size[0]), Image.Resampling.BOX)
    return np.asarray(resized, dtype=np.float32)


def _rounded(image: NDArray[np.float32]) -> NDArray[np.uint16]:
    return np.clip(np.rint(image), 0, WHITE).astype(np.uint16)


def _padding_range(dataset: Dataset, *, signed: bool) -> tuple[int, int] | None:
    """Pixel Padding Value and its Range Limit, in stored values (C.7.5.1.1.2), whichever comes first."""
    found = floats(dataset, "PixelPaddingValue")
    if not found:
        return None
    ends = [int(found[0]), int((floats(dataset, "PixelPaddingRangeLimit") or found)[0])]
    half = LEVELS // 2
    ends = [((end + half) % LEVELS - half) if signed else end % LEVELS for end in ends]
    return min(ends), max(ends)


def _values(
    dataset: Dataset, stored: NDArray[Any], *, signed: bool, pads: tuple[int, int] | None
) -> tuple[NDArray[np.uint16], ValueScale, tuple[int, int] | None]:
    """The value image, what its values mean, and which of them are padding.

    Through a rescale, a value is the stored value shifted to start at 0 (and turned round where the slope is
    negative, so that values rise with modality values); through a LUT it is the LUT's output.
    """
    if value(dataset, "ModalityLUTSequence"):
        values, padding = _through_lut(dataset, stored, signed=signed, pads=pads)
        return values, ValueScale(), padding
    slope, intercept = _rescale(dataset)
    lowest = -LEVELS // 2 if signed else 0
    values = (stored.astype(np.int32) - lowest).astype(np.uint16) if signed else stored.astype(np.uint16)
    padding = None if pads is None else (pads[0] - lowest, pads[1] - lowest)
    if slope > 0:
        return values, ValueScale(slope, intercept + lowest * slope), padding
    highest = lowest + WHITE
    turned = np.uint16(WHITE) - values
    padding = None if padding is None else (WHITE - padding[1], WHITE - padding[0])
    return turned, ValueScale(-slope, intercept + highest * slope), padding


def _rescale(dataset: Dataset) -> tuple[float, float]:
    """Slope and intercept (C.11.1.1.2). Absurd ones, such as a slope of zero, are taken for no rescale."""
    slope = (floats(dataset, "RescaleSlope") or (1.0,))[0]
    intercept = (floats(dataset, "RescaleIntercept") or (0.0,))[0]
    sane = 1e-9 < abs(slope) < 1e9 and abs(intercept) < 1e12
    return (slope, intercept) if sane else (1.0, 0.0)


def _through_lut(
    dataset: Dataset, stored: NDArray[Any], *, signed: bool, pads: tuple[int, int] | None
) -> tuple[NDArray[np.uint16], tuple[int, int] | None]:
    """Padding does not go through the LUT: it gets a value that no pixel has."""
    item = value(dataset, "ModalityLUTSequence")[0]
    lut = voi.lookup_table(item, signed_input=signed, big_endian=big_endian(dataset))
    if lut is None:
        raise Refusal(
            RefusalCode.DAMAGED_PIXELS,
            "The Modality LUT contradicts itself, so what the pixels mean is unknown: export it again.",
        )
    lowest = -LEVELS // 2 if signed else 0
    outputs = lut.entries[lut.indices(np.arange(lowest, lowest + LEVELS, dtype=np.float64))]
    values = outputs[stored.astype(np.int32) - lowest]
    if pads is None:
        return values, None
    padded = (stored >= pads[0]) & (stored <= pads[1])
    used = np.zeros(LEVELS, bool)
    used[values[~padded]] = True
    if not padded.any() or used.all():
        return values, None
    free = int(np.argmin(used))
    values[padded] = free
    return values, (free, free)


def _valid(values: NDArray[np.uint16], padding: tuple[int, int] | None) -> NDArray[np.bool_] | None:
    if padding is None:
        return None
    valid: NDArray[np.bool_] = (values < padding[0]) | (values > padding[1])
    return None if valid.all() else valid


def _statistics(
    values: NDArray[np.uint16], padding: tuple[int, int] | None, scale: ValueScale
) -> tuple[int, int, Window]:
    """Lowest and highest value that is not padding, and the window between two percentiles of them."""
    counts = np.zeros(LEVELS, np.int64)
    for top in range(0, values.shape[0], _STRIP_ROWS):
        counts += np.bincount(values[top : top + _STRIP_ROWS].ravel(), minlength=LEVELS)
    if padding is not None:
        counts[padding[0] : padding[1] + 1] = 0
    present = np.flatnonzero(counts)
    shares = np.cumsum(counts) / counts.sum()
    low, high = (int(np.searchsorted(shares, share)) for share in _PERCENTILES)
    center = (low + high) / 2 * scale.slope + scale.intercept
    width = max(high - low, 1) * scale.slope
    return int(present[0]), int(present[-1]), Window(center, width, "LINEAR_EXACT", AUTOMATIC)


def _views(
    dataset: Dataset, modality: NDArray[np.float64], automatic: Window
) -> tuple[tuple[Window, ...], list[NDArray[np.float64]]]:
    """All windows, and the grays of the VOI LUTs among them, which come first; where there is none, the gray
    of the first window. The standard lets the user choose among them (C.11.2.1)."""
    offered = (*voi.windows(dataset), automatic)
    luts = voi.lookup_tables(
        value(dataset, "VOILUTSequence") or [],
        signed_input=bool(modality[0] < 0),
        big_endian=big_endian(dataset),
    )
    if not luts:
        return offered, [voi.window_gray(modality, offered[0])]
    return (*(lut.window() for lut in luts), *offered), [voi.lut_gray(modality, lut) for lut in luts]


def _inverted(dataset: Dataset) -> bool:
    """MONOCHROME1 and Presentation LUT Shape INVERSE say the same thing twice (C.8.11.3): invert once."""
    monochrome1 = text(dataset, "PhotometricInterpretation").upper() == "MONOCHROME1"
    return monochrome1 or text(dataset, "PresentationLUTShape").upper() == "INVERSE"


def _aspect_ratio(dataset: Dataset, spacing: tuple[float, float] | None) -> float:
    """Height of a pixel over its width: from the spacing, else Pixel Aspect Ratio (vertical, horizontal)."""
    pair = spacing or floats(dataset, "PixelAspectRatio")
    return pair[0] / pair[1] if len(pair) == 2 and min(pair) > 0 else 1.0


def _grayscale(values: NDArray[np.uint16], table: NDArray[np.uint16]) -> NDArray[np.float32]:
    return (table.astype(np.float32) / np.float32(WHITE))[values]


def _write_image(path: Path, values: NDArray[np.uint16]) -> None:
    """Differences to the left neighbour, mod 65536; the first column as it is; little endian, gzip."""
    differences = values.copy()
    differences[:, 1:] -= values[:, :-1]
    _write(path, differences.astype("<u2", copy=False).data)


def _write(path: Path, content: bytes | memoryview) -> None:
    path.write_bytes(gzip.compress(content, _COMPRESSION_LEVEL, mtime=0))
