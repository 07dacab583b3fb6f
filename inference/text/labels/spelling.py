"""Long words one slip of the keyboard away from a known word are read as that word."""

from collections.abc import Iterable

SHORTEST = 8
"""Letters a word needs to be corrected: in short ones a letter is often the whole difference."""
LONGEST = 24


class Speller:
    """A slip is a letter left out, added or changed, or two that changed places."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._near: dict[str, str] = {}
        for word in sorted(self._known):
            if len(word) >= SHORTEST and word.isalpha():
                for form in _shortened(word):
                    self._near.setdefault(form, word)

    def corrected(self, word: str) -> str:
        if word in self._known or not SHORTEST <= len(word) <= LONGEST or not word.isalpha():
            return word
        return next((self._near[form] for form in _shortened(word) if form in self._near), word)


def _shortened(word: str) -> list[str]:
    """The word, and the word without each of its letters."""
    return [word, *(word[:place] + word[place + 1 :] for place in range(len(word)))]
