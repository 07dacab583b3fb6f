"""Two texts against each other: how far apart, and where, for a page."""

import re

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from rapidfuzz.distance import Levenshtein

_WORD = re.compile(r"[^\W\u3040-\u30ff\u3400-\u9fff]+|\s+|.", re.DOTALL)
"""A run of letters or digits, a run of blanks, or one other character; Japanese counts by the character."""


def words(text: str) -> list[str]:
    """The text in pieces; joined again they are the text."""
    return _WORD.findall(text)


def share_changed(old: str, new: str) -> int:
    """Per cent of the words that differ, 0 to 100; blanks do not count."""
    before, after = ([word for word in words(text) if not word.isspace()] for text in (old, new))
    return round(100 * Levenshtein.normalized_distance(before, after))


def marked(old: str, new: str) -> SafeString:
    """The new text with what was taken out in <del> and what was put in in <ins>."""
    before, after = words(old), words(new)
    pieces: list[SafeString] = []
    for is_equal, gone, come in _stretches(before, after):
        if is_equal:
            pieces.append(format_html("{}", come))
            continue
        pieces += [format_html("<del>{}</del>", gone)] if gone else []
        pieces += [format_html("<ins>{}</ins>", come)] if come else []
    return format_html_join("", "{}", ((piece,) for piece in pieces))


def _stretches(before: list[str], after: list[str]) -> list[tuple[bool, str, str]]:
    """(alike, old, new) in order. Changes with nothing but blanks between them are one change: a sentence
    written anew is read as old and new, not as their words in turn."""
    found: list[tuple[bool, str, str]] = []
    for step in Levenshtein.opcodes(before, after):
        gone = "".join(before[step.src_start : step.src_end])
        come = "".join(after[step.dest_start : step.dest_end])
        is_equal = step.tag == "equal"
        if found and not found[-1][0] and (not is_equal or come.isspace()):
            found[-1] = (False, found[-1][1] + gone, found[-1][2] + come)
        else:
            found.append((is_equal, gone, come))
    return found
