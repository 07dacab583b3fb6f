"""How good drafts are, against the truth of the phantoms and against each other.

Every measure is a function of the studies that are looked at, so that one bootstrap serves all: studies are
resampled, the same ones for both arms of a difference, and the runs of all seeds are averaged inside each
resample.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq

from inference import measures
from inference.contract import Certainty, Section
from inference.maira_seg.processor import CodedSentence
from inference.phantom import phrases_en
from inference.phantom.coded import CodedFinding
from inference.structures import FINDINGS, STRUCTURES, Group
from inference.training.evaluate import sides
from inference.training.records import Truth

CODES = tuple(finding.code for finding in FINDINGS)
DEVICES = frozenset(structure.finding for structure in STRUCTURES if structure.group == Group.DEVICE)
PATHOLOGY = np.array([code not in DEVICES for code in CODES])
RESAMPLES = 1000
CHANGES = {
    "new": re.compile(r"\bnew\b|\binserted\b", re.IGNORECASE),
    "larger": re.compile(r"\bincreas|\blarger than|\bworse than|\bprogress|\bmore than", re.IGNORECASE),
    "smaller": re.compile(r"\bdecreas|\bsmaller|\bimproved|\bless than|\bfewer", re.IGNORECASE),
    "unchanged": re.compile(r"\bunchanged|\bstable|\bsimilar to|\bno change", re.IGNORECASE),
    "resolved": re.compile(
        r"\bresol(?:ved|ution)|\bno longer|\bheal(?:ed|ing)|\bremov(?:ed|al)|\breturn(?:ed)? (?:to|of)",
        re.IGNORECASE,
    ),
}
"""How the English of the phantoms' reports words a change."""
_PRIOR = re.compile(
    r"\bprior\b|\bprevious|\bbefore\b|\bcompar|\bsince\b|\binterval\b|\bstudy of\b", re.IGNORECASE
)
_LENGTH = re.compile(r"(\d+(?:\.\d+)?) ?(mm|cm)\b")
Rows = NDArray[np.intp]
Table = NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """The drafts of one run beside the truth of the same studies, and a true report of each."""

    drafts: Sequence[Sequence[CodedSentence]]
    truths: Sequence[Truth]
    reports: Sequence[Sequence[CodedSentence]]

    @cached_property
    def said(self) -> NDArray[np.bool_]:
        """(N, findings): stated in either section, certain or not."""
        return np.array([[code in claims(draft) for code in CODES] for draft in self.drafts])

    @cached_property
    def true(self) -> NDArray[np.bool_]:
        return np.array([[code in there(truth) for code in CODES] for truth in self.truths])

    @cached_property
    def tables(self) -> dict[str, Table]:
        """By measure (N, 2): what counts for it and of how much, summed over a study."""
        pairs = list(zip(self.drafts, self.truths, self.reports, strict=True))
        return {
            "side": np.array([_sides(draft, truth) for draft, truth, _ in pairs]),
            "place": np.array([_places(draft, truth) for draft, truth, _ in pairs]),
            "tip_mm": np.array([_lengths(draft, truth, "tip_mm") for draft, truth, _ in pairs]),
            "size_mm": np.array([_lengths(draft, truth, "size_mm") for draft, truth, _ in pairs]),
            "rouge_l": np.array([(rouge_l(draft, report), 1.0) for draft, _, report in pairs]),
            "normal_kept_normal": np.array([_normal(draft, truth) for draft, truth, _ in pairs]),
            "change": np.array([_changes(draft, truth) for draft, truth, _ in pairs]),
            "resolved": np.array([_resolved(draft, truth) for draft, truth, _ in pairs]),
            "invented_prior": np.array([_invented(draft, truth) for draft, truth, _ in pairs]),
        }

    def value(self, measure: str, rows: Rows) -> float:
        """One of `MEASURES` over these studies."""
        if measure in _OF_FINDINGS:
            return _OF_FINDINGS[measure](self.said[rows], self.true[rows])
        counted, of = self.tables[measure][rows].sum(axis=0)
        return float(counted / of) if of else float("nan")

    def looked_at(self, measure: str) -> NDArray[np.bool_]:
        """(N,) the studies that give a measure something to count; every study for those of findings."""
        if measure in _OF_FINDINGS:
            return np.ones(len(self.drafts), dtype=bool)
        looked: NDArray[np.bool_] = self.tables[measure][:, 1] > 0
        return looked


