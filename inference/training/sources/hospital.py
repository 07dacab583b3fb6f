"""A hospital's own archive: folders of DICOM files, and reports in HL7 v2, FHIR, CSV or text files.

Reports are joined to studies by accession number, else by Study Instance UID. Headers are read first, then
reports; pixels are not. Where two things contradict each other neither is believed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from inference.imaging import dicom
from inference.imaging.captures import PICTURE_SIGNATURES
from inference.imaging.header import ImageHeader
from inference.imaging.refusals import Refusal
from inference.text import sections
from inference.text.sections import Sections
from inference.training.sources import moments, received, reports
from inference.training.sources.layout import Layout
from inference.training.sources.received import Received
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

_ACROSS = {"L": View.FRONTAL, "R": View.FRONTAL, "A": View.LATERAL, "P": View.LATERAL}
"""What Patient Orientation (0020,0020) of the rows says of the view, where View Position is empty."""


@dataclass(frozen=True)
class _Found:
    """The part of an image's header that is kept."""

    name: str
    path: Path
    image: str
    view: View
    study: str
    patient: str
    issuer: str
    accession: str
    date: str
    time: str


@dataclass(frozen=True)
class _Index:
    """Studies by their UID, and the UIDs of each accession number."""

    studies: dict[str, list[_Found]]
    of_accession: dict[str, list[str]]


def read(
    folder: Path, report_folder: Path | None = None, layout: Layout | None = None, language: str = ""
) -> Iterator[SourceStudy | LeftOut]:
    """Studies, patient by patient, each with its priors.

    report_folder: the folder itself when left out. language: of all reports; told by their letters when
    empty.

    Raises
    ------
    SourceError
        When there is no such folder, or no chest radiograph in it.
    """
    texts = report_folder or folder
    for place in (folder, texts):
        if not place.is_dir():
            raise SourceError(f"{place} is no folder")
    found: list[_Found] = []
    yield from sifted(_scan(folder), found)
    if not found:
        raise SourceError(f"{folder} holds no DICOM file of a chest radiograph")
    index, refused = _index(found)
    yield from refused
    matched: list[tuple[str, Received]] = []
    yield from sifted(_matched(reports.read(texts, layout or Layout()), index), matched)
    of_study: dict[str, list[Received]] = defaultdict(list)
    for study, report in matched:
        of_study[study].append(report)
    for studies in _by_patient(index).values():
        made: list[SourceStudy] = []
        for study in studies:
            chosen, left = received.latest(of_study.pop(study, []), study)
            yield from left
            made.append(_study(index.studies[study], chosen, language))
        yield from with_priors(made)


def _scan(folder: Path) -> Iterator[_Found | LeftOut]:
    """Every file that is no report, in order of names."""
    seen: set[str] = set()
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in reports.SUFFIXES or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        found = _header(path, name)
        if isinstance(found, _Found) and found.image in seen:
            yield LeftOut(What.IMAGE, name, Reason.DUPLICATE_IMAGE, found.image)
        else:
            yield found
            seen.add(found.image if isinstance(found, _Found) else "")


def _header(path: Path, name: str) -> _Found | LeftOut:
    try:
        with path.open("rb") as file:
            if file.read(8).startswith(PICTURE_SIGNATURES):
                return LeftOut(What.IMAGE, name, Reason.NOT_DICOM)
        header = dicom.read_header(path)
    except Refusal as refusal:
        return LeftOut(What.IMAGE, name, refusal.code)
    except OSError as error:
        return LeftOut(What.IMAGE, name, Reason.BROKEN_FILE, type(error).__name__)
    return _Found(
        name=name,
        path=path,
        image=header.sop_instance_uid,
        view=_view(header),
        study=header.study_instance_uid,
        patient=header.patient_id,
        issuer=header.issuer_of_patient_id,
        accession=header.accession_number,
        date=header.study_date,
        time=header.study_time,
    )


