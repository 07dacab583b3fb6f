"""Checks of findings against impression: sides, statements and denials, numbers."""

import re
from collections.abc import Iterator

from inference.contract import Certainty, Section, Side
from inference.text.checks.concerns import Concern, Kind
from inference.text.checks.statements import Statement, overlap, sides, stated
from inference.text.labels.categories import Category, Label

OPPOSED = (
    Category.CARDIOMEGALY,
    Category.EDEMA,
    Category.CONSOLIDATION,
    Category.PNEUMONIA,
    Category.ATELECTASIS,
    Category.PNEUMOTHORAX,
    Category.PLEURAL_EFFUSION,
    Category.FRACTURE,
)
"""To state and to deny one of these is a contradiction; "opacity", "lesion" and "device" are too wide."""
_NOT_NORMAL = (
    Category.EDEMA,
    Category.CONSOLIDATION,
    Category.PNEUMONIA,
    Category.PNEUMOTHORAX,
    Category.PLEURAL_EFFUSION,
    Category.LUNG_LESION,
)
"""Does not go with an impression of nothing acute, unless it is said to be old."""
_SIDED = (
    frozenset({Category.LUNG_OPACITY, Category.CONSOLIDATION, Category.PNEUMONIA, Category.ATELECTASIS}),
    frozenset({Category.LUNG_LESION}),
    frozenset({Category.PNEUMOTHORAX}),
    frozenset({Category.PLEURAL_EFFUSION}),
    frozenset({Category.FRACTURE}),
)
"""What has a side; an opacity of the findings may be a pneumonia in the impression."""
_NUMBER = re.compile(
    r"(\d+(?:\.\d+)?)(?=\s*(?:[x×]\s*\d+(?:\.\d+)?\s*)*(mm|cm|㎜|㎝|ミリ|センチ|%|％))", re.IGNORECASE
)
_IN_MM = {"mm": 1.0, "㎜": 1.0, "ミリ": 1.0, "cm": 10.0, "㎝": 10.0, "センチ": 10.0}


def check(statements: list[Statement]) -> Iterator[Concern]:
    findings = [one for one in statements if one.place.section is Section.FINDINGS]
    impression = [one for one in statements if one.place.section is Section.IMPRESSION]
    yield from _sides(findings, impression)
    yield from _contradictions(statements)
    yield from _nothing_acute(findings, impression)
    yield from _numbers(findings, impression)


def _sides(findings: list[Statement], impression: list[Statement]) -> Iterator[Concern]:
    """The impression names a side on which the findings state nothing of the kind."""
    for family in _SIDED:
        above = [pair for pair in _any(findings, family) if pair[1].state is not Certainty.ABSENT]
        known = frozenset[Side]().union(*(sides(label.side) for _one, label in above))
        if not known or any(label.side is Side.NONE for _one, label in above):
            continue
        asked = set()
        for one, label in _any(impression, family):
            wrong = label.state is not Certainty.ABSENT and not sides(label.side) <= known
            if wrong and one.place not in asked:
                asked.add(one.place)
                about = next(category for category in family if one.labels.get(category) is label)
                yield Concern(Kind.SIDE, about.value, one.place, above[0][0].place)


def _any(statements: list[Statement], family: frozenset[Category]) -> Iterator[tuple[Statement, Label]]:
    for category in sorted(family):
        yield from stated(statements, category)


def _contradictions(statements: list[Statement]) -> Iterator[Concern]:
    """One for each denial: the first statement it does not go with."""
    for category in OPPOSED:
        said = list(stated(statements, category))
        for denial, denied in said:
            if denied.state is not Certainty.ABSENT or denial.is_qualified():
                continue
            against = next(
                (
                    one
                    for one, label in said
                    if label.state is Certainty.PRESENT and overlap(label.side, denied.side)
                ),
                None,
            )
            if against is not None:
                yield Concern(Kind.CONTRADICTION, category.value, denial.place, against.place)


def _nothing_acute(findings: list[Statement], impression: list[Statement]) -> Iterator[Concern]:
    normal = next((one for one, _label in stated(impression, Category.NO_FINDING)), None)
    if normal is None:
        return
    for category in _NOT_NORMAL:
        for one, label in stated(findings, category):
            if label.state is Certainty.PRESENT and not one.is_old():
                yield Concern(Kind.CONTRADICTION, category.value, normal.place, one.place)
                return


def numbers(text: str) -> list[tuple[float, str, float]]:
    """Lengths in mm and percentages, each as (value, "mm" or "%", half of its last digit in that unit)."""
    found = []
    for match in _NUMBER.finditer(text):
        value, unit = float(match[1]), match[2].lower()
        scale = _IN_MM.get(unit, 1.0)
        last = 10.0 ** -len(match[1].partition(".")[2]) * scale
        found.append((value * scale, "mm" if unit in _IN_MM else "%", last / 2))
    return found


def _numbers(findings: list[Statement], impression: list[Statement]) -> Iterator[Concern]:
    for one in impression:
        related = [other for other in findings if not one.labels.keys().isdisjoint(other.labels)]
        known = [(number, other) for other in related for number in numbers(other.text)]
        for value, unit, half in numbers(one.text):
            alike = [(number, other) for number, other in known if number[1] == unit]
            if alike and not any(abs(number[0] - value) <= max(half, number[2]) for number, _other in alike):
                yield Concern(Kind.NUMBER, f"{value:g} {unit}", one.place, alike[0][1].place)
