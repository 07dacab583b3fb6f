"""What a Japanese sentence says: its mentions, each with state and side.

Read from the front: findings are gathered until a predicate tells the state of them all, which makes a
statement. A predicate close behind may correct it ("骨折を疑う所見は指摘できない"). What no predicate follows
is stated.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from inference.contract import Certainty, Side
from inference.text.labels import cues_ja
from inference.text.labels.categories import Category, Mention, union
from inference.text.labels.marks_ja import ASKED, SAME, Kind, Mark, marks, plain

_OF_PART: Mapping[str, tuple[Category, ...]] = {
    "lung": (Category.LUNG_OPACITY,),
    "heart": (Category.CARDIOMEGALY,),
    "mediastinum": (Category.ENLARGED_CARDIOMEDIASTINUM,),
    "both": (Category.ENLARGED_CARDIOMEDIASTINUM, Category.CARDIOMEGALY),
    "pleura": (Category.PLEURAL_EFFUSION, Category.PLEURAL_OTHER),
    "bone": (Category.FRACTURE,),
    "vessels": (Category.EDEMA,),
    "angle": (Category.PLEURAL_EFFUSION,),
}
"""What is denied of a part that is called normal."""
_OF_SHAPE: Mapping[tuple[str, str], tuple[Category, ...]] = {
    ("heart", "large"): (Category.CARDIOMEGALY,),
    ("mediastinum", "large"): (Category.ENLARGED_CARDIOMEDIASTINUM,),
    ("both", "large"): (Category.ENLARGED_CARDIOMEDIASTINUM, Category.CARDIOMEGALY),
    ("pleura", "thick"): (Category.PLEURAL_OTHER,),
    ("angle", "blunt"): (Category.PLEURAL_EFFUSION,),
    ("vessels", "strong"): (Category.EDEMA,),
    ("vessels", "large"): (Category.EDEMA,),
}
"""What a shape says of a part."""
_STATES: Mapping[str, Certainty] = {
    "present": Certainty.PRESENT,
    "read": Certainty.PRESENT,
    "placed": Certainty.PRESENT,
    "uncertain": Certainty.UNCERTAIN,
    "absent": Certainty.ABSENT,
    "gone": Certainty.ABSENT,
}
_RATIO = re.compile(r"(?:ctr|心胸郭比|心胸比)[^\d。]{0,8}(\d+(?:\.\d+)?)%")
_NORMAL_RATIO = 50.0
_MASSES = ("腫瘤", "腫瘍", "リンパ節")
_NEAR = 12
"""Characters between two predicates of one statement."""
_VERB_ENDS = re.compile(r"(?:[しでてりくずれめびえきちいみ]|\))$")
"""How a clause ends before its comma, and a list does not."""
_TOPIC = re.compile("は|から")
_CHOICE = re.compile(cues_ja.EITHER.replace(", ", "|"))
_CAUSE = ("による", "に伴う", "によると思われる", "に起因する")
_PARTICLES = re.compile("[はにもがをで]*(?:特に|ほとんど)?")
"""Between a word of change and its denial."""
_HEADING = re.compile(rf"^[(\[【■・]?(?:{cues_ja.HEADINGS.replace(', ', '|')})[)\]】]?:")
_QUESTION = re.compile(cues_ja.QUESTIONS.replace(", ", "|"))
_TECHNIQUE = re.compile(cues_ja.TECHNIQUE.replace(", ", "|"))
_AFTER_ALL = "少量ある"
_NAMES = (Kind.FINDING, Kind.NOTHING, Kind.ABNORMALITY, Kind.SHAPE)


def mentions(text: str) -> list[Mention]:
    """The mentions of one sentence; none for a question, or a heading's line of what is asked or was."""
    return [one for sentence in plain(text).split("。") for one in _of_sentence(sentence)]


def _of_sentence(text: str) -> list[Mention]:
    if _HEADING.match(text) or _QUESTION.search(text):
        return []
    reader = _Reader(text)
    reader.read()
    return [*_of_ratio(text), *reader.loose, *_mentions(reader.statements)]


