"""Archives made to do harm: each file in them ends as an image or a reason, in bounded time and memory."""

import io
import re
import struct
import tempfile
import time
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.imaging import archives
from inference.imaging.refusals import Refusal, RefusalCode
from inference.imaging.sandbox import Sandbox
from tests.inference import hostile_archives
from tests.inference.radiographs import radiograph, save

ALL_BYTES = 2**26
"""What the tests let an archive unpack to, as the setting ARCHIVE_MAX_BYTES does."""
BOUND_BYTES = 200 * 2**20
"""Ten thousand names at a kilobyte each, twice, and the objects that hold them."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as shared:
        yield shared


@pytest.fixture(scope="module")
def radiograph_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """By its place: bytes would be shown whole where a test fails."""
    return save(radiograph(), tmp_path_factory.mktemp("good") / "good.dcm")


@pytest.fixture
def good(radiograph_file: Path) -> bytes:
    return radiograph_file.read_bytes()


def unpacked(content: bytes, limit: int = ALL_BYTES) -> list[tuple[str, bytes | str]]:
    """Each file's name with its bytes or the code it is refused with; the archive's own refusal last."""
    found: list[tuple[str, bytes | str]] = []
    try:
        for member in archives.members(io.BytesIO(content), limit=limit):
            found.append((member.name, _content(member)))
    except Refusal as refusal:
        found.append(("", told(refusal)))
    return found


def _content(member: archives.Member) -> bytes | str:
    read = bytearray()
    try:
        while chunk := member.read(2**20):
            read += chunk
            if len(read) > member.limit:
                return "too-large"
    except Refusal as refusal:
        return told(refusal)
    return bytes(read)


def told(refusal: Refusal) -> str:
    """The code, after a look at what a technologist is told."""
    assert refusal.code in set(RefusalCode)
    assert re.fullmatch(r"[A-Z][^\n]{10,300}\.", refusal.message)
    return refusal.code


def ends(sandbox: Sandbox, content: bytes | str, folder: Path) -> str:
    """As what a file of an archive ends: "image", or a code."""
    if isinstance(content, str):
        return content
    source = folder / "member"
    source.write_bytes(content)
    try:
        sandbox.prepare(source, folder / "out")
    except Refusal as refusal:
        return told(refusal)
    return "image"


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_every_file_of_a_broken_archive_ends_as_an_image_or_a_reason(
    sandbox: Sandbox, radiograph_file: Path, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    good = radiograph_file.read_bytes()
    content = hostile_archives.mutate(hostile_archives.readable([good, b"a letter", good]), seed)
    if not archives.is_archive(io.BytesIO(content)):
        return
    found = unpacked(content)
    assert found, "an archive that says nothing at all"
    for number, (_name, part) in enumerate(found):
        folder = tmp_path_factory.mktemp(f"member{number}")
        assert ends(sandbox, part, folder)
        assert {path.name for path in folder.iterdir()} <= {"member", "out"}


@pytest.mark.parametrize("seed", range(4 * len(hostile_archives.MAKERS)))
def test_an_archive_made_to_do_harm_is_survived_in_bounded_time_and_memory(seed: int) -> None:
    content = hostile_archives.made(seed)
    start = time.perf_counter()
    tracemalloc.start()
    try:
        found = [(name, part if isinstance(part, str) else "") for name, part in unpacked(content)]
        peak = tracemalloc.get_traced_memory()[1] - ALL_BYTES
    finally:
        tracemalloc.stop()
    assert found
    assert peak < BOUND_BYTES
    assert time.perf_counter() - start < 60
    for name, _code in found:
        assert not re.search(r"[/\\\0\n\x1b\u202e]", name), name


def test_a_good_archive_gives_its_files(good: bytes) -> None:
    content = hostile_archives.readable([good, b"a letter"])
    assert archives.is_archive(io.BytesIO(content))
    assert unpacked(content) == [("IM00000", good), ("IM00001", b"a letter")]


def test_the_same_number_gives_the_same_bytes(good: bytes) -> None:
    content = hostile_archives.readable([good])
    for seed in range(40):
        same = hostile_archives.mutate(content, seed) == hostile_archives.mutate(content, seed)
        assert same, seed
    for seed in range(len(hostile_archives.MAKERS)):
        same = hostile_archives.made(seed) == hostile_archives.made(seed)
        assert same, seed


def test_a_radiograph_with_an_end_record_in_its_pixels_is_no_archive(good: bytes) -> None:
    """Four bytes among millions: one radiograph in seventy thousand would have them near its end."""
    content = good[:-64] + b"PK\x05\x06" + good[-60:]
    assert zipfile.is_zipfile(io.BytesIO(content))
    assert not archives.is_archive(io.BytesIO(content))


def test_a_directory_larger_than_any_is_not_read() -> None:
    """Stated by the end record, and by the one of zip64 that overrules a small end record."""
    name = "n" * 60_000
    many = hostile_archives.packed(*((name, b"") for _ in range(200)))
    assert unpacked(many) == [("", "too-many-files")]
    seeds = (8 + len(hostile_archives.MAKERS) * n for n in range(60))
    codes = {unpacked(hostile_archives.made(seed))[-1][1] for seed in seeds}
    assert codes == {"bad-archive", "too-many-files"}


def test_steep_methods_are_refused_unread() -> None:
    """A megabyte of bzip2 can be a terabyte, and `zipfile` would unpack it in one go."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as packed:
        packed.writestr("bomb.dcm", bytes(2**26))
    tracemalloc.start()
    try:
        assert unpacked(out.getvalue()) == [("bomb.dcm", "bad-archive")]
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


