"""Where each sentence of a report comes from: the draft word for word, the draft edited, or a person.

Found by alignment of the finished text with the draft, so that it holds for typing, dictation, pasting
and undo alike. Edited means at least `EDITED_FLOOR` similar to a draft sentence of the same section by
rapidfuzz's normalised indel similarity.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import fuzz

from inference.text import sentences

EDITED_FLOOR = 60.0


class Origin(StrEnum):
    AI = "ai"
    AI_EDITED = "ai-edited"
    HUMAN = "human"


@dataclass(frozen=True)
class DraftSentence:
    position: int
    section: str
    text: str


@dataclass(frozen=True)
class Provenance:
    """One sentence of a report: where it stands (code points), and which draft sentence it came from, if
    any."""

    section: str
    start: int
    end: int
    origin: Origin
    position: int | None


def trace(section: str, text: str, draft: Sequence[DraftSentence]) -> list[Provenance]:
    """Provenance of every sentence of one section.

    Each draft sentence is matched at most once, exact matches first.
    """
    spans = sentences.split(text)
    free = [sentence for sentence in draft if sentence.section == section]
    matches: dict[int, tuple[Origin, int]] = {}
    for index, span in enumerate(spans):
        exact = next((sentence for sentence in free if _plain(sentence.text) == _plain(span.text)), None)
        if exact is not None:
            matches[index] = (Origin.AI, exact.position)
            free.remove(exact)
    for index, span in enumerate(spans):
        if index in matches or not free:
            continue
        nearest = max(free, key=lambda sentence: fuzz.ratio(_plain(sentence.text), _plain(span.text)))
        if fuzz.ratio(_plain(nearest.text), _plain(span.text)) >= EDITED_FLOOR:
            matches[index] = (Origin.AI_EDITED, nearest.position)
            free.remove(nearest)
    unmatched: tuple[Origin, int | None] = (Origin.HUMAN, None)
    return [
        Provenance(section, span.start, span.end, *matches.get(index, unmatched))
        for index, span in enumerate(spans)
    ]


def _plain(text: str) -> str:
    """Numbering and spacing are layout: a draft sentence put into a numbered impression is still the
    draft's."""
    return " ".join(text.split()).lstrip("0123456789.) ")
