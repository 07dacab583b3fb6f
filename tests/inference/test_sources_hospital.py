"""Images and reports of a hospital's archive are joined, and what cannot be joined is told."""

import json
from pathlib import Path

import pytest

from inference.text.sections import Sections
from inference.training.sources import __main__ as command
from inference.training.sources import hospital
from inference.training.sources.study import SourceError, View
from tests.inference.archive import archive, diagnostic_report, image, obr, oru, taken

FINDINGS = Sections(findings="No effusion.")


def test_each_kind_of_report_is_joined_by_accession_number_and_the_prior_found(tmp_path: Path) -> None:
    for number, day in enumerate(["20250101", "20250102", "20250103", "20250104"], 1):
        image(tmp_path / "images" / day, number, PatientID="P", StudyDate=day)
    reports = tmp_path / "reports"
    reports.mkdir()
    (reports / "a.hl7").write_bytes(oru("PID|||P^^^H", obr("A1"), "OBX|1|TX|||FINDINGS: No effusion.||||||F"))
    content = diagnostic_report(identifier=[{"type": {"coding": [{"code": "ACSN"}]}, "value": "A2"}])
    (reports / "b.json").write_text(json.dumps(content))
    (reports / "c.csv").write_text("accession_number,report\nA3,FINDINGS: No effusion.\n")
    (reports / "A4.txt").write_text("FINDINGS: No effusion.")
    studies, left = archive(tmp_path)
    assert left == set()
    assert [studies[f"1.2.{n}"].sections for n in (1, 2, 3, 4)] == [FINDINGS] * 4
    assert studies["1.2.4"].priors == ("1.2.3", "1.2.2", "1.2.1")


def test_two_issuers_of_one_number_are_two_patients(tmp_path: Path) -> None:
    image(tmp_path, 1, PatientID="7", IssuerOfPatientID="north", StudyDate="20250101")
    image(tmp_path, 2, PatientID="7", IssuerOfPatientID="south")
    studies, _ = archive(tmp_path)
    assert studies["1.2.1"].patient != studies["1.2.2"].patient
    assert studies["1.2.2"].priors == ()


def test_images_without_patient_id_are_nobodys_priors(tmp_path: Path) -> None:
    image(tmp_path, 1, PatientID="", StudyDate="20250101")
    image(tmp_path, 2, PatientID="")
    studies, _ = archive(tmp_path)
    assert [one.priors for one in studies.values()] == [(), ()]


