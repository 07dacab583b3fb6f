"""Does a draft follow the one thing that changed? `python -m inference.training.pairs --write`.

Pairs of phantoms of one person in one pose that differ in exactly one finding or device, on one side. Of
each pair: whether the draft of the one that has it states it, on that side, and the other draft does not;
and how many of the other findings that either draft speaks of are stated differently. Experiment `pairs`.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference import measures
from inference.contract import ViewPosition, bundle_digest
from inference.maira_seg import checkpoint
from inference.maira_seg.processor import CodedSentence
from inference.phantom import plan
from inference.phantom import study as phantom
from inference.phantom.plan import PlannedFinding
from inference.training import progress, records, results, told
from inference.training.experiment.scores import DEVICES, claims, there

SEED_PHANTOMS = 16
SIZE = 512
COMMAND = "python -m inference.training.pairs --bundle BUNDLE --pairs {pairs} --write"
Claims = dict[str, set[str]]


@dataclass(frozen=True)
class Pair:
    """With and without: squares (1, S, S). code, sides: what they differ in."""

    with_it: Tensor
    without: Tensor
    code: str
    sides: frozenset[str]


@dataclass(frozen=True)
class Outcome:
    """What became of a pair. sided: with the finding it is stated on its very side; silent: without it not
    stated there. others, changed: findings besides it that either draft speaks of, and those stated
    differently."""

    code: str
    sided: bool
    silent: bool
    others: int
    changed: int


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=Path("inference/weights/demo"))
    parser.add_argument("--pairs", type=int, default=220)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="put the rows into docs/results.json")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    bundle = checkpoint.load(options.bundle)
    pairs = made(options.pairs, bundle.segmenter.config.image_size)
    rows = report(measure(bundle, pairs))
    for row in rows:
        print(json.dumps(row))
    if options.write:
        results.put(rows, bundle=bundle_digest(options.bundle))


def made(count: int, size: int) -> list[Pair]:
    """The first pairs of the series; studies without findings give none."""
    log = progress.Progress("pairs")
    found: list[Pair] = []
    index = -1
    while len(found) < count:
        index += 1
        drawn = plan.compatible(plan.draw(np.random.default_rng([SEED_PHANTOMS, index, 0])))
        if not drawn:
            continue
        left_out = int(np.random.default_rng([SEED_PHANTOMS, index, 99]).integers(len(drawn)))
        rest = tuple(one for place, one in enumerate(drawn) if place != left_out)
        pair = _pair(index, drawn, rest, size)
        found += [pair] if pair else []
        log.report(pairs=len(found))
    return found


def _pair(
    index: int, drawn: Sequence[PlannedFinding], rest: Sequence[PlannedFinding], size: int
) -> Pair | None:
    """None when what was rendered differs in more than one finding: one may hide or bring about another."""
    view = ViewPosition.AP if index % 5 < 2 else ViewPosition.PA
    studies = [
        phantom.generate(SEED_PHANTOMS, index, size=SIZE, findings=some, views=[view], with_prior=False)
        for some in (drawn, rest)
    ]
    whole, part = (there(records.Truth(study.findings, ())) for study in studies)
    differing = {code for code in whole | part if whole.get(code) != part.get(code)}
    if len(differing) != 1:
        return None
    (code,) = differing
    sides = frozenset(whole.get(code, set()) - part.get(code, set()))
    squares = [records.square(study.images[0], size)[0] for study in studies]
    return Pair(squares[0], squares[1], code, sides) if sides else None


def measure(bundle: checkpoint.Bundle, pairs: Sequence[Pair]) -> list[Outcome]:
    """The drafts of both halves of every pair, compared."""
    halves = [[pair.with_it for pair in pairs], [pair.without for pair in pairs]]
    drafts = [_drafts(bundle, torch.stack(half)) for half in halves]
    return [compare(pair.code, pair.sides, *both) for pair, *both in zip(pairs, *drafts, strict=True)]


def _drafts(bundle: checkpoint.Bundle, images: Tensor) -> list[list[CodedSentence]]:
    looked = told.look(bundle, images)
    return told.write(bundle, looked, looked.masks, told.states(bundle, looked, looked.masks))


def compare(
    code: str, sides: frozenset[str], with_it: Sequence[CodedSentence], without: Sequence[CodedSentence]
) -> Outcome:
    """What two drafts say of studies that differ in this finding on these sides."""
    one, other = claims(with_it), claims(without)
    spoken = {s.finding for s in (*with_it, *without) if s.finding} - {code}
    return Outcome(
        code=code,
        sided=sides <= one.get(code, set()),
        silent=not sides & other.get(code, set()),
        others=len(spoken),
        changed=sum(one.get(each) != other.get(each) for each in spoken),
    )


def report(outcomes: Sequence[Outcome]) -> list[results.Row]:
    """Rows for all pairs, for findings and for devices, and how often each finding is followed."""
    groups = {
        "all": list(outcomes),
        "findings": [one for one in outcomes if one.code not in DEVICES],
        "devices": [one for one in outcomes if one.code in DEVICES],
    }
    groups |= {
        code: [one for one in outcomes if one.code == code] for code in sorted({o.code for o in outcomes})
    }
    return [
        _row(name, metric, interval, len(outcomes))
        for name, some in groups.items()
        if some
        for metric, interval in _intervals(some).items()
    ]


def _intervals(outcomes: Sequence[Outcome]) -> dict[str, measures.Interval]:
    others = np.array([(one.changed, one.others) for one in outcomes], dtype=float)

    def share(rows: NDArray[np.intp]) -> float:
        changed, spoken = others[rows].sum(axis=0)
        return float(changed / spoken) if spoken else float("nan")

    return {
        "changed_with_side": measures.bootstrap_mean([float(o.sided and o.silent) for o in outcomes]),
        "others_changed": measures.bootstrap(len(outcomes), share),
    }


def _row(name: str, metric: str, value: measures.Interval, pairs: int) -> results.Row:
    return {
        "experiment": "pairs",
        "arm": "demo",
        "views": "frontal",
        "population": name,
        "metric": metric,
        **{part: round(getattr(value, part), 4) for part in ("mean", "low", "high")},
        "n": value.n,
        "seeds": 1,
        "command": COMMAND.format(pairs=pairs),
    }


if __name__ == "__main__":
    main()
