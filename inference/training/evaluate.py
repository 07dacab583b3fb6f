"""Measure a bundle on what it never saw: `python -m inference.training.evaluate --bundle
inference/weights/demo`.

Held-out phantoms (a seed of their own, rendered at full size and handed to the drafter as the application
does) and held-out patients of real radiographs. Rows go to docs/results.json, and
docs/results.md is made from it.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from inference import measures
from inference.contract import (
    Certainty,
    DraftOutput,
    ImageInput,
    Section,
    Sentence,
    Side,
    StudyInput,
    bundle_digest,
)
from inference.imaging import masks as rle
from inference.maira_seg import checkpoint, drafter
from inference.maira_seg.processor import CodedSentence
from inference.phantom import study as phantom
from inference.structures import BY_CODE, FINDINGS, FINDINGS_BY_CODE, STRUCTURES, Group
from inference.training import progress, radiographs, records, results

SEED_PHANTOMS = 14
SIZE = 512
COMMAND = "python -m inference.training.evaluate --bundle BUNDLE --real RADIOGRAPHS --studies 240"
LUNGS = ("lung_right", "lung_left")


@dataclass(frozen=True)
class Judged:
    """One drafted phantom beside its truth."""

    output: DraftOutput
    study: phantom.PhantomStudy
    written: tuple[Sentence, ...] = ()
    """What the model wrote, before any of it was left out."""

    def mask(self, code: str) -> NDArray[np.bool_] | None:
        """The drafted mask of a structure, None where there is none."""
        found = next((mask for mask in self.output.masks if mask.structure == code), None)
        return None if found is None else rle.decode(found.counts, found.size)

    def true_mask(self, code: str) -> NDArray[np.bool_] | None:
        return self.study.images[0].masks.get(code)

    def claims(self) -> dict[str, set[str]]:
        """Finding -> the sides on which the draft states it, certain or not, in either section."""
        stated: dict[str, set[str]] = {}
        for sentence in self.output.sentences:
            if sentence.finding and sentence.certainty != Certainty.ABSENT:
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
    parser.add_argument("--studies", type=int, default=240)
    parser.add_argument("--results", type=Path, default=results.RESULTS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    loaded = Watched(checkpoint.load(options.bundle), bundle_digest(options.bundle))
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


class Watched(drafter.MairaSegDrafter):
    """A drafter that remembers what its last draft was before any of it was left out."""

    written: tuple[Sentence, ...] = ()

    def kept(self, written: list[CodedSentence], trusted: list[str]) -> list[CodedSentence]:
        self.written = tuple(
            Sentence(one.section, one.text, finding=one.finding, side=one.side, certainty=one.certainty)
            for one in written
        )
        return super().kept(written, trusted)


def judge(loaded: Watched, index: int) -> Judged:
    """Draft one held-out phantom."""
    made = phantom.generate(SEED_PHANTOMS, index, size=SIZE, with_prior=False)
    images = tuple(records.image_input(image) for image in made.images)
    loaded.written = ()
    return Judged(loaded.draft(StudyInput(made.study_instance_uid, images)), made, loaded.written)


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
    written = [replace(one, output=replace(one.output, sentences=one.written)) for one in opened]
    rows.append(row("draft", "phantom", "contradiction_share_as_written", contradictions(written)))
    rows.append(row("draft", "phantom", "mask_denied_share_as_written", masks_denied(written)))
    rows.append(row("draft", "phantom", "drafts_with_something_left_out", left_out(opened)))
    rows.append(row("draft", "phantom", "impression_empty", impressions_empty(opened)))
    rows += [row("draft", "phantom", f"denied_though_there:{code}", value) for code, value in denials(opened)]
    rows.append(row("draft", "phantom", "mask_denied_share", masks_denied(opened)))
    rows.append(row("draft", "phantom", "trusted_mask_unmentioned", masks_unmentioned(opened)))
    rows.append(row("segmentation", "phantom", "trusted_mask_false", masks_false(judged)))
    seconds = [sum(one.output.seconds.values()) for one in judged]
    return [*rows, row("speed", "phantom", "draft_seconds", measures.bootstrap_mean(seconds))]


def row(experiment: str, population: str, metric: str, value: measures.Interval) -> dict[str, object]:
    """One row of docs/results.json."""
    return {
        "experiment": experiment,
        "arm": "seg",
        "views": "frontal",
        "population": population,
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
    """Share of drafts that, anywhere, state a finding and deny it for the same side or for both."""
    values = []
    for one in judged:
        stated = [s for s in one.output.sentences if s.finding and s.certainty != Certainty.ABSENT]
        denied = [s for s in one.output.sentences if s.finding and s.certainty == Certainty.ABSENT]
        values.append(float(any(_speaks_of(no, yes.finding, yes.side) for no in denied for yes in stated)))
    return measures.bootstrap_mean(values)


def left_out(judged: Sequence[Judged]) -> measures.Interval:
    """Share of drafts of which some sentence is not shown."""
    return measures.bootstrap_mean([float(len(one.output.sentences) < len(one.written)) for one in judged])


def impressions_empty(judged: Sequence[Judged]) -> measures.Interval:
    """Share of drafts whose impression says nothing."""
    concluded = [[s for s in one.output.sentences if s.section == Section.IMPRESSION] for one in judged]
    return measures.bootstrap_mean([float(not sentences) for sentences in concluded])


def denials(judged: Sequence[Judged]) -> list[tuple[str, measures.Interval]]:
    """Per finding, of the studies that have it: how many drafts deny it where it is."""
    found = []
    for code in FINDINGS_BY_CODE:
        values = []
        for one in judged:
            there = [finding.side for finding in one.study.findings if finding.finding == code]
            denied = [s for s in one.output.sentences if s.certainty == Certainty.ABSENT]
            if there:
                values.append(float(any(_speaks_of(s, code, side) for s in denied for side in there)))
        if values:
            found.append((code, measures.bootstrap_mean(values)))
    return found


def shown(one: Judged) -> list[tuple[str, str, Side]]:
    """(structure, finding, side) of the trusted masks of findings and devices on screen."""
    masks = (BY_CODE[mask.structure] for mask in one.output.masks if mask.trusted)
    return [(s.code, s.finding, s.side) for s in masks if s.group != Group.ANATOMY]


def masks_denied(judged: Sequence[Judged]) -> measures.Interval:
    """Share of trusted masks whose finding the draft denies, for their side or without one."""
    values = []
    for one in judged:
        denied = [s for s in one.output.sentences if s.certainty == Certainty.ABSENT]
        for _code, finding, side in shown(one):
            values.append(float(any(_speaks_of(sentence, finding, side) for sentence in denied)))
    return measures.bootstrap_mean(values)


def masks_unmentioned(judged: Sequence[Judged]) -> measures.Interval:
    """Share of trusted masks of findings and devices that no sentence speaks of."""
    values = [
        float(not any(_speaks_of(sentence, finding, side) for sentence in one.output.sentences))
        for one in judged
        for _code, finding, side in shown(one)
    ]
    return measures.bootstrap_mean(values)


def _speaks_of(sentence: Sentence, finding: str, side: Side) -> bool:
    places, here = sides(sentence.side), sides(side)
    return sentence.finding == finding and (not sentence.side or not side or bool(places & here))


def masks_false(judged: Sequence[Judged]) -> measures.Interval:
    """Share of trusted masks of findings and devices with nothing of the kind below them (Dice under 0.1)."""
    values = []
    for one in judged:
        for code, _finding, _side in shown(one):
            true, drawn = one.true_mask(code), one.mask(code)
            assert drawn is not None, code
            values.append(float(true is None or measures.dice(drawn, true) < 0.1))
    return measures.bootstrap_mean(values)


def turned(radiograph: radiographs.Radiograph) -> dict[str, ImageInput]:
    """The same radiograph as it must not be taken for one."""
    gray = radiograph.grayscale
    others = {"inverted": 1 - gray, "upside-down": np.rot90(gray, 2), "on-its-side": np.rot90(gray)}
    return {
        name: replace(radiograph.image_input(), grayscale=np.ascontiguousarray(pixels))
        for name, pixels in others.items()
    }


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
    closed: dict[str, list[float]] = {}
    for radiograph in held_out:
        for name, image in turned(radiograph).items():
            output = loaded.draft(StudyInput(radiograph.name, (image,)))
            closed.setdefault(name, []).append(float(not output.masks_gate.open))
    return [
        *(
            row("gate", "real", f"masks_closed:{name}", measures.bootstrap_mean(v))
            for name, v in closed.items()
        ),
        row("gate", "real", "draft_withheld_share", measures.bootstrap_mean(withheld)),
        row("gate", "real", "lungs_shown_share", measures.bootstrap_mean(given)),
        row("segmentation", "real", "dice:lungs", measures.bootstrap_mean(scores)),
    ]


if __name__ == "__main__":
    main()
