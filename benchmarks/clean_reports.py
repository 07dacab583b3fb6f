"""How often the checks before signing ask about reports that are right, and how often they see an error that
was put into one:

    python -m benchmarks.clean_reports [--studies 1000] [--drafted 150] [--write]

Reports are phantoms' own, in both languages. `text`: the checks are told of no outline. `true-masks`: of the
phantom's own. `shipped-masks`: of those outlines of the shipped bundle that it trusts, and the rates are
those a reader of it would meet. Metrics: warnings per 100 reports (limit 5), gaps per 100 reports, and for
each planted error the share that is asked about. 95 % intervals, bootstrap over studies.
"""

import argparse
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch

from inference import measures
from inference.contract import ImageInput, Section, StudyInput
from inference.maira_seg import drafter
from inference.phantom import reports
from inference.phantom import study as phantom
from inference.text.checks.checker import check
from inference.text.checks.concerns import Circumstances, Kind, Outcome, Seen
from inference.training import results

COMMAND = "python -m benchmarks.clean_reports"
SEED = 16
SMALL, FULL = 96, 512
LIMIT = 5
Texts = dict[Section, str]

_FLIPPED = {"right": "left", "left": "right", "Right": "Left", "Left": "Right", "右": "左", "左": "右"}
_SIDE = re.compile(r"\b(?:right|left|Right|Left)\b|右|左")
_LENGTH = re.compile(r"\d+(?:\.\d+)?(?= ?(?:mm|cm))")


def side_flipped(texts: Texts) -> Texts | None:
    """The impression names the other side."""
    if len(set(_SIDE.findall(texts[Section.IMPRESSION].lower()))) != 1:
        return None
    flipped = _SIDE.sub(lambda match: _FLIPPED[match.group()], texts[Section.IMPRESSION])
    return {**texts, Section.IMPRESSION: flipped}


def number_changed(texts: Texts) -> Texts | None:
    """A size or distance in the impression is three times what it was."""
    match = _LENGTH.search(texts[Section.IMPRESSION])
    if match is None or match.group() not in texts[Section.FINDINGS]:
        return None
    changed = f"{float(match.group()) * 3:g}"
    text = texts[Section.IMPRESSION]
    return {**texts, Section.IMPRESSION: text[: match.start()] + changed + text[match.end() :]}


def denied(texts: Texts) -> Texts | None:
    """The impression denies an effusion that the findings state."""
    if re.search(r"pleural effusion|胸水", texts[Section.IMPRESSION]) is None:
        return None
    japanese = "胸水" in texts[Section.IMPRESSION]
    return {**texts, Section.IMPRESSION: "胸水は認めない。" if japanese else "No pleural effusion."}


def field_left(texts: Texts) -> Texts:
    return {**texts, Section.FINDINGS: texts[Section.FINDINGS] + " [mild|moderate]"}


PLANTED: dict[str, tuple[Callable[[Texts], Texts | None], frozenset[Kind]]] = {
    "side": (side_flipped, frozenset({Kind.SIDE, Kind.SIDE_OF_OUTLINE})),
    "number": (number_changed, frozenset({Kind.NUMBER, Kind.SIZE_OF_OUTLINE})),
    "denied": (denied, frozenset({Kind.CONTRADICTION, Kind.DENIED_OUTLINE})),
    "field": (field_left, frozenset({Kind.LEFTOVER})),
}
"""By its name: what puts an error into a report (None where it has no place), and what should ask."""


def studies(language: str, count: int, size: int) -> Iterator[phantom.PhantomStudy]:
    for index in range(count):
        yield phantom.generate(SEED, index, size=size, language=language)


def known(study: phantom.PhantomStudy, outlines: Sequence[Seen] | None) -> Circumstances:
    age = (study.study_date - study.patient.birth_date).days / 365.25
    return Circumstances(study.patient.sex, age, study.prior is not None, outlines)


def true_outlines(study: phantom.PhantomStudy) -> list[Seen]:
    codes = dict.fromkeys(code for image in study.images for code in image.masks)
    return [Seen(number, code) for number, code in enumerate(codes)]


