"""What is taken in and what is refused, and that whoever sent it is told why."""

import os
import re
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DigitalXRayImageStorageForProcessing,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from inference.imaging import dicom
from inference.imaging.refusals import RefusalCode
from tests.inference.radiographs import radiograph, save

CHEST = {
    "fo-dicom__Tests_FO-DICOM.Tests_Test_Data_CR-MONO1-10-chest.dcm": "",
    # A dental panorama: Body Part Examined is blank, but the study is described as TEETH.
    "fo-dicom__Tests_FO-DICOM.Tests_Test_Data_CR-ModalitySequenceLUT.dcm": "not-a-chest",
    "fo-dicom__Tests_FO-DICOM.Tests_Test_Data_charset_chrJapMulti.dcm": "no-pixels",
    # A dog: sent by a veterinarian, processed as CANINE LATERAL THORAX.
    "highdicom__data_test_files_dx_image.dcm": "not-human",
    "pydicom-data__data_store_data_RG1_J2KI.dcm": "",
    "pydicom-data__data_store_data_RG3_J2KR.dcm": "not-a-chest",
    "pylibjpeg-data__ljdata_ds_JPEG2000Lossless_966_fixed.dcm": "",
    "torchxrayvision__tests_1.2.276.0.7230010.3.1.4.8323329.6904.1517875201.850819.dcm": "",
    "torchxrayvision__tests_Fake_MONOHR1.dcm": "",
}


def refusal(path: Path) -> str:
    """The code with which a file is refused, or an empty string. The message must help and tell no name."""
    try:
        dicom.read(path)
    except dicom.Refusal as error:
        refused = error
    else:
        return ""
    assert refused.code in set(RefusalCode)
    assert re.fullmatch(r"[A-Z][^\n]{10,300}\.", refused.message)
    assert path.name not in refused.message
    return refused.code


def refused(dataset: Dataset, tmp_path: Path) -> str:
    return refusal(save(dataset, tmp_path / "image.dcm"))


def test_the_chest_files(shared_data: Path) -> None:
    folder = shared_data / "dicom" / "chest"
    assert {path.name: refusal(path) for path in folder.iterdir()} == CHEST


def test_the_odd_files_are_all_refused(shared_data: Path) -> None:
    codes = {path.name: refusal(path) for path in (shared_data / "dicom" / "odd").iterdir()}
    assert len(codes) >= 80
    assert "" not in codes.values()
    assert "damaged-file" not in codes.values(), "every odd file is understood well enough to say what it is"


def test_a_chest_is_read(tmp_path: Path) -> None:
    path = save(radiograph(ViewPosition="PA", PatientID="P1"), tmp_path / "chest.dcm")
    dataset, header = dicom.read(path)
    assert (header.rows, header.columns, header.view_position, header.patient_id) == (160, 200, "PA", "P1")
    assert not header.secondary_capture
    assert len(dataset.PixelData) == 160 * 200 * 2


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_file_without_preamble_and_meta_is_read(tmp_path: Path, syntax: Any) -> None:
    path = tmp_path / "bare"
    implicit, little = syntax.is_implicit_VR, syntax.is_little_endian
    dataset = radiograph()
    del dataset.file_meta
    dataset.save_as(path, implicit_vr=implicit, little_endian=little, enforce_file_format=False)
    read, header = dicom.read(path)
    assert header.transfer_syntax_uid == read.file_meta.TransferSyntaxUID == syntax


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Modality": "CT"}, "not-a-radiograph"),
        ({"Modality": "MG"}, "not-a-radiograph"),
        ({"Modality": "ZZ"}, "not-a-radiograph"),
        ({"SOPClassUID": DigitalXRayImageStorageForProcessing, "Modality": "DX"}, "unprocessed"),
        ({"PresentationIntentType": "FOR PROCESSING"}, "unprocessed"),
        ({"BodyPartExamined": "KNEE"}, "not-a-chest"),
        ({"BodyPartExamined": "TSPINE", "StudyDescription": "CHEST"}, "not-a-chest"),
        ({"BodyPartExamined": None, "SeriesDescription": "Knee AP"}, "not-a-chest"),
        ({"BodyPartExamined": None, "Modality": "OT"}, "not-a-chest"),
        ({"BodyPartExamined": None, "SOPClassUID": SecondaryCaptureImageStorage}, "not-a-chest"),
        ({"PatientSpeciesDescription": "Canis lupus familiaris"}, "not-human"),
        ({"PatientBreedDescription": "Beagle"}, "not-human"),
        ({"ResponsiblePersonRole": "OWNER"}, "not-human"),
        ({"InstitutionName": "Northern Veterinary Clinic"}, "not-human"),
        ({"SamplesPerPixel": 3}, "colour"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "colour"),
        ({"NumberOfFrames": 2}, "several-frames"),
        ({"BitsAllocated": 32, "BitsStored": 32}, "bit-depth"),
        ({"BitsStored": 1}, "bit-depth"),
        ({"PixelData": None}, "no-pixels"),
        ({"Rows": 127}, "too-small"),
        ({"Rows": 60000, "Columns": 60000}, "too-large"),
        ({"SOPInstanceUID": ""}, "missing-identifier"),
        ({"StudyInstanceUID": None}, "missing-identifier"),
        ({"SeriesInstanceUID": None}, "missing-identifier"),
    ],
)
def test_what_is_no_chest_radiograph_is_refused(changes: dict, code: str, tmp_path: Path) -> None:
    assert refused(radiograph(**changes), tmp_path) == code