def _view(header: ImageHeader) -> View:
    stated = view_named(header.view_position)
    if stated != View.UNKNOWN:
        return stated
    return _ACROSS.get(header.patient_orientation[:1].upper(), View.UNKNOWN)


def _index(found: Iterable[_Found]) -> tuple[_Index, list[LeftOut]]:
    """What can be told apart, and the studies that cannot."""
    studies: dict[str, list[_Found]] = defaultdict(list)
    owners: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for one in found:
        studies[one.study].append(one)
        if one.accession:
            owners[one.accession].add((one.issuer, one.patient))
    refused = [left for study, images in studies.items() if (left := _contradiction(study, images, owners))]
    for left in refused:
        del studies[left.name]
    of_accession: dict[str, list[str]] = defaultdict(list)
    for study, images in studies.items():
        for accession in {one.accession for one in images if one.accession}:
            of_accession[accession].append(study)
    return _Index(dict(studies), dict(of_accession)), refused


def _contradiction(
    study: str, images: list[_Found], owners: dict[str, set[tuple[str, str]]]
) -> LeftOut | None:
    accessions = sorted({one.accession for one in images if one.accession})
    if len({(one.issuer, one.patient) for one in images}) > 1:
        return LeftOut(What.STUDY, study, Reason.TWO_PATIENTS)
    if len(accessions) > 1:
        return LeftOut(What.STUDY, study, Reason.TWO_ACCESSIONS, ", ".join(accessions))
    if accessions and len(owners[accessions[0]]) > 1:
        return LeftOut(What.STUDY, study, Reason.ACCESSION_OF_TWO_PATIENTS, accessions[0])
    return None


def _matched(stream: Iterable[Received | LeftOut], index: _Index) -> Iterator[tuple[str, Received] | LeftOut]:
    for report in stream:
        if isinstance(report, LeftOut):
            yield report
        else:
            study = _match(report, index)
            yield study if isinstance(study, LeftOut) else (study, report)


def _match(report: Received, index: _Index) -> str | LeftOut:
    """The Study Instance UID that a report is of."""
    candidates = index.of_accession.get(report.accession, [])
    if report.study in index.studies and report.study in (candidates or [report.study]):
        candidates = [report.study]
    elif candidates and report.study:
        candidates = [one for one in candidates if one == report.study]
    if len(candidates) > 1:
        return LeftOut(What.REPORT, report.name, Reason.ACCESSION_OF_TWO_STUDIES, report.accession)
    if not candidates:
        return LeftOut(What.REPORT, report.name, Reason.NO_STUDY, report.accession or report.study)
    patient = index.studies[candidates[0]][0].patient
    if patient and report.patients and patient not in report.patients:
        return LeftOut(What.REPORT, report.name, Reason.OTHER_PATIENT, report.accession or report.study)
    return candidates[0]


def _by_patient(index: _Index) -> dict[str, list[str]]:
    """UIDs of each patient's studies. Without an id every study is a patient of its own."""
    patients: dict[str, list[str]] = defaultdict(list)
    for study, images in index.studies.items():
        patients[_patient(images[0])].append(study)
    return patients


def _patient(one: _Found) -> str:
    """As HL7 v2 writes an id and who gave it (CX); the study where there is no id."""
    if not one.patient:
        return one.study
    return f"{one.patient}^^^{one.issuer}" if one.issuer else one.patient


def _study(images: list[_Found], report: Received | None, language: str) -> SourceStudy:
    first = min(images, key=lambda one: (one.date, one.time))
    texts = report.sections if report else Sections()
    return SourceStudy(
        patient=_patient(first),
        study=first.study,
        accession=next((one.accession for one in images if one.accession), ""),
        study_date=moments.date(first.date),
        study_time=moments.time(first.time),
        images=tuple(SourceImage(one.image, one.path, one.view) for one in images),
        sections=texts,
        language=language or sections.language("".join(vars(texts).values())),
    )
