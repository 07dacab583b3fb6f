"""Taking people out of a dataset: keyed pseudonyms, dates moved by a constant, and a search for what names
the patient in free text.

Pseudonyms are HMAC-SHA256 under a key that stays in the hospital: stable from one dataset to the next, so
that a patient keeps its split, and not to be undone or linked by anyone without the key. The search is a net,
not a proof: it finds this patient's own names, numbers and birth date, in the forms people write them.
"""

import hmac
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from inference.feedback.schema import Split

DIGITS = 24
"""Hexadecimal digits of a pseudonym: 96 bits, no two alike in any archive."""
OLDEST_AGE = 90
_SHIFT_SECONDS = (365 * 86_400, 10 * 365 * 86_400)
_TITLES = {
    "dr",
    "md",
    "phd",
    "prof",
    "mr",
    "mrs",
    "ms",
    "miss",
    "sir",
    "van",
    "von",
    "der",
    "de",
    "del",
    "la",
}
_HONORIFICS = "(?:さん|様|さま|氏|殿|君|くん|ちゃん)"
_SHORT_ID = 4
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_ERAS = (
    (2018, "令和", "r"),
    (1988, "平成", "h"),
    (1925, "昭和", "s"),
    (1911, "大正", "t"),
    (1867, "明治", "m"),
)


class Pseudonyms:
    """The names things have in a dataset. The same key gives the same names for ever."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 32:
            raise ValueError(f"a key has at least 32 bytes, this has {len(key)}")
        self._key = key

    def _digest(self, kind: str, value: str) -> bytes:
        return hmac.digest(self._key, f"{kind}\0{value}".encode(), "sha256")

    def name(self, kind: str, value: str) -> str:
        """The pseudonym of a study, patient, reader, image or mask: 24 hexadecimal digits."""
        return self._digest(kind, value).hex()[:DIGITS]

    def split(self, patient: str) -> Split:
        """80 % train, 10 % validation, 10 % test, by patient: what a patient has fallen to, it stays in."""
        place = int.from_bytes(self._digest("split", patient)[:8]) % 10
        return Split.TRAIN if place < 8 else (Split.VALIDATION if place == 8 else Split.TEST)

    def shifted(self, moment: datetime, patient: str) -> str:
        """A time moved back by one to ten years, the same for everything of this patient: intervals stay."""
        low, high = _SHIFT_SECONDS
        seconds = low + int.from_bytes(self._digest("shift", patient)[:8]) % (high - low)
        return (moment.replace(microsecond=0) - timedelta(seconds=seconds)).isoformat()


def age(years: float | None) -> int | None:
    """Whole years; who is older than 89 is 90."""
    return None if years is None else min(int(years), OLDEST_AGE)


@dataclass(frozen=True)
class Identity:
    """What must not be in a text. Names are DICOM person names or plain ones; identifiers are numbers."""

    names: tuple[str, ...] = ()
    staff_names: tuple[str, ...] = ()
    patient_id: str = ""
    accession_number: str = ""
    birth_date: date | None = None
    uids: tuple[str, ...] = ()


def leak(identity: Identity, texts: Iterable[str]) -> str:
    """Why these texts cannot leave: a stable code, or nothing when nothing was found."""
    text = _plain("\n".join(texts))
    checks = (
        ("patient-name-in-text", _name_patterns(identity.names)),
        ("patient-id-in-text", _identifier_patterns(identity.patient_id)),
        ("accession-number-in-text", _identifier_patterns(identity.accession_number)),
        ("birth-date-in-text", _date_patterns(identity.birth_date)),
        ("uid-in-text", (re.escape(uid) for uid in identity.uids if uid)),
        ("staff-name-in-text", _name_patterns(identity.staff_names)),
    )
    for code, patterns in checks:
        if any(re.search(pattern, text) for pattern in patterns):
            return code
    return ""


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _name_patterns(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        parts = [part for part in re.split(r"[\s^=,.\-']+", _plain(name)) if part and part not in _TITLES]
        if len(parts) > 1:
            yield r"[\s\-,.]*".join(_bounded(part) for part in parts[:2])
        for part in parts:
            yield from _part_pattern(part)


def _part_pattern(part: str) -> Iterator[str]:
    if len(part) > 1:
        yield _bounded(part)
    elif not part.isascii():
        # One character is part of many words; before an honorific it is a name.
        yield re.escape(part) + r"\s*" + _HONORIFICS


def _bounded(part: str) -> str:
    """Latin and the like as whole words; scripts that set no spaces anywhere."""
    if _spaced(part):
        return rf"(?<!\w){re.escape(part)}(?!\w)"
    return re.escape(part)


def _spaced(part: str) -> bool:
    scripts = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL")
    return not any(unicodedata.name(character, "").startswith(scripts) for character in part)


def _identifier_patterns(identifier: str) -> Iterator[str]:
    plain = _plain(identifier).strip()
    if not plain:
        return
    joined = r"[\s\-]?".join(re.escape(run) for run in re.findall(r"[^\W_]+|[^\w\s\-]+|_", plain))
    if len(plain) >= _SHORT_ID:
        yield rf"(?<![^\W_]){joined}(?![^\W_])"
    else:
        # A short number is also a size or a count: it names a patient where it is called an ID.
        yield rf"(?:\bid|\bno\.?|\bmrn|#|番号)\W{{0,3}}{joined}(?![^\W_])"


def _date_patterns(day: date | None) -> Iterator[str]:
    if day is None:
        return
    year, month, dom = str(day.year), f"0?{day.month}", f"0?{day.day}"
    gap = r"\s*[-/. ]\s*"
    yield rf"(?<!\d){year}{day.month:02d}{day.day:02d}(?!\d)"
    for order in ((year, month, dom), (dom, month, year), (month, dom, year)):
        yield r"(?<!\d)" + gap.join(order) + r"(?!\d)"
    name = _MONTHS[day.month - 1]
    word = rf"{name[:3]}(?:{name[3:]})?\.?" if name[3:] else name
    yield rf"(?<!\d){dom}(?:st|nd|rd|th)?\s*(?:of\s+)?{word},?\s*{year}"
    yield rf"{word}\s*{dom}(?:st|nd|rd|th)?,?\s*{year}"
    yield rf"{year}\s*年\s*{month}\s*月\s*{dom}\s*日"
    for before, era, letter in _ERAS:
        if day.year > before:
            count = "(?:元|1)" if day.year == before + 1 else str(day.year - before)
            yield rf"{era}\s*{count}\s*年\s*{month}\s*月\s*{dom}\s*日"
            yield rf"(?<!\w){letter}\s*{count}[./-]{month}[./-]{dom}(?!\d)"
            return
