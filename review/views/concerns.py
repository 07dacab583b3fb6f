"""What the checks before signing found, in the reader's words."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from inference.text.checks.concerns import Concern, Kind, Outcome, Place
from review.views import vocabulary

_WORDS: dict[Kind, Promise] = {
    Kind.SIDE: _("%(about)s: the impression names a side that the findings do not"),
    Kind.SIDE_OF_OUTLINE: _("%(about)s: outlined on the other side alone"),
    Kind.CONTRADICTION: _("%(about)s: stated in one place, denied in another"),
    Kind.DENIED_OUTLINE: _("%(about)s: denied, but outlined"),
    Kind.NOT_THERE: _("%(about)s: stated, but a person has said of the outline that it is not there"),
    Kind.NUMBER: _("%(about)s: the findings say otherwise"),
    Kind.SIZE_OF_OUTLINE: _("Size in the text and of the outline: %(about)s"),
    Kind.NO_PRIOR: _("“%(about)s”: no earlier examination of this patient is here"),
    Kind.LEFTOVER: _("Left open: %(about)s"),
    Kind.EMPTY_SECTION: _("Empty: %(about)s"),
    Kind.PERSON: _("“%(about)s” does not fit this patient"),
    Kind.UNMENTIONED: _("Outlined, not mentioned: %(about)s"),
    Kind.UNSUPPORTED: _("Stated, not outlined: %(about)s"),
}


def describe(outcome: Outcome) -> dict[str, Any]:
    """For a page: `warnings` are asked about before a signature, `gaps` shown while writing."""
    return {
        "warnings": [_concern(one) for one in outcome.warnings],
        "gaps": [_concern(one) for one in outcome.gaps],
        "not_checked": [str(vocabulary.SECTIONS[section.value]) for section in outcome.not_checked],
    }


def _concern(one: Concern) -> dict[str, Any]:
    return {
        "key": one.key(),
        "kind": one.kind.value,
        "text": str(_WORDS[one.kind]) % {"about": _about(one.about)},
        "place": _place(one.place),
        "other": _place(one.other),
        "masks": list(one.outlines),
    }


def _place(place: Place | None) -> dict[str, Any] | None:
    """Offsets count code points."""
    if place is None:
        return None
    return {"section": place.section.value, "start": place.start, "end": place.end}


def _about(about: str) -> str:
    """A code by its name; words of the text as they are."""
    for table in (vocabulary.STRUCTURES, vocabulary.FINDINGS, vocabulary.CATEGORIES, vocabulary.SECTIONS):
        if about in table:
            return str(table[about])
    return about
