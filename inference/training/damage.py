"""What bad masks do to drafts, and what the trust gate saves: `python -m inference.training.damage --write`.

The bundle drafts held-out phantoms with its segmenter's masks damaged on purpose, once with the trust gate
(each damaged mask is believed as far as the segmenter's own probabilities agree with it) and once without.
Beside them stands the same model told nothing of masks. Experiment `damage`; populations are the kinds of
damage."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from inference import measures
from inference.contract import bundle_digest
from inference.maira_seg import checkpoint
from inference.maira_seg.processor import CodedSentence
from inference.maira_seg.prompt import WITHHELD
from inference.structures import STRUCTURES
from inference.training import progress, records, results, told
from inference.training.experiment.scores import Scored, difference, interval

SEED_PHANTOMS = 14
ERODED_BY, SHIFTED_BY = 2, 16
"""Pixels of the square."""
DROPPED = 0.5
NOTHING_TOLD = "told nothing"
MEASURES = ("macro_f1", "micro_f1", "side", "normal_kept_normal")
COMMAND = "python -m inference.training.damage --bundle BUNDLE --studies {studies} --write"
Damage = Callable[[Tensor, torch.Generator], Tensor]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=Path("inference/weights/demo"))
    parser.add_argument("--cache", type=Path, default=Path("var/training"), help="rendered phantoms")
    parser.add_argument("--studies", type=int, default=300)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--processes", type=int, default=2, help="that render phantoms")
    parser.add_argument("--write", action="store_true", help="put the rows into docs/results.json")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    bundle = checkpoint.load(options.bundle)
    size = bundle.segmenter.config.image_size
    phantoms = records.phantoms(
        options.cache, SEED_PHANTOMS, options.studies, size=size, processes=options.processes
    )
    rows = measure(bundle, phantoms)
    for row in rows:
        print(json.dumps(row))
    if options.write:
        results.put(rows, bundle=bundle_digest(options.bundle))


def measure(bundle: checkpoint.Bundle, phantoms: records.Phantoms) -> list[results.Row]:
    """The rows of every kind of damage, and of telling nothing."""
    looked = told.look(bundle, phantoms.images(torch.arange(len(phantoms))))
    reports = [truth.report((phantoms.seed, i, 0)) for i, truth in enumerate(phantoms.truths)]
    log = progress.Progress("damage", every=0)

    def scored(drafts: list[list[CodedSentence]]) -> Scored:
        return Scored(drafts, phantoms.truths, reports)

    silent = torch.full(looked.masks.shape[:2], WITHHELD)
    untold = scored(told.write(bundle, looked, looked.masks, silent))
    rows = _rows(NOTHING_TOLD, "none", untold, None)
    for name, damage in DAMAGES.items():
        masks = damage(looked.masks, torch.Generator().manual_seed(0))
        for arm, gate in (("trust gate", True), ("no gate", False)):
            shown = told.states(bundle, looked, masks, gate=gate)
            rows += _rows(arm, name, scored(told.write(bundle, looked, masks, shown)), untold)
            log.report(damage=name, arm=arm, macro_f1=rows[-len(MEASURES) - 1]["mean"])
    return rows


def _rows(arm: str, name: str, run: Scored, untold: Scored | None) -> list[results.Row]:
    found = {measure: interval([run], measure) for measure in MEASURES}
    if untold is not None:
        found[f"macro_f1 minus {NOTHING_TOLD}"] = difference([run], [untold], "macro_f1")
    return [_row(arm, name, metric, value, len(run.drafts)) for metric, value in found.items()]


def _row(arm: str, name: str, metric: str, value: measures.Interval, studies: int) -> results.Row:
    return {
        "experiment": "damage",
        "arm": arm,
        "views": "frontal",
        "population": name,
        "metric": metric,
        **{part: round(getattr(value, part), 4) for part in ("mean", "low", "high")},
        "n": value.n,
        "seeds": 1,
        "command": COMMAND.format(studies=studies),
    }


def none(masks: Tensor, generator: torch.Generator) -> Tensor:
    """masks (N, M, S, S) bool; every damage gives new ones of that shape."""
    return masks


def eroded(masks: Tensor, generator: torch.Generator) -> Tensor:
    """Thinner by two pixels all round: catheters go."""
    side = 2 * ERODED_BY + 1
    return torch.cat(
        [F.max_pool2d((~some).float(), side, stride=1, padding=ERODED_BY) == 0 for some in masks.split(16)]
    )


def shifted(masks: Tensor, generator: torch.Generator) -> Tensor:
    """Down and to the right by a sixteenth of the picture."""
    moved = masks.roll((SHIFTED_BY, SHIFTED_BY), dims=(-2, -1))
    moved[..., :SHIFTED_BY, :] = False
    moved[..., :SHIFTED_BY] = False
    return moved


def swapped(masks: Tensor, generator: torch.Generator) -> Tensor:
    """Right for left, where a structure has sides."""
    codes = [structure.code for structure in STRUCTURES]
    return masks[:, [codes.index(_other_side(code)) for code in codes]]


def _other_side(code: str) -> str:
    for one, other in (("_right", "_left"), ("_left", "_right")):
        if code.endswith(one):
            return code.removesuffix(one) + other
    return code


def missing(masks: Tensor, generator: torch.Generator) -> Tensor:
    """Every other mask, at random."""
    kept = torch.rand(masks.shape[:2], generator=generator) >= DROPPED
    return masks & kept[..., None, None]


def another_patient(masks: Tensor, generator: torch.Generator) -> Tensor:
    """Those of the study before."""
    return masks.roll(1, dims=0)


def all_gone(masks: Tensor, generator: torch.Generator) -> Tensor:
    """Nothing found anywhere, which is what empty masks come to."""
    return torch.zeros_like(masks)


DAMAGES: dict[str, Damage] = {
    "none": none,
    "eroded": eroded,
    "shifted": shifted,
    "sides swapped": swapped,
    "half missing": missing,
    "another patient's": another_patient,
    "all gone": all_gone,
}


if __name__ == "__main__":
    main()