def claims(draft: Sequence[CodedSentence]) -> dict[str, set[str]]:
    """Finding -> the sides on which a draft states it."""
    stated: dict[str, set[str]] = {}
    for sentence in draft:
        if sentence.finding and sentence.certainty != Certainty.ABSENT:
            stated.setdefault(sentence.finding, set()).update(sides(sentence.side))
    return stated


def there(truth: Truth) -> dict[str, set[str]]:
    """Finding -> the sides on which it was rendered."""
    found: dict[str, set[str]] = {}
    for finding in truth.findings:
        if finding.certainty != Certainty.ABSENT:
            found.setdefault(finding.finding, set()).update(sides(finding.side))
    return found


def rouge_l(draft: Sequence[CodedSentence], report: Sequence[CodedSentence]) -> float:
    """F-measure of the longest common subsequence of words, lower case, without stemming."""
    said, true = (
        re.findall(r"[a-z0-9]+", " ".join(s.text for s in text).lower()) for text in (draft, report)
    )
    total = len(said) + len(true)
    return 2 * LCSseq.similarity(said, true) / total if total else 1.0


def _sides(draft: Sequence[CodedSentence], truth: Truth) -> tuple[float, float]:
    said, true = claims(draft), there(truth)
    both = [code for code in said if code in true and true[code] - {""}]
    return float(sum(said[code] == true[code] for code in both)), float(len(both))


def _places(draft: Sequence[CodedSentence], truth: Truth) -> tuple[float, float]:
    """Lobes, levels and ways of a catheter in the findings, where one was rendered and one was named."""
    right = of = 0
    for sentence, finding in _stated(draft, truth):
        named = {
            z
            for z, phrase in phrases_en.PHRASEBOOK.zones.items()
            if phrase and phrase in sentence.text.lower()
        }
        if finding.zone and named:
            right, of = right + (finding.zone in named), of + 1
    return float(right), float(of)


def _lengths(draft: Sequence[CodedSentence], truth: Truth, field: str) -> tuple[float, float]:
    """Sum of absolute errors in mm of the lengths stated, and how many were."""
    wrong, of = 0.0, 0
    for sentence, finding in _stated(draft, truth):
        length, said = getattr(finding, field), _LENGTH.search(sentence.text)
        if length is None or said is None:
            continue
        millimetres = float(said[1]) * (10 if said[2] == "cm" else 1)
        wrong, of = wrong + abs(millimetres - abs(length)), of + 1
    return wrong, float(of)


def _stated(draft: Sequence[CodedSentence], truth: Truth) -> list[tuple[CodedSentence, CodedFinding]]:
    """Sentences of the findings section with the rendered finding that each speaks of."""
    pairs = []
    for sentence in draft:
        if sentence.section != Section.FINDINGS or sentence.certainty == Certainty.ABSENT:
            continue
        same = [
            f for f in truth.findings if f.finding == sentence.finding and f.certainty != Certainty.ABSENT
        ]
        on_side = [f for f in same if sides(f.side) <= sides(sentence.side)]
        pairs += [(sentence, finding) for finding in (on_side or same)[:1]]
    return pairs


def changes(text: str) -> set[str]:
    """The changes against a prior that a sentence words: new, larger, smaller, unchanged, resolved."""
    return {change for change, pattern in CHANGES.items() if pattern.search(text)}


def speaks_of_prior(draft: Sequence[CodedSentence]) -> bool:
    """Does a draft hint at an earlier study?"""
    return any(changes(sentence.text) or _PRIOR.search(sentence.text) for sentence in draft)


