"""Why a reader changed or struck out a sentence of a draft: a guess from the two wordings, to be corrected.

The guess only fills the field in; what counts is what the reader leaves there.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

from inference.contract import Certainty, Section
from inference.text.checks import wording
from inference.text.checks.concerns import Circumstances
from inference.text.checks.statements import Statement, read
from inference.text.labels.categories import Category


class Reason(StrEnum):
    FALSE_FINDING = "false-finding"
    OMISSION = "omission"
    SIDE = "side"
    PLACE = "place"
    SEVERITY = "severity"
    DEVICE_POSITION = "device-position"
    INVENTED_PRIOR = "invented-prior"
    STYLE = "style"


_SEVERITY: Mapping[str, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:tiny|trace|minimal(?:ly)?|slight(?:ly)?|small|mild(?:ly)?|moderate(?:ly)?|large|severe(?:ly)?|"
        r"marked(?:ly)?|massive|extensive|borderline)\b",
        re.IGNORECASE,
    ),
    "ja": re.compile("微量|ごく少量|少量|軽度|軽微|中等度|中等量|多量|大量|高度|著明|広範"),
}
_PLACE: Mapping[str, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:upper|middle|mid|lower|apical|apex|basal|base|basilar|lingular?|lobes?|zones?|perihilar|hilar|"
        r"retrocardiac|peripheral|central|costophrenic|paratracheal|anterior|posterior|lateral|medial)\b",
        re.IGNORECASE,
    ),
    "ja": re.compile(
        "上肺|中肺|下肺|上葉|中葉|下葉|肺尖|肺底|肺門|舌区|心陰影後|末梢|中枢|上中|中下|前方|後方|外側|内側"
    ),
}
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_NO_PRIOR_KNOWN = Circumstances(sex="", age_years=None, has_prior=False, outlines=None)


def guess(drafted: str, written: str, language: str, *, has_prior: bool) -> Reason:
    """Why the drafted sentence became the written one; empty when it was struck out."""
    before, after = read(Section.FINDINGS, drafted, language), read(Section.FINDINGS, written, language)
    if not has_prior and _prior(before) and not _prior(after):
        return Reason.INVENTED_PRIOR
    if not after:
        return _struck(before)
    was, now = _states(before), _states(after)
    if was != now:
        gained = any(state == Certainty.PRESENT and was.get(one) != state for one, state in now.items())
        return Reason.OMISSION if gained else Reason.FALSE_FINDING
    if _sides(before) != _sides(after):
        return Reason.SIDE
    if Category.SUPPORT_DEVICES in now and _NUMBER.findall(drafted) != _NUMBER.findall(written):
        return Reason.DEVICE_POSITION
    for reason, words in ((Reason.SEVERITY, _SEVERITY), (Reason.PLACE, _PLACE)):
        pattern = words.get(language)
        if pattern is not None and _said(pattern, drafted) != _said(pattern, written):
            is_device = reason == Reason.PLACE and Category.SUPPORT_DEVICES in now
            return Reason.DEVICE_POSITION if is_device else reason
    return Reason.STYLE


def _struck(statements: list[Statement]) -> Reason:
    """A finding that was struck out was false; a denial that was struck out denied what is there."""
    states = set(_states(statements).values())
    if states & {Certainty.PRESENT, Certainty.UNCERTAIN}:
        return Reason.FALSE_FINDING
    return Reason.OMISSION if Certainty.ABSENT in states else Reason.STYLE


def _prior(statements: list[Statement]) -> bool:
    return any(True for _concern in wording.priors(statements, _NO_PRIOR_KNOWN))


def _states(statements: list[Statement]) -> dict[Category, Certainty]:
    return {
        category: label.state
        for one in statements
        for category, label in one.labels.items()
        if category != Category.NO_FINDING
    }


def _sides(statements: list[Statement]) -> dict[Category, str]:
    return {category: label.side.value for one in statements for category, label in one.labels.items()}


def _said(pattern: re.Pattern[str], text: str) -> list[str]:
    return [match.casefold() for match in pattern.findall(text)]
