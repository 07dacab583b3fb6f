"""What a writer is given of one signed study: identified, as the application holds it. Nothing here is
written as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from inference.feedback.privacy import Identity


@dataclass(frozen=True)
class SourceImage:
    """`derivatives`: a folder with full.bin, table.bin and display.json of `inference.imaging.pixels`."""

    sop_instance_uid: str
    derivatives: Path
    rows: int
    columns: int
    view_position: str
    pixel_spacing: tuple[float, float] | None
    pixel_spacing_source: str
    secondary_capture: bool
    burned_in_annotation: str


@dataclass(frozen=True)
class SourceMask:
    """`key` and `supersedes` are any ids that tell masks apart; `author` is a reader, empty for a model."""

    key: str
    sop_instance_uid: str
    structure: str
    source: str
    author: str
    supersedes: str
    trust: float | None
    trusted: bool
    size: tuple[int, int]
    counts: str


@dataclass(frozen=True)
class SourceSentence:
    """`evidence`: (SOP Instance UID, structure, weight) of each mask cited."""

    position: int
    section: str
    text: str
    finding: str
    side: str
    certainty: str
    confidence: float | None
    evidence: tuple[tuple[str, str, float], ...]


@dataclass(frozen=True)
class SourceDraft:
    model_version: str
    language: str
    shown: bool
    withheld_reason: str
    findings: str
    impression: str
    sentences: tuple[SourceSentence, ...]


@dataclass(frozen=True)
class SourceSignature:
    reader: str
    role: str
    meaning: str
    status: str
    signed_at: datetime


@dataclass(frozen=True)
class SourceAddendum:
    number: int
    text: str
    signature: SourceSignature


@dataclass(frozen=True)
class SourceStudy:
    """`patient` is unique across issuers; `identity` is what must not be found in any text."""

    study_instance_uid: str
    patient: str
    identity: Identity
    site: str
    status: str
    language: str
    indication: str
    patient_sex: str
    patient_age_years: float | None
    ai_seen_first: bool | None
    images: Sequence[SourceImage]
    masks: Sequence[SourceMask]
    draft: SourceDraft | None
    findings: str
    impression: str
    signatures: Sequence[SourceSignature]
    addenda: Sequence[SourceAddendum]

    def texts(self) -> list[str]:
        """Every free text that would leave."""
        drafted = [] if self.draft is None else [self.draft.findings, self.draft.impression]
        spoken = [] if self.draft is None else [sentence.text for sentence in self.draft.sentences]
        added = [addendum.text for addendum in self.addenda]
        return [self.indication, self.findings, self.impression, *drafted, *spoken, *added]