def _of_ratio(text: str) -> Iterator[Mention]:
    for percent in _RATIO.findall(text):
        large = float(percent) > _NORMAL_RATIO
        yield Mention(Category.CARDIOMEGALY, Certainty.PRESENT if large else Certainty.ABSENT)


@dataclass(frozen=True)
class _Named:
    """A finding, a shape of a part, an abnormality (of parts, or of the chest), or what has no category.

    side: of the sides that lead it or stand behind it; leading: it was led by its side.
    """

    categories: tuple[Category, ...]
    end: int
    side: Side = Side.NONE
    leading: bool = True
    sign: bool = False
    device: bool = False
    abnormality: bool = False


@dataclass
class _Statement:
    """Findings with one state. inherits: findings without a side take that of the statement before. final: a
    break stands behind it. parts: what was named with them, and on which side."""

    named: list[_Named]
    state: Certainty
    end: int
    inherits: bool
    parts: list[tuple[str, Side]]
    final: bool = False


@dataclass
class _Reader:
    """Goes over the marks of a sentence once. loose: mentions of parts, which no statement holds."""

    text: str
    statements: list[_Statement] = field(default_factory=list)
    loose: list[Mention] = field(default_factory=list)
    named: list[_Named] = field(default_factory=list)
    parts: list[tuple[str, Side]] = field(default_factory=list)
    side: Side = Side.NONE
    last_side: Side = Side.NONE
    choice: str = ""
    told_of: _Statement | None = None
    """The statement that is said of the findings ("肺炎を疑う陰影")."""
    changed: int = -1
    """Where the last word of change ended."""

    def read(self) -> None:
        found = marks(self.text)
        for place, mark in enumerate(found):
            if mark.kind is Kind.SIDE:
                self._side(mark, found[:place], found[place + 1 :])
            else:
                _STEPS[mark.kind](self, mark)
        self._close(Certainty.PRESENT, len(self.text), inherits=True)

    # What is named

    def _finding(self, mark: Mark) -> None:
        if self.named:
            between = _CHOICE.sub("", self.text[self.named[-1].end : mark.start])
            read = _TOPIC.search(between) and "、" not in between.rstrip("、")  # the one as the other
            if read or any(one.categories == mark.categories and one.side != self.side for one in self.named):
                side = self.side
                self._close(Certainty.PRESENT, mark.start, inherits=True)
                self.side = side
        elif self.statements and 0 <= mark.start - self.statements[-1].end <= _NEAR // 2:
            self.told_of = self.statements[-1]
        categories = mark.categories
        in_mediastinum = self._part() == "mediastinum" and self.text[mark.start :].startswith(_MASSES)
        if categories == (Category.LUNG_LESION,) and in_mediastinum:
            categories = (Category.ENLARGED_CARDIOMEDIASTINUM,)
        self._name(_Named(categories, mark.end, device=mark.word == "device"))

    def _nothing(self, mark: Mark) -> None:
        self._name(_Named((), mark.end))

    def _abnormality(self, mark: Mark) -> None:
        self._name(_Named((), mark.end, abnormality=True))

    def _normal_chest(self, mark: Mark) -> None:
        self.loose.append(Mention(Category.NO_FINDING, Certainty.PRESENT))

    def _shape(self, mark: Mark) -> None:
        categories = _OF_SHAPE.get((self._part(), mark.word), ())
        if categories:
            self._name(_Named(categories, mark.end, self.parts[-1][1], sign=mark.word == "blunt"))
        elif self.named or self.statements:
            self.changed = mark.end
        else:
            self._name(_Named((), mark.end))

    def _name(self, one: _Named) -> None:
        self.named.append(replace(one, side=one.side or self.side))

    def _in_part(self, mark: Mark) -> None:
        self.parts.append((mark.word, self.side))

    def _part(self) -> str:
        return self.parts[-1][0] if self.parts else ""

    # On which side

    def _side(self, mark: Mark, before: Sequence[Mark], following: Sequence[Mark]) -> None:
        side = self.last_side if mark.word == SAME else Side(mark.word)
        self.last_side = side
        leads = _leads(following)
        if self.named and (not leads or self.text[self.named[-1].end : mark.start] in _CAUSE):
            self.named = _placed(self.named, side)
        last = self.statements[-1] if self.statements and not self.named else None
        if last and (mark.start == last.end or not (leads or _goes_on(following))):
            last.named = _placed(last.named, side)
        if self.named and not leads:
            return
        if self.parts and not _leads(following) and not _is_part(following):
            self.parts = [(part, known or side) for part, known in self.parts]
        else:
            joined = len(before) > 1 and before[-1].kind is Kind.LIST and before[-2].kind is Kind.SIDE
            self.side = union((self.side, side)) if joined else side

    # What is said of it

    def _predicate(self, mark: Mark) -> None:
        state = _STATES[mark.word]
        if mark.word == "absent" and self._denies_change(mark):
            self._close(Certainty.PRESENT, mark.end, inherits=True)
        elif self.named:
            if (self.choice and state is Certainty.PRESENT) or self.choice == ASKED:
                state = Certainty.UNCERTAIN
            self._close(state, mark.end, inherits=mark.word in ("read", "uncertain"))
        elif mark.word == "placed":
            self._place(mark)
        elif self.statements:
            self._correct(self.statements[-1], mark, state)

    def _place(self, mark: Mark) -> None:
        """A device that was named before, or is not named at all."""
        last = self.statements[-1] if self.statements else None
        if last is None or (last.named[-1].device and last.state is Certainty.ABSENT):
            self._name(_Named((Category.SUPPORT_DEVICES,), mark.end, device=True))
            self._close(Certainty.PRESENT, mark.end, inherits=False)

    def _denies_change(self, mark: Mark) -> bool:
        """Is it the change that is denied, as in 増悪なし?"""
        last = max((one.end for one in self.named), default=-1)
        between = self.text[self.changed : mark.start] if self.changed > last else "、"
        return _PARTICLES.fullmatch(between) is not None

    def _since(self, last: _Statement, mark: Mark) -> str:
        """The text behind a statement, with its own comma."""
        return self.text[last.end - 1 : mark.start]

    def _correct(self, last: _Statement, mark: Mark, state: Certainty) -> None:
        between = self._since(last, mark)
        near = "、" not in between and len(between) <= _NEAR and not last.final
        if mark.word == "gone" or (state is Certainty.ABSENT and near):
            last.state = Certainty.ABSENT
        elif state is Certainty.UNCERTAIN and last.state is Certainty.PRESENT:
            if near or (_TECHNIQUE.search(between) and not last.final):
                last.state = Certainty.UNCERTAIN
        elif self.text[mark.start : mark.end] == _AFTER_ALL:
            last.state = Certainty.PRESENT
        if near:
            last.end = mark.end

    def _normal(self, mark: Mark) -> None:
        if any(not one.abnormality for one in self.named):
            self._close(Certainty.PRESENT, mark.end, inherits=True)
            return
        self.named = []
        if all(part == "chest" for part, _ in self.parts) and (
            self.parts or "なし" in self.text[mark.start :]
        ):
            self.loose.append(Mention(Category.NO_FINDING, Certainty.PRESENT))
        self.loose += _denied(self.parts)
        self.parts, self.side = [], Side.NONE

    def _borderline(self, mark: Mark) -> None:
        """Of a part: perhaps larger than it should be."""
        named = [one for part, _ in self.parts for one in _OF_SHAPE.get((part, "large"), ())]
        self.loose += [Mention(one, Certainty.UNCERTAIN) for one in named]
        self.parts = []

    def _change(self, mark: Mark) -> None:
        self.changed = mark.end

    def _advice(self, mark: Mark) -> None:
        """A device that is to be taken out is there."""
        if self.statements and self.statements[-1].named[-1].device:
            self.statements[-1].state = Certainty.PRESENT

    def _rather(self, mark: Mark) -> None:
        self._close(Certainty.UNCERTAIN, mark.end, inherits=True)

    def _withheld(self, mark: Mark) -> None:
        if not self.named and self.statements and "、" not in self._since(self.statements[-1], mark):
            self.statements.pop()
        self.named, self.parts, self.side = [], [], Side.NONE

    # Where a statement ends

    def _list(self, mark: Mark) -> None:
        self.choice = mark.word or self.choice
        ends = self.text[mark.start] == "、" and self.named
        if ends and _VERB_ENDS.search(self.text[self.named[-1].end : mark.start]):
            self._close(Certainty.PRESENT, mark.end, inherits=True)

    def _firm(self, mark: Mark) -> None:
        self._close(Certainty.PRESENT, mark.end, inherits=True)
        self.parts, self.side = [], Side.NONE
        if self.statements:
            self.statements[-1].final = True

    def _nowhere(self, mark: Mark) -> None:
        """A place that tells no side."""

    def _close(self, state: Certainty, end: int, *, inherits: bool) -> None:
        if not self.named:
            return
        if self.told_of and state is Certainty.ABSENT and self.told_of.state is Certainty.UNCERTAIN:
            self.told_of.state = state
        self.statements.append(_Statement(self.named, state, end, inherits, self.parts))
        self.named, self.parts, self.side, self.choice, self.told_of = [], [], Side.NONE, "", None


