"""English text as marks: the words of `terms_en` and `cues_en`, found in order, each with its kind."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from inference.contract import Certainty, Side
from inference.text.labels import cues_en, terms_en
from inference.text.labels.categories import Category
from inference.text.labels.matching import Lexicon, Match
from inference.text.labels.spelling import Speller

_TOKEN = re.compile(r"[a-z]+\d*|\d+(?:\.\d+)?%?|[^\sa-z\d]")
_HYPHEN = re.compile(r"(?<=\w)[-‐‑](?=\w)")
_DASH = re.compile(r"\s[-–—]+\s|[–—]")
_STOP = re.compile(r"\b(pulm|bilat|approx|vs|dr|incl)\.")
_ARTICLES = frozenset(("the", "a", "an", "this", "these", "any", "some", "very"))
_VERTEBRA = re.compile(r"[tlc]\d{1,2}")
DRAIN = "pleural drain"
"""The word of a device that is on the side of what it drains."""
WIRE = "wire"
_RIGHT = frozenset(("minor", "horizontal"))
"""Words of the fissure that only the right lung has."""
_IRREGULAR = {"is": "es", "ex": "ices", "um": "a", "us": "i"}


class Kind(StrEnum):
    FINDING = "finding"
    DENIABLE = "deniable"
    NOTHING = "nothing"
    PART = "part"
    PROPERTY = "property"
    FORWARD = "forward"
    BACKWARD = "backward"
    EITHER = "either"
    NEUTRAL = "neutral"
    COMPARED = "compared"
    BREAK = "break"
    WITHHELD = "withheld"
    LIST = "list"
    SEEN = "seen"
    STATED = "stated"
    NEW_START = "new start"
    LINK = "link"
    SIDE = "side"
    PREPOSITION = "preposition"


@dataclass(frozen=True)
class Mark:
    """A phrase of the tables at words[start:end]; of what is said, the field that its kind needs is set."""

    start: int
    end: int
    kind: Kind
    word: str = ""
    categories: tuple[Category, ...] = ()
    state: Certainty = Certainty.PRESENT
    side: Side = Side.NONE


@dataclass(frozen=True)
class _Meaning:
    kind: Kind
    word: str = ""
    categories: tuple[Category, ...] = ()
    state: Certainty = Certainty.PRESENT
    side: Side = Side.NONE


def words(text: str) -> list[str]:
    """Lower-case words and signs in their usual spelling, without articles."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    plain = _STOP.sub(r"\1 ", _DASH.sub(" ; ", _HYPHEN.sub(" ", plain)))
    known = (terms_en.SPELLINGS.get(word, word) for word in _TOKEN.findall(plain))
    return [word for word in known if word not in _ARTICLES]


def marks(text: str) -> tuple[list[str], list[Mark]]:
    """The words of the text, and the marks among them in order."""
    found = [_SPELLER.corrected(word) for word in words(text)]
    matches = _LEXICON.find(["vertebra" if _VERTEBRA.fullmatch(word) else word for word in found])
    return found, [_mark(match, found) for match in matches]


def _mark(match: Match[_Meaning], found: list[str]) -> Mark:
    meaning = match.value
    if meaning.kind is Kind.FINDING and _RIGHT.intersection(found[match.start : match.end]):
        meaning = replace(meaning, side=Side.RIGHT)
    return Mark(match.start, match.end, **vars(meaning))


def _phrases(line: str) -> Iterator[list[str]]:
    for phrase in line.split(", "):
        yield words(phrase)


def _plural(phrase: list[str]) -> list[str]:
    *head, last = phrase
    for ending, plural in _IRREGULAR.items():
        if last.endswith(ending) and len(last) > 3 and not last.endswith(("ous", "ess")):
            return [*head, last.removesuffix(ending) + plural]
    if last.endswith("y") and last[-2:-1] not in "aeiou":
        return [*head, last[:-1] + "ies"]
    return [*head, last + ("es" if last.endswith(("s", "x", "sh", "ch")) else "s")]


def _nouns() -> Iterator[tuple[str, _Meaning]]:
    for categories, line in terms_en.FINDINGS:
        yield line, _Meaning(Kind.FINDING, categories=categories)
    yield terms_en.PLEURAL_DRAINS, _Meaning(Kind.FINDING, DRAIN, (Category.SUPPORT_DEVICES,))
    for categories, line in terms_en.DENIABLE:
        yield line, _Meaning(Kind.DENIABLE, categories=categories)
    yield terms_en.NOTHING, _Meaning(Kind.NOTHING)
    yield terms_en.WIRES, _Meaning(Kind.NOTHING, WIRE)
    for part, line in terms_en.ANATOMY.items():
        yield line, _Meaning(Kind.PART, part)


def _of_state(kind: Kind, table: Mapping[str, str]) -> Iterator[tuple[str, _Meaning]]:
    for state, line in table.items():
        yield line, _Meaning(kind, state=Certainty(state))


def _others() -> Iterator[tuple[str, _Meaning]]:
    for name, line in terms_en.PROPERTIES.items():
        yield line, _Meaning(Kind.PROPERTY, name)
    yield from _of_state(Kind.FORWARD, cues_en.FORWARD)
    yield from _of_state(Kind.BACKWARD, cues_en.BACKWARD)
    yield from _of_state(Kind.EITHER, cues_en.EITHER)
    for name, line in cues_en.WITHHELD.items():
        yield line, _Meaning(Kind.WITHHELD, name)
    for side, line in cues_en.SIDES.items():
        yield line, _Meaning(Kind.SIDE, side=Side(side))
    yield cues_en.NEUTRAL, _Meaning(Kind.NEUTRAL)
    yield cues_en.COMPARED, _Meaning(Kind.COMPARED, state=Certainty.UNCERTAIN)
    yield cues_en.BREAKS, _Meaning(Kind.BREAK)
    yield cues_en.LINKS, _Meaning(Kind.LINK)
    yield cues_en.PREPOSITIONS, _Meaning(Kind.PREPOSITION)


def _entries() -> Iterator[tuple[list[str], _Meaning]]:
    """Of a phrase with two meanings the first counts."""
    seen: set[tuple[str, ...]] = set()
    singles = [*_others(), *_nouns()]
    singles += [(word, _Meaning(Kind.LIST, word)) for word in cues_en.LIST.split(", ")]
    singles += [(cues_en.SEEN, _Meaning(Kind.SEEN)), (cues_en.STATED, _Meaning(Kind.STATED))]
    singles += [("with", _Meaning(Kind.NEW_START, "with")), (cues_en.NEW_START, _Meaning(Kind.NEW_START))]
    for line, meaning in singles:
        countable = meaning.kind in (Kind.FINDING, Kind.DENIABLE, Kind.NOTHING, Kind.PART, Kind.PROPERTY)
        for phrase in _phrases(line):
            for form in (phrase, _plural(phrase)) if countable else (phrase,):
                if form and tuple(form) not in seen:
                    seen.add(tuple(form))
                    yield form, meaning
    yield [","], _Meaning(Kind.LIST, ",")


_LEXICON: Lexicon[_Meaning] = Lexicon(_entries())
_SPELLER = Speller(_LEXICON.units)
