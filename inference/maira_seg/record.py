"""What of a written draft is shown: nothing that denies what it states, what the masks beside it show, or
what the model is known to miss."""

from collections.abc import Iterable, Sequence

from inference.contract import Certainty, Section, Side
from inference.maira_seg.processor import CodedSentence
from inference.structures import BY_CODE, FINDINGS_BY_CODE, STRUCTURES, Group

_DEVICES = frozenset(structure.finding for structure in STRUCTURES if structure.group == Group.DEVICE)
_BOTH = frozenset({Side.RIGHT, Side.LEFT})

Place = tuple[str, Side]


def kept(
    sentences: Iterable[CodedSentence], citable: Sequence[str], not_denied: Sequence[str] = ()
) -> list[CodedSentence]:
    """The sentences that may be shown, in their order.

    Only denials, repeats and all-clears are ever left out, and nothing is turned into another statement:
    where a draft both states and denies a finding, the reader gets the statement to judge.

    citable: the structures whose masks are shown and trusted. not_denied: findings never said to be absent.
    """
    written = list(sentences)
    record = Record(written, citable, not_denied)
    return [sentence for sentence in written if record.takes(sentence)]


class Record:
    """What a whole draft states and its masks show, and what has been said of it so far.

    - A denial ("no pneumothorax") goes where the draft states the finding in either section, a trusted mask
      shows it, or the model cannot tell that it is absent (`not_denied`).
    - A statement goes where its section said the same of every place it names.
    - The impression without a finding is an all-clear ("no acute abnormality"): it goes beside any finding
      that is stated or shown; devices do not count.

    It knows codes, not words.
    """

    def __init__(
        self, written: Sequence[CodedSentence], citable: Sequence[str], not_denied: Sequence[str]
    ) -> None:
        stated = {(s.finding, s.side) for s in written if s.finding and s.certainty != Certainty.ABSENT}
        structures = [BY_CODE[code] for code in citable]
        shown = {(s.finding, s.side) for s in structures if s.group != Group.ANATOMY}
        self._there = stated | shown
        self._not_denied = frozenset(not_denied)
        self._said: set[tuple[Section, bool, Place]] = set()

    def takes(self, sentence: CodedSentence) -> bool:
        """Whether the sentence may be shown; noted as said when it may."""
        if sentence.finding not in FINDINGS_BY_CODE:
            return sentence.section != Section.IMPRESSION or self._is_clear()
        denies = sentence.certainty == Certainty.ABSENT
        said = {(sentence.section, denies, place) for place in _places(sentence)}
        if said <= self._said or (denies and not self._is_deniable(sentence)):
            return False
        self._said |= said
        return True

    def _is_deniable(self, sentence: CodedSentence) -> bool:
        there = any(
            finding == sentence.finding and _overlap(sentence.side, side) for finding, side in self._there
        )
        return not there and sentence.finding not in self._not_denied

    def _is_clear(self) -> bool:
        """Whether no finding is stated or shown."""
        return not ({finding for finding, _ in self._there} - _DEVICES)


def _places(sentence: CodedSentence) -> list[Place]:
    """Each place of a finding that a sentence names: both sides of what is bilateral, and of what is denied
    of the whole chest."""
    sided = FINDINGS_BY_CODE[sentence.finding].sided
    whole = sentence.side == Side.BILATERAL or (sided and sentence.side == Side.NONE)
    return [(sentence.finding, side) for side in (_BOTH if whole else {sentence.side})]


def _overlap(one: Side, other: Side) -> bool:
    """Whether two statements of a finding speak of the same place; without a side it is the whole chest."""
    return one == other or {one, other} != _BOTH
