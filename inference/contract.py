"""What the application and a model say to each other: plain frozen data, no torch, no Django.

The application hands a `StudyInput` to a `Drafter` and gets a `DraftOutput` back. A drafter is made
from a *bundle*: a folder of weights, configuration and a model card, named by the digest of its files.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class InferenceError(Exception):
    """A model could not do what was asked.

    `permanent` is true when trying again cannot help (an unreadable bundle, an impossible input);
    false when it may (memory was short, a device was busy). `code` is stable and safe to show;
    the message carries ids and sizes, never patient data.
    """

    def __init__(self, code: str, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.code = code
        self.permanent = permanent


class ViewPosition(StrEnum):
    """DICOM View Position (0018,5101), as far as chest radiographs use it. Unknown is the empty string."""

    PA = "PA"
    AP = "AP"
    LEFT_LATERAL = "LL"
    RIGHT_LATERAL = "RL"
    UNKNOWN = ""


class Section(StrEnum):
    FINDINGS = "findings"
    IMPRESSION = "impression"


class Side(StrEnum):
    """The patient's side, never the viewer's."""

    RIGHT = "right"
    LEFT = "left"
    BILATERAL = "bilateral"
    NONE = ""


class Certainty(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"
    UNCERTAIN = "uncertain"


class SlotState(StrEnum):
    """What a structure's constant slot in the prompt says (see `inference.maira_seg.prompt`)."""

    PRESENT = "present"
    ABSENT = "absent"
    WITHHELD = "withheld"


@dataclass(frozen=True)
class ImageInput:
    """One radiograph, already through `inference.imaging.pixels`.

    grayscale: float32, shape (rows, cols), 0 black to 1 white as first shown on screen: dense is bright.
    valid: bool, shape (rows, cols), false on pixel padding; None when every pixel is image.
    pixel_spacing: millimetres between (rows, columns); None when the object does not say.
    """

    sop_instance_uid: str
    grayscale: NDArray[np.float32]
    view_position: ViewPosition = ViewPosition.UNKNOWN
    pixel_spacing: tuple[float, float] | None = None
    valid: NDArray[np.bool_] | None = None
    body_part_examined: str = ""
    secondary_capture: bool = False


@dataclass(frozen=True)
class Mask:
    """One structure outlined on one image.

    size and counts are COCO run-length encoding (column-major, compressed ASCII), in the pixels of the
    stored image, so `size` equals the image's (rows, cols). trust is in 0..1, or None when not
    estimated; an untrusted mask is shown as such and withheld from the prompt.
    """

    structure: str
    sop_instance_uid: str
    size: tuple[int, int]
    counts: str
    trust: float | None = None
    trusted: bool = True


@dataclass(frozen=True)
class StudyInput:
    """Everything a drafter may look at.

    `human_masks` replace the model's own for their structure and image.
    """

    study_instance_uid: str
    images: tuple[ImageInput, ...]
    indication: str = ""
    patient_sex: str = ""
    patient_age_years: float | None = None
    language: str = "en"
    human_masks: tuple[Mask, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """A mask a sentence cites. weight is its share of the citation, 0..1; what it does, `Support` says."""

    structure: str
    sop_instance_uid: str
    weight: float


@dataclass(frozen=True)
class Support:
    """What a mask does to a sentence, measured by ablation.

    sentence: its place among the draft's sentences, from 0. nats: by how much the log-probability of the
    sentence's codes (finding, side, certainty) falls when the prompt withholds the mask; below zero where the
    mask spoke against the sentence.
    """

    sentence: int
    structure: str
    sop_instance_uid: str
    nats: float


@dataclass(frozen=True)
class Sentence:
    """One sentence of a draft. finding is a code of `inference.structures.FINDINGS` or empty; confidence
    is in 0..1, or None when not calibrated."""

    section: Section
    text: str
    language: str = "en"
    finding: str = ""
    side: Side = Side.NONE
    certainty: Certainty = Certainty.PRESENT
    confidence: float | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Gate:
    """Whether an input is inside what a model was validated on.

    score is comparable with threshold within one bundle only: above it, the input is outside.
    reason is a stable code when closed (`outside-domain`, `no-frontal-view`, `image-too-small`, ...),
    else empty.
    """

    open: bool
    score: float
    threshold: float
    reason: str = ""


@dataclass(frozen=True)
class DraftOutput:
    """One run of one bundle.

    When `draft_gate` is closed there are no sentences; when `masks_gate` is, no masks.
    """

    masks: tuple[Mask, ...]
    sentences: tuple[Sentence, ...]
    masks_gate: Gate
    draft_gate: Gate
    seconds: Mapping[str, float] = field(default_factory=dict)


class Drafter(Protocol):
    """A loaded model. Deterministic: the same input gives the same output on the same machine."""

    digest: str

    def draft(self, study: StudyInput) -> DraftOutput:
        """Segment and draft.

        Raises
        ------
        InferenceError
            With `permanent` false when a later try may succeed.
        """
        ...

    def explain(self, study: StudyInput, sentences: Sequence[Sentence]) -> tuple[Support, ...]:
        """What each mask shown to the model does to each sentence of a draft that it made of this study.

        Support too small to matter is left out, unless the sentence cites the mask. It takes longer than the
        draft, which is whole without it.

        Raises
        ------
        InferenceError
            Permanent also when the sentences are no draft of this study.
        """
        ...


class LoadDrafter(Protocol):
    """The callable a worker's `DRAFTER` setting names by dotted path: bundle folder in, drafter out."""

    def __call__(self, bundle: Path) -> Drafter: ...


BUNDLE_CARD = "README.md"
BUNDLE_CONFIG = "config.json"
_DIGESTED_SUFFIXES = {".json", ".safetensors", ".npz", ".txt"}


def bundle_digest(bundle: Path) -> str:
    """The SHA-256 (hex) that names a bundle: over the names and bytes of its weights and configuration.

    The card is left out, so correcting its prose does not make another model.

    Raises
    ------
    InferenceError
        When the folder is no bundle.
    """
    if not (bundle / BUNDLE_CONFIG).is_file():
        raise InferenceError("no-bundle", f"{bundle} holds no {BUNDLE_CONFIG}", permanent=True)
    digest = hashlib.sha256()
    files = (p for p in bundle.rglob("*") if p.is_file() and p.suffix in _DIGESTED_SUFFIXES)
    for path in sorted(files, key=lambda p: p.relative_to(bundle).as_posix()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(bundle).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()