_STEPS: Mapping[Kind, Callable[[_Reader, Mark], None]] = {
    Kind.FINDING: _Reader._finding,
    Kind.NOTHING: _Reader._nothing,
    Kind.ABNORMALITY: _Reader._abnormality,
    Kind.NORMAL_CHEST: _Reader._normal_chest,
    Kind.SHAPE: _Reader._shape,
    Kind.PART: _Reader._in_part,
    Kind.PLACE: _Reader._nowhere,
    Kind.PREDICATE: _Reader._predicate,
    Kind.NORMAL: _Reader._normal,
    Kind.BORDERLINE: _Reader._borderline,
    Kind.CHANGE: _Reader._change,
    Kind.ADVICE: _Reader._advice,
    Kind.RATHER: _Reader._rather,
    Kind.WITHHELD: _Reader._withheld,
    Kind.LIST: _Reader._list,
    Kind.FIRM: _Reader._firm,
}


def _leads(following: Sequence[Mark]) -> bool:
    """Does a side stand before what it belongs to?"""
    for mark in following:
        if mark.kind in _NAMES:
            return True
        if mark.kind not in (Kind.PART, Kind.SIDE, Kind.PLACE, Kind.CHANGE):
            return False
    return False


def _goes_on(following: Sequence[Mark]) -> bool:
    """Is anything more said?"""
    return any(mark.kind not in (Kind.PART, Kind.PLACE, Kind.CHANGE, Kind.LIST) for mark in following)


