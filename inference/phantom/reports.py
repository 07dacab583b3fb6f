"""The true report of a phantom in varied English: coded sentences that say what was rendered, no more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from inference.contract import Certainty, Evidence, Section, Sentence, Side
from inference.phantom import phrases

_LUNGS = ("lung_right", "lung_left")
_ABSENT_EVIDENCE = {
    "pleural_effusion": _LUNGS,
    "pneumothorax": _LUNGS,
    "consolidation": _LUNGS,
    "nodule": _LUNGS,
    "cardiomegaly": ("heart",),
}
_DEVICES = ("endotracheal_tube", "central_line", "pacemaker")
_ORDERS = (
    ("devices", "lungs", "pleura", "heart", "rest"),
    ("devices", "heart", "rest", "lungs", "pleura"),
    ("lungs", "pleura", "heart", "rest", "devices"),
    ("devices", "rest", "heart", "lungs", "pleura"),
    ("heart", "lungs", "pleura", "rest", "devices"),
    ("rest", "lungs", "heart", "pleura", "devices"),
)
_URGENCY = (
    "pneumothorax",
    "endotracheal_tube",
    "central_line",
    "consolidation",
    "pleural_effusion",
    "nodule",
    "cardiomegaly",
)
_MISPLACED = ("too_low", "too_deep")


@dataclass(frozen=True)
class CodedFinding:
    """A finding as truth: structures are the masks that show it, in the image's `masks`.

    extent and zone are words of `scenario.EXTENTS` and `scenario.ZONES`; size_mm is a nodule's diameter or
    an endotracheal tube's distance above the carina.
    """

    finding: str
    side: Side
    certainty: Certainty
    structures: tuple[str, ...]
    extent: str = ""
    zone: str = ""
    size_mm: float | None = None


@dataclass(frozen=True)
class _Writer:
    """What every sentence needs: the truth, the image it rests on, and the dice."""

    coded: tuple[CodedFinding, ...]
    sop_instance_uid: str
    rng: np.random.Generator

    def of(self, *findings: str) -> list[CodedFinding]:
        return [one for one in self.coded if one.finding in findings]

    def of_side(self, side: Side) -> list[CodedFinding]:
        """Findings of the lung or pleura on a side."""
        return [
            one for one in self.coded if one.side in (side, Side.BILATERAL) and one.finding not in _DEVICES
        ]

    def pick(self, choices: Sequence[str]) -> str:
        return choices[int(self.rng.integers(len(choices)))]

    def chance(self, share: float) -> bool:
        return bool(self.rng.uniform() < share)

    def evidence(self, structures: Sequence[str]) -> tuple[Evidence, ...]:
        weight = round(1 / len(structures), 4) if structures else 0.0
        return tuple(Evidence(code, self.sop_instance_uid, weight) for code in structures)

    def present(self, one: CodedFinding, section: Section) -> Sentence:
        text = _filled(self.pick(_choices(one, section)), one)
        return Sentence(
            section,
            text,
            finding=one.finding,
            side=one.side,
            certainty=one.certainty,
            evidence=self.evidence(one.structures),
        )

    def absent(self, finding: str, choices: Sequence[str] = (), side: Side = Side.NONE) -> Sentence:
        text = self.pick(choices or phrases.ABSENT[finding]).format(side=side.value)
        where = (f"lung_{side.value}",) if side else _ABSENT_EVIDENCE[finding]
        return Sentence(
            Section.FINDINGS,
            _raised(text),
            finding=finding,
            side=side,
            certainty=Certainty.ABSENT,
            evidence=self.evidence(where),
        )

    def plain(self, section: Section, choices: Sequence[str], structures: Sequence[str]) -> Sentence:
        return Sentence(section, _raised(self.pick(choices)), evidence=self.evidence(structures))


def write(
    coded: tuple[CodedFinding, ...], sop_instance_uid: str, rng: np.random.Generator
) -> tuple[str, tuple[Sentence, ...]]:
    """The indication, and the sentences of findings and impression in reading order."""
    writer = _Writer(_merged(coded), sop_instance_uid, rng)
    parts = {
        "devices": _devices(writer),
        "lungs": _lungs(writer),
        "pleura": _pleura(writer),
        "heart": _heart(writer),
        "rest": _rest(writer),
    }
    order = _ORDERS[int(rng.integers(len(_ORDERS)))]
    found = [sentence for name in order for sentence in parts[name]]
    return _indication(writer), (*found, *_impression(writer))


def compose(sentences: Iterable[Sentence]) -> dict[Section, str]:
    """The text of each section: findings as one paragraph, impressions a line each, numbered when several."""
    texts: dict[Section, list[str]] = {section: [] for section in Section}
    for sentence in sentences:
        texts[sentence.section].append(sentence.text)
    impression = texts[Section.IMPRESSION]
    if len(impression) > 1:
        impression = [f"{number}. {text}" for number, text in enumerate(impression, 1)]
    return {Section.FINDINGS: " ".join(texts[Section.FINDINGS]), Section.IMPRESSION: "\n".join(impression)}


def _merged(coded: tuple[CodedFinding, ...]) -> tuple[CodedFinding, ...]:
    """Both sides alike become one bilateral statement."""
    merged: list[CodedFinding] = []
    for one in coded:
        twin = next((k for k, other in enumerate(merged) if _twins(other, one)), None)
        if twin is None:
            merged.append(one)
            continue
        other = merged[twin]
        both = (*other.structures, *one.structures)
        merged[twin] = CodedFinding(
            one.finding, Side.BILATERAL, one.certainty, both, one.extent, one.zone, one.size_mm
        )
    return tuple(merged)


def _twins(one: CodedFinding, other: CodedFinding) -> bool:
    if one.finding not in phrases.BILATERAL or {one.side, other.side} != {Side.RIGHT, Side.LEFT}:
        return False
    if Certainty.UNCERTAIN in (one.certainty, other.certainty):
        return False
    return (one.finding, one.extent, one.zone) == (other.finding, other.extent, other.zone)


def _choices(one: CodedFinding, section: Section) -> tuple[str, ...]:
    doubtful = one.certainty is Certainty.UNCERTAIN
    if section is Section.IMPRESSION:
        table = phrases.IMPRESSION_UNCERTAIN if doubtful else phrases.IMPRESSION
        return table[one.finding] if one.side is not Side.BILATERAL else phrases.BILATERAL[one.finding][1:2]
    if one.side is Side.BILATERAL:
        return phrases.BILATERAL[one.finding]
    if doubtful:
        return phrases.UNCERTAIN[one.finding]
    return phrases.PRESENT.get(f"{one.finding}:{one.extent}") or phrases.PRESENT[one.finding]


def _filled(template: str, one: CodedFinding) -> str:
    size = one.size_mm or 0.0
    text = template.format(
        side=one.side.value,
        extent=phrases.EXTENT_WORDS.get(one.extent, one.extent),
        zone=one.zone,
        mm=5 * round(size / 5),
        cm=round(size / 10),
    )
    return _raised(text)


def _raised(text: str) -> str:
    return text[0].upper() + text[1:]


def _devices(writer: _Writer) -> list[Sentence]:
    return [writer.present(one, Section.FINDINGS) for one in writer.of(*_DEVICES)]


def _lungs(writer: _Writer) -> list[Sentence]:
    dense, nodules = writer.of("consolidation"), writer.of("nodule")
    found = [writer.present(one, Section.FINDINGS) for one in (*dense, *nodules)]
    if not dense and not nodules:
        clear = writer.chance(0.6)
        return [writer.absent("consolidation", phrases.CLEAR if clear else ()), *_no_nodule(writer, 0.5)]
    if not dense:
        return [*found, writer.absent("consolidation")]
    other = _spared(dense)
    if other and not writer.of_side(other) and writer.chance(0.6):
        found.append(writer.absent("consolidation", phrases.SIDE_CLEAR, other))
    return found if nodules else [*found, *_no_nodule(writer, 0.5)]


def _no_nodule(writer: _Writer, share: float) -> list[Sentence]:
    return [writer.absent("nodule")] if writer.chance(share) else []


def _spared(found: list[CodedFinding]) -> Side | None:
    """The side none of them touches."""
    sides = {one.side for one in found}
    if sides == {Side.RIGHT}:
        return Side.LEFT
    return Side.RIGHT if sides == {Side.LEFT} else None


def _pleura(writer: _Writer) -> list[Sentence]:
    wet, air = writer.of("pleural_effusion"), writer.of("pneumothorax")
    fluid = [writer.present(one, Section.FINDINGS) for one in wet] or [writer.absent("pleural_effusion")]
    other = _spared(wet)
    if other and writer.chance(0.4):
        fluid.append(writer.absent("pleural_effusion", phrases.SIDE_DRY, other))
    gas = [writer.present(one, Section.FINDINGS) for one in air] or [writer.absent("pneumothorax")]
    return [*fluid, *gas] if writer.chance(0.6) else [*gas, *fluid]


def _heart(writer: _Writer) -> list[Sentence]:
    large = [writer.present(one, Section.FINDINGS) for one in writer.of("cardiomegaly")]
    return large or [writer.absent("cardiomegaly")]


def _rest(writer: _Writer) -> list[Sentence]:
    rest = []
    if writer.chance(0.5):
        rest.append(writer.plain(Section.FINDINGS, phrases.MEDIASTINUM, ()))
    if writer.chance(0.3):
        rest.append(writer.plain(Section.FINDINGS, phrases.TRACHEA, ("trachea",)))
    return rest


def _impression(writer: _Writer) -> list[Sentence]:
    """What matters, most urgent first; well placed devices are left to the findings."""
    worth = [one for one in writer.coded if one.finding not in _DEVICES or one.extent in _MISPLACED]
    if not worth:
        choices = phrases.NOTHING_ACUTE if writer.coded else phrases.NORMAL
        return [writer.plain(Section.IMPRESSION, choices, (*_LUNGS, "heart"))]
    worth.sort(key=lambda one: _URGENCY.index(one.finding))
    return [writer.present(one, Section.IMPRESSION) for one in worth]


def _indication(writer: _Writer) -> str:
    """Half the time one that fits a finding, else a general one."""
    general = phrases.INDICATIONS[""]
    if not writer.coded or writer.chance(0.5):
        return writer.pick(general)
    one = writer.coded[int(writer.rng.integers(len(writer.coded)))]
    return writer.pick(phrases.INDICATIONS[one.finding])