def test_what_is_no_chest_radiograph_is_left_out_with_its_reason(tmp_path: Path) -> None:
    image(tmp_path, 1)
    image(tmp_path, 2, Modality="CT")
    image(tmp_path, 3, BodyPartExamined="KNEE")
    image(tmp_path / "again", 1)
    (tmp_path / "Thumbs.db").write_bytes(b"\0" * 200)
    (tmp_path / "scan.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    studies, left = archive(tmp_path)
    assert studies.keys() == {"1.2.1"}
    assert left == {
        ("1.2.2.1.dcm", "not-a-radiograph"),
        ("1.2.3.1.dcm", "not-a-chest"),
        ("again/1.2.1.1.dcm", "duplicate-image"),
        ("Thumbs.db", "not-an-image-file"),
        ("scan.png", "not-dicom"),
    }


def test_an_empty_view_position_is_told_by_the_patients_orientation(tmp_path: Path) -> None:
    image(tmp_path, 1, ViewPosition="", PatientOrientation=["L", "F"])
    image(tmp_path, 2, ViewPosition="", PatientOrientation=["P", "F"])
    image(tmp_path, 3, ViewPosition="")
    studies, _ = archive(tmp_path)
    views = [studies[f"1.2.{n}"].images[0].view for n in (1, 2, 3)]
    assert views == [View.FRONTAL, View.LATERAL, View.UNKNOWN]


def test_an_accession_number_of_two_patients_refuses_both_studies_by_id(tmp_path: Path) -> None:
    image(tmp_path, 1, AccessionNumber="A")
    image(tmp_path, 2, AccessionNumber="A")
    image(tmp_path, 3)
    (tmp_path / "A.txt").write_text("FINDINGS: No effusion.")
    studies, left = taken(hospital.read(tmp_path))
    assert [one.study for one in studies] == ["1.2.3"]
    assert left == [
        ("study", "1.2.1", "accession-of-two-patients", "A"),
        ("study", "1.2.2", "accession-of-two-patients", "A"),
        ("report", "A.txt", "no-study", "A"),
    ]


def test_a_study_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    image(tmp_path, 1)
    image(tmp_path, 1, SOPInstanceUID="1.2.1.2", PatientID="other", AccessionNumber="")
    image(tmp_path, 2)
    image(tmp_path, 2, SOPInstanceUID="1.2.2.2", AccessionNumber="B2")
    image(tmp_path, 3)
    studies, left = archive(tmp_path)
    assert studies.keys() == {"1.2.3"}
    assert left == {("1.2.1", "two-patients"), ("1.2.2", "two-accessions")}


def test_a_report_of_another_patient_or_of_two_studies_is_not_joined(tmp_path: Path) -> None:
    image(tmp_path, 1)
    image(tmp_path, 2)
    image(tmp_path, 3, PatientID="P2", AccessionNumber="A2")
    rows = ["A1,,P9", "A2,,P2", "A2,1.2.3,P2", ",1.2.1,P1", "A1,1.2.3,P1"]
    table = "accession_number,study_instance_uid,patient_id,report\n"
    (tmp_path / "r.csv").write_text(table + "".join(f"{row},FINDINGS: No effusion.\n" for row in rows))
    studies, left = archive(tmp_path)
    assert left == {
        ("r.csv:2", "other-patient"),
        ("r.csv:3", "accession-of-two-studies"),
        ("r.csv:6", "no-study"),
    }
    assert {uid for uid, one in studies.items() if one.reported} == {"1.2.1", "1.2.3"}


@pytest.mark.parametrize(
    ("rows", "impression", "left"),
    [
        (["F,20250402,old", "C,20250403,new"], "new", {("r.csv:2", "superseded")}),
        (["C,20250403,new", "F,20250402,old"], "new", {("r.csv:3", "superseded")}),
        (["F,20250402,signed", "P,20250403,draft"], "signed", {("r.csv:3", "preliminary")}),
        (["P,20250403,draft"], "", {("r.csv:2", "preliminary")}),
        (["F,20250402,a", "F,20250402,b"], "", {("1.2.1", "contradicting-reports")}),
        (["F,,a", "F,,a"], "a", {("r.csv:2", "superseded")}),
        (["F,20250402,signed", "X,20250403,"], "", {("1.2.1", "withdrawn")}),
        (["X,20250402,", "F,20250403,signed"], "signed", set()),
        (["F,20250402,signed", "dubious,20250403,b"], "signed", {("r.csv:3", "unknown-status")}),
    ],
)
def test_of_several_reports_the_latest_final_one_counts(
    tmp_path: Path, rows: list[str], impression: str, left: set[tuple[str, str]]
) -> None:
    image(tmp_path, 1)
    lines = ["accession_number,report_status,report_time,impression", *(f"A1,{row}" for row in rows)]
    (tmp_path / "r.csv").write_text("\n".join(lines))
    studies, found = archive(tmp_path)
    assert studies["1.2.1"].sections.impression == impression
    assert found == left


def test_an_archive_without_chest_radiographs_or_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no DICOM file of a chest radiograph"):
        list(hospital.read(tmp_path))
    with pytest.raises(SourceError, match="is no folder"):
        list(hospital.read(tmp_path / "nowhere"))


def test_inspect_of_a_hospital_takes_its_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image(tmp_path / "images", 1)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "r.csv").write_text("Acc,Body\nA1,IMPRESSION: Secret.\n")
    names = ["--column", "accession=Acc", "--column", "text=Body", "--reports", str(tmp_path / "reports")]
    command.main(["inspect", "hospital", str(tmp_path / "images"), *names])
    printed = capsys.readouterr().out
    assert json.loads(printed)["with_impression"] == 1
    assert "Secret" not in printed


def test_what_pydicom_finds_odd_in_a_header_is_not_printed(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    path = image(tmp_path, 1)
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.5", b"1.2.8+0.10008.5"))
    archive(tmp_path)
    assert "1.2.8+0.10008.5" in str(recwarn.pop().message)
    recwarn.clear()
    command.main(["inspect", "hospital", str(tmp_path)])
    assert not recwarn.list
