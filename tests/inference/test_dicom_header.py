"""The header as the application keeps it: names in their character sets, spacing with its source."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from inference.imaging import header
from tests.inference.radiographs import radiograph, save

YAMADA = "Yamada^Tarou=山田^太郎=やまだ^たろう"


def read(dataset: Dataset, tmp_path: Path) -> header.ImageHeader:
    return header.extract(dcmread(save(dataset, tmp_path / "image.dcm")))


@pytest.mark.parametrize(
    "charset", ["ISO_IR 192", ["", "ISO 2022 IR 87"], ["ISO 2022 IR 13", "ISO 2022 IR 87"], "GB18030"]
)
def test_japanese_names_are_read_by_the_declared_character_set(charset: Any, tmp_path: Path) -> None:
    found = read(radiograph(SpecificCharacterSet=charset, PatientName=YAMADA), tmp_path)
    assert found.patient_name == "Yamada^Tarou"
    assert found.patient_name_ideographic == "山田^太郎"
    assert found.patient_name_phonetic == "やまだ^たろう"
    assert not found.charset_doubtful


def test_the_real_japanese_header(shared_data: Path) -> None:
    (path,) = (shared_data / "dicom" / "chest").glob("*chrJapMulti.dcm")
    found = header.extract(dcmread(path))
    assert found.patient_name == "やまだ^たろう"
    assert found.patient_name_raw.startswith("\x1b$B")
    assert not found.charset_doubtful


@pytest.mark.parametrize(
    ("name", "expected"), [("chrArab", "قباني^لنزار"), ("chrRuss", "Люкceмбypг"), ("chrGreek", "Διονυσιος")]
)
def test_real_names_in_other_scripts(name: str, expected: str, shared_data: Path) -> None:
    (path,) = (shared_data / "dicom" / "odd").glob(f"*{name}.dcm")
    found = header.extract(dcmread(path))
    assert (found.patient_name, found.charset_doubtful) == (expected, False)


@pytest.mark.parametrize("declared", [b"", b"ISO_IR 100", b"ISO_IR 192", b"ISO_IR 999"])
def test_a_name_in_another_character_set_than_declared_is_doubtful(declared: bytes, tmp_path: Path) -> None:
    raw = "山田^太郎".encode("shift_jis")
    placeholder, charset = b"N" * len(raw) + b"N" * (len(raw) % 2), b"ISO_IR 6  "
    path = save(
        radiograph(SpecificCharacterSet="ISO_IR 6", PatientName=placeholder.decode()), tmp_path / "image.dcm"
    )
    content = path.read_bytes().replace(placeholder, raw.ljust(len(placeholder)))
    path.write_bytes(content.replace(b"CS\x08\x00ISO_IR 6", b"CS\x0a\x00" + declared.ljust(len(charset))))
    found = header.extract(dcmread(path))
    assert found.charset_doubtful
    assert found.patient_name_raw.encode("latin-1").rstrip() == raw


@pytest.mark.parametrize(
    ("elements", "spacing", "source"),
    [
        ({}, None, ""),
        ({"PixelSpacing": [0.2, 0.1]}, (0.2, 0.1), ""),
        ({"ImagerPixelSpacing": [0.2, 0.1]}, (0.2, 0.1), "detector"),
        ({"ImagerPixelSpacing": [0.2, 0.2], "PixelSpacing": [0.2, 0.2]}, (0.2, 0.2), "detector"),
        ({"ImagerPixelSpacing": [0.2, 0.2], "PixelSpacing": [0.18, 0.18]}, (0.18, 0.18), "calibrated"),
        ({"PixelSpacing": [0.2, 0.2], "PixelSpacingCalibrationType": "FIDUCIAL"}, (0.2, 0.2), "calibrated"),
        ({"NominalScannedPixelSpacing": [0.3, 0.3]}, (0.3, 0.3), "detector"),
        ({"PixelSpacing": [0.0, 0.0]}, None, ""),
        # SID 1,800 mm, patient at 1,500 mm: 1.2 times magnified.
        (
            {"ImagerPixelSpacing": [0.24, 0.12], "EstimatedRadiographicMagnificationFactor": 1.2},
            (0.2, 0.1),
            "magnification",
        ),
        (
            {"ImagerPixelSpacing": [0.2, 0.2], "EstimatedRadiographicMagnificationFactor": 0},
            (0.2, 0.2),
            "detector",
        ),
        (
            {
                "ImagerPixelSpacing": [0.24, 0.24],
                "PixelSpacing": [0.21, 0.21],
                "EstimatedRadiographicMagnificationFactor": 1.2,
            },
            (0.21, 0.21),
            "calibrated",
        ),
        ({"PixelSpacing": [0.2, 0.2, 0.2]}, None, ""),
    ],
)
def test_spacing_keeps_its_source(elements: dict, spacing: Any, source: str, tmp_path: Path) -> None:
    found = read(radiograph(**elements), tmp_path)
    assert found.pixel_spacing == (None if spacing is None else pytest.approx(spacing))
    assert found.pixel_spacing_source == source


def test_the_order_may_be_inside_the_request(tmp_path: Path) -> None:
    request = Dataset()
    request.AccessionNumber, request.ReasonForTheRequestedProcedure = "A7", "cough"
    found = read(radiograph(RequestAttributesSequence=[request]), tmp_path)
    assert (found.accession_number, found.reason_for_the_requested_procedure) == ("A7", "cough")


def test_odd_values_become_empty_or_text_and_fit_json(tmp_path: Path) -> None:
    path = save(
        radiograph(InstanceNumber="1234", PatientAge="045Y", StudyDescription="A B"), tmp_path / "i.dcm"
    )
    content = (
        path.read_bytes().replace(b"1234", b"1.5x").replace(b"045Y", b"45\x00\x01").replace(b"A B", b"A\x00B")
    )
    path.write_bytes(content)
    found = header.extract(dcmread(path))
    assert (found.instance_number, found.patient_age, found.study_description) == (None, "45", "AB")
    assert "\0" not in json.dumps(asdict(found), ensure_ascii=False)


def test_dates_and_times_stay_as_received(tmp_path: Path) -> None:
    found = read(
        radiograph(StudyDate="20240229", StudyTime="235959.5", TimezoneOffsetFromUTC="+0900"), tmp_path
    )
    assert (found.study_date, found.study_time, found.timezone_offset_from_utc) == (
        "20240229",
        "235959.5",
        "+0900",
    )
    found = read(radiograph(AcquisitionDate="20240229", AcquisitionTime="120000"), tmp_path)
    assert found.acquisition_date_time == "20240229120000"