def test_what_unpacks_to_nothing_is_counted_by_what_was_read() -> None:
    """Members that share one megabyte of empty blocks: a thousand of them are a gigabyte of work."""
    blocks = b"\0\0\0\xff\xff" * 200_000 + b"\x01\0\0\xff\xff"
    nothing = hostile_archives.entry("nothing.dcm", b"") | {"data": blocks}
    found = unpacked(hostile_archives.assembled([nothing] * 1000, shared=True), limit=10 * 2**20)
    assert found[-1] == ("", "archive-too-large")
    assert 5 < len(found) < 15


def test_one_file_that_cannot_be_unpacked_leaves_the_others(good: bytes) -> None:
    entries = [
        hostile_archives.entry("locked.dcm", good, flags=0x801),
        hostile_archives.entry("good.dcm", good),
        hostile_archives.entry("wrong.dcm", good, crc=1),
        hostile_archives.entry("also-good.dcm", good),
    ]
    assert unpacked(hostile_archives.assembled(entries)) == [
        ("locked.dcm", "bad-archive"),
        ("good.dcm", good),
        ("wrong.dcm", "bad-archive"),
        ("also-good.dcm", good),
    ]


def test_an_archive_of_nothing_says_so() -> None:
    for seed in (9, 19, 29):
        assert unpacked(hostile_archives.made(seed)) == [("", "empty-archive")]


def test_a_directory_far_beyond_the_end_of_a_real_file_is_a_reason() -> None:
    """A file system refuses places that memory takes: the stream is a file here, as uploads are."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", allowZip64=True) as archive:
        archive.writestr("a", b"x")
    entry = bytearray(content.getvalue())
    start = entry.rindex(b"PK\x01\x02")
    extra = struct.pack("<HHQ", 1, 8, 2**62)
    entry[start + 30 : start + 32] = struct.pack("<H", len(extra))
    entry[start + 42 : start + 46] = b"\xff" * 4
    end = entry.rindex(b"PK\x05\x06")
    entry[end + 12 : end + 16] = struct.pack("<L", end - start + len(extra))
    entry[end:end] = extra
    with tempfile.TemporaryFile() as stream:
        stream.write(entry)
        with pytest.raises(Refusal):
            [member.read(10) for member in archives.members(stream, limit=10**6)]


def test_a_dicom_file_with_a_playful_preamble_is_no_archive() -> None:
    assert not archives.is_archive(io.BytesIO(b"PK\x03\x04" + bytes(124) + b"DICM"))
    assert archives.is_archive(io.BytesIO(b"PK\x03\x04" + bytes(200)))
