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
    sentences: Iterable[CodedSentence], shown: Sequence[str], not_denied: Sequence[str] = ()
) -> list[CodedSentence]:
    """The sentences that may be shown, in their order.

    A statement that a finding is there is never left out, and nothing is turned into another statement: where
    a draft both states and denies a finding, the reader gets the statement to judge.

    shown: the structures with a trusted mask on any image of the study. not_denied: findings never said to
    be absent.
    """
    written = list(sentences)
    record = Record(written, shown, not_denied)
    return [sentence for sentence in written if record.takes(sentence)]


class Record:
    """What a whole draft states and its masks show, and what it denied so far.

    - A denial ("no pneumothorax") goes where the draft states the finding in either section, a trusted mask
      shows it, the model cannot tell that it is absent (`not_denied`), or its section denied as much before.
    - A sentence without a finding that is coded absent, or stands in the impression, is an all-clear ("no
      acute abnormality"): it goes beside any finding that is stated or shown. A device counts once the
      impression names it, as it does one that is misplaced.

    It knows codes, not words.
    """

    def __init__(
        self, written: Sequence[CodedSentence], shown: Sequence[str], not_denied: Sequence[str]
    ) -> None:
        stated = [s for s in written if s.finding and s.certainty != Certainty.ABSENT]
        structures = [BY_CODE[code] for code in shown]
        self._there = {(s.finding, s.side) for s in stated}
        self._there |= {(s.finding, s.side) for s in structures if s.group != Group.ANATOMY}
        concluded = {s.finding for s in stated if s.section == Section.IMPRESSION}
        self._is_clear = not concluded | ({finding for finding, _ in self._there} - _DEVICES)
        self._not_denied = frozenset(not_denied)
        self._denied: set[tuple[Section, Place]] = set()

    def takes(self, sentence: CodedSentence) -> bool:
        """Whether the sentence may be shown; a denial is noted when it may."""
        if sentence.finding not in FINDINGS_BY_CODE:
            clears = sentence.section == Section.IMPRESSION or sentence.certainty == Certainty.ABSENT
            return not clears or self._is_clear
        if sentence.certainty != Certainty.ABSENT:
            return True
        denied = {(sentence.section, place) for place in _places(sentence)}
        if denied <= self._denied or not self._is_deniable(sentence):
            return False
        self._denied |= denied
        return True

    def _is_deniable(self, sentence: CodedSentence) -> bool:
        there = any(
            finding == sentence.finding and overlap(sentence.side, side) for finding, side in self._there
        )
        return not there and sentence.finding not in self._not_denied


def _places(sentence: CodedSentence) -> list[Place]:
    """Each place of a finding that a denial names: both sides of what is bilateral or said of the whole
    chest."""
    sided = FINDINGS_BY_CODE[sentence.finding].sided
    whole = sentence.side == Side.BILATERAL or (sided and sentence.side == Side.NONE)
    return [(sentence.finding, side) for side in (_BOTH if whole else {sentence.side})]


def overlap(one: Side, other: Side) -> bool:
    """Whether two statements of a finding speak of the same place; without a side it is the whole chest."""
    return one == other or {one, other} != _BOTH
