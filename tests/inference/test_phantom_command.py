"""`createphantoms` writes one folder a study, the same bytes each time, and nothing else."""

from pathlib import Path, PurePosixPath

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
    folders = {PurePosixPath(name).parent.name for name in files}
    assert folders == {f"phantom-1-{index:05d}" for index in range(6)}
    shapes = set()
    for name in files:
        read = pydicom.dcmread(tmp_path / "new" / "folder" / name)
        assert read.Modality == "DX"
        shapes.add(read.pixel_array.shape)
    assert shapes == {(96, 96), (96, 78), (78, 96)}


def test_a_folder_holds_every_view_of_its_study_and_a_prior_has_its_own(tmp_path: Path) -> None:
    _create(tmp_path, studies=12, priors=True)
    folders = {folder.name: sorted(folder.iterdir()) for folder in tmp_path.iterdir()}
    assert {len(files) for files in folders.values()} == {1, 2}
    for name, files in folders.items():
        assert [path.name for path in files] == [f"{number:03d}.dcm" for number in range(1, len(files) + 1)]
        reads = [pydicom.dcmread(path) for path in files]
        assert len({read.StudyInstanceUID for read in reads}) == 1
        assert [read.SeriesNumber for read in reads] == list(range(1, len(files) + 1))
        if name.endswith("-prior"):
            current = pydicom.dcmread(folders[name.removesuffix("-prior")][0])
            assert current.StudyInstanceUID != reads[0].StudyInstanceUID
            assert current.PatientID == reads[0].PatientID
            assert reads[0].StudyDate < current.StudyDate
    assert 0 < sum(name.endswith("-prior") for name in folders) < 12


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
