"""Values of interest: from modality values to gray (DICOM PS3.3 C.11.2).

Everything here works on a `ValueScale`: the 65,536 values a pixel can have, and the modality value of each.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from inference.imaging.header import floats, text, value

LEVELS = 65536
WHITE = LEVELS - 1
LUT_FUNCTION = "LUT"
"""The function of a window that stands for the object's own VOI LUT: only its table shows it exactly."""
LUTS = 16
"""So many VOI LUTs are offered at most: each is a table of 65,536 grays that a browser fetches."""
WINDOW_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


@dataclass(frozen=True)
class ValueScale:
    """modality = value * slope + intercept, for values 0..65535; slope is above zero."""

    slope: float = 1.0
    intercept: float = 0.0

    def modality(self) -> NDArray[np.float64]:
        """(65536,) the modality value of each value."""
        return np.arange(LEVELS, dtype=np.float64) * self.slope + self.intercept


@dataclass(frozen=True)
class Window:
    """A named way to look at an image; centre and width are in modality units."""

    center: float
    width: float
    function: str = "LINEAR"
    explanation: str = ""


@dataclass(frozen=True)
class LookupTable:
    """A DICOM LUT: entry i belongs to input `first` + i; entries are in 0..2**bits - 1."""

    first: int
    bits: int
    entries: NDArray[np.uint16]
    explanation: str = ""

    def indices(self, inputs: NDArray[np.float64]) -> NDArray[np.int64]:
        """Inputs outside the table take its first or last entry (C.11.1.1, C.11.2.1.1)."""
        offsets: NDArray[np.float64] = np.floor(inputs + 0.5) - self.first
        return offsets.clip(0, len(self.entries) - 1).astype(np.int64)

    def window(self) -> Window:
        """What stands for it in a list of windows: the inputs it tells apart."""
        width = len(self.entries)
        return Window(self.first + width / 2, float(width), LUT_FUNCTION, self.explanation)


def windows(dataset: Dataset) -> tuple[Window, ...]:
    """The windows an object offers, in its order; those no function can draw are left out."""
    centers, widths = floats(dataset, "WindowCenter"), floats(dataset, "WindowWidth")
    function = text(dataset, "VOILUTFunction").upper()
    function = function if function in WINDOW_FUNCTIONS else "LINEAR"
    explanations = text(dataset, "WindowCenterWidthExplanation").split("\\")
    explanations += [""] * (len(centers) - len(explanations))
    least = 1.0 if function == "LINEAR" else np.finfo(np.float32).tiny
    return tuple(
        Window(center, width, function, explanation)
        for center, width, explanation in zip(centers, widths, explanations, strict=False)
        if width >= least
    )


def lookup_table(item: Dataset, *, signed_input: bool, big_endian: bool = False) -> LookupTable | None:
    """Read an item of a Modality or VOI LUT Sequence; None when it contradicts itself.

    Length 0 means 65,536. `first` is stored as US or SS by the sign of its input, and read as such whatever
    the object calls it. Entries of 8 bits may be packed in bytes. Entries larger than the stated number of
    bits widen it.
    """
    descriptor = floats(item, "LUTDescriptor")
    data = value(item, "LUTData")
    if len(descriptor) != 3 or data is None:
        return None
    length, first, bits = (int(number) for number in descriptor)
    first %= LEVELS
    if signed_input and first >= LEVELS // 2:
        first -= LEVELS
    if not 8 <= bits <= 16:
        return None
    entries = _entries(data, length % LEVELS or LEVELS, packed=bits == 8, big_endian=big_endian)
    if entries is None:
        return None
    return LookupTable(
        first, max(bits, int(entries.max()).bit_length()), entries, text(item, "LUTExplanation")
    )


def lookup_tables(
    items: Iterable[Dataset], *, signed_input: bool, big_endian: bool = False
) -> list[LookupTable]:
    """Those of a VOI LUT Sequence in its order, without those that contradict themselves."""
    read = (lookup_table(item, signed_input=signed_input, big_endian=big_endian) for item in items)
    return list(islice((lut for lut in read if lut is not None), LUTS))


def _entries(data: object, length: int, *, packed: bool, big_endian: bool) -> NDArray[np.uint16] | None:
    if not isinstance(data, bytes):
        numbers = np.atleast_1d(np.asarray(data, dtype=np.int64)) % LEVELS
        return numbers.astype(np.uint16) if len(numbers) == length else None
    if len(data) >= 2 * length:
        order = ">u2" if big_endian else "<u2"
        return np.frombuffer(data, order, length).astype(np.uint16)
    if packed and len(data) >= length:
        return np.frombuffer(data, np.uint8, length).astype(np.uint16)
    return None


def window_gray(modality: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
    """Gray in 0..1 by the formulas of C.11.2.1.2 (LINEAR) and C.11.2.1.3 (SIGMOID, LINEAR_EXACT)."""
    center, width = window.center, window.width
    if window.function == "SIGMOID":
        exponent = np.clip(-4.0 * (modality - center) / width, -700.0, 700.0)
        return np.asarray(1.0 / (1.0 + np.exp(exponent)))
    if window.function == "LINEAR_EXACT":
        return np.asarray(np.clip((modality - center) / width + 0.5, 0.0, 1.0))
    if width <= 1.0:
        return (modality > center - 0.5).astype(np.float64)
    return np.asarray(np.clip((modality - (center - 0.5)) / (width - 1.0) + 0.5, 0.0, 1.0))


def lut_gray(modality: NDArray[np.float64], lut: LookupTable) -> NDArray[np.float64]:
    """Gray in 0..1: the full output range of the table is the full range of gray."""
    return lut.entries[lut.indices(modality)] / (2.0**lut.bits - 1.0)


def table(gray: NDArray[np.float64], *, invert: bool, padding: tuple[int, int] | None) -> NDArray[np.uint16]:
    """(65536,) gray 0..1 of each value to what is shown, 0..65535; padding is background, always black."""
    shown = np.floor(gray * WHITE + 0.5).astype(np.uint16)
    if invert:
        shown = np.uint16(WHITE) - shown
    if padding is not None:
        shown[padding[0] : padding[1] + 1] = 0
    return shown
