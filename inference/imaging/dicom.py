"""The one door for image files: accept, or say why not.

The rules are in `inference.imaging.acceptance`; what is read of a header, in `inference.imaging.header`.
"""

import zlib
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from inference.imaging import acceptance, captures, header
from inference.imaging.header import ImageHeader
from inference.imaging.refusals import HOSTILE_INPUT_ERRORS, Refusal, RefusalCode

__all__ = ["ImageHeader", "Refusal", "RefusalCode", "read", "read_header"]

MAX_FILE_BYTES = 512 * 2**20
"""100 million 16-bit pixels are 191 MiB."""

MAX_INFLATED_BYTES = 256 * 2**20
"""Of a deflated data set: those pixels, and a header."""

_FIRST_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x08")
"""Files without preamble begin with an element of group 2 or 8; the last is group 8 in big endian."""
_START_BYTES = 1024
"""Enough for preamble and transfer syntax."""
_META_LENGTH_TAG = b"\x02\x00\x00\x00"
_PIECE_BYTES = 2**20
_DEFERRED_FROM = 2**16
"""Bytes: an element at least so long is left on disk when a header alone is wanted. That is the pixels."""
_DISC_INDEX_SOP_CLASS = "1.2.840.10008.1.3.10"


def read(path: Path) -> tuple[Dataset, ImageHeader]:
    """Read a DICOM, PNG or JPEG file as one chest radiograph.

    The data set has file meta information with a transfer syntax, even where the file has none.
    Pixels are not decoded here: `inference.imaging.pixels` may still refuse them.

    Raises
    ------
    Refusal
        Whenever the file is not taken, whatever is wrong with it.
    """
    return _read(Path(path), None)


def read_header(path: Path) -> ImageHeader:
    """As `read`, to look through many files: the pixels of a DICOM file stay on disk.

    Raises
    ------
    Refusal
        As `read`.
    """
    return _read(Path(path), _DEFERRED_FROM)[1]


def _read(path: Path, deferred_from: int | None) -> tuple[Dataset, ImageHeader]:
    start = _start(path)
    if start.startswith(captures.PICTURE_SIGNATURES):
        dataset = captures.read(path)
        return dataset, header.extract(dataset)
    if start[128:132] != b"DICM" and not start.startswith(_FIRST_GROUPS):
        raise Refusal(RefusalCode.NOT_AN_IMAGE_FILE, "The file is neither DICOM nor a PNG or JPEG picture.")
    try:
        dataset = _parse(path, start, deferred_from)
        _complete_meta(dataset)
        header.merge_functional_groups(dataset)
        acceptance.check(dataset)
        return dataset, header.extract(dataset)
    except HOSTILE_INPUT_ERRORS as error:
        raise Refusal(
            RefusalCode.DAMAGED_FILE, "The DICOM file is damaged or cut off: export it and send it again."
        ) from error


def _parse(path: Path, start: bytes, deferred_from: int | None) -> Dataset:
    """Where memory runs out on a file that is not deflated, a length in it is a lie."""
    _check_inflated(path, start)
    try:
        return dcmread(path, force=True, defer_size=deferred_from)
    except MemoryError as error:
        if DeflatedExplicitVRLittleEndian.encode("ascii") in start:
            raise
        raise ValueError("an element claims more bytes than there are") from error


def _check_inflated(path: Path, start: bytes) -> None:
    """Inflate a deflated data set piece by piece, keeping nothing, before pydicom inflates it at once."""
    if DeflatedExplicitVRLittleEndian.encode("ascii") not in start or start[132:136] != _META_LENGTH_TAG:
        return
    inflater, inflated = zlib.decompressobj(-zlib.MAX_WBITS), 0
    with path.open("rb") as file:
        file.seek(144 + int.from_bytes(start[140:144], "little"))
        while not inflater.eof and (piece := inflater.unconsumed_tail or file.read(_PIECE_BYTES)):
            inflated += len(inflater.decompress(piece, _PIECE_BYTES))
            if inflated > MAX_INFLATED_BYTES:
                raise Refusal(
                    RefusalCode.TOO_LARGE,
                    f"The file unpacks to more than the {MAX_INFLATED_BYTES // 2**20} MiB that are accepted.",
                )


def _start(path: Path) -> bytes:
    if not path.is_file():  # a folder, or a pipe that would never end
        raise Refusal(RefusalCode.NOT_AN_IMAGE_FILE, "This is no file.")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(_START_BYTES)
    except OSError as error:
        raise Refusal(RefusalCode.NOT_AN_IMAGE_FILE, "The file cannot be opened.") from error
    if size > MAX_FILE_BYTES:
        raise Refusal(
            RefusalCode.TOO_LARGE,
            f"The file is larger than the {MAX_FILE_BYTES // 2**20} MiB that are accepted.",
        )
    return start


def _complete_meta(dataset: Dataset) -> None:
    """Give a file that came without meta information the transfer syntax in which it was understood."""
    meta = getattr(dataset, "file_meta", None)
    if meta is None:
        meta = dataset.file_meta = FileMetaDataset()
    if header.text(meta, "MediaStorageSOPClassUID") == _DISC_INDEX_SOP_CLASS:
        raise Refusal(RefusalCode.DISC_INDEX, acceptance.DISC_INDEX_MESSAGE)
    if not header.text(meta, "TransferSyntaxUID"):
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
