"""What a language gives to the report grammar: one `Phrasebook` each, no logic.

Templates have the slots {side}, {extent}, {zone}, {noun}, {mm}, {cm}, {date} and {change} (an adjective
before the noun, with its own space, or nothing). Spaces around empty slots are closed and the first letter is
raised after filling. A template with a number is passed over where the number is not known.

Tables are looked up by the most special key they hold: `finding:bilateral`, `finding:extent`, `finding`, and
at last `misplaced` or `device` for devices, nothing for the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Table = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Phrasebook:
    """The words of one language.

    join: what stands between two sentences; date: with {day}, {month} (one of months) and {year}; links: how
    a sentence's end (first of a pair) turns into a comma that a clause can follow (second). absent holds
    `finding:clear` beside `finding`, for lungs without any opacity; absent_side the same for one side.
    adjectives and clauses word a change, by `finding:change`, `device:change` or `change`.
    """

    language: str
    join: str
    date: str
    months: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    sides: Mapping[str, str]
    extents: Mapping[str, str]
    zones: Mapping[str, str]
    nouns: Mapping[str, str]
    present: Table
    uncertain: Table
    absent: Table
    absent_side: Table
    resolved: Table
    adjectives: Table
    clauses: Table
    anatomy: Table
    comparison: tuple[str, ...]
    no_change: tuple[str, ...]
    impression: Table
    impression_uncertain: Table
    all_clear: tuple[str, ...]
    normal: tuple[str, ...]
    indications: Table
    follow_up: tuple[str, ...]
