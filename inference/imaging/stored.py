"""Stored pixel values: decompress, cut out the stored bits, restore the sign (DICOM PS3.5 section 8)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array
from pydicom.uid import ExplicitVRBigEndian, RLELossless

from inference.imaging.header import integer, text
from inference.imaging.refusals import HOSTILE_INPUT_ERRORS, Refusal, RefusalCode

_RUST_PANIC = "PanicException"
"""What the RLE decoder raises on data that leads out of bounds: no `Exception`, and in no module."""


def big_endian(dataset: Dataset) -> bool:
    return text(dataset.file_meta, "TransferSyntaxUID") == ExplicitVRBigEndian


def stored_image(dataset: Dataset) -> tuple[NDArray[Any], bool]:
    """(rows, cols) integers of 8 or 16 bits as stored, and whether they are signed.

    pydicom tries each decoder that knows the compression until one succeeds.

    Raises
    ------
    Refusal
        When none succeeds, or when what comes out is not what the header announces.
    """
    signed = integer(dataset, "PixelRepresentation") == 1
    syntax = dataset.file_meta.TransferSyntaxUID
    shifted = _shift(dataset)
    if shifted and syntax.is_encapsulated and syntax != RLELossless:
        # What a codec delivers are the stored bits themselves: a shift beside them is a contradiction.
        raise Refusal(
            RefusalCode.DAMAGED_PIXELS,
            "High Bit is not one less than Bits Stored although the pixels are compressed: export again.",
        )
    try:
        pixels = _shifted(dataset, signed=signed) if shifted else pixel_array(dataset)
    except NotImplementedError as error:
        raise Refusal(
            RefusalCode.UNSUPPORTED_COMPRESSION,
            f"The image is compressed in a way that cannot be read (transfer syntax {str(syntax)[:64]}): "
            "send it uncompressed or as JPEG 2000 or JPEG Lossless.",
        ) from error
    except BaseException as error:
        if not isinstance(error, HOSTILE_INPUT_ERRORS) and type(error).__name__ != _RUST_PANIC:
            raise
        raise Refusal(
            RefusalCode.DAMAGED_PIXELS, "The pixel data is damaged or cut off: send the image again."
        ) from error
    expected = (integer(dataset, "Rows"), integer(dataset, "Columns"))
    if pixels.shape != expected or pixels.dtype.kind not in "iu" or pixels.dtype.itemsize > 2:
        raise Refusal(
            RefusalCode.DAMAGED_PIXELS,
            "The pixel data does not match the size or depth that the header announces.",
        )
    return pixels, signed


def _shift(dataset: Dataset) -> int:
    """How far above bit 0 the stored bits lie: zero in nearly every file, retired but legal elsewhere."""
    stored, high = integer(dataset, "BitsStored") or 0, integer(dataset, "HighBit")
    shift = 0 if high is None else high + 1 - stored
    if shift < 0 or shift + stored > (integer(dataset, "BitsAllocated") or 0):
        raise Refusal(
            RefusalCode.DAMAGED_PIXELS,
            "High Bit, Bits Stored and Bits Allocated contradict each other: export again.",
        )
    return shift


def _shifted(dataset: Dataset, *, signed: bool) -> NDArray[Any]:
    """Decode whole words, then take the stored bits out of their middle."""
    whole = Dataset()
    whole.file_meta = dataset.file_meta
    for keyword in ("Rows", "Columns", "PhotometricInterpretation", "BitsAllocated"):
        setattr(whole, keyword, dataset[keyword].value)
    whole.SamplesPerPixel, whole.PixelRepresentation = 1, 0
    whole.BitsStored, whole.HighBit = dataset.BitsAllocated, dataset.BitsAllocated - 1
    whole["PixelData"] = dataset["PixelData"]
    whole["PixelData"].is_undefined_length = dataset["PixelData"].is_undefined_length
    words = pixel_array(whole).astype(np.int32)
    stored = integer(dataset, "BitsStored") or 0
    values = (words >> _shift(dataset)) & ((1 << stored) - 1)
    if signed:
        values -= (values >> (stored - 1)) << stored
        return values.astype(np.int16)
    return values.astype(np.uint16)
