"""Reports as FHIR R4 DiagnosticReport: a resource, a Bundle or a list in a .json file, one a line in .ndjson.

The text is presentedForm as plain text, else `conclusion`, which FHIR defines as the interpretation and which
is the impression here. The accession number is an identifier of type ACSN of the report, or of what it is
based on or of its imaging study; the Study Instance UID is one of system urn:dicom:uid.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any

from inference.text.sections import Name
from inference.training.sources import moments, received
from inference.training.sources.decoding import decode
from inference.training.sources.layout import Layout
from inference.training.sources.received import BadReport, Received
from inference.training.sources.study import LeftOut, Reason, What

_KIND = "DiagnosticReport"
_REFERENCES = ("basedOn", "imagingStudy")
_DICOM_UID = "urn:dicom:uid"
_OID = "urn:oid:"


def read(raw: bytes, name: str, layout: Layout) -> Iterator[Received | LeftOut]:
    """The reports of a .json file. name: what to call it; several reports are numbered from 1."""
    document = _document(raw, name)
    if isinstance(document, LeftOut):
        yield document
        return
    found = [one for one in _resources(document) if one.get("resourceType") == _KIND]
    if not found:
        yield LeftOut(What.REPORT, name, Reason.NOT_A_REPORT, f"no {_KIND} in it")
    for number, resource in enumerate(found, 1):
        yield _taken(resource, name if len(found) == 1 else f"{name}:{number}", layout)


def read_line(raw: bytes, name: str, layout: Layout) -> Iterator[Received | LeftOut]:
    """The report of one line of an .ndjson file; resources of other kinds are passed over."""
    document = _document(raw, name)
    if isinstance(document, LeftOut):
        yield document
    elif isinstance(document, dict) and document.get("resourceType") == _KIND:
        yield _taken(document, name, layout)


def _document(raw: bytes, name: str) -> object:
    """FHIR is UTF-8, always."""
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return LeftOut(What.REPORT, name, Reason.UNKNOWN_ENCODING, "FHIR JSON is UTF-8")
    except json.JSONDecodeError as error:
        return LeftOut(What.REPORT, name, Reason.BROKEN_FILE, f"line {error.lineno}, column {error.colno}")
    except (ValueError, RecursionError) as error:
        return LeftOut(What.REPORT, name, Reason.BROKEN_FILE, type(error).__name__)


def _resources(document: object) -> Iterator[dict[str, Any]]:
    if isinstance(document, list):
        yield from (one for one in document if isinstance(one, dict))
    elif isinstance(document, dict) and document.get("resourceType") == "Bundle":
        yield from (_object(entry, "resource") for entry in _objects(document, "entry"))
    elif isinstance(document, dict):
        yield document


def _taken(resource: dict[str, Any], name: str, layout: Layout) -> Received | LeftOut:
    try:
        return _report(resource, name, layout)
    except BadReport as problem:
        return problem.left_out(name)


def _report(resource: dict[str, Any], name: str, layout: Layout) -> Received:
    pieces = _pieces(resource)
    identifiers = list(_identifiers(resource))
    time = _string(resource, "issued") or _string(resource, "effectiveDateTime")
    patient = _string(_object(_object(resource, "subject"), "identifier"), "value")
    return received.checked(
        Received(
            name=name,
            accession=next((_string(i, "value") for i in identifiers if _is_accession(i, layout)), ""),
            study=next((_uid(i) for i in identifiers if _string(i, "system") == _DICOM_UID), ""),
            patients=(patient,) if patient else (),
            standing=received.standing(_string(resource, "status")),
            time=moments.moment(time),
            sections=received.sections_of(pieces),
        ),
        Reason.EMPTY_REPORT if pieces or not _objects(resource, "presentedForm") else Reason.NO_TEXT_FORMAT,
    )


def _identifiers(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Of the report first, then of what it refers to, contained resources included."""
    yield from _objects(resource, "identifier")
    contained = {f"#{_string(one, 'id')}": one for one in _objects(resource, "contained")}
    for name in _REFERENCES:
        for reference in _objects(resource, name):
            yield _object(reference, "identifier")
            yield from _objects(contained.get(_string(reference, "reference"), {}), "identifier")


def _is_accession(identifier: dict[str, Any], layout: Layout) -> bool:
    codings = _objects(_object(identifier, "type"), "coding")
    system = layout.fhir_accession_system
    by_system = bool(system) and _string(identifier, "system") == system
    return by_system or any(_string(coding, "code") == "ACSN" for coding in codings)


def _uid(identifier: dict[str, Any]) -> str:
    return _string(identifier, "value").removeprefix(_OID)


def _pieces(resource: dict[str, Any]) -> list[tuple[Name | None, str]]:
    """The text, or the conclusion alone: a conclusion beside a text repeats a part of it."""
    forms = _objects(resource, "presentedForm")
    plain = [form for form in forms if _string(form, "contentType").startswith("text/plain")]
    texts: list[tuple[Name | None, str]] = [(None, _attached(form)) for form in plain if "data" in form]
    if texts:
        return texts
    conclusion = _string(resource, "conclusion")
    return [(Name.IMPRESSION, conclusion)] if conclusion else []


def _attached(form: dict[str, Any]) -> str:
    _, _, charset = _string(form, "contentType").partition("charset=")
    try:
        raw = base64.b64decode("".join(_string(form, "data").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadReport(Reason.BROKEN_FILE, "presentedForm.data is no base64") from error
    return decode(raw, charset.split(";")[0].strip(' "'))


def _object(owner: dict[str, Any], name: str) -> dict[str, Any]:
    found = owner.get(name)
    return found if isinstance(found, dict) else {}


def _objects(owner: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = owner.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _string(owner: dict[str, Any], name: str) -> str:
    found = owner.get(name)
    return found.strip() if isinstance(found, str) else ""
