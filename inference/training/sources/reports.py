"""Every report below a folder, told apart by the ending of the file's name."""

from collections.abc import Callable, Iterator
from pathlib import Path

from inference.training.sources import fhir, hl7, tables
from inference.training.sources.layout import Layout
from inference.training.sources.received import Received
from inference.training.sources.study import LeftOut, Reason, What

_Reader = Callable[[bytes, str, Layout], Iterator[Received | LeftOut]]

_READERS: dict[str, _Reader] = {
    ".hl7": hl7.read,
    ".oru": hl7.read,
    ".json": fhir.read,
    ".csv": tables.read_csv,
    ".tsv": tables.read_csv,
}
_LINES, _TEXT = ".ndjson", ".txt"
SUFFIXES = frozenset({*_READERS, _LINES, _TEXT})


def read(folder: Path, layout: Layout) -> Iterator[Received | LeftOut]:
    """The reports in order of the files' names; other files are passed over."""
    for path in sorted(folder.rglob("*")):
        suffix = path.suffix.lower()
        if suffix in SUFFIXES and path.is_file():
            name = path.relative_to(folder).as_posix()
            try:
                yield from _of_file(path, suffix, name, layout)
            except OSError as error:
                yield LeftOut(What.REPORT, name, Reason.BROKEN_FILE, type(error).__name__)


def _of_file(path: Path, suffix: str, name: str, layout: Layout) -> Iterator[Received | LeftOut]:
    if suffix == _LINES:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield from fhir.read_line(line, f"{name}:{number}", layout)
    elif suffix == _TEXT:
        yield tables.read_text(path.read_bytes(), path.stem, name, layout)
    else:
        yield from _READERS[suffix](path.read_bytes(), name, layout)
