"""Measure a bundle on what it never saw: `python -m inference.training.evaluate --bundle
inference/weights/demo`.

Held-out phantoms (a seed of their own, rendered at full size and drafted through the same door the
application uses) and held-out patients of real radiographs. Rows go to docs/results.json, and
docs/results.md is made from it.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference import measures
from inference.contract import Certainty, DraftOutput, Section, Side, StudyInput
from inference.imaging import masks as rle
from inference.maira_seg import drafter
from inference.phantom import study as phantom
from inference.structures import FINDINGS, FINDINGS_BY_CODE, STRUCTURES
from inference.training import progress, radiographs, records, results

SEED_PHANTOMS = 14
SIZE = 512
COMMAND = "python -m inference.training.evaluate"
LUNGS = ("lung_right", "lung_left")


@dataclass(frozen=True)
class Judged:
    """One drafted phantom beside its truth."""

    output: DraftOutput
    study: phantom.PhantomStudy

    def mask(self, code: str) -> NDArray[np.bool_] | None:
        """The drafted mask of a structure, None where there is none."""
        found = next((mask for mask in self.output.masks if mask.structure == code), None)
        return None if found is None else rle.decode(found.counts, found.size)

    def true_mask(self, code: str) -> NDArray[np.bool_] | None:
        return self.study.images[0].masks.get(code)

    def claims(self) -> dict[str, set[str]]:
        """Finding -> the sides on which the draft's findings section states it (certain or not)."""
        stated: dict[str, set[str]] = {}
        for sentence in self.output.sentences:
            if (
                sentence.finding
                and sentence.certainty != Certainty.ABSENT
                and sentence.section == Section.FINDINGS
            ):
                stated.setdefault(sentence.finding, set()).update(sides(sentence.side))
        return stated

    def truth(self) -> dict[str, set[str]]:
        """Finding -> the sides on which it was rendered."""
        true: dict[str, set[str]] = {}
        for finding in self.study.findings:
            true.setdefault(finding.finding, set()).update(sides(finding.side))
        return true


