"""What of a written draft is shown: nothing that contradicts itself, the masks beside it, or what is known of
the model."""

from collections.abc import Iterable, Sequence

from inference.contract import Certainty, Section, Side
from inference.maira_seg.processor import CodedSentence
from inference.structures import BY_CODE, FINDINGS_BY_CODE, STRUCTURES, Group

_DEVICES = frozenset(structure.finding for structure in STRUCTURES if structure.group == Group.DEVICE)


def kept(
    sentences: Iterable[CodedSentence], citable: Sequence[str], not_denied: Sequence[str] = ()
) -> list[CodedSentence]:
    """The sentences that may be shown, in their order. One that may not is left out, and never turned into
    another: a model held back from denying a nodule would otherwise be made to claim one.

    citable: the structures whose masks are shown and trusted. not_denied: findings never said to be absent.
    """
    record = Record(citable, not_denied)
    return [sentence for sentence in sentences if record.takes(sentence)]


class Record:
    """What a draft has said so far, and whether it may say one thing more.

    - A finding is spoken of once for a side in each section.
    - What a trusted mask shows is not denied, nor what the model cannot tell to be absent (`not_denied`).
    - The impression states what the findings state and denies nothing that they state. Without a finding it
      is an all-clear ("no acute abnormality"), left out where one is stated or shown; devices do not count.

    It knows codes, not words.
    """

    def __init__(self, citable: Sequence[str], not_denied: Sequence[str]) -> None:
        structures = [BY_CODE[code] for code in citable]
        self._shown = [(s.finding, s.side) for s in structures if s.group != Group.ANATOMY]
        self._not_denied = frozenset(not_denied)
        self._said: dict[tuple[Section, str], dict[Side, Certainty]] = {}

    def takes(self, sentence: CodedSentence) -> bool:
        """Whether the sentence may be shown; noted as said when it may."""
        if sentence.finding not in FINDINGS_BY_CODE:
            return sentence.section != Section.IMPRESSION or self._is_clear()
        said = self._said.setdefault((sentence.section, sentence.finding), {})
        if any(_overlap(sentence.side, other) for other in said) or not self._may(sentence):
            return False
        said[sentence.side] = sentence.certainty
        return True

    def _may(self, sentence: CodedSentence) -> bool:
        denies = sentence.certainty == Certainty.ABSENT
        if denies and (sentence.finding in self._not_denied or self._is_shown(sentence)):
            return False
        return sentence.section != Section.IMPRESSION or denies != self._is_stated(sentence)

    def _is_clear(self) -> bool:
        """Whether no finding was stated and none is shown."""
        stated = {f for (_, f), said in self._said.items() if set(said.values()) - {Certainty.ABSENT}}
        return not ({*stated, *(finding for finding, _ in self._shown)} - _DEVICES)

    def _is_shown(self, sentence: CodedSentence) -> bool:
        return any(
            finding == sentence.finding and _overlap(sentence.side, side) for finding, side in self._shown
        )

    def _is_stated(self, sentence: CodedSentence) -> bool:
        """Whether the findings section states it, certain or not."""
        found = self._said.get((Section.FINDINGS, sentence.finding), {})
        stated = (side for side, certainty in found.items() if certainty != Certainty.ABSENT)
        return any(_overlap(sentence.side, side) for side in stated)


def _overlap(one: Side, other: Side) -> bool:
    """Whether two statements of a finding speak of the same place; without a side it is the whole chest."""
    return one == other or {one, other} != {Side.RIGHT, Side.LEFT}
