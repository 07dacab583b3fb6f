"""Present, absent or uncertain: the triggers of an English clause, and how far each reaches."""

from collections.abc import Sequence

from inference.contract import Certainty
from inference.text.labels.categories import Category
from inference.text.labels.marks_en import Kind, Mark
from inference.text.labels.named_en import Named

_ALTERNATIVE = ("or", "nor", "versus", "vs", "/", "and / or")
_NAMING = (Kind.FINDING, Kind.DENIABLE, Kind.PART, Kind.PROPERTY)
_BETWEEN = (Kind.SIDE, Kind.PREPOSITION, Kind.PART, Kind.NEW_START, Kind.LINK)
_REACH = 40
"""Marks a trigger looks back over: more than any sentence has."""


def states(clause: Sequence[Mark], named: Sequence[Named]) -> list[Certainty]:
    """The state of each thing named, as far as triggers decide it."""
    forward = _Forward(clause, named).run()
    found = [forward.get(one.last, Certainty.PRESENT) for one in named]
    _look_back(clause, named, found)
    _differ(clause, named, found)
    return found


def looks_forward(clause: Sequence[Mark], place: int) -> bool:
    """Whether a trigger of either direction stands before what it speaks of."""
    for mark in clause[place + 1 : place + 1 + _REACH]:
        if mark.kind not in _BETWEEN or mark.kind is Kind.PART:
            return mark.kind in _NAMING and mark.kind is not Kind.PROPERTY
    return False


class _Forward:
    """Reads a clause from left to right with the trigger that is in force."""

    def __init__(self, clause: Sequence[Mark], named: Sequence[Named]) -> None:
        self._clause = clause
        self._ends = {one.last for one in named}
        self._state: Certainty | None = None
        self._used = self._closed = False

    def run(self) -> dict[int, Certainty]:
        """The state in force at each place where something is named."""
        found: dict[int, Certainty] = {}
        for place, mark in enumerate(self._clause):
            self._step(place, mark)
            if place in self._ends:
                self._used = True
                if self._state is not None:
                    found[place] = self._state
        return found

    def _step(self, place: int, mark: Mark) -> None:
        if mark.kind is Kind.FORWARD or (mark.kind is Kind.EITHER and looks_forward(self._clause, place)):
            self._turn(mark.state)
        elif mark.kind is Kind.COMPARED and self._state is Certainty.PRESENT:
            self._turn(Certainty.UNCERTAIN)
        elif mark.kind in (Kind.SEEN, Kind.STATED, Kind.BACKWARD, Kind.EITHER):
            self._closed = self._closed or self._used
        elif self._state is not None and self._ends_here(place, mark):
            self._state = None

    def _turn(self, state: Certainty) -> None:
        denied = self._state is Certainty.ABSENT and state is not Certainty.ABSENT
        hedged = self._state is Certainty.UNCERTAIN and state is Certainty.PRESENT and not self._used
        if not (denied or hedged):
            self._state = state
            self._used = self._closed = False

    def _ends_here(self, place: int, mark: Mark) -> bool:
        if mark.kind is Kind.LIST:
            return not self._continues(place, mark)
        return mark.word == "with" and self._used

    def _continues(self, place: int, mark: Mark) -> bool:
        if mark.word in _ALTERNATIVE:
            return True
        segment, rest = self._segment(place)
        if self._closed or any(one.kind in (Kind.FORWARD, Kind.EITHER) for one in segment[:1]):
            return False
        if not any(one.kind in _NAMING for one in segment) or rest:
            return True
        if self._state is Certainty.UNCERTAIN and mark.word == ",":
            return False
        return not any(
            one.kind in (Kind.NEW_START, Kind.STATED, Kind.BACKWARD) or one.word == "normal"
            for one in segment
        )

    def _segment(self, place: int) -> tuple[Sequence[Mark], bool]:
        """The marks up to the next one of a list, and whether the list ends in an alternative."""
        end, ends_in_or = None, False
        for index, mark in enumerate(self._clause[place + 1 : place + 1 + _REACH], place + 1):
            if mark.kind is Kind.LIST:
                end = index if end is None else end
                ends_in_or = mark.word in _ALTERNATIVE
            if ends_in_or or mark.kind in (Kind.STATED, Kind.FORWARD, Kind.BACKWARD) or mark.word == "with":
                break
        return self._clause[place + 1 : end], ends_in_or


def _look_back(clause: Sequence[Mark], named: Sequence[Named], found: list[Certainty]) -> None:
    at = {one.last: [k for k, other in enumerate(named) if other.last == one.last] for one in named}
    for place, mark in enumerate(clause):
        behind = mark.kind is Kind.EITHER and not looks_forward(clause, place)
        if mark.kind is Kind.BACKWARD or behind:
            for index in _spoken_of(clause, place, at):
                if found[index] is not Certainty.ABSENT:
                    found[index] = mark.state


def _spoken_of(clause: Sequence[Mark], place: int, at: dict[int, list[int]]) -> list[int]:
    """What a trigger that looks back speaks of: the subject of its verb, or a list of subjects."""
    spoken: list[int] = []
    listed = False
    for back in range(place - 1, max(place - _REACH, 0) - 1, -1):
        mark = clause[back]
        if back in at:
            spoken += at[back]
        elif mark.kind is Kind.LIST and mark.word != ",":
            listed = True
        elif _ends_subject(mark, bool(spoken), listed):
            break
    return spoken


def _ends_subject(mark: Mark, spoken: bool, listed: bool) -> bool:
    if mark.kind in (Kind.BACKWARD, Kind.EITHER):
        return True
    if mark.kind is Kind.LIST:
        return spoken and not listed
    return spoken and (mark.kind in (Kind.SEEN, Kind.STATED, Kind.FORWARD) or mark.word == "with")


def _differ(clause: Sequence[Mark], named: Sequence[Named], found: list[Certainty]) -> None:
    """Of findings between which the reader does not choose none is certain."""
    for place, mark in enumerate(clause):
        if mark.kind is Kind.LIST and mark.word in _ALTERNATIVE and mark.word != "nor":
            for index in (
                *_alternatives_before(clause, named, place),
                *_alternative_after(clause, named, place),
            ):
                devices = Category.SUPPORT_DEVICES in named[index].categories
                if found[index] is Certainty.PRESENT and not devices:
                    found[index] = Certainty.UNCERTAIN


def _alternatives_before(clause: Sequence[Mark], named: Sequence[Named], place: int) -> list[int]:
    """The one just before the word, and those before it in a list with commas."""
    found: list[int] = []
    ends = {one.last: index for index, one in enumerate(named) if one.first == one.last}
    for back in range(place - 1, max(place - _REACH, 0) - 1, -1):
        mark = clause[back]
        if back in ends:
            found.append(ends[back])
        elif (
            not (mark.kind in _BETWEEN or (mark.kind is Kind.LIST and mark.word == ","))
            or mark.word == "with"
        ):
            break
    # "opacity, atelectasis or consolidation": the first is what the others may explain.
    opacity = [k for k in found[1:] if Category.LUNG_OPACITY in named[k].categories]
    return [index for index in found if index not in opacity]


def _alternative_after(clause: Sequence[Mark], named: Sequence[Named], place: int) -> list[int]:
    for index, one in enumerate(named):
        if one.first > place:
            between = clause[place + 1 : one.first]
            near = all(mark.kind in _BETWEEN or mark.kind is Kind.FORWARD for mark in between)
            return [index] if near and one.first == one.last else []
    return []
