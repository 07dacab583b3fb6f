"""Checks of a text alone, and of what it says of the patient and of earlier examinations."""

import re
from collections.abc import Iterator, Mapping

from inference.contract import Section
from inference.text.checks.concerns import Circumstances, Concern, Kind, Place
from inference.text.checks.statements import Statement

_FIELD = re.compile(
    r"\[[ \t\u3000_]*\]"  # [ ]
    r"|\[[^\[\]\n]*\|[^\[\]\n]*\]"  # [a|b]
    r"|［[ \u3000_]*］|【[ \u3000_]*】"
    r"|\{[^{}\n]{0,80}\}"  # {comment}
    r"|_{3,}|＿{2,}|\?{3,}|？{3,}|\bXXX+\b"
)
_EMPTY_HEADING = re.compile(r"^[^\S\n]*[^\s:：][^\n:：]{0,60}[:：][^\S\n]*$", re.MULTILINE)
_PRIOR: Mapping[str, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:compar(?:ed|ison)|(?:prior|previous|earlier|preceding|last) (?:\w+ ){0,2}?(?:study|studies|"
        r"exam(?:ination)?s?|radiographs?|films?|images?|imaging|x-?rays?|CXRs?)|unchanged|interval(?:ly)? "
        r"(?:change|increase|decrease|improvement|worsening|development|resolution|progression)|"
        r"since (?:the )?(?:prior|previous|last)|"
        r"(?:has|have) (?:improved|worsened|increased|decreased|resolved)|"
        r"no longer|again (?:seen|noted|demonstrated)|(?:than|from|to) (?:the )?(?:prior|previous))\b",
        re.IGNORECASE,
    ),
    "ja": re.compile(
        "前回|前医画像|以前の|既往画像|比較して|と比べ|に比し|比較では|変化なし|変化は?(?:認め|見られ|み)|著変な|不変|"
        "(?:増大|縮小|増悪|軽快|改善|増加|減少|消失)(?:し|傾向|あり|を認め|が認め)"
    ),
}
_NO_PRIOR: Mapping[str, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:no|without|not?) (?:\w+ ){0,3}?(?:prior|previous|comparison|earlier|available)\b|"
        r"\bcomparison:?\s*(?:none|not available)|\bnone available\b",
        re.IGNORECASE,
    ),
    "ja": re.compile(
        "(?:前回|比較|以前)(?:の|可能な|できる)?(?:画像|検査|写真|フィルム|対象)?(?:は|が)?(?:なし|無し|ありません|ない)"
    ),
}
_SEX: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    "M": {
        "en": re.compile(
            r"\b(?:woman|lady|female|she|her|hers|uterus|uterine|ovar(?:y|ies|ian)|pregnan\w*|gravid|"
            r"menstrua\w*)\b",
            re.IGNORECASE,
        ),
        "ja": re.compile("女性|女児|妊娠|妊婦|子宮|卵巣"),
    },
    "F": {
        "en": re.compile(
            r"\b(?:man|gentleman|male|he|his|him|prostat\w*|testic\w*|testis|testes)\b", re.IGNORECASE
        ),
        "ja": re.compile("男性|男児|前立腺|精巣|睾丸"),
    },
}
_AGE: Mapping[str, re.Pattern[str]] = {
    "en": re.compile(r"\b(\d{1,3})[ -]?(?:year|yr|y)s?[ -]?(?:/ ?o\b|old\b|o\b)", re.IGNORECASE),
    "ja": re.compile(r"(\d{1,3})\s*[歳才]"),
}


def fields(section: Section, text: str) -> Iterator[Concern]:
    """What a template left behind. Needs no language."""
    for match in _FIELD.finditer(text):
        yield Concern(Kind.LEFTOVER, match.group(), Place(section, match.start(), match.end()))
    for match in _EMPTY_HEADING.finditer(text):
        about = match.group().strip()
        start = match.start() + match.group().index(about)
        if not _goes_on(text, match.end()):
            yield Concern(Kind.LEFTOVER, about, Place(section, start, start + len(about)))


def _goes_on(text: str, end: int) -> bool:
    """Whether the lines under a heading are its text: a list, say."""
    following = text[end + 1 :].split("\n", 1)[0]
    return bool(following.strip()) and _EMPTY_HEADING.fullmatch(following) is None and ":" not in following


def empty(texts: Mapping[Section, str]) -> Iterator[Concern]:
    """A section without a word beside one that has some."""
    if any(text.strip() for text in texts.values()):
        for section, text in texts.items():
            if not text.strip():
                yield Concern(Kind.EMPTY_SECTION, section.value, Place(section, 0, 0))


def priors(statements: list[Statement], known: Circumstances) -> Iterator[Concern]:
    if known.has_prior:
        return
    for one in statements:
        match = _PRIOR[one.language].search(one.text)
        if match is not None and _NO_PRIOR[one.language].search(one.text) is None:
            yield Concern(Kind.NO_PRIOR, match.group(), _within(one, match))


def person(statements: list[Statement], known: Circumstances) -> Iterator[Concern]:
    for one in statements:
        named = _SEX.get(known.sex, {}).get(one.language)
        match = named.search(one.text) if named else None
        if match is not None:
            yield Concern(Kind.PERSON, match.group(), _within(one, match))
        aged = _AGE[one.language].search(one.text)
        if aged is not None and known.age_years is not None and abs(int(aged[1]) - known.age_years) >= 2:
            yield Concern(Kind.PERSON, aged.group(), _within(one, aged))


def _within(one: Statement, match: re.Match[str]) -> Place:
    start = one.place.start
    return Place(one.place.section, start + match.start(), start + match.end())
