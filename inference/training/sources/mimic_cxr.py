"""MIMIC-CXR (DICOM) and MIMIC-CXR-JPG as PhysioNet lays them out. Written from the public descriptions:

    files/p10/p10000032/s50414267/<dicom_id>.dcm or .jpg
    files/p10/p10000032/s50414267.txt                      (mimic-cxr-reports.zip)
    mimic-cxr-2.0.0-metadata.csv[.gz]                      (MIMIC-CXR-JPG)
    mimic-cxr-2.0.0-split.csv[.gz]                         (MIMIC-CXR-JPG)

The DICOM files can be read without the metadata: their headers then say view and time.
"""

import csv
import gzip
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from inference.imaging import dicom
from inference.imaging.refusals import Refusal
from inference.text import sections
from inference.text.sections import Sections
from inference.training.sources import moments
from inference.training.sources.study import (
    LeftOut,
    Reason,
    SourceError,
    SourceImage,
    SourceStudy,
    View,
    What,
    sifted,
    view_named,
    with_priors,
)

_COLUMNS = ("dicom_id", "subject_id", "study_id", "ViewPosition", "StudyDate", "StudyTime")
_SPLIT_COLUMNS = ("study_id", "split")
_NUMBER = re.compile(r"[0-9]{1,12}")
_IMAGE_ID = re.compile(r"[0-9a-zA-Z.-]{1,64}")
_REPORTS = "mimic-cxr-reports"
_TABLE_ERRORS = (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error)


@dataclass(frozen=True)
class _Row:
    image: str
    patient: str
    study: str
    view: View
    date: str
    time: str
    path: Path | None = None


def read(folder: Path, reports: Path | None = None) -> Iterator[SourceStudy | LeftOut]:
    """Studies, patient by patient, each with its priors.

    reports: where the reports' own `files` folder lies; looked for in the folder itself and in
    mimic-cxr-reports below it when left out.

    Raises
    ------
    SourceError
        When the layout is not that of MIMIC-CXR, or a table cannot be read.
    """
    files = folder / "files"
    if not files.is_dir():
        raise SourceError(f"{folder} has no folder 'files': name the folder that MIMIC-CXR was unpacked to")
    metadata, split = _table(folder, "metadata"), _table(folder, "split")
    splits = dict(_splits(split)) if split else {}
    texts = _reports_folder(folder, reports)
    rows: list[_Row] = []
    yield from sifted(_rows(metadata) if metadata else _headers(files), rows)
    patients: dict[str, dict[str, list[_Row]]] = defaultdict(lambda: defaultdict(list))
    owners: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        patients[row.patient][row.study].append(row)
        owners[row.study].add(row.patient)
    for studies in patients.values():
        made: list[SourceStudy] = []
        for study, images in studies.items():
            if len(owners[study]) > 1:
                yield LeftOut(What.STUDY, f"s{study}", Reason.TWO_PATIENTS)
            else:
                yield from sifted(_study(files, texts, images, splits.get(study, "")), made)
        yield from with_priors(made)


def _table(folder: Path, name: str) -> Path | None:
    """The table of any release: they are all named after 2.0.0 so far."""
    return next(iter(sorted(folder.glob(f"mimic-cxr-*-{name}.csv*"))), None)


def _reports_folder(folder: Path, reports: Path | None) -> Path:
    if reports is None:
        below = folder / _REPORTS
        return (below if (below / "files").is_dir() else folder) / "files"
    if not (reports / "files").is_dir():
        raise SourceError(f"{reports} has no folder 'files': unpack mimic-cxr-reports.zip there")
    return reports / "files"


