"""A slice of the fuzz run of `benchmarks.hostile`: an image or a reason, and the next file works."""

import re
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.imaging.refusals import Refusal, RefusalCode
from inference.imaging.sandbox import Sandbox
from tests.inference import hostile, syntaxes
from tests.inference.radiographs import radiograph, save

BOUND_BYTES = 1200 * 2**20
KINDS = 6
"""Of `hostile.made`."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as shared:
        yield shared


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files, by number: bytes would be shown whole where a test fails."""
    folder = tmp_path_factory.mktemp("corpus")
    for number, content in enumerate(hostile.readable(tmp_path_factory.mktemp("made"))):
        (folder / str(number)).write_bytes(content)
    return folder


def ends(sandbox: Sandbox, path: Path, folder: Path) -> str:
    """The code it is refused with, or an empty string; what a technologist is told is checked on the way."""
    try:
        sandbox.prepare(path, folder)
    except Refusal as error:
        refused = error
    else:
        assert (folder / "display.json").is_file()
        return ""
    assert refused.code in set(RefusalCode)
    assert re.fullmatch(r"[A-Z][^\n]{10,300}\.", refused.message)
    assert not folder.exists()
    return refused.code


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32), st.integers(0, len(syntaxes.ALL) - 1))
def test_a_broken_file_ends_as_an_image_or_a_reason(
    sandbox: Sandbox, corpus: Path, tmp_path_factory: pytest.TempPathFactory, seed: int, which: int
) -> None:
    folder = tmp_path_factory.mktemp("case")
    path = folder / "broken"
    path.write_bytes(hostile.mutate((corpus / str(which)).read_bytes(), seed))
    # A decoder in C may well crash, which is a reason too: the process that asked goes on.
    assert ends(sandbox, path, folder / "out") != "too-slow"


def test_a_decoder_that_panics_is_a_reason(sandbox: Sandbox, corpus: Path, tmp_path: Path) -> None:
    """Run-length data that leads out of the picture: the decoder's panic is no ordinary exception."""
    which = [str(syntax) for syntax in syntaxes.ALL].index("RLELossless")
    path = tmp_path / "broken"
    path.write_bytes(hostile.mutate((corpus / str(which)).read_bytes(), 4))
    assert ends(sandbox, path, tmp_path / "out") == "damaged-pixels"


@pytest.mark.parametrize("seed", range(3 * KINDS))
def test_a_file_made_to_do_harm_is_survived_in_bounded_memory(
    sandbox: Sandbox, tmp_path: Path, seed: int
) -> None:
    assert ends(sandbox, hostile.made(tmp_path, seed), tmp_path / "out") != "too-slow"
    assert ends(sandbox, save(radiograph(), tmp_path / "good.dcm"), tmp_path / "good") == ""
    assert sandbox._child is not None
    status = Path(f"/proc/{sandbox._child.pid}/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak is not None
    # Children that died of a file count too: the kernel keeps the largest of them.
    died_with = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert max(int(peak[1]), died_with) * 1024 < BOUND_BYTES


def test_what_unpacks_to_too_much_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """In far less memory than it would take, on a child of its own."""
    with Sandbox(memory_bytes=800 * 2**20) as small:
        codes = {ends(small, hostile.made(tmp_path, 1 + KINDS * n), tmp_path / f"out{n}") for n in range(12)}
    assert "too-large" in codes


def test_the_same_number_gives_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    content = (corpus / "0").read_bytes()
    for seed in range(40):
        same = hostile.mutate(content, seed) == hostile.mutate(content, seed)
        assert same, seed
    first = hostile.made(tmp_path, 5).read_bytes()
    assert hostile.made(tmp_path, 5).read_bytes() == first
