"""What a reader of a report dataset gives: studies with their images and the report's sections.

A reader is a stream of `SourceStudy` and `LeftOut`: one bad study never stops the rest, and nothing is left
out without a reason. Images are paths until `pixels` reads one. Neither torch nor the network is needed.
"""

import datetime
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from inference.contract import ViewPosition
from inference.imaging import dicom
from inference.imaging.pixels import render
from inference.text.sections import Sections

PRIORS = 3
"""As many earlier studies are named, the latest first."""

Item = TypeVar("Item")


class SourceError(Exception):
    """A folder as a whole cannot be read. The message says what is missing and what to do."""


class View(StrEnum):
    """How an image was taken, as far as its source tells. FRONTAL is PA or AP, LATERAL left or right, where
    no more is known; OTHER is named and none of these (oblique, decubitus, lordotic)."""

    PA = "PA"
    AP = "AP"
    FRONTAL = "frontal"
    LEFT_LATERAL = "LL"
    RIGHT_LATERAL = "RL"
    LATERAL = "lateral"
    OTHER = "other"
    UNKNOWN = ""

    @property
    def frontal(self) -> bool:
        return self in (View.PA, View.AP, View.FRONTAL)

    @property
    def position(self) -> ViewPosition:
        """As the model is told: unknown where it has no word for it."""
        return ViewPosition(self.value) if self in _POSITIONS else ViewPosition.UNKNOWN


_POSITIONS = frozenset(view for view in View if view.value in set(ViewPosition))


def view_named(stated: str) -> View:
    """The view that a DICOM View Position (0018,5101) names."""
    word = stated.strip().upper()
    if word in {"LATERAL", "LAT"}:
        return View.LATERAL
    return View(word) if word in _POSITIONS else View.OTHER


class What(StrEnum):
    STUDY = "study"
    IMAGE = "image"
    REPORT = "report"


class Reason(StrEnum):
    """Why something was left out; docs/sources.md explains each. A file that is no radiograph is left out by
    the code of `inference.imaging.refusals` instead."""

    ACCESSION_OF_TWO_PATIENTS = "accession-of-two-patients"
    ACCESSION_OF_TWO_STUDIES = "accession-of-two-studies"
    BROKEN_FILE = "broken-file"
    BROKEN_ROW = "broken-row"
    CONTRADICTING_REPORTS = "contradicting-reports"
    DUPLICATE_IMAGE = "duplicate-image"
    EMPTY_REPORT = "empty-report"
    MISSING_FILE = "missing-file"
    NO_ACCESSION = "no-accession"
    NO_IMAGES = "no-images"
    NO_STUDY = "no-study"
    NO_TEXT_FORMAT = "no-text-format"
    NOT_A_REPORT = "not-a-report"
    NOT_DICOM = "not-dicom"
    OTHER_PATIENT = "other-patient"
    PRELIMINARY = "preliminary"
    SUPERSEDED = "superseded"
    TWO_ACCESSIONS = "two-accessions"
    TWO_PATIENTS = "two-patients"
    UNKNOWN_ENCODING = "unknown-encoding"
    UNKNOWN_STATUS = "unknown-status"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class LeftOut:
    """Something that was not taken. `name` is an id, or a path below the folder with a line or message
    number; `detail` says more where there is more to say. Neither holds report text."""

    what: What
    name: str
    reason: Reason | str
    detail: str = ""


@dataclass(frozen=True)
class SourceImage:
    """`sop_instance_uid` is the source's own id of the image where it has no UIDs."""

    sop_instance_uid: str
    path: Path
    view: View


@dataclass(frozen=True)
class SourceStudy:
    """One study with at least one image; its sections are empty where no report was found.

    `patient` is unique across issuers. `priors` are ids of earlier studies of the patient that have a frontal
    image, the latest first; they come from the same reader. `split` is the source's own, else empty.
    """

    patient: str
    study: str
    accession: str
    study_date: datetime.date | None
    study_time: datetime.time | None
    images: tuple[SourceImage, ...]
    sections: Sections
    language: str
    priors: tuple[str, ...] = ()
    split: str = ""

    @property
    def prior(self) -> str:
        """The latest of the priors, or nothing."""
        return self.priors[0] if self.priors else ""

    @property
    def frontal(self) -> bool:
        return any(image.view.frontal for image in self.images)

    @property
    def reported(self) -> bool:
        return self.sections != Sections()


def sifted(items: Iterable[Item | LeftOut], kept: list[Item]) -> Iterator[LeftOut]:
    """Those that were left out; the others are added to `kept`."""
    for item in items:
        if isinstance(item, LeftOut):
            yield item
        else:
            kept.append(item)


def pixels(image: SourceImage) -> NDArray[np.float32]:
    """(rows, cols) float32 in 0..1, 0 black: through the one grayscale pipeline, as the application shows it.

    PNG and JPEG pictures go the same way.

    Raises
    ------
    Refusal
        When the file is no chest radiograph that can be decoded.
    """
    dataset, _ = dicom.read(image.path)
    return render(dataset).grayscale()


def with_priors(studies: Iterable[SourceStudy]) -> Iterator[SourceStudy]:
    """The studies of one patient in order of time, each with its priors; those without a date come last.

    A study of the same day is earlier only where both times are known and differ.
    """
    known = list(studies)
    before: deque[str] = deque(maxlen=PRIORS)
    dated = sorted((study for study in known if study.study_date), key=_when)
    for _, day in groupby(dated, lambda study: study.study_date):
        so_far = deque(before, maxlen=PRIORS)
        for time, same in groupby(day, lambda study: study.study_time):
            priors = tuple(reversed(before if time is None else so_far))
            together = [replace(study, priors=priors) for study in same]
            so_far.extend(study.study for study in together if study.frontal)
            yield from together
        before = so_far
    yield from (study for study in known if not study.study_date)


def _when(study: SourceStudy) -> tuple[datetime.date, bool, datetime.time, str]:
    """Those without a time come after the others of their day."""
    untimed = study.study_time is None
    return study.study_date or datetime.date.min, untimed, study.study_time or datetime.time.min, study.study
