"""A hospital's archive for tests: DICOM files in folders, and reports as its systems export them."""

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from inference.training.sources import hospital, study
from inference.training.sources.layout import Layout
from inference.training.sources.study import SourceStudy
from tests.inference import radiographs


def image(folder: Path, number: int, **elements: Any) -> Path:
    """Image `number` of a study and a patient of the same number, unless the elements say otherwise."""
    known = {
        "SOPInstanceUID": f"1.2.{number}.1",
        "StudyInstanceUID": f"1.2.{number}",
        "PatientID": f"P{number}",
        "AccessionNumber": f"A{number}",
        "ViewPosition": "PA",
        "StudyDate": "20250401",
        "StudyTime": "1030",
    }
    folder.mkdir(parents=True, exist_ok=True)
    dataset = radiographs.radiograph(**{**known, **elements})
    return radiographs.save(dataset, folder / f"{dataset.SOPInstanceUID}.dcm")


def taken(stream: Iterable[Any]) -> tuple[list[Any], list[tuple[str, str, str, str]]]:
    """What was given, and (what, name, reason, detail) of what was not."""
    given_: list[Any] = []
    left = [(one.what, one.name, str(one.reason), one.detail) for one in study.sifted(stream, given_)]
    return given_, left


def archive(
    folder: Path, layout: Layout | None = None
) -> tuple[dict[str, SourceStudy], set[tuple[str, str]]]:
    """Studies by UID, and (name, reason) of the rest."""
    studies, left = taken(hospital.read(folder, layout=layout))
    return {one.study: one for one in studies}, {(name, reason) for _, name, reason, _ in left}


def oru(*segments: str, sets: str = "UNICODE UTF-8", event: str = "ORU^R01") -> bytes:
    header = f"MSH|^~\\&|RIS|H|X|H|20250402120000||{event}|1|P|2.5.1||||||{sets}"
    codec = {"UNICODE UTF-8": "utf-8", "ISO IR6~ISO IR87": "iso2022_jp", "": "cp932"}[sets]
    return "\r".join([header, *segments, ""]).encode(codec)


def obr(accession: str, *, filler: str = "", status: str = "F", time: str = "") -> str:
    fields = {2: "", 3: filler, 18: accession, 22: time, 25: status}
    return "|".join(["OBR", "1", *(fields.get(number, "") for number in range(2, 26))])


def diagnostic_report(**elements: Any) -> dict[str, Any]:
    known = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "identifier": [{"type": {"coding": [{"code": "ACSN"}]}, "value": "A1"}],
        "presentedForm": [
            {"contentType": "text/plain", "data": base64.b64encode(b"FINDINGS: No effusion.").decode()}
        ],
    }
    return {**known, **elements}
