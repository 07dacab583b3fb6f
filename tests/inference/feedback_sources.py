"""Signed studies made up for the tests of the dataset format."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from inference.feedback.privacy import Identity
from inference.feedback.sources import (
    SourceAddendum,
    SourceDraft,
    SourceImage,
    SourceMask,
    SourceSentence,
    SourceSignature,
    SourceStudy,
)
from inference.imaging import masks as rle
from inference.imaging import pixels
from inference.objects import dx
from inference.phantom import study as phantoms

KEY = bytes(range(32))
SIZE = 48
SIGNED_AT = datetime(2026, 3, 1, 9, 30, 15, 999, tzinfo=UTC)
YAMADA = Identity(
    names=("YAMADA^TARO", "山田^太郎", "やまだ^たろう"),
    staff_names=("Dr Ruth Reader",),
    patient_id="P-00042",
    accession_number="A123456",
    birth_date=date(1950, 1, 2),
    uids=("1.2.3.4.5.6.7.8",),
)


def dataset(index: int = 0) -> Dataset:
    study = phantoms.generate(3, index, size=SIZE)
    return dx.build(study, study.images[0])


def derivatives(folder: Path) -> Path:
    pixels.write_derivatives(dataset(), folder)
    return folder


def sentence(position: int, text: str, section: str = "findings") -> SourceSentence:
    evidence = (("1.2.3", "heart", 0.75),)
    return SourceSentence(position, section, text, "cardiomegaly", "", "present", None, evidence)


def draft(*texts: str, impression: str = "") -> SourceDraft:
    findings = " ".join(texts)
    sentences = [sentence(position, text) for position, text in enumerate(texts)]
    if impression:
        sentences.append(sentence(len(texts), impression, "impression"))
    return SourceDraft("f" * 64, "en", True, "", findings, impression, tuple(sentences))


def mask(uid: str = "1.2.3") -> SourceMask:
    inside = np.zeros((SIZE, SIZE), dtype=bool)
    inside[3:20, 5:9] = True
    return SourceMask("7", uid, "heart", "ai", "", "", 0.9, True, (SIZE, SIZE), rle.encode(inside))


def study(folder: Path, **changes: object) -> SourceStudy:
    """One signed study; `changes` replaces fields of it."""
    signature = SourceSignature("17", "radiologist", "author", "final", SIGNED_AT)
    fields: dict[str, object] = {
        "study_instance_uid": "1.2.3.4.5.6.7.8",
        "patient": "CENTRAL\0P-00042",
        "identity": YAMADA,
        "site": "central",
        "status": "final",
        "language": "en",
        "indication": "Cough.",
        "patient_sex": "M",
        "patient_age_years": 76.2,
        "ai_seen_first": True,
        "images": [
            SourceImage("1.2.3", folder, SIZE, SIZE, "PA", (0.2, 0.2), "detector", False, "NO"),
        ],
        "masks": [mask()],
        "draft": draft(
            "The heart is large.", "No pleural effusion.", "Lungs are clear.", impression="Large heart."
        ),
        "findings": "The heart is large. There is no pleural effusion.\nA rib is broken.",
        "impression": "1. Large heart.",
        "signatures": [signature],
        "addenda": [SourceAddendum(1, "Compared with the film of 2025.", signature)],
    }
    return SourceStudy(**(fields | changes))  # type: ignore[arg-type]