def _changes(draft: Sequence[CodedSentence], truth: Truth) -> tuple[float, float]:
    """Findings that are there and have a prior, and are stated: how many with their change and no other."""
    told = [(changes(s.text), finding.change) for s, finding in _stated(draft, truth) if finding.change]
    return float(sum(said == {true} for said, true in told)), float(len(told))


def _resolved(draft: Sequence[CodedSentence], truth: Truth) -> tuple[float, float]:
    """Findings of the prior that are gone: how many a draft says to be."""
    gone = [finding for finding in truth.findings if finding.change == "resolved"]
    said = {sentence.finding for sentence in draft if "resolved" in changes(sentence.text)}
    return float(sum(finding.finding in said for finding in gone)), float(len(gone))


def _invented(draft: Sequence[CodedSentence], truth: Truth) -> tuple[float, float]:
    """Studies without a prior: how many drafts speak of one all the same."""
    return (0.0, 0.0) if truth.prior else (float(speaks_of_prior(draft)), 1.0)


def _normal(draft: Sequence[CodedSentence], truth: Truth) -> tuple[float, float]:
    return (0.0, 0.0) if there(truth) else (float(not claims(draft)), 1.0)


def _precision(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    return float((said & true).sum() / said.sum()) if said.any() else float("nan")


def _recall(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    return float((said & true).sum() / true.sum()) if true.any() else float("nan")


def _f1_of(place: int) -> Callable[[NDArray[np.bool_], NDArray[np.bool_]], float]:
    return lambda said, true: measures.micro_f1(said[:, place], true[:, place])


_OF_FINDINGS: dict[str, Callable[[NDArray[np.bool_], NDArray[np.bool_]], float]] = {
    "macro_f1": measures.macro_f1,
    "micro_f1": measures.micro_f1,
    "macro_f1_pathology": lambda said, true: measures.macro_f1(said[:, PATHOLOGY], true[:, PATHOLOGY]),
    "macro_f1_devices": lambda said, true: measures.macro_f1(said[:, ~PATHOLOGY], true[:, ~PATHOLOGY]),
    "precision": _precision,
    "recall": _recall,
    **{f"f1:{code}": _f1_of(place) for place, code in enumerate(CODES)},
}
PRIMARY = "macro_f1"
MEASURES = (
    *_OF_FINDINGS,
    "side",
    "place",
    "tip_mm",
    "size_mm",
    "rouge_l",
    "normal_kept_normal",
    "change",
    "resolved",
    "invented_prior",
)


def interval(runs: Sequence[Scored], measure: str) -> measures.Interval:
    """The mean over the runs of all seeds; studies are resampled, n are those that the measure looks at."""
    value = measures.bootstrap(
        len(runs[0].drafts),
        lambda rows: float(np.mean([run.value(measure, rows) for run in runs])),
        resamples=RESAMPLES,
    )
    return replace(value, n=_looked_at(runs, measure))


def _looked_at(runs: Sequence[Scored], measure: str) -> int:
    return int(np.any([run.looked_at(measure) for run in runs], axis=0).sum())


def difference(runs: Sequence[Scored], others: Sequence[Scored], measure: str) -> measures.Interval:
    """By how much an arm is better than another: pairs of runs with the same seed on the same studies.
    Studies and seeds are resampled."""
    rng = np.random.default_rng(0)
    studies, seeds = len(runs[0].drafts), len(runs)

    def gain(rows: Rows, which: Rows) -> float:
        gains = [runs[s].value(measure, rows) - others[s].value(measure, rows) for s in which]
        return float(np.mean(gains))

    drawn = [
        gain(rng.integers(studies, size=studies), rng.integers(seeds, size=seeds)) for _ in range(RESAMPLES)
    ]
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    looked = _looked_at([*runs, *others], measure)
    return measures.Interval(gain(np.arange(studies), np.arange(seeds)), float(low), float(high), looked)