def _records(table: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, list[str] | None]]:
    """Line number and the values of these columns; None for a row that is not whole."""
    opened = gzip.open if table.suffix == ".gz" else open
    try:
        with opened(table, "rt", encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = set(columns) - set(reader.fieldnames or ())
            if missing:
                raise SourceError(f"{table.name} has no column {', '.join(sorted(missing))}")
            for row in reader:
                values = [row[column] for column in columns]
                whole = None not in row and None not in values
                yield reader.line_num, values if whole else None
    except _TABLE_ERRORS as error:
        raise SourceError(f"{table.name} is damaged or cut off ({error}): fetch it again") from error


def _splits(table: Path) -> Iterator[tuple[str, str]]:
    for _, values in _records(table, _SPLIT_COLUMNS):
        if values:
            yield values[0], values[1]


def _rows(table: Path) -> Iterator[_Row | LeftOut]:
    for line, values in _records(table, _COLUMNS):
        if values is None or not _well_named(*values[:3]):
            yield LeftOut(What.IMAGE, f"{table.name}:{line}", Reason.BROKEN_ROW)
            continue
        image, patient, study, view, date, time = values
        yield _Row(image, patient, study, view_named(view), date, _whole_time(time))


def _well_named(image: str, patient: str, study: str) -> bool:
    """They become parts of paths."""
    numbers = _NUMBER.fullmatch(patient) and _NUMBER.fullmatch(study)
    return bool(numbers and _IMAGE_ID.fullmatch(image))


def _whole_time(text: str) -> str:
    """The table holds times as numbers, which have lost their leading zeros (93413.5 is 09:34:13.5)."""
    whole, point, fraction = text.partition(".")
    return whole.zfill(6) + point + fraction if whole.isdigit() else ""


def _headers(files: Path) -> Iterator[_Row | LeftOut]:
    found = False
    for path in sorted(files.glob("p*/p*/s*/*")):
        found = found or path.suffix == ".dcm"
        if path.suffix == ".jpg":
            raise SourceError(
                "There is no mimic-cxr-*-metadata.csv.gz beside 'files', and JPG files tell neither view "
                "nor time: put the table of MIMIC-CXR-JPG there"
            )
        if path.suffix == ".dcm":
            yield _header(path, files)
    if not found:
        raise SourceError(f"{files} holds no p*/p*/s*/*.dcm and there is no mimic-cxr-*-metadata.csv.gz")


def _header(path: Path, files: Path) -> _Row | LeftOut:
    image, patient, study = path.stem, path.parts[-3][1:], path.parts[-2][1:]
    if not _well_named(image, patient, study):
        return LeftOut(What.IMAGE, path.relative_to(files).as_posix(), Reason.NO_STUDY)
    try:
        header = dicom.read_header(path)
    except Refusal as refusal:
        return LeftOut(What.IMAGE, image, refusal.code)
    view = view_named(header.view_position)
    return _Row(image, patient, study, view, header.study_date, header.study_time, path)


def _study(files: Path, texts: Path, rows: list[_Row], split: str) -> Iterator[SourceStudy | LeftOut]:
    """What was left out of it, then the study, if an image is there."""
    patient, study = rows[0].patient, rows[0].study
    first = min(rows, key=lambda row: (row.date, row.time))
    place = Path(f"p{patient[:2]}") / f"p{patient}"
    images = []
    for row in rows:
        stem = files / place / f"s{study}" / row.image
        path = row.path or next((p for s in (".dcm", ".jpg") if (p := Path(f"{stem}{s}")).is_file()), None)
        if path is None:
            yield LeftOut(What.IMAGE, row.image, Reason.MISSING_FILE)
        else:
            images.append(SourceImage(row.image, path, row.view))
    if not images:
        yield LeftOut(What.STUDY, f"s{study}", Reason.NO_IMAGES)
        return
    report = _report(texts / place / f"s{study}.txt")
    if isinstance(report, LeftOut):
        yield report
    yield SourceStudy(
        patient=patient,
        study=study,
        accession="",
        study_date=moments.date(first.date),
        study_time=moments.time(first.time),
        images=tuple(images),
        sections=Sections() if isinstance(report, LeftOut) else report,
        language="en",
        split=split,
    )


def _report(path: Path) -> Sections | LeftOut:
    try:
        report = sections.read(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return LeftOut(What.REPORT, path.stem, Reason.MISSING_FILE)
    except OSError as error:
        return LeftOut(What.REPORT, path.stem, Reason.BROKEN_FILE, type(error).__name__)
    except UnicodeDecodeError:
        return LeftOut(What.REPORT, path.stem, Reason.UNKNOWN_ENCODING)
    return report if report != Sections() else LeftOut(What.REPORT, path.stem, Reason.EMPTY_REPORT)
