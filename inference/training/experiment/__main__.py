"""The comparison of arms, as an experiment anyone can rerun and interrupt:

    python -m inference.training.train_encoder --supervision anatomy --out var/arms/anatomy
    python -m inference.training.train_encoder --supervision labels --start var/arms/anatomy \\
        --out var/arms/encoder
    python -m inference.training.experiment run --plan pilot
    python -m inference.training.experiment report --plan pilot --write

`run` does what is not done yet and can be stopped at any moment: it renders the phantoms, caches the frozen
features, trains the start that settings share, then trains and drafts setting by setting, seed by seed.
`prepare` ends before the settings; after it several processes may share the runs (`--part 1/4` ... `--part
4/4`). `report` scores what is there.
"""

import argparse
import functools
import json
from pathlib import Path

import numpy as np
import torch

from inference import measures
from inference.maira_seg.processor import CodedSentence
from inference.training import results
from inference.training.experiment import materials, runs, scores
from inference.training.experiment.arms import SETTINGS
from inference.training.experiment.damaged import DAMAGES
from inference.training.experiment.plans import ABLATION, PLANS, Plan

BASELINE, MASK_BASELINE = "baseline", "baseline-mask-encoder"
OTHERS = {
    "seg": ("som", "names", "shuffled"),
    "seg-findings": ("names-findings", "som-findings"),
    "seg-mask-encoder": ("names-mask-encoder",),
}
"""Whom else an arm is compared with, besides the baseline of its encoder: what starts elsewhere had another
share of the start."""
SEVERAL = "-multi"
DAMAGE_MEASURES = (scores.PRIMARY, "micro_f1", "side", "normal_kept_normal")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("verb", choices=("prepare", "run", "report"))
    parser.add_argument("--plan", choices=sorted(PLANS), required=True)
    parser.add_argument("--out", type=Path, default=Path("var/arms"))
    parser.add_argument("--cache", type=Path, default=Path("var/training"), help="rendered phantoms")
    parser.add_argument(
        "--encoder", type=Path, default=Path("var/arms/encoder"), help="trained with --supervision labels"
    )
    parser.add_argument(
        "--bundle",
        type=Path,
        default=Path("inference/weights/demo"),
        help="whose segmenter predicts the masks, and whose encoder was supervised with masks",
    )
    parser.add_argument("--only", nargs="*", default=[], help="settings of the plan; all when left out")
    parser.add_argument("--part", type=part, default=(1, 1), help="which share of the runs, as 1/4")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--processes", type=int, default=2, help="that render phantoms and write reports")
    parser.add_argument("--write", action="store_true", help="put the rows into docs/results.json")
    options = parser.parse_args(arguments)
    plan = PLANS[options.plan]
    folder = options.out / plan.name
    if options.verb == "prepare":
        torch.set_num_threads(options.threads)
        for mask_encoder in {SETTINGS[name].mask_encoder for name in wanted(plan, options)}:
            material = materials.prepare(plan, options, mask_encoder=mask_encoder)
            for setting in map(SETTINGS.__getitem__, plan.settings):
                if plan.start_steps and setting.mask_encoder == mask_encoder:
                    runs.start(plan, setting, material, folder)
    elif options.verb == "run":
        carry_out(plan, folder, options)
    else:
        rows = report(plan, folder, options)
        for row in rows:
            print(json.dumps(row))
        if options.write:
            results.put(rows)


def carry_out(plan: Plan, folder: Path, options: argparse.Namespace) -> None:
    """Every run of the plan that is not done and belongs to this part of it."""
    torch.set_num_threads(options.threads)
    made = functools.cache(lambda mask_encoder: materials.prepare(plan, options, mask_encoder=mask_encoder))
    which, of = options.part
    jobs = [(name, seed) for name in wanted(plan, options) for seed in plan.seeds][which - 1 :: of]
    for name, seed in jobs:
        setting = SETTINGS[name]
        runs.run(plan, setting, seed, made(setting.mask_encoder), folder / f"{name}-{seed}", options.threads)
    for name, seed in jobs:
        if name in plan.also_true:
            setting = SETTINGS[name]
            runs.again(setting, "true", made(setting.mask_encoder), folder / f"{name}-{seed}")
    for name, seed in jobs:
        for damage in DAMAGES if name in plan.damaged else ():
            setting = SETTINGS[name]
            runs.spoiled(plan, setting, damage, made(setting.mask_encoder), folder / f"{name}-{seed}")


def wanted(plan: Plan, options: argparse.Namespace) -> list[str]:
    """The plan's settings, or those of them that were asked for."""
    return [name for name in plan.settings if not options.only or name in options.only]


def part(text: str) -> tuple[int, int]:
    """`2/8`: the second of eight parts."""
    which, of = (int(number) for number in text.split("/"))
    if not 1 <= which <= of:
        raise ValueError(text)
    return which, of


