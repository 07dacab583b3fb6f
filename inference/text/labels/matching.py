"""Finding the phrases of a table in a text: leftmost, and of those the longest.

The same for words (English) and for characters (Japanese). Time grows with the length of the text times that
of the longest phrase, whatever the text.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Match(Generic[T]):
    """value is what the table says of the phrase units[start:end]."""

    start: int
    end: int
    value: T


@dataclass
class _Node(Generic[T]):
    next: dict[str, "_Node[T]"]
    value: T | None = None


class Lexicon(Generic[T]):
    """Phrases, each a sequence of words or characters, and a value for each.

    Raises
    ------
    ValueError
        When a phrase is empty or stands in the table twice with different values.
    """

    def __init__(self, entries: Iterable[tuple[Sequence[str], T]]) -> None:
        self._root: _Node[T] = _Node({})
        self.units: set[str] = set()
        for phrase, value in entries:
            self._add(phrase, value)

    def _add(self, phrase: Sequence[str], value: T) -> None:
        node = self._root
        for unit in phrase:
            node = node.next.setdefault(unit, _Node({}))
        if node is self._root or (node.value is not None and node.value != value):
            raise ValueError(f"{' '.join(phrase)!r} is empty or has two meanings: {node.value} and {value}")
        node.value = value
        self.units.update(phrase)

    def find(self, units: Sequence[str]) -> list[Match[T]]:
        """Matches in order; no two overlap."""
        found: list[Match[T]] = []
        start = 0
        while start < len(units):
            match = self._longest(units, start)
            if match is None:
                start += 1
            else:
                found.append(match)
                start = match.end
        return found

    def _longest(self, units: Sequence[str], start: int) -> Match[T] | None:
        node, longest = self._root, None
        for place in range(start, len(units)):
            following = node.next.get(units[place])
            if following is None:
                break
            node = following
            if node.value is not None:
                longest = Match(start, place + 1, node.value)
        return longest
