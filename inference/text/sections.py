"""Cutting a report into its sections: indication, technique, comparison, findings, impression, other.

English and Japanese; `inference.text.headings` knows the headings. Nothing is thrown away: what belongs to no
section is `other`. Nothing is guessed from words either, so a report without any heading is `other` as a
whole; only where a report names its indication, technique or comparison and then goes on in a new paragraph
without a heading for findings are those paragraphs taken for the findings.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from inference.text import headings, normal
from inference.text.headings import Heading, Name

__all__ = ["Name", "Part", "Sections", "flowing", "language", "of_parts", "read", "split"]

_BACKGROUND = (Name.INDICATION, Name.TECHNIQUE, Name.COMPARISON)
_PARAGRAPH_END = re.compile(r"\n[ \t\u3000]*(?=\n)")
_SENTENCE_END = ".!?:;。．！？："
_LIST_ITEM = re.compile(r"(?:\d{1,2}[.)]|[-*•・])[ \t\u3000]")
_WRAPPED_FROM = 50
"""Characters: a line of at least so many that ends in the middle of a sentence was cut by its width."""
_JAPANESE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uff66-\uff9f]")
_LETTER = re.compile(r"[^\W\d_]")
_JAPANESE_SHARE = 0.1
"""Of the letters: English terms abound in Japanese reports, Japanese ones hardly in English reports."""


@dataclass(frozen=True)
class Part:
    """A heading source[heading:start], empty where there is none, and what it heads, source[start:end].

    text is the latter without white space around it.
    """

    section: Name
    heading: int
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Sections:
    """A report's texts, each the parts of that section in order, a line end between them; empty where there
    are none. A part headed "findings and impression" is findings."""

    indication: str = ""
    technique: str = ""
    comparison: str = ""
    findings: str = ""
    impression: str = ""
    other: str = ""


def read(report: str) -> Sections:
    """The sections of a report, its wrapped lines put together again."""
    return of_parts([(part.section, part.text) for part in split(normal.normalise(report))])


def of_parts(parts: Sequence[tuple[Name, str]]) -> Sections:
    """Sections of texts that are known to be of one."""
    return Sections(
        **{
            name.value: "\n".join(flowing(text) for section, text in parts if section == name and text)
            for name in Name
        }
    )


def split(source: str) -> list[Part]:
    """The parts in order. They lie end to end: together, headings included, they are the whole source.

    Whatever stands before the line "FINAL REPORT" is preliminary, and `other` with the headings in it.
    """
    found = headings.find(source)
    final = next((heading for heading in found if heading.final), None)
    if final:
        found = [heading for heading in found if heading.start >= final.start]
    opened = _views_settled(source, found)
    ends = _ends(source, opened)
    first = opened[0].start if opened else len(source)
    parts = [_part(source, Name.OTHER, 0, 0, first)] if first else []
    for heading, end in zip(opened, ends, strict=True):
        parts.append(_part(source, heading.section, heading.start, heading.end, end))
    return _with_unheaded_findings(source, parts)


def _views_settled(source: str, found: list[Heading]) -> list[Heading]:
    """A title of views opens the findings where text follows on its line, else it states the technique;
    after a heading for findings or impression it is part of the text."""
    settled: list[Heading] = []
    reported = False
    for heading, end in zip(found, _ends(source, found), strict=True):
        if not heading.view:
            settled.append(heading)
            reported = reported or heading.section in (Name.FINDINGS, Name.IMPRESSION)
        elif not reported:
            line_end = source.find("\n", heading.end, end)
            reported = bool(source[heading.end : end if line_end < 0 else line_end].strip())
            section = Name.FINDINGS if reported else Name.TECHNIQUE
            settled.append(Heading(heading.start, heading.end, section))
    return settled


def _ends(source: str, found: list[Heading]) -> list[int]:
    """Where what stands under each heading ends: at the next."""
    return [*(heading.start for heading in found), len(source)][1:]


def _with_unheaded_findings(source: str, parts: list[Part]) -> list[Part]:
    """Paragraphs after the last of indication, technique and comparison, where findings have no heading."""
    if any(part.section == Name.FINDINGS for part in parts):
        return parts
    stop = next((i for i, part in enumerate(parts) if part.section == Name.IMPRESSION), len(parts))
    last = max((i for i in range(stop) if parts[i].section in _BACKGROUND), default=None)
    if last is None:
        return parts
    part = parts[last]
    content = source[part.start : part.end]
    begin = part.end - len(content.lstrip())
    blank = _PARAGRAPH_END.search(source, begin, part.end)
    if blank is None or not source[blank.end() : part.end].strip():
        return parts
    cut = blank.end()
    own = _part(source, part.section, part.heading, part.start, cut)
    return [*parts[:last], own, _part(source, Name.FINDINGS, cut, cut, part.end), *parts[last + 1 :]]


def _part(source: str, section: Name, heading: int, start: int, end: int) -> Part:
    return Part(section, heading, start, end, source[start:end].strip())


def flowing(text: str) -> str:
    """A text without the line ends that only its width made, and without blank lines.

    A line goes on when it ends within a sentence and is long, or the next begins with a small letter.
    """
    flow: list[list[str]] = []
    before = ""
    for line in (" ".join(line.split()) for line in text.splitlines()):
        if line and _goes_on(before, line):
            japanese = _JAPANESE.match(before[-1]) or _JAPANESE.match(line)
            flow[-1] += [line] if japanese else [" ", line]
        else:
            flow.append([line])
        before = line
    return "\n".join(line for line in map("".join, flow) if line)


def _goes_on(before: str, line: str) -> bool:
    if not before or before[-1] in _SENTENCE_END or _LIST_ITEM.match(line):
        return False
    return len(before) >= _WRAPPED_FROM or line[0].islower()


def language(text: str) -> str:
    """ "ja" when more than a tenth of the letters are Japanese, else "en": the two that are read here."""
    letters = len(_LETTER.findall(text))
    return "ja" if len(_JAPANESE.findall(text)) > _JAPANESE_SHARE * letters else "en"
