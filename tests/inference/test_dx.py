"""The DX objects of phantoms: valid by an independent checker, and the same picture when read back."""

import io
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest

from inference.imaging import dicom, pixels
from inference.objects import dx
from inference.phantom import patients, study
from tests.components import require


def _written(made: study.PhantomStudy) -> bytes:
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, dx.build(made, made.images[0]), enforce_file_format=True)
    return stream.getvalue()


@pytest.fixture(scope="module")
def studies() -> list[study.PhantomStudy]:
    """Enough to hold both photometrics, both views, Japanese and long names."""
    return [study.generate(1, index, size=(160, 128)) for index in range(40)]


def test_the_file_reads_back_as_it_was(studies: list[study.PhantomStudy]) -> None:
    for made in studies:
        image = made.images[0]
        read = pydicom.dcmread(io.BytesIO(_written(made)))
        assert np.array_equal(read.pixel_array, image.pixels)
        assert (read.Rows, read.Columns) == (160, 128)
        assert read.PhotometricInterpretation == image.photometric
        assert read.ViewPosition == image.view_position.value
        assert read.PatientName.alphabetic == made.patient.name_alphabetic
        assert read.PatientName.ideographic == made.patient.name_ideographic
        assert read.PatientName.phonetic == made.patient.name_phonetic
        assert read.ImagerPixelSpacing[0] == pytest.approx(image.pixel_spacing[0], abs=1e-5)


def test_the_same_study_gives_the_same_file() -> None:
    assert _written(study.generate(1, 4, size=64)) == _written(study.generate(1, 4, size=64))


def test_the_cast_is_varied(studies: list[study.PhantomStudy]) -> None:
    assert {made.images[0].photometric for made in studies} == {"MONOCHROME1", "MONOCHROME2"}
    assert {made.images[0].view_position.value for made in studies} == {"PA", "AP"}
    japanese = [made for made in studies if made.patient.name_ideographic]
    assert 5 < len(japanese) < 25
    assert {made.patient.sex for made in studies} == {"F", "M"}
    ages = [int(dx.build(made, made.images[0]).PatientAge[:3]) for made in studies]
    assert min(ages) >= 18


def test_the_grayscale_pipeline_sees_what_the_phantom_shows(
    studies: list[study.PhantomStudy], tmp_path: Path
) -> None:
    for number, made in enumerate(studies[:12]):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(_written(made))
        dataset, header = dicom.read(path)
        assert header.patient_name_ideographic == made.patient.name_ideographic
        assert header.accession_number == made.accession_number
        shown = pixels.render(dataset).grayscale()
        assert np.array_equal(shown, made.images[0].grayscale())


def test_names_fit_their_fields_and_some_are_long_or_japanese() -> None:
    people = [patients.draw(np.random.default_rng(index), 1, index) for index in range(400)]
    names = [(p.name_alphabetic, p.name_ideographic, p.name_phonetic) for p in people]
    assert all(len("=".join(name).rstrip("=").encode()) <= 64 for name in names)
    assert max(len(alphabetic) for alphabetic, _, _ in names) > 40
    assert 0.25 < sum(bool(ideographic) for _, ideographic, _ in names) / len(names) < 0.45


def test_dciodvfy_finds_no_error(studies: list[study.PhantomStudy], tmp_path: Path) -> None:
    checker = require("dciodvfy")
    for number, made in enumerate(studies):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(_written(made))
        for options in ([], ["-new"]):
            said = subprocess.run([checker, *options, path], capture_output=True, text=True, check=False)
            lines = (said.stdout + said.stderr).splitlines()
            assert any("DXImageForPresentation" in line for line in lines)
            assert [line for line in lines if line.startswith("Error")] == []


def test_it_refuses_an_image_of_another_study() -> None:
    with pytest.raises(ValueError, match="is not of study"):
        dx.build(study.generate(1, 0, size=64), study.generate(1, 1, size=64).images[0])
