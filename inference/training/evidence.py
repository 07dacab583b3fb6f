"""Is the evidence what it says, and the confidence what it promises: `python -m inference.training.evidence
--bundle inference/weights/demo --write`.

Held-out phantoms are drafted and explained as the application does it. Of every sentence that states a
finding: do the masks it cites matter more, by ablation, than the other masks that were shown, and do they
touch the true finding? Of every sentence with a finding: is it right as often as its confidence says?
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from inference import measures
from inference.contract import (
    Certainty,
    DraftOutput,
    Section,
    Sentence,
    StudyInput,
    Support,
    bundle_digest,
)
from inference.imaging import masks as rle
from inference.maira_seg import checkpoint
from inference.maira_seg import confidence as curves
from inference.maira_seg.confidence import Confidence
from inference.maira_seg.drafter import MairaSegDrafter
from inference.maira_seg.record import overlap
from inference.phantom import study as phantom
from inference.structures import FINDINGS_BY_CODE
from inference.training import confidence, evaluate, progress, records, results
from inference.training.confidence import Said

Rows = NDArray[np.intp]
KINDS = {"stated": (True,), "denied": (False,), "all": (True, False)}
"""Which sentences a row is over, by whether they state."""


@dataclass(frozen=True)
class Citation:
    """A sentence that states a finding and cites a mask. cited, others: nats of the masks it cites and of
    those it does not. touches: whether a cited mask has a pixel in common with the true finding."""

    section: Section
    finding: str
    cited: tuple[float, ...]
    others: tuple[float, ...]
    touches: bool

    def over_mean(self) -> bool:
        """Whether the cited masks do more, on average, than the others."""
        return float(np.mean(self.cited)) > float(np.mean(self.others))

    def over_every(self) -> bool:
        """Whether the mask that does most is a cited one."""
        return max(self.cited) > max(self.others)


@dataclass(frozen=True)
class Study:
    """What one drafted phantom adds to the numbers. seconds: of the explanation."""

    citations: tuple[Citation, ...]
    said: tuple[Said, ...]
    seconds: float


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--results", type=Path, default=results.RESULTS)
    parser.add_argument("--write", action="store_true", help="put the rows into the results")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    bundle = checkpoint.load(options.bundle)
    loaded = MairaSegDrafter(replace(bundle, confidence=curves.RAW), bundle_digest(options.bundle))
    log = progress.Progress("evidence")
    found = []
    for index in range(options.studies):
        study = measure(loaded, index)
        found += [study] if study is not None else []
        log.report(phantoms=index + 1)
    if not found:
        parser.error(f"no phantom of {options.studies} was drafted: its draft gate was closed on all of them")
    command = f"python -m inference.training.evidence --bundle BUNDLE --studies {options.studies}"
    rows = [
        _row(name, value, command)
        for name, value in [*citation_rows(found), *confidence_rows(found, bundle.confidence)]
    ]
    for row in rows:
        print(json.dumps(row))
    if options.write:
        results.put(rows, options.results, bundle=loaded.digest)
    log.report(force=True, phantoms=len(found), rows=len(rows))


def measure(loaded: MairaSegDrafter, index: int) -> Study | None:
    """Draft and explain one held-out phantom; None where the draft gate is closed."""
    made = phantom.generate(evaluate.SEED_PHANTOMS, index, size=evaluate.SIZE, with_prior=False)
    given = StudyInput(made.study_instance_uid, tuple(records.image_input(image) for image in made.images))
    output = loaded.draft(given)
    if not output.sentences:
        return None
    started = time.perf_counter()
    support = loaded.ablate(given, output.sentences)
    seconds = time.perf_counter() - started
    citations = [
        citation(sentence, [one for one in support if one.sentence == place], output, made)
        for place, sentence in enumerate(output.sentences)
        if sentence.finding and sentence.certainty != Certainty.ABSENT and sentence.evidence
    ]
    return Study(tuple(citations), tuple(confidence.of_draft(output.sentences, made.findings)), seconds)


def citation(
    sentence: Sentence, support: Sequence[Support], output: DraftOutput, made: phantom.PhantomStudy
) -> Citation:
    """One stated sentence, from what was measured of it and the truth of its phantom."""
    named = {one.structure for one in sentence.evidence}
    return Citation(
        section=sentence.section,
        finding=sentence.finding,
        cited=tuple(one.nats for one in support if one.structure in named),
        others=tuple(one.nats for one in support if one.structure not in named),
        touches=touches(sentence, output, made),
    )


def touches(sentence: Sentence, output: DraftOutput, made: phantom.PhantomStudy) -> bool:
    """Whether a cited mask has a pixel in common with the finding that the sentence speaks of."""
    true = {
        structure
        for one in made.findings
        if one.finding == sentence.finding and overlap(one.side, sentence.side)
        for structure in one.structures
    }
    images = {image.sop_instance_uid: image for image in made.images}
    drawn = {(mask.structure, mask.sop_instance_uid): mask for mask in output.masks}
    for one in sentence.evidence:
        mask = drawn[one.structure, one.sop_instance_uid]
        pixels = rle.decode(mask.counts, mask.size)
        there = images[one.sop_instance_uid].masks
        if any((pixels & there[structure]).any() for structure in true & set(there)):
            return True
    return False


def citation_rows(found: Sequence[Study]) -> list[tuple[str, measures.Interval]]:
    """Shares of stated sentences that cite a mask, in both sections and in the findings alone: there the
    model has not read its own statement yet, and there for each finding. Studies are resampled."""
    parts: dict[str, tuple[Section, ...]] = {"": tuple(Section), ":findings": (Section.FINDINGS,)}
    asked: dict[str, Callable[[Citation], float]] = {
        "cited_over_mean_uncited": Citation.over_mean,
        "cited_over_every_uncited": Citation.over_every,
        "cited_touches_finding": lambda one: one.touches,
        "cited_nats": lambda one: float(np.mean(one.cited)),
        "uncited_nats": lambda one: float(np.mean(one.others)),
    }
    rows = []
    for suffix, sections in parts.items():
        for name, ask in asked.items():
            values = [
                [float(ask(one)) for one in study.citations if one.section in sections and one.others]
                for study in found
            ]
            rows.append((f"{name}{suffix}", _mean_over_studies(values)))
    for code in FINDINGS_BY_CODE:
        first = [
            [one for one in study.citations if one.finding == code and one.section == Section.FINDINGS]
            for study in found
        ]
        if any(first):
            nats = [[float(np.mean(one.cited)) for one in some] for some in first]
            rows.append((f"cited_nats:{code}", _mean_over_studies(nats)))
    seconds = measures.bootstrap_mean([study.seconds for study in found])
    return [*rows, ("explain_seconds", seconds)]


def _mean_over_studies(values: Sequence[Sequence[float]]) -> measures.Interval:
    """The mean over sentences; n counts sentences, and the interval resamples their studies."""

    def mean(rows: Rows) -> float:
        drawn = [value for row in rows for value in values[row]]
        return float(np.mean(drawn)) if drawn else float("nan")

    return replace(measures.bootstrap(len(values), mean), n=sum(map(len, values)))


def confidence_rows(found: Sequence[Study], fitted: Confidence | None) -> list[tuple[str, measures.Interval]]:
    """Calibration error and Brier score of statements, denials and both: of the claim's probability as it is,
    and of the confidence that the bundle makes of it. Studies are resampled."""
    stages = {"before": curves.RAW} | ({"after": fitted} if fitted is not None else {})
    scores = {"calibration_error": measures.expected_calibration_error, "brier": measures.brier}
    rows = []
    for kind, wanted in KINDS.items():
        said = [[one for one in study.said if one.stated in wanted] for study in found]
        rows.append((f"right:{kind}", _mean_over_studies([[float(o.right) for o in some] for some in said])))
        for stage, curve in stages.items():
            for name, score in scores.items():
                rows.append((f"{name}:{kind}:{stage}", _score_over_studies(said, curve, score)))
    return rows


def _score_over_studies(
    said: Sequence[Sequence[Said]],
    curve: Confidence,
    score: Callable[[Sequence[float], Sequence[bool]], float],
) -> measures.Interval:
    sure = [
        [(curve.stated if one.stated else curve.denied).at(one.probability) for one in some] for some in said
    ]

    def of(rows: Rows) -> float:
        probabilities = [value for row in rows for value in sure[row]]
        return score(probabilities, [one.right for row in rows for one in said[row]])

    return replace(measures.bootstrap(len(said), of), n=sum(map(len, said)))


def _row(metric: str, value: measures.Interval, command: str) -> results.Row:
    return {
        "experiment": "evidence",
        "arm": "seg",
        "views": "frontal",
        "population": "phantom",
        "metric": metric,
        "mean": round(value.mean, 4),
        "low": round(value.low, 4),
        "high": round(value.high, 4),
        "n": value.n,
        "seeds": 1,
        "command": command,
    }


if __name__ == "__main__":
    main()
