"""Cutting report text into sentences, with offsets in code points. English and Japanese."""

import re
from dataclasses import dataclass

_ABBREVIATIONS = ("approx.", "e.g.", "i.e.", "vs.", "Dr.", "Nr.", "No.")
_END = re.compile(r"(?:[.!?]+(?=\s|$)|[。！？]+|\n+)")
_NUMBERING = re.compile(r"\s*\d+[.)]")


@dataclass(frozen=True)
class Span:
    """text == source[start:end], without surrounding white space."""

    start: int
    end: int
    text: str


def split(source: str) -> list[Span]:
    """Sentences in order.

    A line end ends a sentence too; a leading "1." of a numbered impression does not.
    """
    spans: list[Span] = []
    start = 0
    for match in _END.finditer(source):
        piece = source[start : match.end()]
        if _NUMBERING.fullmatch(piece) or piece.rstrip().endswith(_ABBREVIATIONS):
            continue
        spans += _trimmed(source, start, match.end())
        start = match.end()
    return spans + _trimmed(source, start, len(source))


def _trimmed(source: str, start: int, end: int) -> list[Span]:
    piece = source[start:end]
    text = piece.strip()
    if not text:
        return []
    first = start + piece.index(text)
    return [Span(first, first + len(text), text)]
