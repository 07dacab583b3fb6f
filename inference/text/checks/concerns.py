"""What a check before signing may find, as data: which rule, where, about what."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from inference.contract import Section


class Kind(StrEnum):
    """A rule. The first eleven are warnings, asked about before a signature; the last two are gaps between
    text and outlines, shown quietly: a reader may well say more, or less, than was outlined."""

    SIDE = "side"
    """Findings and impression state the same on different sides."""
    SIDE_OF_OUTLINE = "side-of-outline"
    """What is stated on one side is outlined on the other alone."""
    CONTRADICTION = "contradiction"
    """Stated in one place, denied in another."""
    DENIED_OUTLINE = "denied-outline"
    """Denied, though a trusted outline or a person's shows it."""
    NOT_THERE = "not-there"
    """Stated, though a person has said of its outline that it is not there."""
    NUMBER = "number"
    """A size, distance or percentage of the impression that the findings give otherwise."""
    SIZE_OF_OUTLINE = "size-of-outline"
    """A size that is less than half, or more than twice, that of the outline."""
    NO_PRIOR = "no-prior"
    """Compared with an earlier examination, and none is here."""
    LEFTOVER = "leftover"
    """A field of a template that nobody filled in."""
    EMPTY_SECTION = "empty-section"
    PERSON = "person"
    """Another sex or age than the patient's, or an organ that this patient has not."""
    UNMENTIONED = "unmentioned"
    """A finding or device that is outlined and that no sentence speaks of."""
    UNSUPPORTED = "unsupported"
    """A finding or device is stated, and nothing of the kind is outlined."""


GAPS = frozenset({Kind.UNMENTIONED, Kind.UNSUPPORTED})


@dataclass(frozen=True)
class Place:
    """text[start:end] of a section, in code points."""

    section: Section
    start: int
    end: int


@dataclass(frozen=True)
class Concern:
    """about: the code of a finding or the name of a category where the rule is about one, else the words it
    is about. other: the place it does not go with. outlines: ids of the outlines it is about."""

    kind: Kind
    about: str = ""
    place: Place | None = None
    other: Place | None = None
    outlines: tuple[int, ...] = ()

    def key(self) -> str:
        """Names the concern as long as neither the text before it nor what it is about changes."""
        place = f"{self.place.section}:{self.place.start}" if self.place else ""
        return f"{self.kind}|{place}|{self.about}"


@dataclass(frozen=True)
class Seen:
    """An outline to check a text against: a trusted one of a model, or a person's.

    present is false where a person said that the structure is not there. size_mm: the longer side of its
    box; None where the image does not say how large a pixel is.
    """

    id: int
    structure: str
    present: bool = True
    size_mm: float | None = None


@dataclass(frozen=True)
class Circumstances:
    """What is known besides the text.

    sex: DICOM Patient's Sex (0010,0040), empty when unknown. has_prior: whether an earlier examination of
    the patient is here. outlines: None when the study has not been outlined at all, so that nothing can be
    said of what is not outlined.
    """

    sex: str = ""
    age_years: float | None = None
    has_prior: bool = False
    outlines: Sequence[Seen] | None = None


@dataclass(frozen=True)
class Outcome:
    """not_checked: the sections whose wording no rule understands; only what needs no words was checked."""

    warnings: tuple[Concern, ...]
    gaps: tuple[Concern, ...]
    not_checked: tuple[Section, ...] = ()
