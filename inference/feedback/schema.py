"""The feedback dataset, format version 1: what stands in each file, as frozen dataclasses (docs/feedback.md).

A dataset is a folder. `studies.jsonl`, `masks.jsonl`, `preferences.jsonl` and `sft.jsonl` hold one canonical
JSON document a line, `images/` holds 16-bit PNG files, `manifest.json` names every file with size and hash.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

FORMAT = "maira-web-feedback"
SCHEMA_VERSION = "1"
MANIFEST, STUDIES, MASKS, PREFERENCES, SFT, README = (
    "manifest.json",
    "studies.jsonl",
    "masks.jsonl",
    "preferences.jsonl",
    "sft.jsonl",
    "README.md",
)
IMAGES = "images"

Record = TypeVar("Record")


class FeedbackError(Exception):
    """A dataset cannot be written or read; the message names the file and line, never a patient."""


class Split(StrEnum):
    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class EditClass(StrEnum):
    """What became of a sentence between draft and signature."""

    UNCHANGED = "unchanged"
    EDITED = "edited"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True)
class EvidenceRecord:
    """A mask that a draft sentence cites; weight is in 0..1."""

    image: str
    structure: str
    weight: float


@dataclass(frozen=True)
class DraftSentenceRecord:
    """One sentence of the draft. `edit` is unchanged, edited or removed; `final` is what it was signed as."""

    position: int
    section: str
    text: str
    finding: str
    side: str
    certainty: str
    confidence: float | None
    evidence: tuple[EvidenceRecord, ...]
    edit: EditClass
    final: str


@dataclass(frozen=True)
class FinalSentenceRecord:
    """One sentence of the signed text: section[start:end], counted in code points.

    `edit` is unchanged, edited or added; `draft_position` names the draft sentence it came from.
    """

    section: str
    start: int
    end: int
    text: str
    edit: EditClass
    draft_position: int | None


@dataclass(frozen=True)
class DraftRecord:
    """What the model said. `shown`: it was on screen when the signed text was saved."""

    model_version: str
    language: str
    shown: bool
    withheld_reason: str
    findings: str
    impression: str
    sentences: tuple[DraftSentenceRecord, ...]


@dataclass(frozen=True)
class FinalRecord:
    """What was signed, to the letter."""

    findings: str
    impression: str
    sentences: tuple[FinalSentenceRecord, ...]


@dataclass(frozen=True)
class SignatureRecord:
    """Who signed as what; `signed_at` is ISO 8601, moved by the patient's constant."""

    reader: str
    role: str
    meaning: str
    status: str
    signed_at: str


@dataclass(frozen=True)
class AddendumRecord:
    number: int
    reader: str
    text: str
    signed_at: str


@dataclass(frozen=True)
class ImageRecord:
    """One radiograph; `file` is its PNG. burned_in_annotation is DICOM (0028,0301) as received."""

    image: str
    file: str
    rows: int
    columns: int
    view_position: str
    pixel_spacing: tuple[float, float] | None
    pixel_spacing_source: str
    secondary_capture: bool
    burned_in_annotation: str


@dataclass(frozen=True)
class StudyRecord:
    """One signed study: a line of studies.jsonl. Ids are pseudonyms; age is in whole years, at most 90."""

    study: str
    patient: str
    site: str
    split: Split
    status: str
    language: str
    indication: str
    patient_sex: str
    patient_age_years: int | None
    ai_seen_first: bool | None
    images: tuple[ImageRecord, ...]
    draft: DraftRecord | None
    final: FinalRecord
    signatures: tuple[SignatureRecord, ...]
    addenda: tuple[AddendumRecord, ...]


@dataclass(frozen=True)
class MaskRecord:
    """One outline: a line of masks.jsonl. COCO runs, column-major, of the image's (rows, columns)."""

    study: str
    image: str
    mask: str
    structure: str
    source: str
    author: str
    supersedes: str
    trust: float | None
    trusted: bool
    size: tuple[int, int]
    counts: str


@dataclass(frozen=True)
class PreferenceRecord:
    """A pair for preference training: the signed text over the draft, where the words really differ."""

    study: str
    split: Split
    ai_seen_first: bool | None
    model_version: str
    prompt: str
    images: tuple[str, ...]
    chosen: str
    rejected: str