@pytest.mark.parametrize(
    "changes",
    [
        {"BodyPartExamined": "THORAX"},
        {"BodyPartExamined": "LUNG"},
        {"BodyPartExamined": "RIBS"},
        {"BodyPartExamined": None},
        {"BodyPartExamined": None, "StudyDescription": "Chest and abdomen, neck"},
        {"Modality": "DX"},
        {"Modality": "RG"},
        {"Modality": "", "BodyPartExamined": "CHEST"},
        {"Modality": "SC"},
        {"Modality": "OT", "BodyPartExamined": None, "StudyDescription": "CXR PA"},
        {"SOPClassUID": SecondaryCaptureImageStorage},
        {"InstitutionName": "Veterans Hospital"},
        {"PatientSpeciesDescription": "Homo sapiens"},
        {"NumberOfFrames": 1},
    ],
)
def test_what_may_be_a_chest_radiograph_is_taken(changes: dict, tmp_path: Path) -> None:
    assert refused(radiograph(**changes), tmp_path) == ""


def test_the_species_code_of_people_is_no_animal(tmp_path: Path) -> None:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "337915000", "SCT", "Homo sapiens"
    dataset = radiograph(PatientSpeciesCodeSequence=Sequence([code]))
    assert refused(dataset, tmp_path) == ""
    code.CodeValue = "448771007"  # Canis lupus subspecies familiaris
    assert refused(dataset, tmp_path) == "not-human"


def test_an_identifier_is_checked_letter_by_letter(tmp_path: Path) -> None:
    path = save(radiograph(), tmp_path / "image.dcm")
    path.write_bytes(path.read_bytes().replace(b"UI\x06\x001.2.5\0", b"UI\x06\x00../../"))
    assert refusal(path) == "missing-identifier"


@pytest.mark.parametrize(
    "content", [b"", b"hello, world", b"GIF89a" + bytes(200), bytes(300), b"%PDF-1.7\n" * 40]
)
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    assert refusal(path) == "not-an-image-file"


def test_a_folder_or_nothing_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "not-an-image-file"
    assert refusal(tmp_path / "missing") == "not-an-image-file"
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe") == "not-an-image-file"