def _placed(named: Sequence[_Named], side: Side) -> list[_Named]:
    """The same, those without a side on this one."""
    return [one if one.side else replace(one, side=side, leading=False) for one in named]


def _is_part(following: Sequence[Mark]) -> bool:
    return bool(following) and following[0].kind is Kind.PART


def _denied(parts: Sequence[tuple[str, Side]]) -> list[Mention]:
    return [Mention(one, Certainty.ABSENT, side) for part, side in parts for one in _OF_PART.get(part, ())]


def _mentions(statements: Sequence[_Statement]) -> Iterator[Mention]:
    before = Side.NONE
    for said in statements:
        for one in said.named:
            inherited = before if said.inherits and said.state is not Certainty.ABSENT else Side.NONE
            if one.abnormality:
                yield from _of_abnormality(said)
            for category in one.categories:
                state = Certainty.UNCERTAIN if one.sign and said.state is Certainty.PRESENT else said.state
                yield Mention(category, state, one.side or inherited, one.sign)
        before = union(one.side for one in said.named if one.leading) or before


def _of_abnormality(said: _Statement) -> Iterator[Mention]:
    """None of the parts, or none at all."""
    if said.state is Certainty.ABSENT:
        local = [(part, side) for part, side in said.parts if part != "chest"]
        yield from _denied(local)
        if not local:
            yield Mention(Category.NO_FINDING, Certainty.PRESENT)