@dataclass(frozen=True)
class SftRecord:
    """An example for supervised training: the signed text."""

    study: str
    split: Split
    ai_seen_first: bool | None
    prompt: str
    images: tuple[str, ...]
    completion: str


@dataclass(frozen=True)
class FileRecord:
    file: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Terms:
    """Under what terms the data may be used; whoever exports answers for both."""

    licence: str = "Not licensed for distribution: for use inside the institution that signed the reports."
    consent: str = "No consent or waiver is recorded in this file: ask the institution before any use."


@dataclass(frozen=True)
class Manifest:
    """manifest.json. `left_out` counts the signed studies that are not here, by reason."""

    format: str
    schema_version: str
    sites: tuple[str, ...]
    statuses: tuple[str, ...]
    terms: Terms
    counts: dict[str, int]
    splits: dict[str, int]
    edits: dict[str, int]
    left_out: dict[str, int]
    files: tuple[FileRecord, ...]


def dumps(document: Any) -> str:
    """The one way a document is written: sorted keys, no white space, UTF-8 as is."""
    return json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def prompt(*, language: str, views: tuple[str, ...], indication: str) -> str:
    """The text a model is given beside the images."""
    shown = ", ".join(view or "unknown" for view in views)
    asked = indication.strip() or "not given"
    return (
        f"Write the findings and the impression of this chest radiograph. Language: {language}.\n"
        f"Views: {shown}.\nIndication: {asked}"
    )


def report_text(findings: str, impression: str) -> str:
    """Both sections as one text to learn."""
    return f"FINDINGS:\n{findings.strip()}\n\nIMPRESSION:\n{impression.strip()}"


def parse(kind: type[Record], content: Any, where: str) -> Record:
    """A JSON value as the dataclass `kind`, strictly: nothing missing, nothing more, nothing of another type.

    Raises
    ------
    FeedbackError
        Beginning with `where`.
    """
    value: Record = _value(kind, content, where)
    return value


def _value(kind: Any, content: Any, where: str) -> Any:
    origin = get_origin(kind)
    if is_dataclass(kind):
        return _document(kind, content, where)
    if origin in (Union, UnionType):
        inner = next(one for one in get_args(kind) if one is not NoneType)
        return None if content is None else _value(inner, content, where)
    if origin is tuple:
        return _tuple(get_args(kind), content, where)
    if origin is dict:
        return _mapping(get_args(kind)[1], content, where)
    return _scalar(kind, content, where)


def _document(kind: Any, content: Any, where: str) -> Any:
    if not isinstance(content, dict):
        raise FeedbackError(f"{where} is no object")
    names = {field.name for field in fields(kind)}
    odd = sorted(names ^ content.keys())
    if odd:
        problem = "is missing" if odd[0] in names else "is not part of the format"
        raise FeedbackError(f"{where}: {odd[0]!r} {problem}")
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], content[name], f"{where}.{name}") for name in sorted(names)})


def _tuple(kinds: tuple[Any, ...], content: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(content, list):
        raise FeedbackError(f"{where} is no list")
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(content)
    if len(kinds) != len(content):
        raise FeedbackError(f"{where} has {len(content)} values, not {len(kinds)}")
    pairs = enumerate(zip(kinds, content, strict=True))
    return tuple(_value(kind, one, f"{where}[{index}]") for index, (kind, one) in pairs)


def _mapping(kind: Any, content: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(content, dict):
        raise FeedbackError(f"{where} is no object")
    return {name: _value(kind, one, f"{where}.{name}") for name, one in content.items()}


def _scalar(kind: Any, content: Any, where: str) -> Any:
    if issubclass(kind, StrEnum):
        if content not in list(kind):
            raise FeedbackError(f"{where} is {content!r}; allowed are {', '.join(kind)}")
        return kind(content)
    if kind is float and type(content) is int:
        return float(content)
    if type(content) is not kind:
        raise FeedbackError(f"{where} is {type(content).__name__}, not {kind.__name__}")
    return content
