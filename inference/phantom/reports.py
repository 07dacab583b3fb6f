"""The true report of a phantom: coded sentences that say what was rendered, and no more, in two languages.

Here is what is said and in which order; the words are those of a `phrases.Phrasebook`. Every choice takes one
number from the dice, whatever the language: the same dice give reports that match sentence by sentence.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from inference.contract import Certainty, Section, Sentence, Side
from inference.phantom import phrases_en, phrases_ja
from inference.phantom.coded import CodedFinding
from inference.phantom.phrases import Phrasebook
from inference.phantom.plan import DEVICES
from inference.phantom.wording import LUNGS, MISPLACED, OPACITIES, Writer, keys, tidy

__all__ = ["LANGUAGES", "CodedFinding", "compose", "phrasebook", "write"]

_BOOKS = {book.language: book for book in (phrases_en.PHRASEBOOK, phrases_ja.PHRASEBOOK)}
LANGUAGES = tuple(_BOOKS)

_BILATERAL = ("pleural_effusion", "consolidation")
_ORDERS = (
    ("devices", "lungs", "pleura", "heart", "bones", "abdomen"),
    ("devices", "heart", "lungs", "pleura", "bones", "abdomen"),
    ("lungs", "pleura", "heart", "bones", "abdomen", "devices"),
    ("lungs", "pleura", "heart", "abdomen", "bones", "devices"),
    ("heart", "lungs", "pleura", "abdomen", "bones", "devices"),
    ("heart", "devices", "pleura", "lungs", "bones", "abdomen"),
    ("devices", "pleura", "lungs", "heart", "abdomen", "bones"),
    ("pleura", "lungs", "heart", "devices", "bones", "abdomen"),
)
_URGENCY = (
    "nasogastric_tube:bronchial",
    "endotracheal_tube:bronchial",
    "pneumothorax:tension",
    "endotracheal_tube",
    "pneumothorax",
    "free_air",
    "nasogastric_tube",
    "central_line",
    "pulmonary_edema",
    "mass",
    "consolidation",
    "pleural_effusion",
    "atelectasis",
    "rib_fracture",
    "nodule",
    "cardiomegaly",
    "hiatus_hernia",
)


def phrasebook(language: str) -> Phrasebook:
    """The words of a language.

    Raises
    ------
    ValueError
        When reports are not written in it.
    """
    if language not in _BOOKS:
        raise ValueError(f"phantom reports are written in {', '.join(LANGUAGES)}, not {language!r}")
    return _BOOKS[language]


def write(
    coded: Sequence[CodedFinding],
    seen: Mapping[str, str],
    rng: np.random.Generator,
    *,
    language: str = "en",
    prior_date: datetime.date | None = None,
) -> tuple[str, tuple[Sentence, ...]]:
    """The indication, and the sentences of findings and impression in reading order.

    seen: the SOP Instance UID of the image that shows each structure. prior_date: of the study compared with;
    without it nothing hints at one, whatever changes are coded.

    Raises
    ------
    ValueError
        When reports are not written in the language.
    """
    book = phrasebook(language)
    writer = Writer(_stated(coded, prior_date is not None), seen, rng, book, prior_date)
    order = _ORDERS[writer.roll(len(_ORDERS))]
    first, last = _comparison(writer)
    parts = {
        "devices": writer.stated(*DEVICES),
        "lungs": _lungs(writer),
        "pleura": _pleura(writer),
        "heart": _heart(writer),
        "bones": _bones(writer),
        "abdomen": _abdomen(writer),
    }
    found = [sentence for name in order for sentence in parts[name]]
    return _indication(writer), (*first, *found, *last, *_impression(writer))


def compose(sentences: Iterable[Sentence], *, language: str = "en") -> dict[Section, str]:
    """The text of each section: findings as one paragraph, impressions a line each, numbered when several."""
    texts: dict[Section, list[str]] = {section: [] for section in Section}
    for sentence in sentences:
        texts[sentence.section].append(sentence.text)
    impression = texts[Section.IMPRESSION]
    if len(impression) > 1:
        impression = [f"{number}. {text}" for number, text in enumerate(impression, 1)]
    findings = phrasebook(language).join.join(texts[Section.FINDINGS])
    return {Section.FINDINGS: findings, Section.IMPRESSION: "\n".join(impression)}


def _stated(coded: Sequence[CodedFinding], compared: bool) -> tuple[CodedFinding, ...]:
    """What is to be stated: without a comparison no change; both sides alike are one."""
    stated: list[CodedFinding] = []
    for one in coded:
        if one.certainty is Certainty.ABSENT and not (compared and one.change == "resolved"):
            continue
        one = one if compared else replace(one, change="")
        twin = next((k for k, other in enumerate(stated) if _twins(other, one)), None)
        if twin is None:
            stated.append(one)
        else:
            both = (*stated[twin].structures, *one.structures)
            stated[twin] = replace(one, side=Side.BILATERAL, structures=both)
    return tuple(stated)


def _twins(one: CodedFinding, other: CodedFinding) -> bool:
    if one.finding not in _BILATERAL or {one.side, other.side} != {Side.RIGHT, Side.LEFT}:
        return False
    alike = replace(other, side=one.side, structures=one.structures, size_mm=one.size_mm, tip_mm=one.tip_mm)
    return alike == one


def _comparison(writer: Writer) -> tuple[list[Sentence], list[Sentence]]:
    """With a prior: at the start that there is one, or at the end that nothing changed since."""
    if writer.prior_date is None:
        return [], []
    first, last = writer.chance(0.5), writer.chance(0.6)
    compared, same = writer.pick(writer.book.comparison), writer.pick(writer.book.no_change)
    if first:
        return [writer.sentence(Section.FINDINGS, writer.dated(compared))], []
    unchanged = all(one.change == "unchanged" for one in writer.coded)
    return [], [writer.sentence(Section.FINDINGS, writer.dated(same))] if last and unchanged else []


def _lungs(writer: Writer) -> list[Sentence]:
    found = writer.stated(*OPACITIES)
    free = writer.free("consolidation")
    white = any(one.extent in ("severe", "lobar") for one in writer.there(*OPACITIES, side=free))
    if not white:
        found += writer.denial("consolidation", 0.95, clear=writer.clear(free))
    found += writer.denial("pulmonary_edema", 0.35)
    return found + writer.normal("hila", 0.2)


def _pleura(writer: Writer) -> list[Sentence]:
    clear = writer.clear() and not writer.of("pleural_effusion")
    fluid = writer.stated("pleural_effusion") + writer.denial("pleural_effusion", 0.95, clear=clear)
    gas = writer.stated("pneumothorax") + writer.denial("pneumothorax", 0.95)
    return fluid + gas if writer.chance(0.6) else gas + fluid


def _heart(writer: Writer) -> list[Sentence]:
    size = writer.stated("cardiomegaly") + writer.denial("cardiomegaly", 0.95)
    middle = writer.normal("mediastinum", 0.45) + writer.normal("trachea", 0.25)
    return size + middle if writer.chance(0.7) else middle + size


def _bones(writer: Writer) -> list[Sentence]:
    broken = writer.stated("rib_fracture") + writer.denial("rib_fracture", 0.35)
    plain = writer.normal("bones", 0.3)
    return broken or plain


def _abdomen(writer: Writer) -> list[Sentence]:
    domes = writer.normal("diaphragm", 0.15)
    return domes + writer.stated("hiatus_hernia", "free_air") + writer.denial("free_air", 0.2)


def _impression(writer: Writer) -> list[Sentence]:
    """What matters, most urgent first; well placed devices are left to the findings."""
    gone = [one for one in writer.coded if one.certainty is Certainty.ABSENT and writer.chance(0.4)]
    worth = [
        one
        for one in writer.coded
        if one.certainty is not Certainty.ABSENT and (one.finding not in DEVICES or one.extent in MISPLACED)
    ]
    worth.sort(key=_urgency)
    said = [writer.state(one, Section.IMPRESSION) for one in (*worth, *gone)]
    choices = writer.book.all_clear if writer.of(*DEVICES) else writer.book.normal
    if worth:
        return said
    coded = ("", Side.NONE, Certainty.ABSENT)
    return [writer.sentence(Section.IMPRESSION, writer.pick(choices), (*LUNGS, "heart"), coded), *said]


def _urgency(one: CodedFinding) -> int:
    return next(_URGENCY.index(key) for key in keys(one) if key in _URGENCY)


def _indication(writer: Writer) -> str:
    """Half the time one that fits a finding or follows one up, else a general one."""
    fits, follows, which = writer.chance(0.5), writer.chance(0.5), writer.roll(2**16)
    pieces = writer.rng.uniform()
    known = [one for one in writer.coded if one.change not in ("", "new") and one.finding not in DEVICES]
    there = [one for one in writer.coded if one.certainty is not Certainty.ABSENT]
    book = writer.book
    if fits and follows and known:
        one = known[which % len(known)]
        return tidy(writer.filled(book.follow_up[int(pieces * len(book.follow_up))], one))
    choices = book.indications[""]
    if fits and there:
        one = there[which % len(there)]
        choices = book.indications[next(key for key in keys(one) if key in book.indications)]
    return tidy(choices[int(pieces * len(choices))])
