"""What an English clause names: findings, and parts of the body together with what is said of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from inference.text.labels import terms_en
from inference.text.labels.categories import Category
from inference.text.labels.marks_en import WIRE, Kind, Mark

_SKIPPED = (Kind.SIDE, Kind.NEW_START, Kind.LINK)


@dataclass(frozen=True)
class Named:
    """Something named at marks[first] to marks[last] of a clause.

    denied: the words themselves say that it is not there ("heart size is normal"). deniable: it counts only
    where it is denied. doubtful: the words say no more than that it may be there. sign: see `Mention`.
    """

    first: int
    last: int
    categories: tuple[Category, ...]
    denied: bool = False
    deniable: bool = False
    doubtful: bool = False
    sign: bool = False


class Naming:
    """Reads a clause from left to right."""

    def __init__(self, clause: Sequence[Mark]) -> None:
        self._clause = clause
        self._subjects: list[int] = []
        self._quality: int | None = None
        self._paired = False
        self.named: list[Named] = []

    def read(self) -> list[Named]:
        for place, mark in enumerate(self._clause):
            if mark.kind in (Kind.FINDING, Kind.DENIABLE):
                self._finding(place, mark)
            elif mark.kind is Kind.PART:
                self._part(place)
            elif mark.kind is Kind.PROPERTY:
                self._property(place)
            elif mark.kind is Kind.NOTHING:
                self._forget()
            elif mark.kind is Kind.LIST:
                self._subjects = [one for one in self._subjects if self._clause[one].word != "chest"]
        return self.named

    def _forget(self) -> None:
        self._subjects, self._quality, self._paired = [], None, False

    def _finding(self, place: int, mark: Mark) -> None:
        categories = self._as_placed(place, mark)
        # A swelling or oedema of the chest wall.
        if Category.FRACTURE in categories and self._is_of_wire(place):
            return self._forget()
        soft = any(self._clause[one].word == "soft tissue" for one in self._subjects)
        if not (soft and categories == (Category.EDEMA,)):
            deniable = mark.kind is Kind.DENIABLE
            doubtful = self._quality is not None and self._clause[self._quality].word == "borderline"
            self.named.append(Named(place, place, categories, deniable=deniable, doubtful=doubtful))
        self._forget()

    def _is_of_wire(self, place: int) -> bool:
        around = self._clause[max(place - 2, 0) : place + 4]
        return any(mark.word == WIRE for mark in around) and not any(mark.word == "bones" for mark in around)

    def _as_placed(self, place: int, mark: Mark) -> tuple[Category, ...]:
        """A mass of the mediastinum is none of the lung, a collapsed vertebra no atelectasis."""
        following = self._clause[place + 1 : place + 3]
        held = [self._clause[one].word for one in self._subjects[-1:]]
        if len(following) == 2 and following[0].kind is Kind.PREPOSITION:
            held.append(following[1].word)
        if mark.categories == (Category.LUNG_LESION,) and "mediastinum" in held:
            return (Category.ENLARGED_CARDIOMEDIASTINUM,)
        if mark.categories == (Category.ATELECTASIS,) and "bones" in held:
            return (Category.FRACTURE,)
        return mark.categories

    def _part(self, place: int) -> None:
        before = self._before(place)
        located = before is not None and before.kind is Kind.PREPOSITION
        if self._quality is None or (self._paired and self._is_told_of(place)):
            self._quality, self._paired = None, False
            if not located:
                self._subjects.append(place)
            return
        self._paired = True
        self._pair(place, self._quality)

    def _before(self, place: int) -> Mark | None:
        while place > 0 and self._clause[place - 1].kind in _SKIPPED:
            place -= 1
        return self._clause[place - 1] if place else None

    def _is_told_of(self, place: int) -> bool:
        after = self._clause[place + 1 : place + 2]
        return bool(after) and after[0].kind in (Kind.SEEN, Kind.STATED, Kind.PROPERTY)

    def _property(self, place: int) -> None:
        if not self._subjects:
            self._quality, self._paired = place, False
            return
        for subject in self._subjects:
            self._pair(subject, place)
        self._forget()

    def _pair(self, part: int, quality: int) -> None:
        said = self._clause[quality].word
        categories = terms_en.MEANINGS.get((self._clause[part].word, said))
        if categories:
            self.named.append(
                Named(
                    min(part, quality),
                    max(part, quality),
                    categories,
                    denied=said == "normal",
                    doubtful=said in ("borderline", "blunted"),
                    sign=said == "blunted",
                )
            )
