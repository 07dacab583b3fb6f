"""Folders laid out as MIMIC-CXR and Open-i are described, made here; neither collection is needed."""

import csv
import datetime
import gzip
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.imaging.refusals import RefusalCode
from inference.text.sections import Sections
from inference.training.sources import __main__ as command
from inference.training.sources import inspection, mimic_cxr, open_i, split, study
from inference.training.sources.study import LeftOut, SourceError, SourceStudy, View, What
from tests.inference import radiographs

COLUMNS = ["dicom_id", "subject_id", "study_id", "ViewPosition", "Rows", "Columns", "StudyDate", "StudyTime"]
REPORT = "                FINAL REPORT\n FINDINGS:  The lungs are clear.\n\n IMPRESSION:  {}\n"


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.tile(np.arange(200, dtype=np.uint8), (160, 1))).save(path)
    return path


def taken(
    stream: Iterable[SourceStudy | LeftOut],
) -> tuple[dict[str, SourceStudy], set[tuple[str, str, str]]]:
    """Studies by id, and (what, name, reason) of everything else."""
    studies: list[SourceStudy] = []
    left = {(str(one.what), one.name, str(one.reason)) for one in study.sifted(stream, studies)}
    return {one.study: one for one in studies}, left


class Mimic:
    """A folder in the layout of MIMIC-CXR-JPG with the reports of MIMIC-CXR unpacked into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[list[str]] = []
        (folder / "files").mkdir()

    def add(self, image: str, patient: str, number: str, view: str, day: str, clock: str) -> Path:
        self.rows.append([image, patient, number, view, "160", "200", day, clock])
        return picture(self.place(patient) / f"s{number}" / f"{image}.jpg")

    def place(self, patient: str) -> Path:
        return self.folder / "files" / f"p{patient[:2]}" / f"p{patient}"

    def report(self, patient: str, number: str, text: str) -> None:
        (self.place(patient) / f"s{number}.txt").write_text(text, encoding="utf-8")

    def write(self, columns: list[str] = COLUMNS) -> Path:
        with gzip.open(self.folder / "mimic-cxr-2.0.0-metadata.csv.gz", "wt", newline="") as file:
            csv.writer(file).writerows([columns, *self.rows])
        return self.folder


@pytest.fixture
def mimic(tmp_path: Path) -> Mimic:
    """One patient: a study of two views at 9:34 (its time without the leading zero), one later that day."""
    made = Mimic(tmp_path)
    made.add("aa-1", "10000032", "50000001", "PA", "21800506", "93413.5")
    made.add("aa-2", "10000032", "50000001", "LATERAL", "21800506", "93413.5")
    made.add("bb-1", "10000032", "50000002", "AP", "21800506", "213014.531")
    made.report("10000032", "50000001", REPORT.format("No acute process."))
    made.report("10000032", "50000002", REPORT.format("New edema."))
    return made


def test_mimic_studies_come_with_views_sections_time_and_the_prior(mimic: Mimic) -> None:
    studies, left = taken(mimic_cxr.read(mimic.write()))
    first, second = studies["50000001"], studies["50000002"]
    assert left == set()
    assert [image.view for image in first.images] == [View.PA, View.LATERAL]
    assert first.study_date == datetime.date(2180, 5, 6)
    assert first.study_time == datetime.time(9, 34, 13, 500_000)
    assert second.sections == Sections(findings="The lungs are clear.", impression="New edema.")
    assert (first.prior, second.prior) == ("", "50000001")


def test_the_split_of_mimic_is_kept(mimic: Mimic) -> None:
    with gzip.open(mimic.folder / "mimic-cxr-2.0.0-split.csv.gz", "wt") as file:
        file.write("dicom_id,study_id,subject_id,split\naa-1,50000001,10000032,validate\n")
    studies, _ = taken(mimic_cxr.read(mimic.write()))
    assert studies["50000001"].split == split.of(studies["50000001"]) == "validate"


def test_what_mimic_lacks_is_told_by_id_and_the_rest_is_read(mimic: Mimic) -> None:
    mimic.add("cc-1", "10000099", "50000003", "PA", "21810101", "1").unlink()
    mimic.add("cc-2", "10000099", "50000004", "PA", "21810101", "1")
    mimic.add("dd-1", "10000099", "50000005", "PA", "21810101", "1")
    mimic.add("dd-2", "10000032", "50000005", "PA", "21810101", "1")
    mimic.rows += [["../../x", "10000099", "50000006", "", "", "", "", ""], ["ee-1", "10000099"]]
    mimic.report("10000032", "50000002", " \n")
    studies, left = taken(mimic_cxr.read(mimic.write()))
    assert studies.keys() == {"50000001", "50000002", "50000004"}
    assert left == {
        ("image", "cc-1", "missing-file"),
        ("study", "s50000003", "no-images"),
        ("report", "s50000004", "missing-file"),
        ("study", "s50000005", "two-patients"),
        ("report", "s50000002", "empty-report"),
        ("image", "mimic-cxr-2.0.0-metadata.csv.gz:9", "broken-row"),
        ("image", "mimic-cxr-2.0.0-metadata.csv.gz:10", "broken-row"),
    }
    assert not studies["50000004"].reported


def test_mimic_reports_may_lie_in_a_folder_of_their_own(mimic: Mimic, tmp_path: Path) -> None:
    folder = mimic.write()
    apart = tmp_path / "mimic-cxr-reports"
    for path in list(folder.glob("files/p*/p*/*.txt")):
        target = apart / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    for given_folder in (None, apart):
        studies, left = taken(mimic_cxr.read(folder, given_folder))
        assert studies["50000002"].sections.impression == "New edema."
        assert left == set()


def test_mimic_dicom_needs_no_table_as_its_headers_tell_view_and_time(tmp_path: Path) -> None:
    place = tmp_path / "files" / "p10" / "p10000032" / "s50000001"
    place.mkdir(parents=True)
    dataset = radiographs.radiograph(ViewPosition="AP", StudyDate="21800506", StudyTime="0934")
    radiographs.save(dataset, place / "aa-1.dcm")
    (place / "aa-2.dcm").write_bytes(b"no DICOM")
    studies, left = taken(mimic_cxr.read(tmp_path))
    one = studies["50000001"]
    assert (one.patient, one.images[0].view) == ("10000032", View.AP)
    assert one.study_time == datetime.time(9, 34)
    assert left == {
        ("image", "aa-2", RefusalCode.NOT_AN_IMAGE_FILE),
        ("report", "s50000001", "missing-file"),
    }


def test_a_folder_that_is_not_mimic_says_what_is_missing(tmp_path: Path, mimic: Mimic) -> None:
    with pytest.raises(SourceError, match=r"no mimic-cxr-\*-metadata"):
        list(mimic_cxr.read(mimic.folder))
    with pytest.raises(SourceError, match="no folder 'files'"):
        list(mimic_cxr.read(tmp_path / "files"))
    with pytest.raises(SourceError, match="no folder 'files'"):
        list(mimic_cxr.read(mimic.write(), tmp_path / "elsewhere"))


def test_a_table_without_a_column_or_cut_off_is_named(mimic: Mimic) -> None:
    with pytest.raises(SourceError, match="no column StudyTime"):
        list(mimic_cxr.read(mimic.write(COLUMNS[:-1])))
    table = mimic.write() / "mimic-cxr-2.0.0-metadata.csv.gz"
    table.write_bytes(table.read_bytes()[:40])
    with pytest.raises(SourceError, match=r"metadata\.csv\.gz is damaged or cut off"):
        list(mimic_cxr.read(mimic.folder))


OPEN_I = """<?xml version="1.0" encoding="utf-8"?>
<eCitation><uId id="CXR1"/><MedlineCitation><Article><Abstract>
<AbstractText Label="COMPARISON">None.</AbstractText>
<AbstractText Label="INDICATION">Positive TB test</AbstractText>
<AbstractText Label="FINDINGS">The heart size &amp; mediastinum are XXXX.</AbstractText>
<AbstractText Label="IMPRESSION">Normal chest.</AbstractText>
</Abstract></Article></MedlineCitation>
<parentImage id="CXR1_1_IM-0001-3001"><caption>Xray Chest PA and Lateral</caption></parentImage>
<parentImage id="CXR1_1_IM-0001-4001"><caption>Xray Chest PA and Lateral</caption></parentImage>
</eCitation>"""


@pytest.fixture
def indiana(tmp_path: Path) -> Path:
    (tmp_path / "ecgen-radiology").mkdir()
    (tmp_path / "ecgen-radiology" / "1.xml").write_text(OPEN_I, encoding="utf-8")
    picture(tmp_path / "CXR1_1_IM-0001-3001.png")
    picture(tmp_path / "NLMCXR_png" / "CXR1_1_IM-0001-4001.png")
    return tmp_path


def test_open_i_gives_sections_by_label_and_no_view_that_the_caption_leaves_open(indiana: Path) -> None:
    studies, left = taken(open_i.read(indiana))
    one = studies["CXR1"]
    assert one.sections == Sections(
        comparison="None.",
        indication="Positive TB test",
        findings="The heart size & mediastinum are XXXX.",
        impression="Normal chest.",
    )
    assert [image.view for image in one.images] == [View.UNKNOWN, View.UNKNOWN]
    assert (one.patient, one.prior, left) == ("CXR1", "", set())


@pytest.mark.parametrize(
    ("caption", "view"),
    [
        ("Chest x-ray, PA view", View.PA),
        ("PORTABLE CHEST", View.AP),
        ("Frontal chest radiograph", View.FRONTAL),
        ("Lateral chest", View.LATERAL),
        ("PA and lateral chest x-XXXX", View.UNKNOWN),
        ("Chest, 2 views", View.UNKNOWN),
        ("Paper lattice", View.UNKNOWN),
    ],
)
def test_a_caption_tells_the_view_only_when_it_names_one(caption: str, view: View) -> None:
    assert open_i.view_in(caption) == view


BOMB = '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;">]><eCitation><uId id="&c;"/></eCitation>'


@pytest.mark.parametrize("content", [OPEN_I[:200], BOMB, OPEN_I.encode("utf-16").decode("latin-1"), ""])
def test_a_broken_or_hostile_report_of_open_i_stops_no_other(indiana: Path, content: str) -> None:
    (indiana / "ecgen-radiology" / "2.xml").write_bytes(content.encode("latin-1"))
    studies, left = taken(open_i.read(indiana))
    assert studies.keys() == {"CXR1"}
    assert left == {("report", "2.xml", "broken-file")}


def test_missing_pictures_and_odd_ids_of_open_i_are_told(indiana: Path) -> None:
    (indiana / "CXR1_1_IM-0001-3001.png").unlink()
    changed = OPEN_I.replace("CXR1", "CXR2").replace('"CXR2_1_IM-0001-4001"', '"../../secret"')
    (indiana / "ecgen-radiology" / "2.xml").write_text(changed, encoding="utf-8")
    studies, left = taken(open_i.read(indiana))
    assert len(studies["CXR1"].images) == 1
    assert left == {
        ("image", "CXR1_1_IM-0001-3001", "missing-file"),
        ("image", "CXR2_1_IM-0001-3001", "missing-file"),
        ("image", "2.xml", "broken-row"),
        ("study", "CXR2", "no-images"),
    }
    with pytest.raises(SourceError, match="NLMCXR_reports"):
        list(open_i.read(indiana / "NLMCXR_png"))


def test_inspect_prints_counts_and_ids_and_no_report_text(
    mimic: Mimic, capsys: pytest.CaptureFixture[str]
) -> None:
    mimic.add("cc-1", "10000099", "50000003", "", "21810101", "1")
    mimic.add("cc-2", "10000099", "50000003", "PA", "21810101", "1").unlink()
    command.main(["inspect", "mimic-cxr", str(mimic.write())])
    printed = capsys.readouterr().out
    found = json.loads(printed)
    assert "clear" not in printed
    assert "edema" not in printed
    assert found == {
        "patients": 2,
        "studies": 3,
        "frontal": 2,
        "with_report": 2,
        "with_findings": 2,
        "with_impression": 2,
        "with_prior": 1,
        "images": 4,
        "images_by_view": {"AP": 1, "PA": 1, "lateral": 1, "unknown": 1},
        "studies_by_language": {"en": 2},
        "studies_by_split": {},
        "left_out": {
            "image": {"missing-file": {"count": 1, "ids": [{"id": "cc-2"}]}},
            "report": {"missing-file": {"count": 1, "ids": [{"id": "s50000003"}]}},
        },
    }


def test_only_so_many_ids_are_listed_and_all_are_counted() -> None:
    left = (LeftOut(What.IMAGE, str(i), "too-small") for i in range(5))
    found = inspection.counts(left, ids=2)["left_out"]["image"]["too-small"]
    assert found == {"count": 5, "ids": [{"id": "0"}, {"id": "1"}]}


def test_the_command_says_what_is_wrong_without_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no folder 'files'"):
        command.main(["inspect", "mimic-cxr", str(tmp_path)])
    with pytest.raises(SystemExit, match="NAME=HEADING"):
        command.main(["inspect", "hospital", str(tmp_path), "--column", "body=X"])


def test_split_prints_a_line_for_each_study(mimic: Mimic, capsys: pytest.CaptureFixture[str]) -> None:
    command.main(["split", "mimic-cxr", str(mimic.write()), "--validate", "0", "--test", "1"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [{"study": "50000001", "split": "test"}, {"study": "50000002", "split": "test"}]


def test_every_reason_is_explained_in_the_docs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")
    assert {reason for reason in study.Reason if f"`{reason}`" not in page} == set()
