"""Japanese text as marks: the words of `terms_ja` and `cues_ja`, found in order, each with its kind."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from inference.text.labels import cues_ja, terms_ja
from inference.text.labels.categories import Category
from inference.text.labels.matching import Lexicon

_SPACE = re.compile(r"\s+")
SAME = "same"
EITHER, ASKED = "either", "asked"


class Kind(StrEnum):
    FINDING = "finding"
    NOTHING = "nothing"
    ABNORMALITY = "abnormality"
    NORMAL_CHEST = "normal chest"
    PART = "part"
    SHAPE = "shape"
    SIDE = "side"
    PREDICATE = "predicate"
    NORMAL = "normal"
    BORDERLINE = "borderline"
    CHANGE = "change"
    LIST = "list"
    FIRM = "firm break"
    RATHER = "rather"
    ADVICE = "advice"
    WITHHELD = "withheld"
    PLACE = "place"


@dataclass(frozen=True)
class Mark:
    """A phrase of the tables at text[start:end]. word: the name of its table's row, or the side."""

    start: int
    end: int
    kind: Kind
    word: str = ""
    categories: tuple[Category, ...] = ()


@dataclass(frozen=True)
class _Meaning:
    kind: Kind
    word: str = ""
    categories: tuple[Category, ...] = ()


def plain(text: str) -> str:
    """NFKC, lower case, without spaces."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text).lower())


def marks(text: str) -> list[Mark]:
    """The marks of a plain text, in order."""
    return [Mark(match.start, match.end, **vars(match.value)) for match in _LEXICON.find(text)]


def _rows() -> Iterator[tuple[str, _Meaning]]:
    for categories, line in terms_ja.FINDINGS:
        yield line, _Meaning(Kind.FINDING, categories=categories)
    yield terms_ja.DEVICES, _Meaning(Kind.FINDING, "device", (Category.SUPPORT_DEVICES,))
    yield terms_ja.NOTHING, _Meaning(Kind.NOTHING)
    yield terms_ja.ABNORMALITY, _Meaning(Kind.ABNORMALITY)
    yield terms_ja.NORMAL_CHEST, _Meaning(Kind.NORMAL_CHEST)
    for side, line in terms_ja.SIDES.items():
        yield line, _Meaning(Kind.SIDE, side)
    for part, line in terms_ja.PARTS.items():
        yield line, _Meaning(Kind.PART, part)
    yield terms_ja.NO_SIDE, _Meaning(Kind.PLACE)
    for state, line in cues_ja.PREDICATES.items():
        yield line, _Meaning(Kind.PREDICATE, state)
    yield cues_ja.BORDERLINE, _Meaning(Kind.BORDERLINE)
    yield cues_ja.NORMAL, _Meaning(Kind.NORMAL)
    for shape, line in terms_ja.SHAPES.items():
        yield line, _Meaning(Kind.SHAPE, shape)
    yield cues_ja.CHANGE, _Meaning(Kind.CHANGE)
    yield cues_ja.EITHER, _Meaning(Kind.LIST, EITHER)
    yield cues_ja.ASKED, _Meaning(Kind.LIST, ASKED)
    yield cues_ja.LISTS, _Meaning(Kind.LIST)
    yield cues_ja.FIRM, _Meaning(Kind.FIRM)
    yield cues_ja.RATHER, _Meaning(Kind.RATHER)
    yield cues_ja.ADVICE, _Meaning(Kind.ADVICE)
    yield cues_ja.WITHHELD_BEFORE, _Meaning(Kind.WITHHELD)


def _entries() -> Iterator[tuple[str, _Meaning]]:
    """Of a phrase with two meanings the first counts."""
    seen: set[str] = set()
    for line, meaning in _rows():
        for phrase in map(plain, line.split(", ")):
            if phrase and phrase not in seen:
                seen.add(phrase)
                yield phrase, meaning


_LEXICON: Lexicon[_Meaning] = Lexicon(_entries())
