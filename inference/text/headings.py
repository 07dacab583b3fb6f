"""The headings of radiology reports, English and Japanese, and where they stand in a text.

A heading opens a line ("FINDINGS:", "Impression:", 所見：, 【診断】, or the word alone), or stands in
one: in capitals with a colon after a sentence, in 【】 anywhere, in Japanese with a colon after 。.
The words are those of public reports (MIMIC-CXR, Open-i), of LOINC's section names and of Japanese practice.
Every pattern is a list of words without nested repetition: the time grows with the length of the text.
"""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Name(StrEnum):
    INDICATION = "indication"
    TECHNIQUE = "technique"
    COMPARISON = "comparison"
    FINDINGS = "findings"
    IMPRESSION = "impression"
    OTHER = "other"


@dataclass(frozen=True)
class Heading:
    """source[start:end] with its colon or brackets. `final`: it says that the signed report begins here.
    `view`: it names the views, and the section it opens depends on what follows."""

    start: int
    end: int
    section: Name
    final: bool = False
    view: bool = False


_EXAM = r"(?:THE |THIS )?(?:EXAM(?:INATION)?|STUDY|PROCEDURE)"
_CLOSING = r"(?:IMPRESSIONS?|CONCLUSIONS?|RECOMMENDATIONS?)"
_ENGLISH = {
    Name.INDICATION: (
        r"(?:CLINICAL )?INDICATIONS?",
        rf"INDICATIONS? FOR {_EXAM}",
        r"(?:CLINICAL |PATIENT )?HISTORY",
        r"HISTORY AND INDICATIONS?",
        r"CLINICAL (?:INFORMATION|DATA|DETAILS|QUESTION)",
        rf"REASON(?: FOR {_EXAM})?",
    ),
    Name.TECHNIQUE: (
        r"TECHNIQUES?",
        r"EXAM(?:INATION)?S?",
        r"TYPE OF EXAM(?:INATION)?",
        r"PROCEDURES?",
        r"STUDY",
        r"VIEWS?",
    ),
    Name.COMPARISON: (
        r"COMPARISONS?",
        r"COMPARISON (?:EXAM(?:INATION)?S?|STUDY|STUDIES|FILMS?|RADIOGRAPHS?)",
        r"PRIOR (?:EXAM(?:INATION)?S?|STUDY|STUDIES)",
    ),
    Name.FINDINGS: (
        r"(?:RADIOLOGICAL |IMAGING |CHEST )?FINDINGS?",
        rf"FINDINGS? ?(?:AND|/|&|,) ?{_CLOSING}",
        r"OBSERVATIONS?",
        r"REPORT",
    ),
    Name.IMPRESSION: (
        r"(?:FINAL )?IMPRESSIONS?",
        rf"IMPRESSIONS? ?(?:AND|/|&|,) ?{_CLOSING}",
        r"CONCLUSIONS?",
        r"DIAGNOS[IE]S",
        r"INTERPRETATION",
        r"OPINION",
        r"SUMMARY",
    ),
    Name.OTHER: (
        r"ADDENDUM",
        r"COMMENTS?",
        r"CRITICAL RESULTS?",
        r"DICTATED BY",
        r"(?:ELECTRONICALLY )?SIGNED(?: BY)?",
        r"NOTIFICATIONS?",
        r"PROVISIONAL FINDINGS IMPRESSION(?: \(PFI\))?",
        r"RECOMMENDATIONS?",
        r"WET READ",
    ),
}
_JAPANESE = {
    Name.INDICATION: (
        r"依頼(?:目的|内容|理由)?",
        r"検査(?:目的|理由)",
        r"臨床(?:情報|診断|経過|所見)",
        r"(?:現)?病歴",
        r"既往歴",
        r"主訴",
        r"目的",
        r"適応",
    ),
    Name.TECHNIQUE: (
        r"検査(?:方法|部位|項目|種別|名)?",
        r"撮影(?:方法|法|条件|部位|体位)?",
        r"方法",
    ),
    Name.COMPARISON: (
        r"比較(?:検査|対象|画像|写真|読影)?",
        r"前回(?:検査|画像|比較|との比較)",
        r"過去(?:検査|画像)",
    ),
    Name.FINDINGS: (
        r"(?:画像|読影|検査|胸部)?所見",
        r"所見(?:[・/／、＋]|と|及び|および)(?:画像)?(?:診断|印象|結論)",
    ),
    Name.IMPRESSION: (
        r"(?:画像|読影|放射線|最終)?診断(?:結果)?",
        r"印象",
        r"結論",
        r"まとめ",
        r"要約",
        r"インプレッション",
        r"総合(?:所見|診断|判定)",
    ),
    Name.OTHER: (
        r"コメント",
        r"備考",
        r"推奨",
        r"追記",
        r"特記事項",
        r"報告(?:医|者|日)",
        r"読影(?:医|者|日)",
        r"診断医",
    ),
}


