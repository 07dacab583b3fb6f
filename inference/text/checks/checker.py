"""Checks of a report before it is signed. They ask; people decide.

Rules over our own labels of sentences (`inference.text.labels`), in English and Japanese. A text in another
language is said to be unchecked, apart from fields left open and sections left empty.
"""

import re
from collections.abc import Mapping

from inference.contract import Section
from inference.text import sections
from inference.text.checks import agreement, outlines, wording
from inference.text.checks.concerns import GAPS, Circumstances, Concern, Outcome
from inference.text.checks.statements import Statement, read
from inference.text.labels import labeller

_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH = frozenset(
    {
        "the", "of", "is", "are", "in", "no", "with", "without", "or", "on", "at", "to", "for", "there",
        "a", "an", "normal", "clear", "left", "right", "lung", "lungs", "both", "small", "heart", "upper",
        "lower", "lobe", "pleural", "acute", "not", "seen", "line", "tube", "above", "chest"
    }
)  # fmt: skip
_ENGLISH_SHARE = 0.15
_ENOUGH_WORDS = 6


def check(texts: Mapping[Section, str], known: Circumstances, *, language: str) -> Outcome:
    """What is to be asked about a report of these texts.

    Parameters
    ----------
    texts: findings and impression, as saved (NFC, LF).
    language: of the site. A text that is plainly in another language of the labeller's is read as that.
    """
    concerns: list[Concern] = [
        one for section, text in texts.items() for one in wording.fields(section, text)
    ]
    concerns += wording.empty(texts)
    statements: list[Statement] = []
    not_checked = []
    for section, text in texts.items():
        spoken = _language(text, language)
        if spoken is None:
            not_checked.append(section)
        else:
            statements += read(section, text, spoken)
    concerns += wording.priors(statements, known)
    concerns += wording.person(statements, known)
    concerns += agreement.check(statements)
    if known.outlines is not None and not not_checked and any(text.strip() for text in texts.values()):
        concerns += outlines.check(statements, known.outlines)
    return Outcome(
        tuple(one for one in concerns if one.kind not in GAPS),
        tuple(one for one in concerns if one.kind in GAPS),
        tuple(not_checked),
    )


def _language(text: str, language: str) -> str | None:
    """Which language's rules read a text; None when none can be trusted to."""
    if sections.language(text) == "ja":
        return "ja"
    words = [word.lower() for word in _WORD.findall(text)]
    if len(words) < _ENOUGH_WORDS:
        return language if language in labeller.LANGUAGES else None if words else "en"
    share = sum(word in _ENGLISH for word in words) / len(words)
    return "en" if share >= _ENGLISH_SHARE else None
