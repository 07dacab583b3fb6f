"""The patient's side of what an English clause names: its own, or that of the list it stands in."""

from collections.abc import Sequence

from inference.contract import Certainty, Side
from inference.text.labels.categories import Category, union
from inference.text.labels.marks_en import DRAIN, Kind, Mark
from inference.text.labels.named_en import Named

_ALONG = (Kind.SIDE, Kind.PART, Kind.LIST, Kind.NEW_START)
_REACH = 12
"""Marks between a finding and a side that may still be its own."""


def sides(
    clause: Sequence[Mark], named: Sequence[Named], states: Sequence[Certainty], before: Side = Side.NONE
) -> list[Side]:
    """before: the side spoken of in the clause before, for what is linked to it."""
    own, trailing = _own(clause, named)
    found = list(own)
    for index in range(len(named)):
        if found[index] is Side.NONE:
            found[index] = _inherited(clause, named, states, found, index)
    for index in range(len(named) - 2, -1, -1):
        if found[index] is Side.NONE and index + 1 in trailing and _listed(clause, named, states, index):
            found[index] = found[index + 1]
            trailing.add(index)
    if before is not Side.NONE and not any(found) and _linked_back(clause, named, states):
        found = [before if state is not Certainty.ABSENT else Side.NONE for state in states]
    return found


def _own(clause: Sequence[Mark], named: Sequence[Named]) -> tuple[list[Side], set[int]]:
    """The side words of each thing named, and the things whose side follows them."""
    given: list[list[Side]] = [[] for _ in named]
    trailing: set[int] = set()
    for index, one in enumerate(named):
        if clause[one.last].kind is Kind.FINDING:
            given[index].append(clause[one.last].side)
    for place, mark in enumerate(clause):
        if mark.kind is not Kind.SIDE or mark.side is Side.NONE:
            continue
        owner = _owner(clause, named, place)
        if owner is not None:
            # Several parts of which one thing is said stand as one.
            for same in (k for k, one in enumerate(named) if one.last == named[owner].last):
                given[same].append(mark.side)
                if place > named[same].last:
                    trailing.add(same)
    return [union(one) for one in given], trailing


def _owner(clause: Sequence[Mark], named: Sequence[Named], place: int) -> int | None:
    inside = [k for k, one in enumerate(named) if one.first <= place <= one.last]
    before = [k for k, one in enumerate(named) if one.last < place]
    after = [k for k, one in enumerate(named) if one.first > place]
    if inside or not before:
        return next(iter(inside or after), None)
    if not after or _follows(clause, named[before[-1]], place):
        return before[-1]
    between = clause[place + 1 : named[after[0]].first]
    return before[-1] if any(mark.kind is Kind.LIST for mark in between) else after[0]


def _follows(clause: Sequence[Mark], one: Named, place: int) -> bool:
    """Whether the side at this place still tells where the thing named before it is."""
    between = clause[one.last + 1 : place][-_REACH:]
    after = clause[place + 1 : place + 2]
    ended = not after or after[0].kind not in (Kind.FINDING, Kind.PART, Kind.NEW_START)
    if not between:
        return ended
    listed = [mark for mark in between if mark.kind is Kind.LIST]
    if between[-1].kind is Kind.PREPOSITION:
        return not listed or ended or after[0].kind is not Kind.FINDING
    along = all(mark.kind in (*_ALONG, Kind.PREPOSITION) for mark in between)
    placed = any(mark.kind is Kind.PREPOSITION for mark in between)
    return placed and along and ended


def _inherited(
    clause: Sequence[Mark],
    named: Sequence[Named],
    states: Sequence[Certainty],
    found: Sequence[Side],
    index: int,
) -> Side:
    """That of the nearest before it which leads its list, or which it is a reading or a companion of."""
    for back in range(index - 1, max(index - 1 - _REACH, -1), -1):
        if found[back] is Side.NONE or not _passes(clause, named[back], named[index]):
            continue
        absent = [states[k] is Certainty.ABSENT for k in (back, index)]
        between = clause[named[back].last + 1 : named[index].first]
        drained = clause[named[back].last].word == DRAIN and not absent[1]
        apart = absent[0] != absent[1] or _apart(between, denied=absent[1])
        return Side.NONE if apart and not drained else found[back]
    return Side.NONE


def _passes(clause: Sequence[Mark], giver: Named, taker: Named) -> bool:
    """A device says nothing of the side of a finding, but for a drain; nor does a finding of a device's."""
    device = Category.SUPPORT_DEVICES
    if (device in giver.categories) == (device in taker.categories):
        return True
    return clause[giver.last].word == DRAIN or (clause[taker.last].word == DRAIN and not giver.denied)


def _apart(between: Sequence[Mark], *, denied: bool) -> bool:
    """Whether a new statement began since."""
    linked = any(mark.kind is Kind.LINK for mark in between)
    anew = any(mark.kind is Kind.FORWARD and mark.state is Certainty.ABSENT for mark in between)
    if denied and anew:
        return True
    read = any(mark.kind is Kind.FORWARD for mark in between)
    verbs = [place for place, mark in enumerate(between) if mark.kind in (Kind.SEEN, Kind.STATED)]
    lists = [place for place, mark in enumerate(between) if mark.kind is Kind.LIST]
    return bool(verbs and lists and lists[-1] > verbs[0]) and not (linked or read)


def _listed(clause: Sequence[Mark], named: Sequence[Named], states: Sequence[Certainty], index: int) -> bool:
    between = clause[named[index].last + 1 : named[index + 1].first]
    joined = any(mark.kind is Kind.LIST for mark in between)
    plain = all(mark.kind in _ALONG for mark in between)
    return joined and plain and states[index] is states[index + 1]


def _linked_back(clause: Sequence[Mark], named: Sequence[Named], states: Sequence[Certainty]) -> bool:
    """Whether the clause goes on about what the one before it named."""
    if not named or Category.SUPPORT_DEVICES in named[0].categories:
        return False
    start = clause[: named[0].last]
    return any(mark.kind is Kind.LINK for mark in start) or states[0] is Certainty.UNCERTAIN
