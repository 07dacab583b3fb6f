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


def with_name(raw: bytes, charset: Any, tmp_path: Path) -> header.ImageHeader:
    """What is read of a file whose Patient's Name has exactly these bytes."""
    raw += b" " * (len(raw) % 2)
    path = save(radiograph(SpecificCharacterSet=charset, PatientName="N" * len(raw)), tmp_path / "image.dcm")
    content = path.read_bytes()
    assert content.count(b"N" * len(raw)) == 1
    path.write_bytes(content.replace(b"N" * len(raw), raw))
    return header.extract(dcmread(path))


@pytest.mark.parametrize(
    ("charset", "raw", "groups"),
    [
        # PS3.5 H.3.1 and H.3.2, I.2, J.3, J.4, K and X: the standard's own bytes.
        (
            ["", "ISO 2022 IR 87"],
            b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
            ("Yamada^Tarou", "山田^太郎", "やまだ^たろう"),
        ),
        (
            ["ISO 2022 IR 13", "ISO 2022 IR 87"],
            b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J"
            b"=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
            ("ﾔﾏﾀﾞ^ﾀﾛｳ", "山田^太郎", "やまだ^たろう"),
        ),
        (
            ["", "ISO 2022 IR 149"],
            b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
            ("Hong^Gildong", "洪^吉洞", "홍^길동"),
        ),
        ("GB18030", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", ("Wang^XiaoDong", "王^小东", "")),
        (
            ["", "ISO 2022 IR 58"],
            b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=",
            ("Zhang^XiaoDong", "张^小东", ""),
        ),
        (
            "ISO_IR 192",
            b"Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1=",
            ("Wang^XiaoDong", "王^小東", ""),
        ),
        # The examples of pydicom's and dcm4che's test data, in the single-byte sets.
        ("ISO_IR 100", b"Buc^J\xe9r\xf4me", ("Buc^Jérôme", "", "")),
        ("ISO_IR 100", b"\xc4neas^R\xfcdiger", ("Äneas^Rüdiger", "", "")),
        ("ISO_IR 101", b"Wa\xb3\xeasa", ("Wałęsa", "", "")),
        ("ISO_IR 109", b"\xe6ovek", ("ĉovek", "", "")),
        ("ISO_IR 110", b"\xe4a\xfee", ("äaūe", "", "")),
        ("ISO_IR 126", b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", ("Διονυσιος", "", "")),
        (
            "ISO_IR 127",
            b"\xe2\xc8\xc7\xe6\xea^\xe4\xe6\xd2\xc7\xd1",
            ("قباني^لنزار", "", ""),
        ),
        ("ISO_IR 138", b"\xf9\xf8\xe5\xef^\xe3\xe1\xe5\xf8\xe4", ("שרון^דבורה", "", "")),
        ("ISO_IR 144", b"\xbb\xee\xdace\xdc\xd1yp\xd3", ("Люкceмбypг", "", "")),
        ("ISO_IR 148", b"\xc7avu\xfeo\xf0lu", ("Çavuşoğlu", "", "")),
        ("ISO_IR 166", b"\xca\xc1\xaa\xd2\xc2", ("สมชาย", "", "")),
        ("ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3", ("ﾔﾏﾀﾞ^ﾀﾛｳ", "", "")),
        (["ISO 2022 IR 100", "ISO 2022 IR 126"], b"J\xe9r\xf4me^\x1b-F\xc4\xe9\xef", ("Jérôme^Διο", "", "")),
    ],
)
def test_names_are_read_in_every_character_set(
    charset: Any, raw: bytes, groups: tuple, tmp_path: Path
) -> None:
    found = with_name(raw, charset, tmp_path)
    read = (found.patient_name, found.patient_name_ideographic, found.patient_name_phonetic)
    assert read == groups
    assert not found.charset_doubtful
    assert found.patient_name_raw.encode("latin-1").rstrip() == raw.rstrip()


@pytest.mark.parametrize(
    ("charset", "raw"),
    [
        ("ISO_IR 100", "García^José".encode()),
        ("ISO_IR 13", "山田^太郎".encode()),
        (["", "ISO 2022 IR 87"], "佐藤^大輔".encode("euc_jp")),
        (["", "ISO 2022 IR 149"], b"Hong=\x1b$)C\xfb\xf3^\xd1\xce"),
        ("", "山田^太郎".encode("shift_jis")),
    ],
)
def test_bytes_that_are_of_another_character_set_are_doubtful(
    charset: Any, raw: bytes, tmp_path: Path
) -> None:
    """UTF-8 in all but name; bytes above 0x7F where no set for them is in force."""
    assert with_name(raw, charset, tmp_path).charset_doubtful


def test_an_indication_of_another_character_set_is_doubtful(tmp_path: Path) -> None:
    raw = "発熱".encode("euc_jp")
    path = save(
        radiograph(SpecificCharacterSet=["", "ISO 2022 IR 87"], ReasonForTheRequestedProcedure="N" * 4),
        tmp_path / "image.dcm",
    )
    path.write_bytes(path.read_bytes().replace(b"NNNN", raw))
    assert header.extract(dcmread(path)).charset_doubtful


def test_an_escape_that_leads_nowhere_is_doubtful(tmp_path: Path) -> None:
    """An escape to a set that is not declared, and one that no standard knows."""
    for raw in (b"Wang^\x1b$)C\xfb\xf3", b"Wang^\x1b%Gxy"):
        found = with_name(raw, ["", "ISO 2022 IR 87"], tmp_path)
        assert found.charset_doubtful
        assert "\x1b" not in found.patient_name
        assert found.patient_name_raw.encode("latin-1").rstrip() == raw


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
