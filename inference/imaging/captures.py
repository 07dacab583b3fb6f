"""Radiographs that arrive as PNG or JPEG pictures: turned into secondary captures, nothing invented."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from inference.imaging.acceptance import check_size
from inference.imaging.refusals import HOSTILE_INPUT_ERRORS, Refusal, RefusalCode

PICTURE_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")

GRAY_TOLERANCE = 24
"""Levels of 255 by which the channels of a pixel may differ and still pass for gray: JPEG chroma noise."""
COLOURED_SHARE = 0.005
"""Share of pixels that may exceed the tolerance: a small coloured side marker is no colour image."""
_STRIP_ROWS = 256


def read(path: Path) -> Dataset:
    """The picture as a Secondary Capture data set.

    UIDs are derived from the SHA-256 of the file, so the same file is the same image wherever it is read.
    Alpha is dropped, an EXIF orientation applied, 16-bit gray kept.

    Raises
    ------
    Refusal
        When the picture is broken, animated, coloured, too small or too large.
    """
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as image:
            check_size(image.height, image.width)
            if getattr(image, "n_frames", 1) > 1:
                raise Refusal(
                    RefusalCode.SEVERAL_FRAMES, "The picture is animated; a radiograph has one frame."
                )
            pixels = _gray(image)
    except Image.DecompressionBombError as error:
        raise Refusal(RefusalCode.TOO_LARGE, "The picture claims more pixels than are accepted.") from error
    except HOSTILE_INPUT_ERRORS as error:
        raise Refusal(
            RefusalCode.DAMAGED_FILE, "The picture is damaged or cut off: export it and send it again."
        ) from error
    return _dataset(pixels, _sha256(path))


def _gray(image: Image.Image) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """(rows, cols) uint8 or uint16. Pillow hands 16-bit gray over as I or I;16, by its version."""
    if image.mode == "CMYK":
        raise Refusal(RefusalCode.COLOUR, "The picture is in colour (CMYK); a radiograph is grayscale.")
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):
        return np.asarray(upright).astype(np.uint16)
    if upright.mode in {"1", "L", "LA"}:
        return np.asarray(upright.convert("L"))
    rgb = np.asarray(upright.convert("RGB"))
    if _coloured_share(rgb) > COLOURED_SHARE:
        raise Refusal(RefusalCode.COLOUR, "The picture is in colour; a radiograph is grayscale.")
    return np.asarray(upright.convert("RGB").convert("L"))


def _coloured_share(rgb: NDArray[np.uint8]) -> float:
    coloured = 0
    for top in range(0, rgb.shape[0], _STRIP_ROWS):
        strip = rgb[top : top + _STRIP_ROWS]
        coloured += int(np.count_nonzero(np.ptp(strip, axis=2) > GRAY_TOLERANCE))
    return float(coloured / (rgb.shape[0] * rgb.shape[1]))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _uid(role: str, digest: str) -> str:
    """A UID under 2.25 (PS3.5 B.2), 128 bits of a hash of what it names."""
    return f"2.25.{int(hashlib.sha256(f'{role} {digest}'.encode()).hexdigest()[:32], 16)}"


def _dataset(pixels: NDArray[np.uint8] | NDArray[np.uint16], digest: str) -> Dataset:
    bits = pixels.dtype.itemsize * 8
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = _uid("instance", digest)
    dataset.SeriesInstanceUID = _uid("series", digest)
    dataset.StudyInstanceUID = _uid("study", digest)
    dataset.Modality = "OT"
    dataset.ConversionType = "WSD"
    dataset.PatientID = ""
    dataset.PatientName = ""
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelRepresentation = 0
    content = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False).tobytes()
    dataset.add_new("PixelData", "OB" if bits == 8 else "OW", content + b"\0" * (len(content) % 2))
    return dataset