def sides(side: Side) -> set[str]:
    return {str(Side.RIGHT), str(Side.LEFT)} if side == Side.BILATERAL else {str(side)}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--real", type=Path, default=None, help="folder of real radiographs with lung masks")
    parser.add_argument("--studies", type=int, default=300)
    parser.add_argument("--results", type=Path, default=results.RESULTS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    progress.prepare(options)
    loaded = drafter.load(options.bundle)
    log = progress.Progress("evaluate")
    judged = []
    for index in range(options.studies):
        judged.append(judge(loaded, index))
        log.report(phantoms=index + 1)
    rows = phantom_rows(judged)
    if options.real:
        rows += real_rows(loaded, [r for r in radiographs.read(options.real) if r.held_out])
    results.put(rows, options.results, bundle=loaded.digest)
    log.report(force=True, phantoms=len(judged), rows=len(rows))


def judge(loaded: drafter.MairaSegDrafter, index: int) -> Judged:
    """Draft one held-out phantom."""
    made = phantom.generate(SEED_PHANTOMS, index, size=SIZE)
    image = records.image_input(made.images[0])
    return Judged(loaded.draft(StudyInput(made.study_instance_uid, (image,))), made)


def phantom_rows(judged: Sequence[Judged]) -> list[dict[str, object]]:
    """Every number measured on phantoms."""
    opened = [one for one in judged if one.output.draft_gate.open]
    rows = [
        row(
            "gate", "phantom", "draft_open_share",
            measures.bootstrap_mean([float(one.output.draft_gate.open) for one in judged]),
        ),
        row(
            "gate", "phantom", "masks_open_share",
            measures.bootstrap_mean([float(one.output.masks_gate.open) for one in judged]),
        ),
    ]  # fmt: skip
    rows += [row("segmentation", "phantom", f"dice:{code}", value) for code, value in dices(judged)]
    rows += [row("segmentation", "phantom", "trust_dice_correlation", trust_correlation(judged))]
    said, true = findings_matrix(opened)
    rows += [row("draft", "phantom", name, value) for name, value in finding_scores(said, true)]
    rows.append(row("draft", "phantom", "side_accuracy", side_accuracy(opened)))
    rows.append(row("draft", "phantom", "normal_kept_normal", normal_share(opened)))
    rows.append(row("draft", "phantom", "contradiction_share", contradictions(opened)))
    seconds = [sum(one.output.seconds.values()) for one in judged]
    return [*rows, row("speed", "phantom", "draft_seconds", measures.bootstrap_mean(seconds))]


def row(experiment: str, views: str, metric: str, value: measures.Interval) -> dict[str, object]:
    """One row of docs/results.json."""
    return {
        "experiment": experiment,
        "arm": "seg",
        "views": "frontal",
        "population": views,
        "metric": metric,
        "mean": round(value.mean, 4),
        "low": round(value.low, 4),
        "high": round(value.high, 4),
        "n": value.n,
        "seeds": 1,
        "command": COMMAND,
    }


def dices(judged: Sequence[Judged]) -> list[tuple[str, measures.Interval]]:
    """Per structure, over the studies that truly show it; a missed mask counts zero."""
    found = []
    for structure in STRUCTURES:
        values = []
        for one in judged:
            true, drawn = one.true_mask(structure.code), one.mask(structure.code)
            if true is not None and one.output.masks_gate.open:
                values.append(0.0 if drawn is None else measures.dice(drawn, true))
        if values:
            found.append((structure.code, measures.bootstrap_mean(values)))
    return found


def trust_correlation(judged: Sequence[Judged]) -> measures.Interval:
    """Pearson correlation of a mask's trust with its true Dice, over all drawn masks; studies are
    resampled."""
    pairs: list[list[tuple[float, float]]] = []
    for one in judged:
        pairs.append([])
        for mask in one.output.masks:
            true = one.true_mask(mask.structure)
            drawn = rle.decode(mask.counts, mask.size)
            score = 0.0 if true is None else measures.dice(drawn, true)
            pairs[-1].append((mask.trust or 0.0, score))

    def correlation(rows: NDArray[np.intp]) -> float:
        flat = np.array([pair for i in rows for pair in pairs[i]])
        return float(np.corrcoef(flat.T)[0, 1])

    return measures.bootstrap(len(pairs), correlation, resamples=200)


def findings_matrix(judged: Sequence[Judged]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(studies, findings) stated and true."""
    said = np.array([[f.code in one.claims() for f in FINDINGS] for one in judged], dtype=bool)
    true = np.array([[f.code in one.truth() for f in FINDINGS] for one in judged], dtype=bool)
    return said, true


def finding_scores(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> list[tuple[str, measures.Interval]]:
    """F1 over all findings, and of each; studies are resampled."""
    scores: list[tuple[str, Callable[[NDArray[np.intp]], float]]] = [
        ("finding_macro_f1", lambda rows: measures.macro_f1(said[rows], true[rows])),
        ("finding_micro_f1", lambda rows: measures.micro_f1(said[rows], true[rows])),
    ]
    for place, finding in enumerate(FINDINGS):
        scores.append((f"finding_f1:{finding.code}", partial(_one_f1, said, true, place)))
    return [(name, measures.bootstrap(len(said), score)) for name, score in scores]


def _one_f1(said: NDArray[np.bool_], true: NDArray[np.bool_], place: int, rows: NDArray[np.intp]) -> float:
    column = slice(place, place + 1)
    return measures.micro_f1(said[rows, column], true[rows, column])


def side_accuracy(judged: Sequence[Judged]) -> measures.Interval:
    """Over sided findings that are there and stated: are exactly the true sides named?"""
    right = []
    for one in judged:
        claims, truth = one.claims(), one.truth()
        right += [
            float(claims[code] == truth[code])
            for code in truth
            if code in claims and FINDINGS_BY_CODE[code].sided
        ]
    return measures.bootstrap_mean(right)


def normal_share(judged: Sequence[Judged]) -> measures.Interval:
    """Share of normal phantoms whose draft states no finding."""
    return measures.bootstrap_mean([float(not one.claims()) for one in judged if not one.truth()])


def contradictions(judged: Sequence[Judged]) -> measures.Interval:
    """Share of drafts that state a finding and, anywhere, deny it for the same side or for both."""
    values = []
    for one in judged:
        claims, denied = one.claims(), False
        for sentence in one.output.sentences:
            if sentence.finding in claims and sentence.certainty == Certainty.ABSENT:
                denied |= not sentence.side or bool(sides(sentence.side) & claims[sentence.finding])
        values.append(float(denied))
    return measures.bootstrap_mean(values)


def real_rows(
    loaded: drafter.MairaSegDrafter, held_out: Sequence[radiographs.Radiograph]
) -> list[dict[str, object]]:
    """Every number measured on real radiographs of patients held out of training."""
    withheld, given, scores = [], [], []
    for radiograph in held_out:
        output = loaded.draft(StudyInput(radiograph.name, (radiograph.image_input(),)))
        withheld.append(float(not output.draft_gate.open))
        lungs = [mask for mask in output.masks if mask.structure in LUNGS]
        given.append(float(any(mask.trusted for mask in lungs)))
        if radiograph.lungs is not None:
            drawn = np.zeros(radiograph.lungs.shape, dtype=bool)
            for mask in lungs:
                drawn |= rle.decode(mask.counts, mask.size)
            scores.append(measures.dice(drawn, radiograph.lungs))
    return [
        row("gate", "real", "draft_withheld_share", measures.bootstrap_mean(withheld)),
        row("gate", "real", "lungs_shown_share", measures.bootstrap_mean(given)),
        row("segmentation", "real", "dice:lungs", measures.bootstrap_mean(scores)),
    ]


if __name__ == "__main__":
    main()