def shipped_outlines(bundle: drafter.MairaSegDrafter | None, study: phantom.PhantomStudy) -> list[Seen]:
    images = tuple(
        ImageInput(image.sop_instance_uid, image.grayscale(), image.view_position) for image in study.images
    )
    assert bundle is not None, "no bundle was loaded"
    output = bundle.draft(StudyInput(study_instance_uid=study.study_instance_uid, images=images))
    return [Seen(number, mask.structure) for number, mask in enumerate(output.masks) if mask.trusted]


class Tally:
    """What the checks said of one arm's reports."""

    def __init__(self) -> None:
        self.warnings: list[int] = []
        self.gaps: list[int] = []
        self.caught: dict[str, list[bool]] = {name: [] for name in PLANTED}
        self.kinds: dict[str, int] = {}

    def add(self, texts: Texts, known: Circumstances, language: str) -> None:
        clean = check(texts, known, language=language)
        self.warnings.append(len(clean.warnings))
        self.gaps.append(len(clean.gaps))
        for one in clean.warnings:
            self.kinds[one.kind] = self.kinds.get(one.kind, 0) + 1
        for name, (plant, kinds) in PLANTED.items():
            planted = plant(texts)
            if planted is not None:
                found = check(planted, known, language=language)
                self.caught[name].append(bool(_new(found, clean, kinds)))

    def rows(self, arm: str, population: str) -> list[results.Row]:
        rows = [
            _row(arm, population, "warnings_per_100", [100.0 * n for n in self.warnings], ceiling=LIMIT),
            _row(arm, population, "gaps_per_100", [100.0 * n for n in self.gaps]),
        ]
        for name, caught in self.caught.items():
            if caught:
                rows.append(_row(arm, population, f"asked_about_{name}", [float(one) for one in caught]))
        return rows


def _row(arm: str, population: str, metric: str, values: list[float], **more: object) -> results.Row:
    interval = measures.bootstrap_mean(values)
    return {
        "experiment": "checks",
        "arm": arm,
        "views": "frontal",
        "population": population,
        "metric": metric,
        "mean": round(interval.mean, 4),
        "low": round(interval.low, 4),
        "high": round(interval.high, 4),
        "n": len(values),
        "seeds": 1,
        "command": COMMAND,
        **more,
    }


def _new(found: Outcome, clean: Outcome, kinds: frozenset[Kind]) -> list[str]:
    before = {one.key() for one in clean.warnings}
    return [one.key() for one in found.warnings if one.kind in kinds and one.key() not in before]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000, help="for the arms without the bundle")
    parser.add_argument("--drafted", type=int, default=150, help="for the bundle's outlines")
    parser.add_argument("--bundle", type=Path, default=Path("inference/weights/demo"))
    parser.add_argument("--show", action="store_true", help="print each report that is asked about")
    parser.add_argument("--write", action="store_true", help="put the rows into docs/results.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[results.Row] = []
    bundle = drafter.load(options.bundle) if options.drafted else None
    for language in reports.LANGUAGES:
        for arm, tally in _tallies(bundle, language, options).items():
            rows += tally.rows(arm, language)
            print(json.dumps({"arm": arm, "language": language, "kinds": tally.kinds}), flush=True)
    for row in rows:
        print(json.dumps(row))
    if options.write:
        results.put(rows)


def _tallies(
    bundle: drafter.MairaSegDrafter | None, language: str, options: argparse.Namespace
) -> dict[str, Tally]:
    """Of each arm that looks at any study."""
    told, masked, shipped = Tally(), Tally(), Tally()
    for study in studies(language, options.studies, SMALL):
        texts = dict(reports.compose(study.sentences, language=language))
        told.add(texts, known(study, None), language)
        masked.add(texts, known(study, true_outlines(study)), language)
        if options.show:
            _show(texts, known(study, true_outlines(study)), language)
    for study in studies(language, options.drafted if bundle else 0, FULL):
        texts = dict(reports.compose(study.sentences, language=language))
        shipped.add(texts, known(study, shipped_outlines(bundle, study)), language)
    arms = {"text": told, "true-masks": masked, "shipped-masks": shipped}
    return {arm: tally for arm, tally in arms.items() if tally.warnings}


def _show(texts: Texts, known: Circumstances, language: str) -> None:
    found = check(texts, known, language=language).warnings
    if found:
        print(json.dumps({**texts, "asked": [one.key() for one in found]}, ensure_ascii=False))


if __name__ == "__main__":
    main()
