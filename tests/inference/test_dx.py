"""The DX objects of phantoms: valid by an independent checker, and the same picture when read back."""

import io
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes

from inference.contract import ViewPosition
from inference.imaging import dicom, pixels
from inference.objects import dx
from inference.phantom import patients, study
from tests.components import require

PA, AP, LL = ViewPosition.PA, ViewPosition.AP, ViewPosition.LEFT_LATERAL


def _written(made: study.PhantomStudy, number: int = 0) -> bytes:
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, dx.build(made, made.images[number]), enforce_file_format=True)
    return stream.getvalue()


def _read(made: study.PhantomStudy, number: int = 0) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(_written(made, number)))


def _every_image(studies: list[study.PhantomStudy]) -> list[tuple[study.PhantomStudy, int]]:
    """Priors are studies too."""
    both = [one for made in studies for one in (made.prior, made) if one is not None]
    return [(one, number) for one in both for number in range(len(one.images))]


@pytest.fixture(scope="module")
def studies() -> list[study.PhantomStudy]:
    """Enough to hold both photometrics, three views, priors, Japanese and long names."""
    return [study.generate(1, index, size=(160, 128)) for index in range(40)]


@pytest.fixture(scope="module")
def three_views() -> study.PhantomStudy:
    return study.generate(1, 3, size=96, findings=(), views=[PA, AP, LL], with_prior=True)


def test_the_file_reads_back_as_it_was(studies: list[study.PhantomStudy]) -> None:
    for made, number in _every_image(studies):
        image = made.images[number]
        read = _read(made, number)
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


def test_views_are_coded_and_hang_as_the_body_stands(three_views: study.PhantomStudy) -> None:
    """Orientation by hand. A frontal view is seen from the front: the picture's right is the patient's left.
    A left lateral has the left side at the detector and is seen from the right, so the face is to the left
    (`test_the_lateral_faces_left`) and the picture's right is the back. Down is the feet in both."""
    frontal, lateral = [_read(three_views, number) for number in range(2)], _read(three_views, 2)
    assert [list(read.PatientOrientation) for read in frontal] == [["L", "F"]] * 2
    assert list(lateral.PatientOrientation) == ["P", "F"]
    reads = [*frontal, lateral]
    assert [read.ViewPosition for read in reads] == ["PA", "AP", "LL"]
    wanted = codes.CID4010.PosteroAnterior, codes.CID4010.AnteroPosterior, codes.CID4010.LeftLateral
    for read, code in zip(reads, wanted, strict=True):
        coded = read.ViewCodeSequence[0]
        assert (coded.CodeValue, coded.CodingSchemeDesignator) == (code.value, code.scheme_designator)
        assert coded.CodeMeaning == code.meaning
    # CID 19: who can turn sideways stands.
    assert [read.PatientOrientationCodeSequence[0].CodeMeaning for read in reads] == [
        "erect",
        "recumbent",
        "erect",
    ]
    # The chest is not one of a pair, whichever side is next to the detector.
    assert {read.ImageLaterality for read in reads} == {"U"}
    # Lead letters and views are burned in; nothing that tells whose picture it is (C.7.6.1.1.5).
    assert {read.BurnedInAnnotation for read in reads} == {"NO"}


def test_the_lateral_stored_faces_the_way_it_says(three_views: study.PhantomStudy) -> None:
    """The mask of the spine lies where Patient Orientation says that the back is."""
    masks = three_views.images[2].masks
    heart, spine = (float(np.nonzero(masks[code])[1].mean()) for code in ("heart", "spine"))
    assert (spine > heart) == (_read(three_views, 2).PatientOrientation[0] == "P")


def test_each_view_is_a_series_of_its_own(three_views: study.PhantomStudy) -> None:
    reads = [_read(three_views, number) for number in range(3)]
    for keyword in (
        "SeriesInstanceUID",
        "SOPInstanceUID",
        "SeriesNumber",
        "InstanceNumber",
        "AcquisitionNumber",
    ):
        assert len({read[keyword].value for read in reads}) == 3, keyword
    assert len({read.StudyInstanceUID for read in reads}) == 1
    assert {read.ImagesInAcquisition for read in reads} == {1}


def test_a_prior_is_an_earlier_study_of_the_same_patient(three_views: study.PhantomStudy) -> None:
    assert three_views.prior is not None
    now, before = _read(three_views), _read(three_views.prior)
    for keyword in ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex"):
        assert now[keyword].value == before[keyword].value
    for keyword in (
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "SOPInstanceUID",
        "AccessionNumber",
        "StudyID",
    ):
        assert now[keyword].value != before[keyword].value
    assert before.StudyDate < now.StudyDate


def test_the_cast_is_varied(studies: list[study.PhantomStudy]) -> None:
    assert {made.images[0].photometric for made in studies} == {"MONOCHROME1", "MONOCHROME2"}
    assert {image.view_position.value for made in studies for image in made.images} == {"PA", "AP", "LL"}
    assert 5 < sum(made.prior is not None for made in studies) < 25
    japanese = [made for made in studies if made.patient.name_ideographic]
    assert 5 < len(japanese) < 25
    assert {made.patient.sex for made in studies} == {"F", "M"}
    ages = [int(dx.build(made, made.images[0]).PatientAge[:3]) for made in studies]
    assert min(ages) >= 18


def test_the_grayscale_pipeline_sees_what_the_phantom_shows(
    studies: list[study.PhantomStudy], tmp_path: Path
) -> None:
    for made, number in _every_image(studies[:12]):
        path = tmp_path / "image.dcm"
        path.write_bytes(_written(made, number))
        dataset, header = dicom.read(path)
        assert header.patient_name_ideographic == made.patient.name_ideographic
        assert header.accession_number == made.accession_number
        shown = pixels.render(dataset).grayscale()
        assert np.array_equal(shown, made.images[number].grayscale())


def test_names_fit_their_fields_and_some_are_long_or_japanese() -> None:
    people = [patients.draw(np.random.default_rng(index), 1, index) for index in range(400)]
    names = [(p.name_alphabetic, p.name_ideographic, p.name_phonetic) for p in people]
    assert all(len("=".join(name).rstrip("=").encode()) <= 64 for name in names)
    assert max(len(alphabetic) for alphabetic, _, _ in names) > 40
    assert 0.25 < sum(bool(ideographic) for _, ideographic, _ in names) / len(names) < 0.45


def test_dciodvfy_finds_no_error(
    studies: list[study.PhantomStudy], three_views: study.PhantomStudy, tmp_path: Path
) -> None:
    checker = require("dciodvfy")
    for made, number in _every_image([*studies, three_views]):
        path = tmp_path / "image.dcm"
        path.write_bytes(_written(made, number))
        for options in ([], ["-new"]):
            said = subprocess.run([checker, *options, path], capture_output=True, text=True, check=False)
            lines = (said.stdout + said.stderr).splitlines()
            assert any("DXImageForPresentation" in line for line in lines)
            assert [line for line in lines if line.startswith("Error")] == []


def test_it_refuses_an_image_of_another_study() -> None:
    with pytest.raises(ValueError, match="is not of study"):
        dx.build(study.generate(1, 0, size=64), study.generate(1, 1, size=64).images[0])