def _either(*tables: dict[Name, tuple[str, ...]]) -> str:
    """One group per section, named by it."""
    groups = []
    for name in Name:
        words = [word for table in tables for word in table[name]]
        groups.append(f"(?P<{name}>{'|'.join(words)})")
    return f"(?:{'|'.join(groups)})"


_ALL = _either(_ENGLISH, _JAPANESE)
_GAP = "[ \t\u3000]{0,4}"
_COLON = f"{_GAP}[:：]"
_ON_ITS_OWN = re.compile(
    rf"[■□●○◆◇▼▽・#＃*]{{0,2}}{_GAP}{_ALL}(?:{_COLON}|(?P<alone>{_GAP}\Z))", re.IGNORECASE
)
_IN_BRACKETS = re.compile(rf"[【\[［〔＜<《]{_GAP}{_ALL}{_GAP}[】\]］〕＞>》](?:{_COLON})?", re.IGNORECASE)
_FINAL = re.compile(rf"FINAL{_GAP}REPORT{_GAP}:?{_GAP}\Z")
_WITHIN = (
    re.compile(rf"【{_GAP}{_ALL}{_GAP}】(?:{_COLON})?", re.IGNORECASE),
    re.compile(rf"(?:(?<=[.!?;:)\]_][ \t])|(?<=[ \t]{{2}}))(?=[A-Z]){_either(_ENGLISH)}{_COLON}"),
    re.compile(rf"(?<=[。．]){_GAP}{_either(_JAPANESE)}{_COLON}"),
)
_VIEW_WORDS = re.compile(r"\b(?:CHEST|RADIOGRAPHS?)\b")
_VIEW_LENGTH = 80


def find(source: str) -> list[Heading]:
    """Headings in order, none within another."""
    found: list[Heading] = []
    inside = deque(sorted(_within(source), key=lambda heading: (heading.start, -heading.end)))
    start = 0
    for line in source.splitlines(keepends=True):
        last = start + len(line.rstrip())
        place = _chain(source, start, last, found)
        start += len(line)
        while inside and inside[0].start < start:
            heading = inside.popleft()
            if heading.start >= place:
                found.append(heading)
                place = _chain(source, heading.end, last, found)
    return found


def _chain(source: str, place: int, last: int, found: list[Heading]) -> int:
    """Add the headings that follow each other from `place` on ("INDICATION: HISTORY:"); returns their end."""
    while heading := _at(source, place, last):
        found.append(heading)
        place = heading.end
    return place


def _at(source: str, place: int, last: int) -> Heading | None:
    """The heading that the line's rest from `place` to `last` begins with."""
    while place < last and source[place].isspace():
        place += 1
    if match := _IN_BRACKETS.match(source, place, last) or _ON_ITS_OWN.match(source, place, last):
        if not _is_prose(match):
            return Heading(place, match.end(), _section(match))
        return None
    if _FINAL.match(source, place, last):
        return Heading(place, last, Name.OTHER, final=True)
    return _view(source, place, last)


def _section(match: re.Match[str]) -> Name:
    return next(name for name in Name if match.group(name) is not None)


def _is_prose(match: re.Match[str]) -> bool:
    """A wrapped line may consist of words that could be a heading ("Prior study"). Alone, they are one in
    capitals, or where they open findings or impression and begin with a capital."""
    if match.groupdict().get("alone") is None or match.group() == match.group().upper():
        return False
    opens = _section(match) in (Name.FINDINGS, Name.IMPRESSION)
    return not opens or match.group()[:1].islower()


def _view(source: str, place: int, last: int) -> Heading | None:
    """A title in capitals such as "PA AND LATERAL CHEST RADIOGRAPHS:"."""
    title, colon, _ = source[place : min(last, place + _VIEW_LENGTH)].partition(":")
    if not (colon and title.isupper() and _VIEW_WORDS.search(title)):
        return None
    return Heading(place, place + len(title) + 1, Name.FINDINGS, view=True)


def _within(source: str) -> Iterator[Heading]:
    for pattern in _WITHIN:
        for match in pattern.finditer(source):
            yield Heading(match.start(), match.end(), _section(match))
