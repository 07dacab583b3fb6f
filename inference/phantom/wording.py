"""Puts a finding, a denial or a part of the body into words; `reports` says which and in which order."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from inference.contract import Certainty, Evidence, Section, Sentence, Side
from inference.phantom.coded import CodedFinding
from inference.phantom.phrases import Phrasebook, Table
from inference.phantom.plan import DEVICES

OPACITIES = ("consolidation", "atelectasis", "pulmonary_edema", "nodule", "mass")
MISPLACED = ("too_low", "too_high", "too_deep", "bronchial")
LUNGS = ("lung_right", "lung_left")
_SLIGHT = ("", "small")
_DOMES = ("diaphragm_right", "diaphragm_left")
_SHOWN_BY = {
    "cardiomegaly": ("heart",),
    "hiatus_hernia": ("heart",),
    "rib_fracture": ("ribs",),
    "free_air": _DOMES,
    "endotracheal_tube": ("trachea",),
    "tracheostomy_tube": ("trachea",),
    "nasogastric_tube": ("mediastinum",),
    "central_line": ("mediastinum",),
    "pacemaker": ("heart",),
}
"""Where a finding would be, if not in the lungs: what its denial rests on."""
_ANATOMY = {
    "mediastinum": ("mediastinum",),
    "trachea": ("trachea",),
    "hila": LUNGS,
    "diaphragm": _DOMES,
    "bones": ("ribs", "spine"),
}
_SPOILED_BY = {
    "mediastinum": ("pulmonary_edema", "hiatus_hernia"),
    "trachea": (),
    "hila": OPACITIES,
    "diaphragm": (
        *("pleural_effusion", "consolidation", "atelectasis", "pulmonary_edema"),
        *("hiatus_hernia", "free_air", "pneumothorax"),
    ),
    "bones": ("rib_fracture",),
}
"""Findings beside which a part cannot be called normal."""
_SHIFTING = (("pneumothorax", "tension"), ("atelectasis", "lobar"), ("pleural_effusion", "large"))
_SHIFTERS = tuple(finding for finding, _ in _SHIFTING)


@dataclass(frozen=True)
class Writer:
    """What every sentence needs: the truth, the images it rests on, the dice and the words."""

    coded: tuple[CodedFinding, ...]
    seen: Mapping[str, str]
    rng: np.random.Generator
    book: Phrasebook
    prior_date: datetime.date | None

    def of(self, *findings: str) -> list[CodedFinding]:
        return [one for one in self.coded if one.finding in findings]

    def there(self, *findings: str, side: Side = Side.NONE) -> list[CodedFinding]:
        """Those present or uncertain, of one side if one is asked for."""
        sides = tuple(Side) if side is Side.NONE else (side, Side.BILATERAL, Side.NONE)
        return [
            one for one in self.of(*findings) if one.certainty is not Certainty.ABSENT and one.side in sides
        ]

    def roll(self, faces: int) -> int:
        # Not rng.integers, which takes more or less of the stream by the number of faces.
        return int(self.rng.uniform() * faces)

    def pick(self, choices: Sequence[str]) -> str:
        return choices[self.roll(len(choices))]

    def chance(self, share: float) -> bool:
        return bool(self.rng.uniform() < share)

    def stated(self, *findings: str) -> list[Sentence]:
        """A sentence of the findings section for each of these that is coded."""
        return [self.state(one, Section.FINDINGS) for one in self.of(*findings)]

    def state(self, one: CodedFinding, section: Section) -> Sentence:
        template = self.pick(_fitting(_choices(self.book, one, section), one))
        adjective, clause = self.chance(0.5), self.roll(2**16)
        change, gone = one.change, one.certainty is Certainty.ABSENT
        words = ""
        if change and not gone and "{change}" in template and adjective:
            words = _nth(_of_change(self.book.adjectives, one), clause)
        text = self.filled(template, one, words)
        if change and not gone and not words and section is Section.FINDINGS:
            text = _linked(self.book, text, _nth(_of_change(self.book.clauses, one), clause))
        structures = _places(one.finding, one.side) if gone else one.structures
        return self.sentence(section, text, structures, coded=(one.finding, one.side, one.certainty))

    def filled(self, template: str, one: CodedFinding, change: str = "") -> str:
        book = self.book
        size = one.tip_mm if one.finding in DEVICES else one.size_mm
        extent = book.extents.get(f"{one.finding}:{one.extent}") or book.extents.get(one.extent, "")
        return template.format(
            side=book.sides[one.side],
            extent=extent,
            zone=book.zones.get(one.zone, ""),
            noun=book.nouns[one.finding],
            mm=5 * max(round((size or 0) / 5), 1),
            cm=max(round((size or 0) / 10), 1),
            change=change,
        )

    def denial(self, finding: str, share: float, *, clear: bool = False) -> list[Sentence]:
        """Deny it with this chance; of what one side has, the other is denied now and then."""
        said, free = self.of(finding), self.free(finding)
        denied, wide = self.chance(share if not said else 0.4), self.chance(0.6)
        table = self.book.absent_side if said else self.book.absent
        if not denied or (said and (free is Side.NONE or finding not in table)):
            return []
        special = f"{finding}:clear"
        choices = table[special if clear and wide and special in table else finding]
        text = self.pick(choices).format(side=self.book.sides[free])
        coded = (finding, free, Certainty.ABSENT)
        return [self.sentence(Section.FINDINGS, text, _places(finding, free), coded=coded)]

    def free(self, finding: str) -> Side:
        """The side it does not touch when it touches one only."""
        sides = {one.side for one in self.of(finding)}
        other = {Side.RIGHT: Side.LEFT, Side.LEFT: Side.RIGHT}
        return other.get(next(iter(sides)), Side.NONE) if len(sides) == 1 else Side.NONE

    def clear(self, side: Side = Side.NONE) -> bool:
        """No opacity in the lungs, nor fluid or air that would press on them."""
        around = self.there("pleural_effusion", "pneumothorax", side=side)
        return not self.there(*OPACITIES, side=side) and all(one.extent in _SLIGHT for one in around)

    def normal(self, part: str, share: float) -> list[Sentence]:
        """A part of the body called normal with this chance, if it is."""
        said, text = self.chance(share), self.pick(self.book.anatomy[part])
        shifted = any((one.finding, one.extent) in _SHIFTING for one in self.there(*_SHIFTERS))
        spoiled = bool(self.of(*_SPOILED_BY[part])) or (part != "bones" and shifted)
        return [self.sentence(Section.FINDINGS, text, _ANATOMY[part])] if said and not spoiled else []

    def dated(self, template: str) -> str:
        day = self.prior_date
        assert day is not None, template
        date = self.book.date.format(day=day.day, month=self.book.months[day.month - 1], year=day.year)
        return template.format(date=date)

    def sentence(
        self,
        section: Section,
        text: str,
        structures: Sequence[str] = (),
        coded: tuple[str, Side, Certainty] = ("", Side.NONE, Certainty.PRESENT),
    ) -> Sentence:
        finding, side, certainty = coded
        shown = [code for code in structures if code in self.seen]
        return Sentence(
            section,
            tidy(text),
            language=self.book.language,
            finding=finding,
            side=side,
            certainty=certainty,
            evidence=tuple(Evidence(code, self.seen[code], 1 / len(shown)) for code in shown),
        )


def _places(finding: str, side: Side) -> tuple[str, ...]:
    if finding in _SHOWN_BY:
        return _SHOWN_BY[finding]
    return (f"lung_{side}",) if side in (Side.RIGHT, Side.LEFT) else LUNGS


def _choices(book: Phrasebook, one: CodedFinding, section: Section) -> tuple[str, ...]:
    doubtful = one.certainty is Certainty.UNCERTAIN
    table = book.uncertain if doubtful else book.present
    if section is Section.IMPRESSION:
        table = book.impression_uncertain if doubtful else book.impression
    if one.certainty is Certainty.ABSENT:
        table = book.resolved
    return table[next(key for key in keys(one) if key in table)]


def keys(one: CodedFinding) -> tuple[str, ...]:
    """From the most special to the most general."""
    kind = "misplaced" if one.extent in MISPLACED else "device" if one.finding in DEVICES else ""
    side = "bilateral" if one.side is Side.BILATERAL else one.extent
    return f"{one.finding}:{side}", f"{one.finding}:{one.extent}", one.finding, kind


def _fitting(choices: tuple[str, ...], one: CodedFinding) -> tuple[str, ...]:
    """Those that need no number, if none is known."""
    known = one.tip_mm if one.finding in DEVICES else one.size_mm
    bare = tuple(text for text in choices if "{mm}" not in text and "{cm}" not in text)
    return choices if known is not None else bare


def _of_change(table: Table, one: CodedFinding) -> tuple[str, ...]:
    kind = "device" if one.finding in DEVICES else ""
    keys = (f"{one.finding}:{one.change}", f"{kind}:{one.change}", one.change)
    return table[next(key for key in keys if key in table)]


def _nth(choices: tuple[str, ...], number: int) -> str:
    return choices[number % len(choices)]


def _linked(book: Phrasebook, text: str, clause: str) -> str:
    end, link = next(pair for pair in book.links if text.endswith(pair[0]))
    return text.removesuffix(end) + link + clause


def tidy(text: str) -> str:
    """One space between words, none where a slot was empty, and a large first letter."""
    text = " ".join(text.split())
    return text[0].upper() + text[1:]