@pytest.mark.parametrize("compressed", [False, True])
def test_a_header_alone_is_that_of_the_whole_file_and_leaves_the_pixels_on_disk(
    compressed: bool, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(1).integers(0, 4096, (2000, 2000), np.uint16)
    dataset = radiograph(pixels, ViewPosition="PA", AccessionNumber="A1")
    if compressed:
        dataset.compress(RLELossless)
    path = save(dataset, tmp_path / "chest.dcm")
    _, header = dicom.read(path)
    tracemalloc.start()
    assert dicom.read_header(path) == header
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < pixels.nbytes / 4


def test_a_header_alone_is_refused_like_the_whole_file(tmp_path: Path) -> None:
    for name, changes in {"ct": {"Modality": "CT"}, "header": {"PixelData": None}}.items():
        path = save(radiograph(**changes), tmp_path / name)
        with pytest.raises(dicom.Refusal) as whole:
            dicom.read(path)
        with pytest.raises(dicom.Refusal) as alone:
            dicom.read_header(path)
        assert alone.value.code == whole.value.code


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = save(radiograph(), tmp_path / "image.dcm")
    with path.open("r+b") as file:
        file.truncate(dicom.MAX_FILE_BYTES + 1)
    assert refusal(path) == "too-large"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_file_broken_anywhere_is_read_or_refused(tmp_path: Path, data: Any) -> None:
    """Cut off at any length and with any bytes changed: never another exception."""
    content = bytearray(
        save(radiograph(PatientName="A^B", PixelPaddingValue=3), tmp_path / "whole.dcm").read_bytes()
    )
    end = data.draw(st.integers(0, 1200))
    for position in data.draw(st.lists(st.integers(0, 1200), max_size=8)):
        content[position] = data.draw(st.integers(0, 255))
    path = tmp_path / "broken.dcm"
    path.write_bytes(content[:end] if data.draw(st.booleans()) else content)
    refusal(path)


def picture(tmp_path: Path, image: Image.Image, name: str = "picture.png", **options: Any) -> Path:
    image.save(tmp_path / name, **options)
    return tmp_path / name


def gray(rows: int = 200, columns: int = 300) -> np.ndarray:
    return (np.add.outer(np.arange(rows), np.arange(columns)) % 256).astype(np.uint8)


def test_a_picture_is_a_secondary_capture_without_inventions(tmp_path: Path) -> None:
    path = picture(tmp_path, Image.fromarray(gray()))
    dataset, header = dicom.read(path)
    assert header.secondary_capture
    assert (header.patient_id, header.patient_name, header.study_date, header.body_part_examined) == ("",) * 4
    assert np.array_equal(dataset.pixel_array, gray())
    uids = {header.sop_instance_uid, header.series_instance_uid, header.study_instance_uid}
    assert len(uids) == 3
    assert all(re.fullmatch(r"2\.25\.[1-9][0-9]{0,38}", uid) for uid in uids)
    copy = tmp_path / "copy.png"
    copy.write_bytes(path.read_bytes())
    assert dicom.read(copy)[1] == header


def test_sixteen_bits_of_gray_are_kept(tmp_path: Path) -> None:
    deep = np.arange(200 * 300, dtype=np.uint16).reshape(200, 300)
    dataset, header = dicom.read(picture(tmp_path, Image.fromarray(deep)))
    assert header.bits_stored == 16
    assert np.array_equal(dataset.pixel_array, deep)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_gray_is_gray_in_whatever_mode(mode: str, tmp_path: Path) -> None:
    image = Image.fromarray(np.where(gray() > 127, 255, 0).astype(np.uint8)).convert(mode)
    dataset, _ = dicom.read(picture(tmp_path, image))
    assert np.array_equal(dataset.pixel_array, np.asarray(image.convert("L")))


def test_a_jpeg_of_odd_size_is_read(tmp_path: Path) -> None:
    image = Image.fromarray(gray(201, 301)).convert("RGB")
    dataset, header = dicom.read(picture(tmp_path, image, "picture.jpg", quality=90))
    assert (header.rows, header.columns) == (201, 301)
    assert len(dataset.PixelData) % 2 == 0


def test_a_picture_taken_sideways_is_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to show
    path = picture(tmp_path, Image.fromarray(gray()), "picture.jpg", exif=exif)
    assert (dicom.read(path)[1].rows, dicom.read(path)[1].columns) == (300, 200)


def test_pictures_that_are_no_radiograph_are_refused(tmp_path: Path) -> None:
    colours = np.zeros((200, 300, 3), np.uint8)
    colours[:, :150, 0] = 200
    frames = [Image.fromarray(gray()), Image.fromarray(255 - gray())]
    whole = picture(tmp_path, frames[0]).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    assert refusal(picture(tmp_path, Image.fromarray(colours), "colour.png")) == "colour"
    assert refusal(picture(tmp_path, Image.new("CMYK", (300, 200)), "cmyk.jpg")) == "colour"
    assert refusal(picture(tmp_path, frames[0], "animated.png", save_all=True, append_images=frames[1:]))
    assert refusal(picture(tmp_path, Image.fromarray(gray(64, 64)), "icon.png")) == "too-small"
    assert refusal(tmp_path / "cut.png") == "damaged-file"


@pytest.mark.parametrize("side", [11_000, 40_000])
def test_a_picture_that_claims_too_much_is_refused_unread(side: int, tmp_path: Path) -> None:
    path = picture(tmp_path, Image.fromarray(gray()))
    content = bytearray(path.read_bytes())
    content[16:24] = side.to_bytes(4, "big") * 2
    header = bytes(content[12:29])
    content[29:33] = zlib.crc32(header).to_bytes(4, "big")
    path.write_bytes(content)
    assert refusal(path) == "too-large"


def test_the_real_pictures_are_all_taken(shared_data: Path) -> None:
    paths = sorted((shared_data / "cxr" / "images").iterdir())[::10]
    assert paths
    assert {refusal(path) for path in paths} == {""}


def test_every_code_is_documented() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "imaging.md").read_text()
    assert set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)) == set(RefusalCode)


def test_reading_leaves_the_file_alone(tmp_path: Path) -> None:
    path = save(radiograph(), tmp_path / "image.dcm")
    before = path.read_bytes()
    dicom.read(path)
    assert path.read_bytes() == before
    assert dcmread(path).SOPInstanceUID == "1.2.3"
