"""What an English sentence says: its mentions, each with state and side."""

from collections.abc import Iterator, Sequence

from inference.contract import Certainty, Side
from inference.text.labels import cues_en
from inference.text.labels.categories import Category, Mention, union
from inference.text.labels.marks_en import Kind, Mark, marks, words
from inference.text.labels.matching import Lexicon
from inference.text.labels.named_en import Named, Naming
from inference.text.labels.sides_en import sides
from inference.text.labels.states_en import states

_HEADINGS = frozenset(tuple(words(line)) for line in cues_en.HEADINGS.split(", "))
_HEADING_WORDS = max(map(len, _HEADINGS))
_NAMING = (Kind.FINDING, Kind.DENIABLE, Kind.PART, Kind.PROPERTY)
_LEFT_OUT = {Kind.NEW_START, Kind.SIDE, Kind.PREPOSITION, Kind.STATED, Kind.SEEN, Kind.PART, Kind.LIST}
_RATIO = ("ctr", "cardiothoracic")
_RATIO_REACH = 6
_CAUSES: Lexicon[str] = Lexicon(
    [
        *((words(line), "technique") for line in cues_en.TECHNIQUE.split(", ")),
        *((words(line), "hedge") for line in cues_en.HEDGES.split(", ") if line not in cues_en.BOTH),
        *((words(line), "both") for line in cues_en.BOTH),
    ]
)
_SIZE = (Category.CARDIOMEGALY, Category.ENLARGED_CARDIOMEDIASTINUM)


def mentions(text: str) -> list[Mention]:
    """The mentions of one sentence; none for a heading's line of what is asked or was before."""
    known, found = marks(text)
    if _is_heading(known):
        return []
    made = [*_of_ratio(known)]
    before = Side.NONE
    last: tuple[Category, ...] = ()
    for clause in _clauses(_stated(found)):
        named = Naming(clause).read()
        certain = states(clause, named)
        placed = sides(clause, named, certain, before)
        before = union(placed) if any(placed) else before
        for one, state, side in zip(named, certain, placed, strict=True):
            made += _mentions(clause, one, state, side)
        made += _left_out(clause, last)
        last = named[-1].categories if named and certain[-1] is Certainty.ABSENT else last
    if _is_normal(found):
        made.append(Mention(Category.NO_FINDING, Certainty.PRESENT))
    return [_by_technique(one) for one in made] if _technical(known) else made


def _is_normal(found: Sequence[Mark]) -> bool:
    """Whether the sentence says "normal" and nothing else."""
    said = [mark for mark in found if mark.kind is not Kind.BREAK]
    return bool(said) and all(mark.kind is Kind.PROPERTY and mark.word == "normal" for mark in said)


def _left_out(clause: Sequence[Mark], denied: tuple[Category, ...]) -> Iterator[Mention]:
    """What is there after all where the noun is left out: "no effusion beyond a trace one on the right"."""
    kinds = {mark.kind for mark in clause}
    if denied and Kind.NEW_START in kinds and kinds <= _LEFT_OUT:
        side = union(mark.side for mark in clause)
        yield from (Mention(category, Certainty.PRESENT, side) for category in denied)


def _is_heading(known: Sequence[str]) -> bool:
    start = known[: _HEADING_WORDS + 1]
    return ":" in start and tuple(start[: start.index(":")]) in _HEADINGS


def _clauses(found: Sequence[Mark]) -> Iterator[list[Mark]]:
    clause: list[Mark] = []
    for mark in found:
        if mark.kind is Kind.BREAK:
            yield clause
            clause = []
        else:
            clause.append(mark)
    yield clause


def _stated(found: Sequence[Mark]) -> list[Mark]:
    """Without what is asked, feared or cannot be judged."""
    kept = [True] * len(found)
    for place, mark in enumerate(found):
        if mark.kind is Kind.WITHHELD and kept[place]:
            for other in _withheld(found, place):
                kept[other] = False
    return [mark for mark, keep in zip(found, kept, strict=True) if keep]


def _withheld(found: Sequence[Mark], place: int) -> Iterator[int]:
    how = found[place].word
    comma = how == "to comma"
    if how == "before":
        for index in range(place - 1, -1, -1):
            if found[index].kind in (Kind.BREAK, Kind.WITHHELD) or found[index].word == ",":
                return
            yield index
        return
    for index in range(place, len(found)):
        if found[index].kind is Kind.BREAK or (comma and found[index].word == ","):
            return
        yield index


def _mentions(clause: Sequence[Mark], one: Named, state: Certainty, side: Side) -> Iterator[Mention]:
    if one.deniable and state is not Certainty.ABSENT:
        return
    if one.denied:
        before = clause[one.last - 1] if one.last else None
        if before is not None and before.kind is Kind.FORWARD and before.state is Certainty.ABSENT:
            return
        state = Certainty.ABSENT
    elif one.doubtful and state is Certainty.PRESENT:
        state = Certainty.UNCERTAIN
    for category in one.categories:
        if category is Category.NO_FINDING:
            yield Mention(category, Certainty.PRESENT)
        else:
            yield Mention(category, state, side, sign=one.sign and state is not Certainty.ABSENT)


def _of_ratio(known: Sequence[str]) -> Iterator[Mention]:
    """A cardiothoracic ratio over one half is an enlarged heart."""
    for place, word in enumerate(known):
        if word in _RATIO:
            for other in known[place + 1 : place + 1 + _RATIO_REACH]:
                number = other.removesuffix("%")
                if number.replace(".", "", 1).isdigit():
                    half = 0.5 if float(number) < 1 else 50
                    large = float(number) > half
                    yield Mention(Category.CARDIOMEGALY, Certainty.PRESENT if large else Certainty.ABSENT)
                    break


def _technical(known: Sequence[str]) -> bool:
    found = {match.value for match in _CAUSES.find(known)}
    return "both" in found or found == {"technique", "hedge"}


def _by_technique(mention: Mention) -> Mention:
    if mention.category in _SIZE and mention.state is Certainty.PRESENT:
        return Mention(mention.category, Certainty.UNCERTAIN)
    return mention
