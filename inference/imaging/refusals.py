"""Why a file is not taken in: a closed set of codes, each with a message for the person who sent it."""

import struct
import zlib
from enum import StrEnum

from pydicom.errors import BytesLengthException, InvalidDicomError


class RefusalCode(StrEnum):
    """Stable: stored, translated and documented by these names (docs/imaging.md)."""

    NOT_AN_IMAGE_FILE = "not-an-image-file"
    DAMAGED_FILE = "damaged-file"
    DISC_INDEX = "disc-index"
    MISSING_IDENTIFIER = "missing-identifier"
    NOT_A_RADIOGRAPH = "not-a-radiograph"
    NOT_HUMAN = "not-human"
    NOT_A_CHEST = "not-a-chest"
    UNPROCESSED = "unprocessed"
    NO_PIXELS = "no-pixels"
    SEVERAL_FRAMES = "several-frames"
    COLOUR = "colour"
    BIT_DEPTH = "bit-depth"
    TOO_SMALL = "too-small"
    TOO_LARGE = "too-large"
    UNSUPPORTED_COMPRESSION = "unsupported-compression"
    DAMAGED_PIXELS = "damaged-pixels"
    DECODER_CRASHED = "decoder-crashed"
    TOO_SLOW = "too-slow"
    BAD_ARCHIVE = "bad-archive"
    EMPTY_ARCHIVE = "empty-archive"
    TOO_MANY_FILES = "too-many-files"
    ARCHIVE_TOO_LARGE = "archive-too-large"


class Refusal(Exception):
    """A file is refused. `message` is one English sentence or two that a technician understands; it never
    carries patient data, so it may be shown, stored and logged."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = str(code)
        self.message = message


HOSTILE_INPUT_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    BytesLengthException,
    InvalidDicomError,
    StopIteration,
    struct.error,
    zlib.error,
)
"""What parsers and decoders raise on files nobody meant to be read. Pillow raises SyntaxError on broken PNG;
MemoryError is left out on purpose: it means `too-large`, not damage."""
