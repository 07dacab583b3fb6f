"""A report as a hospital's systems sent it, and which of several for one study counts."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from inference.text import normal, sections
from inference.text.sections import Name, Sections
from inference.training.sources.study import LeftOut, Reason, What


class BadReport(Exception):
    """One report cannot be taken. `detail` holds no report text."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def left_out(self, name: str) -> LeftOut:
        return LeftOut(What.REPORT, name, self.reason, self.detail)


class Standing(StrEnum):
    """Signed, not signed yet, or taken back."""

    FINAL = "final"
    PRELIMINARY = "preliminary"
    WITHDRAWN = "withdrawn"


_STANDINGS = {
    Standing.FINAL: "final amended corrected appended f c 確定 承認",
    Standing.PRELIMINARY: "registered partial preliminary unknown o i s a p r 仮 未確定",
    Standing.WITHDRAWN: "cancelled entered-in-error x 取消",
}
_OF_WORD = {word: standing for standing, words in _STANDINGS.items() for word in words.split()}
"""FHIR R4 DiagnosticReportStatus, HL7 v2 table 0123 (result status), and the words of Japanese systems."""


def standing(status: str) -> Standing:
    """What a status says; none at all is taken for final, as exports hold signed reports.

    Raises
    ------
    BadReport
        When the word is unknown.
    """
    word = status.strip().lower()
    if not word:
        return Standing.FINAL
    if word not in _OF_WORD:
        raise BadReport(Reason.UNKNOWN_STATUS)
    return _OF_WORD[word]


@dataclass(frozen=True)
class Received:
    """`name` says where it stood; `patients` are the patient's ids in it, as far as it tells any."""

    name: str
    accession: str
    study: str
    patients: tuple[str, ...]
    standing: Standing
    time: datetime.datetime | None
    sections: Sections


def sections_of(pieces: Iterable[tuple[Name | None, str]]) -> Sections:
    """Texts of which some are known to be of a section; headings within a text go before that."""
    parts: list[tuple[Name, str]] = []
    for name, text in pieces:
        for part in sections.split(normal.normalise(text)):
            headed = part.heading < part.start or part.section != Name.OTHER
            parts.append((part.section if headed or name is None else name, part.text))
    return sections.of_parts(parts)


def checked(report: Received, empty: Reason = Reason.EMPTY_REPORT) -> Received:
    """The report, if it can be used. One that is taken back needs no text.

    Raises
    ------
    BadReport
        When nothing says whose report it is; with `empty` when there is no text.
    """
    if not (report.accession or report.study):
        raise BadReport(Reason.NO_ACCESSION)
    if report.sections == Sections() and report.standing != Standing.WITHDRAWN:
        raise BadReport(empty)
    return report


def latest(reports: Sequence[Received], study: str) -> tuple[Received | None, list[LeftOut]]:
    """The report that counts among those for one study: the latest final one, and what was left out.

    One that was taken back last leaves none; so do two final ones of one time with different texts. A report
    without a time is older than any that has one.
    """
    order = sorted(reports, key=_age)
    left = [_left(report, Reason.PRELIMINARY) for report in order if report.standing == Standing.PRELIMINARY]
    standing_last = [report for report in order if _age(report) == _age(order[-1])]
    if any(report.standing == Standing.WITHDRAWN for report in standing_last):
        return None, [*left, LeftOut(What.REPORT, study, Reason.WITHDRAWN)]
    finals = [report for report in order if report.standing == Standing.FINAL]
    if not finals:
        return None, left
    chosen = finals[-1]
    rivals = [report for report in finals if _age(report) == _age(chosen)]
    if any(report.sections != chosen.sections for report in rivals):
        names = ", ".join(report.name for report in rivals)
        return None, [*left, LeftOut(What.REPORT, study, Reason.CONTRADICTING_REPORTS, names)]
    return chosen, [*left, *(_left(report, Reason.SUPERSEDED, chosen.name) for report in finals[:-1])]


def _left(report: Received, reason: Reason, detail: str = "") -> LeftOut:
    return LeftOut(What.REPORT, report.name, reason, detail)


def _age(report: Received) -> datetime.datetime:
    return report.time or datetime.datetime.min.replace(tzinfo=datetime.UTC)
