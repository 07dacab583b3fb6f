"""`createphantoms` writes one folder a study, the same bytes each time, and nothing else."""

from pathlib import Path

import pydicom
import pytest
from django.core.management import CommandError, call_command


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def _create(folder: Path, **options: int) -> dict[str, bytes]:
    call_command("createphantoms", str(folder), **{"seed": 1, "size": 96, "verbosity": 0, **options})
    return _files(folder)


def test_it_writes_a_folder_a_study(tmp_path: Path) -> None:
    files = _create(tmp_path / "new" / "folder", studies=6)
    assert sorted(files) == [f"phantom-1-{index:05d}/001.dcm" for index in range(6)]
    shapes = set()
    for name in files:
        read = pydicom.dcmread(tmp_path / "new" / "folder" / name)
        assert read.Modality == "DX"
        shapes.add(read.pixel_array.shape)
    assert shapes == {(96, 96), (96, 78), (78, 96)}


def test_it_writes_the_same_again(tmp_path: Path) -> None:
    assert _create(tmp_path / "a", studies=2) == _create(tmp_path / "b", studies=2)


def test_a_series_can_be_continued(tmp_path: Path) -> None:
    whole = _create(tmp_path / "whole", studies=4)
    _create(tmp_path / "parts", studies=2)
    assert _create(tmp_path / "parts", studies=2, first=2) == whole


def test_it_shows_progress_on_the_error_stream_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _create(tmp_path, studies=2, verbosity=1)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "2/2" in printed.err


@pytest.mark.parametrize(
    ("option", "text"), [("--studies", "0"), ("--seed", "-1"), ("--size", "5"), ("--seed", "one")]
)
def test_it_refuses_nonsense(tmp_path: Path, option: str, text: str) -> None:
    with pytest.raises(CommandError):
        call_command("createphantoms", str(tmp_path), option, text, verbosity=0)
    assert _files(tmp_path) == {}


def test_it_says_when_it_cannot_write(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(CommandError, match="Errno"):
        call_command("createphantoms", str(blocked), studies=1, size=64, verbosity=0)
