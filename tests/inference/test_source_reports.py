"""Reports in HL7 v2, FHIR, CSV and text files, as hospital systems export them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.text.sections import Sections
from inference.training.sources import fhir, hl7, hospital, tables
from inference.training.sources.layout import Layout
from inference.training.sources.received import Received
from inference.training.sources.study import LeftOut
from tests.inference.archive import archive, diagnostic_report, image, obr, oru, taken

FINDINGS = Sections(findings="No effusion.")


def reports_in(raw: bytes, layout: Layout | None = None) -> tuple[list[Received], list[tuple[str, ...]]]:
    return taken(hl7.read(raw, "m.hl7", layout or Layout()))


def test_lines_repetitions_and_escapes_of_hl7_become_one_text() -> None:
    (report,), left = reports_in(
        oru(
            "PID|||P1^^^H~X9^^^NHS",
            obr("A1", time="20250402113000"),
            "OBX|1|FT|||FINDINGS:\\.br\\Heart \\T\\ lungs \\H\\clear\\N\\, 3 \\S\\ 4.~No \\X41\\.||||||F",
            "OBX|2|TX|||IMPRESSION: Nothing \\F\\ new, \\Zq\\.||||||F",
            "OBX|3|TX|||Deleted line.||||||D",
        )
    )
    assert report.sections == Sections(
        findings="Heart & lungs clear, 3 ^ 4.\nNo A.", impression="Nothing | new, \\Zq\\."
    )
    assert (report.accession, report.patients, left) == ("A1", ("P1", "X9"), [])
    assert report.time is not None
    assert report.time.isoformat() == "2025-04-02T11:30:00+00:00"


def test_codes_of_observations_tell_the_section() -> None:
    (report,), _ = reports_in(
        oru(
            obr("A1"),
            "OBX|1|TX|71020&GDT^CHEST||No effusion.||||||F",
            "OBX|2|TX|71020&GDT^CHEST||No nodule.||||||F",
            "OBX|3|TX|19005-8^Impression^LN||Normal.||||||F",
        )
    )
    assert report.sections == Sections(findings="No effusion.\nNo nodule.", impression="Normal.")


def test_accession_and_study_uid_stand_where_ihe_puts_them_or_where_the_hospital_says() -> None:
    raw = oru(obr("A1", filler="F1"), "OBX|1|TX|||FINDINGS: x||||||F", "ZDS|1.2.3^H^Application^DICOM")
    (report,), _ = reports_in(raw)
    assert (report.accession, report.study) == ("A1", "1.2.3")
    (report,), _ = reports_in(raw, Layout(hl7_accession="OBR-3"))
    assert report.accession == "F1"
    (report,), _ = reports_in(oru(obr("", filler="F1"), "OBX|1|TX|||FINDINGS: x||||||F"))
    assert report.accession == "F1"
    coded = oru(obr(""), "OBX|1|ST|113014^DICOM Study^DCM||1.2.9||||||F", "OBX|2|TX|||x||||||F")
    (report,), _ = reports_in(coded)
    assert report.study == "1.2.9"
    with pytest.raises(ValueError, match="OBR-n"):
        Layout(hl7_accession="PID-3")


def test_two_patients_in_one_message_keep_their_reports_apart() -> None:
    text = "OBX|1|TX|||FINDINGS: x||||||F"
    raw = oru("PID|||P1", obr("A1"), text, obr("A2"), text, "PID|||P2", obr("A3"), text)
    found, _ = reports_in(raw)
    assert [(one.accession, one.patients) for one in found] == [
        ("A1", ("P1",)),
        ("A2", ("P1",)),
        ("A3", ("P2",)),
    ]
    assert [one.name for one in found] == ["m.hl7:1.1", "m.hl7:1.2", "m.hl7:1.3"]


@pytest.mark.parametrize("sets", ["UNICODE UTF-8", "ISO IR6~ISO IR87", ""])
def test_japanese_in_each_encoding_is_read_and_no_byte_of_it_taken_for_a_separator(sets: str) -> None:
    """表 and ポ end with the bytes of the signs \\ and | in Shift JIS; in ISO-2022-JP all bytes are ASCII."""
    text = "【所見】表面にポリープなし。胸水なし。"
    (report,), left = reports_in(oru(obr("A1"), f"OBX|1|TX|||{text}||||||F", sets=sets))
    assert (report.sections.findings, left) == ("表面にポリープなし。胸水なし。", [])


def test_messages_in_a_batch_or_in_mllp_frames_are_taken_one_by_one() -> None:
    good = oru(obr("A1"), "OBX|1|TX|||FINDINGS: x||||||F")
    raw = (
        b"FHS|^~\\&\rBHS|^~\\&\r\x0b"
        + good
        + b"\x1c\r"
        + b"MSH|^~\r"
        + good.replace(b"A1", b"A2")
        + b"BTS|2\r"
    )
    found, left = reports_in(raw)
    assert [(one.name, one.accession) for one in found] == [("m.hl7:1", "A1"), ("m.hl7:3", "A2")]
    assert [one[1:3] for one in left] == [("m.hl7:2", "broken-file")]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"nothing", "broken-file"),
        (b"", "broken-file"),
        (oru("PID|||P1"), "broken-file"),
        (oru(obr("A1"), event="ADT^A08"), "not-a-report"),
        (oru(obr(""), "OBX|1|TX|||x||||||F"), "no-accession"),
        (oru(obr("A1")), "empty-report"),
        (oru(obr("A1"), "OBX|1|ED|PDF||^application^pdf^Base64^JVBERi0=||||||F"), "no-text-format"),
        (oru(obr("A1", status="?"), "OBX|1|TX|||x||||||F"), "unknown-status"),
        (oru(obr("A1")).replace(b"UNICODE UTF-8", b"KLINGON"), "unknown-encoding"),
        (oru(obr("A1"), "OBX|1|TX|||x") + b"\xff\xfe\xff", "unknown-encoding"),
    ],
)
def test_an_unusable_message_is_told(raw: bytes, reason: str) -> None:
    found, left = reports_in(raw)
    assert found == []
    assert [one[2] for one in left] == [reason]


@given(st.binary(max_size=200), st.integers(0, 300))
def test_damaged_messages_raise_nothing(junk: bytes, place: int) -> None:
    raw = oru("PID|||P1", obr("A1"), "OBX|1|TX|||FINDINGS: \\.br\\x||||||F")
    for item in hl7.read(raw[:place] + junk + raw[place:], "m", Layout()):
        assert isinstance(item, Received | LeftOut)


def fhir_in(document: Any, layout: Layout | None = None) -> tuple[list[Received], list[tuple[str, ...]]]:
    return taken(fhir.read(json.dumps(document).encode(), "f.json", layout or Layout()))


def test_fhir_identifiers_are_found_in_the_report_or_in_what_it_refers_to() -> None:
    acsn = {"type": {"coding": [{"code": "ACSN"}]}, "value": "A7"}
    uid = {"system": "urn:dicom:uid", "value": "urn:oid:1.2.7"}
    contained = {"resourceType": "ImagingStudy", "id": "s", "identifier": [uid]}
    (report,), _ = fhir_in(
        diagnostic_report(
            identifier=[{"value": "own number"}],
            basedOn=[{"identifier": acsn}],
            contained=[contained],
            imagingStudy=[{"reference": "#s"}],
            subject={"identifier": {"value": "P1"}, "reference": "Patient/99"},
            issued="2025-04-02T12:00:00+09:00",
        )
    )
    assert (report.accession, report.study, report.patients) == ("A7", "1.2.7", ("P1",))
    assert report.sections == FINDINGS
    plain = diagnostic_report(identifier=[{"system": "urn:acc", "value": "A8"}])
    (report,), _ = fhir_in(plain, Layout(fhir_accession_system="urn:acc"))
    assert report.accession == "A8"


def test_a_fhir_conclusion_is_the_impression_where_there_is_no_text() -> None:
    (report,), _ = fhir_in(diagnostic_report(presentedForm=[], conclusion="Normal chest."))
    assert report.sections == Sections(impression="Normal chest.")


@pytest.mark.parametrize(
    "wrap", [lambda r: [r, r], lambda r: {"resourceType": "Bundle", "entry": [{"resource": r}] * 2}]
)
def test_fhir_bundles_and_lists_hold_several_reports(wrap: Any) -> None:
    found, _ = fhir_in(wrap(diagnostic_report()))
    assert [one.name for one in found] == ["f.json:1", "f.json:2"]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"resourceType": "Patient"}, "not-a-report"),
        ("text", "not-a-report"),
        (diagnostic_report(identifier=[{"value": "A1"}]), "no-accession"),
        (
            diagnostic_report(presentedForm=[{"contentType": "application/pdf", "data": "JVBERi0="}]),
            "no-text-format",
        ),
        (diagnostic_report(presentedForm=[{"contentType": "text/plain", "data": "%%%"}]), "broken-file"),
        (diagnostic_report(presentedForm=[]), "empty-report"),
        (diagnostic_report(presentedForm="odd", conclusion=7, identifier={}), "no-accession"),
    ],
)
def test_unusable_fhir_is_told(document: Any, reason: str) -> None:
    found, left = fhir_in(document)
    assert (found, [one[2] for one in left]) == ([], [reason])


@pytest.mark.parametrize("raw", [b"{", b"\xff{}", b"[" * 200_000])
def test_broken_json_is_told_with_its_place(raw: bytes) -> None:
    found, left = taken(fhir.read(raw, "f.json", Layout()))
    assert found == []
    assert left[0][2] in {"broken-file", "unknown-encoding"}


def test_a_bad_line_of_ndjson_stops_no_other(tmp_path: Path) -> None:
    image(tmp_path, 1)
    good = json.dumps(diagnostic_report())
    (tmp_path / "export.ndjson").write_text('{"resourceType": "Patient"}\n{"broken\n\n' + good + "\n")
    studies, left = archive(tmp_path)
    assert studies["1.2.1"].sections == FINDINGS
    assert left == {("export.ndjson:2", "broken-file")}


def csv_in(raw: bytes, layout: Layout | None = None) -> tuple[list[Received], list[tuple[str, ...]]]:
    return taken(tables.read_csv(raw, "t.csv", layout or Layout()))


def test_csv_columns_are_named_by_the_hospital_and_quoted_texts_hold_line_ends() -> None:
    names = {"accession": "受付番号", "findings": "所見", "impression": "診断"}
    raw = '受付番号;所見;診断\r\nA1;"胸水なし。\r\n""結節""なし。";正常\r\n'.encode("cp932")
    (report,), left = csv_in(raw, Layout(columns=names))
    assert report.sections == Sections(findings='胸水なし。\n"結節"なし。', impression="正常")
    assert (report.accession, left) == ("A1", [])


def test_rows_that_are_not_whole_are_told_by_line() -> None:
    raw = b"accession_number,report\nA1\nA2,x,y\n,x\nA4,\nA5,FINDINGS: x\n"
    found, left = csv_in(raw)
    assert [one.accession for one in found] == ["A5"]
    assert [one[1:3] for one in left] == [
        ("t.csv:2", "broken-row"),
        ("t.csv:3", "broken-row"),
        ("t.csv:4", "no-accession"),
        ("t.csv:5", "empty-report"),
    ]


def test_a_quote_left_open_ends_the_table_and_is_told() -> None:
    found, left = csv_in(b'accession_number,report\nA1,FINDINGS: x\nA2,"y\nA3,z\n')
    assert [one.accession for one in found] == ["A1"]
    assert (left[0][2], "nothing after" in left[0][3]) == ("broken-file", True)


@pytest.mark.parametrize("raw", [b"", b"accession_number,words\n", b"id,report\n"])
def test_a_table_whose_columns_are_unknown_asks_for_them(raw: bytes) -> None:
    found, left = csv_in(raw)
    assert found == []
    assert "say what the columns are called" in left[0][3]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "iso2022_jp"])
def test_text_files_are_read_in_the_encodings_of_japan(tmp_path: Path, encoding: str) -> None:
    image(tmp_path, 1)
    (tmp_path / "A1.txt").write_bytes("【所見】胸水なし。".encode(encoding))
    studies, left = archive(tmp_path)
    one = studies["1.2.1"]
    assert (one.sections, one.language, left) == (Sections(findings="胸水なし。"), "ja", set())


def test_bytes_of_no_known_encoding_ask_for_its_name(tmp_path: Path) -> None:
    image(tmp_path, 1)
    (tmp_path / "A1.txt").write_bytes("FINDINGS: Für niemanden.".encode("latin-1"))
    _, left = taken(hospital.read(tmp_path))
    assert left == [("report", "A1.txt", "unknown-encoding", "not shift_jis: name the encoding")]
    studies, left_now = archive(tmp_path, Layout(encoding="latin-1"))
    assert (studies["1.2.1"].sections.findings, left_now) == ("Für niemanden.", set())
