"""Where bytes live: originals named by their content and never rewritten, derivatives keyed by pipeline
version."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from django.core.files.base import File
from django.core.files.storage import default_storage

CHUNK = 1 << 20
DERIVATIVES = ("display.json", "table.bin", "preview.bin", "full.bin")


class TooLarge(Exception):
    """More bytes than allowed; nothing was kept."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Damaged(OSError):
    """A stored file is not what its name says: a disk was full, or someone changed it."""


def original_name(content_sha256: str) -> str:
    return f"originals/{content_sha256[:2]}/{content_sha256[2:4]}/{content_sha256}"


def derivative_name(pipeline_version: str, content_sha256: str, name: str) -> str:
    return f"derivatives/{pipeline_version}/{content_sha256[:2]}/{content_sha256}/{name}"


def keep_original(stream: Readable, *, limit: int) -> tuple[str, int]:
    """Store a file under its SHA-256 and return (hex digest, size in bytes). Memory stays at one chunk.

    Raises
    ------
    TooLarge
        When it has more than `limit` bytes.
    """
    digest, size = hashlib.sha256(), 0
    with tempfile.TemporaryFile() as spool:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"more than {limit} bytes")
            digest.update(chunk)
            spool.write(chunk)
        spool.seek(0)
        _keep(original_name(digest.hexdigest()), spool, size)
    return digest.hexdigest(), size


@contextmanager
def local_original(content_sha256: str) -> Iterator[Path]:
    """The original as a file on this machine, whatever storage holds it.

    Raises
    ------
    Damaged
        When the stored bytes are not those of the name.
    """
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(prefix="original-") as local:
        with _open(original_name(content_sha256)) as stored:
            while chunk := stored.read(CHUNK):
                digest.update(chunk)
                local.write(chunk)
        local.flush()
        if digest.hexdigest() != content_sha256:
            raise Damaged(f"the stored original {content_sha256} has other content")
        yield Path(local.name)


def keep_derivatives(folder: Path, *, pipeline_version: str, content_sha256: str) -> None:
    """Store what `inference.imaging` made of an image. Contents are deterministic: what is there is right."""
    for name in DERIVATIVES:
        path = folder / name
        with path.open("rb") as source:
            _keep(derivative_name(pipeline_version, content_sha256, name), source, path.stat().st_size)


def _keep(name: str, source: IO[bytes], size: int) -> None:
    """Store under a name that stands for the content.

    A file of another size there is a torso: it is replaced.
    """
    if default_storage.exists(name):
        if default_storage.size(name) == size:
            return
        default_storage.delete(name)
    default_storage.save(name, File(source))


def open_derivative(pipeline_version: str, content_sha256: str, name: str) -> IO[bytes]:
    return _open(derivative_name(pipeline_version, content_sha256, name))


@contextmanager
def local_derivatives(pipeline_version: str, content_sha256: str) -> Iterator[Path]:
    """A folder on this machine with the derivatives of one image."""
    with tempfile.TemporaryDirectory(prefix="derivatives-") as folder:
        for name in DERIVATIVES:
            with (
                open_derivative(pipeline_version, content_sha256, name) as stored,
                Path(folder, name).open("wb") as out,
            ):
                while chunk := stored.read(CHUNK):
                    out.write(chunk)
        yield Path(folder)


def _open(name: str) -> IO[bytes]:
    return default_storage.open(name, "rb")