def report(plan: Plan, folder: Path, options: argparse.Namespace) -> list[results.Row]:
    """Rows of every setting whose seeds are all done, and of its differences."""
    _, test = materials.populations(plan, options)
    seed = materials.front(test).seed
    reports = [truth.report((seed, index, 0)) for index, truth in enumerate(test.truths)]
    kind = plan.masks
    done = {name: _scored(plan, folder, name, kind, test, reports) for name in plan.settings}
    rows = []
    for name, scored in done.items():
        if scored:
            rows += _rows(plan, name, f"{kind} masks", scored) + _costs(plan, folder, name)
            against = [other for other in others(name) if done.get(other) and other != name]
            rows += [
                _difference(plan, name, other, f"{kind} masks", scored, done[other]) for other in against
            ]
        if name in plan.also_true:
            with_true = _scored(plan, folder, name, "true", test, reports)
            rows += _rows(plan, name, "true masks", with_true) if with_true else []
        for damage in DAMAGES if name in plan.damaged else ():
            spoiled = _scored(plan, folder, name, damage, test, reports)
            if spoiled and done.get(BASELINE):
                rows += _damage_rows(plan, name, damage, spoiled, done[BASELINE])
    return rows


def others(name: str) -> list[str]:
    """Whom a setting is compared with: the baseline of its encoder, others with the same views, and itself
    with the frontal image alone."""
    plain = name.removesuffix(SEVERAL)
    first = MASK_BASELINE if SETTINGS[name].mask_encoder else BASELINE
    same = [first, *OTHERS.get(plain, ())]
    return same if plain == name else [*(other + SEVERAL for other in same), plain]


def _scored(
    plan: Plan,
    folder: Path,
    name: str,
    kind: str,
    test: materials.Population,
    reports: list[tuple[CodedSentence, ...]],
) -> list[scores.Scored]:
    """The runs of all seeds; none when one is missing."""
    file = runs.drafts_file("" if kind == plan.masks else kind)
    paths = [folder / f"{name}-{seed}" / file for seed in plan.seeds]
    done = [path.with_name(runs.RUN) for path in paths]
    if not all(path.is_file() for path in (*paths, *done)):
        return []
    return [scores.Scored(runs.load(path), test.truths, reports) for path in paths]


def _rows(plan: Plan, name: str, population: str, scored: list[scores.Scored]) -> list[results.Row]:
    found = {measure: scores.interval(scored, measure) for measure in scores.MEASURES}
    known = {measure: value for measure, value in found.items() if not np.isnan(value.mean)}
    return [_row(plan, name, population, measure, value) for measure, value in known.items()]


def _difference(
    plan: Plan, name: str, other: str, population: str, ours: list[scores.Scored], theirs: list[scores.Scored]
) -> results.Row:
    value = scores.difference(ours, theirs, scores.PRIMARY)
    return _row(plan, name, population, f"{scores.PRIMARY} minus {other}", value)


def _damage_rows(
    plan: Plan, name: str, damage: str, spoiled: list[scores.Scored], baseline: list[scores.Scored]
) -> list[results.Row]:
    """How good drafts from spoiled prompts are, and how they stand beside those of `baseline`."""
    rows = [
        _row(plan, name, damage, measure, scores.interval(spoiled, measure)) for measure in DAMAGE_MEASURES
    ]
    rows.append(_difference(plan, name, BASELINE, damage, spoiled, baseline))
    return [{**row, "experiment": "damage"} for row in rows]


def _costs(plan: Plan, folder: Path, name: str) -> list[results.Row]:
    """Tokens of a draft and seconds of a run, least to greatest over seeds."""
    told = [json.loads((folder / f"{name}-{seed}" / runs.RUN).read_text()) for seed in plan.seeds]
    rows = []
    for measure in ("tokens", "seconds_training", "seconds_drafting"):
        values = np.array([one[measure] for one in told], dtype=float)
        value = measures.Interval(float(values.mean()), float(values.min()), float(values.max()), len(values))
        rows.append(_row(plan, name, "runs", measure, value))
    return rows


def _row(plan: Plan, name: str, population: str, measure: str, value: measures.Interval) -> results.Row:
    return {
        "experiment": "ablation" if name in ABLATION else "arms",
        "arm": name.removesuffix(SEVERAL),
        "views": str(SETTINGS[name].views),
        "population": f"{plan.name}, {population}",
        "metric": measure,
        "mean": round(value.mean, 4),
        "low": round(value.low, 4),
        "high": round(value.high, 4),
        "n": value.n,
        "seeds": len(plan.seeds),
        "command": f"python -m inference.training.experiment report --plan {plan.name}",
    }


if __name__ == "__main__":
    main()
