"""What a zip archive holds, file by file, in bounded memory and time, whatever it says about itself.

Names in an archive are labels: nothing is ever written under them. Sizes in it are claims: what is counted is
what was read. Python's own `zipfile` does the reading, through a stream that bounds it.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from os import SEEK_END
from typing import IO, BinaryIO

from inference.imaging.refusals import Refusal, RefusalCode

MEMBERS = 10_000
"""Files one archive may hold: a day of a large department, and a bound on what one upload can start."""
DIRECTORY_BYTES = MEMBERS * 1024
"""What the directory of so many may take: 46 bytes each, a name and some extras."""
CHUNK = 1 << 20

_BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_ENCRYPTED = 1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""`zipfile` unpacks bzip2 and LZMA without a bound: a megabyte of them can be a terabyte in memory."""
_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,  # an archive on several disks, a method or an encryption unknown to it
    OverflowError,
    RuntimeError,
    ValueError,
)
"""What `zipfile` raises on archives nobody meant to be read; no OSError, which is of the disk."""


class _DirectoryTooLarge(zipfile.BadZipFile):
    pass


class _Bounded:
    """A stream of which no single read can be larger than a directory may be, and that counts what was read.

    The sizes an archive states stand in up to three records, and `zipfile` believes the last of them.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._length = stream.seek(0, SEEK_END)
        stream.seek(0)
        self.bytes_read = 0

    def read(self, size: int = -1) -> bytes:
        wanted = size if size >= 0 else DIRECTORY_BYTES + 1
        if size > DIRECTORY_BYTES:
            raise _DirectoryTooLarge(f"{size} bytes at once")
        content = self._stream.read(wanted)
        self.bytes_read += len(content)
        return content

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence == 0 and not 0 <= offset <= self._length:  # a file system may refuse what memory takes
            raise zipfile.BadZipFile(f"a place outside of the file: {offset}")
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def seekable(self) -> bool:
        return True


class Member:
    """One file of an archive, to be read once. limit: how much of it may still be unpacked."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> None:
        self._archive = archive
        self._info = info
        self._content: IO[bytes] | None = None
        self.limit = limit
        self.bytes_read = 0

    @property
    def name(self) -> str:
        """The last part of its path, on whatever system that was made, without signs that cannot be shown."""
        last = re.split(r"[/\\]", self._info.filename.rstrip("/\\"))[-1]
        return "".join(letter if letter.isprintable() else "?" for letter in last)

    def read(self, size: int) -> bytes:
        """At most `size` bytes and at most `CHUNK`; none at the end.

        Raises
        ------
        Refusal
            When it cannot be unpacked. Other members may well be.
        """
        try:
            if self._content is None:
                self._content = self._open()
            chunk = self._content.read(min(size, CHUNK))
        except _ERRORS as error:
            raise Refusal(
                RefusalCode.BAD_ARCHIVE,
                f"The file cannot be unpacked ({type(error).__name__}): it is damaged. Send it anew.",
            ) from error
        self.bytes_read += len(chunk)
        return chunk

    def close(self) -> None:
        if self._content is not None:
            self._content.close()

    def _open(self) -> IO[bytes]:
        if self._info.flag_bits & _ENCRYPTED:
            raise Refusal(RefusalCode.BAD_ARCHIVE, "The file is locked: send it without password.")
        if self._info.compress_type not in _METHODS:
            raise Refusal(
                RefusalCode.BAD_ARCHIVE,
                f"The file is packed by method {self._info.compress_type}, which is not read: send an archive"
                " made by plain zip (deflate).",
            )
        return self._archive.open(self._info)


def is_archive(stream: BinaryIO) -> bool:
    """Whether a file begins as archives do. Its end is not looked at: four bytes in the pixels of a
    radiograph could be taken for one. Nor is the preamble of a DICOM file, where anything may stand. Leaves
    the stream at its beginning."""
    stream.seek(0)
    beginning = stream.read(132)
    stream.seek(0)
    return beginning[:4] in _BEGINNINGS and beginning[128:] != b"DICM"


def members(stream: BinaryIO, *, limit: int) -> Iterator[Member]:
    """The files of an archive in its order, each to be read before the next is asked for.

    limit: bytes that all of them may unpack to. What was read of the archive counts like what came of it, so
    that members that unpack to nothing, or lie over each other, end as well.

    Raises
    ------
    Refusal
        When the archive cannot be opened, holds nothing or too many, or unpacks to more than `limit`.
    """
    bounded = _Bounded(stream)
    with _opened(bounded) as archive:
        files = [info for info in archive.infolist() if info.file_size or not _is_folder(info)]
        if len(files) > MEMBERS:
            raise _too_many(str(len(files)))
        if not files:
            raise Refusal(RefusalCode.EMPTY_ARCHIVE, "The archive holds no file. Make it again.")
        left = limit
        for info in files:
            if left <= 0:
                raise Refusal(
                    RefusalCode.ARCHIVE_TOO_LARGE,
                    f"The archive unpacks to more than {limit} bytes. Send it in parts.",
                )
            before = bounded.bytes_read
            with closing(Member(archive, info, left)) as member:
                yield member
            left -= max(member.bytes_read, bounded.bytes_read - before)


def _opened(bounded: _Bounded) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(bounded)
    except _DirectoryTooLarge as error:
        raise _too_many("more") from error
    except _ERRORS as error:
        raise Refusal(
            RefusalCode.BAD_ARCHIVE,
            f"The archive cannot be opened ({type(error).__name__}). Send the files, or another archive, "
            "without password.",
        ) from error


def _is_folder(info: zipfile.ZipInfo) -> bool:
    """As `ZipInfo.is_dir`, which fails on a name of nothing."""
    return info.filename.endswith("/")


def _too_many(count: str) -> Refusal:
    return Refusal(
        RefusalCode.TOO_MANY_FILES,
        f"The archive holds {count} files; at most {MEMBERS} are taken at once.",
    )
