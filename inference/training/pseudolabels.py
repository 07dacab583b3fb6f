"""Do radiographs that nobody drew on help, taught by what a network says of them?

    python -m inference.training.lungs_real --real FOLDER --out FOLDER --minutes 0 --steps 800
    python -m inference.training.pseudolabels --arm phantom-only --real FOLDER --out FOLDER --steps 800

One round. The teacher is a network of `inference.training.lungs_real`, kept in `--out`. It outlines the
lungs of the radiographs without a drawing, and the half of them whose outlines it trusts most
(`inference.segmentation.trust`) teach the student, which begins as the teacher began and takes as many steps
at the same rate: what differs is the pseudolabels among the real half of each batch. Nobody who is measured
is among them.

Experiment `lungs-real` (`--write` keeps the rows), arms `phantom-only, pseudolabels` (no drawing is taught,
half of each batch are pseudolabels) and `cross-validated, pseudolabels` (pseudolabels beside the drawings of
the other folds): Dice, the worst, what is won over the teacher, and how the teacher's trust follows its Dice.
"""

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from monai.networks.nets.unet import UNet
from numpy.typing import NDArray
from torch import Tensor

from inference import measures
from inference.maira_seg.checkpoint import load_weights, save_weights
from inference.segmentation.geometry import to_square
from inference.segmentation.model import build
from inference.segmentation.trust import soft_dice
from inference.training import lungs_real, progress, radiographs, results
from inference.training.lungs_real import CONFIG, CROSS_VALIDATED, FOLDS, LUNGS, PHANTOM_ONLY, WEIGHTS
from inference.training.radiographs import Radiograph, Squares

COMMAND = "python -m inference.training.pseudolabels"
SHARE = 0.5
"""Of the radiographs that may teach: those whose less trusted lung is trusted most. A fixed 0.95 left
some teachers without any."""


@dataclass
class Measured:
    """Of each drawn radiograph: Dice of teacher and student, and the teacher's trust in the lung it trusts
    less. taken: radiographs that taught, of the fold that had the fewest."""

    teacher: list[float]
    student: list[float]
    trust: list[float]
    taken: int


def main(arguments: list[str] | None = None) -> None:
    parser = progress.arguments(__doc__ or "", steps=800, batch=16, rate=2e-3)
    parser.add_argument("--real", type=Path, required=True, help="folder of real radiographs with lung masks")
    parser.add_argument("--arm", choices=(PHANTOM_ONLY, CROSS_VALIDATED), default=PHANTOM_ONLY)
    parser.add_argument("--write", action="store_true", help="put the rows into docs/results.json")
    parser.set_defaults(studies=1400)
    options = parser.parse_args(arguments)
    found = rows(measured(radiographs.read(options.real), options), options)
    shown = {f"{row['population']}, {row['metric']}": row["mean"] for row in found}
    progress.Progress("pseudolabels").report(force=True, **shown)
    if options.write:
        results.put(found)


def measured(everyone: Sequence[Radiograph], options: argparse.Namespace) -> Measured:
    """Teacher and student on every drawn radiograph, each by the networks that never saw its patient."""
    drawn = [radiograph for radiograph in everyone if radiograph.lungs is not None]
    images, masks = lungs_real.phantoms(options.cache, options.studies)
    result = Measured([0.0] * len(drawn), [0.0] * len(drawn), [0.0] * len(drawn), len(everyone))
    for start, taught_by, places in _rounds(drawn, options.arm):
        unseen = [drawn[place] for place in places]
        teacher = _read(options.out / taught_by)
        squares, taken = pseudolabels(teacher, _others(everyone, unseen))
        result.taken = min(result.taken, taken)
        if options.arm == CROSS_VALIDATED:
            shown = [radiograph for place, radiograph in enumerate(drawn) if place not in places]
            squares = radiographs.squares(shown, CONFIG.image_size).and_also(squares)
        student = _taught(start, taught_by, squares, images, masks, options)
        for part, values in (
            (result.teacher, lungs_real.dices(teacher, unseen)),
            (result.student, lungs_real.dices(student, unseen)),
            (result.trust, [float(outlined(teacher, one)[2].min()) for one in unseen]),
        ):
            for place, value in zip(places, values, strict=True):
                part[place] = value
    return result


def _rounds(drawn: Sequence[Radiograph], arm: str) -> list[tuple[str | None, str, list[int]]]:
    """What a student starts from, its teacher's file, and the places of those it is measured on."""
    if arm == PHANTOM_ONLY:
        return [(None, WEIGHTS, list(range(len(drawn))))]
    folds = lungs_real.folds_of([radiograph.patient for radiograph in drawn])
    return [
        (WEIGHTS, lungs_real.of_fold(fold), [place for place, other in enumerate(folds) if other == fold])
        for fold in range(FOLDS)
    ]


def _others(everyone: Sequence[Radiograph], measured: Sequence[Radiograph]) -> list[Radiograph]:
    """Those without a drawing, of patients who are not measured."""
    patients = {radiograph.patient for radiograph in measured}
    return [one for one in everyone if one.lungs is None and one.patient not in patients]


def _read(path: Path) -> UNet:
    network = build(CONFIG)
    load_weights(network, path)
    return network.eval()


@torch.inference_mode()
def outlined(teacher: UNet, radiograph: Radiograph) -> tuple[Tensor, Tensor, Tensor]:
    """What the network sees (1, S, S), its outlines (2, S, S) bool and the trust in each (2,)."""
    seen, _ = to_square(radiograph.image_input(), CONFIG.image_size)
    told = lungs_real.probabilities(teacher, seen)
    masks = torch.from_numpy(np.stack([lungs_real.largest(lung) for lung in (told >= 0.5).numpy()]))
    return seen, masks, soft_dice(told, masks)


def pseudolabels(teacher: UNet, undrawn: Sequence[Radiograph]) -> tuple[Squares, int]:
    """The outlines trusted most, as if they were drawn, and how many radiographs have them."""
    told = [
        (seen, masks, float(trust.min())) for seen, masks, trust in (outlined(teacher, r) for r in undrawn)
    ]
    ordered = sorted((one for one in told if one[2] > 0), key=lambda one: -one[2])
    kept = [(seen, masks) for seen, masks, _ in ordered[: math.ceil(SHARE * len(undrawn))]]
    empty = torch.zeros(0, len(LUNGS), CONFIG.image_size, CONFIG.image_size)
    sides = torch.stack([masks.float() for _, masks in kept]) if kept else empty
    images = torch.stack([seen for seen, _ in kept]) if kept else empty[:, :1]
    return Squares(images, sides.amax(dim=1), sides, torch.ones(len(kept), 2, dtype=torch.bool)), len(kept)


def _taught(
    start: str | None,
    taught_by: str,
    squares: Squares,
    images: Tensor,
    masks: Tensor,
    options: argparse.Namespace,
) -> UNet:
    """The student, kept in `--out` and not trained twice."""
    path = options.out / f"pseudolabels-{taught_by}"
    if path.is_file():
        return _read(path)
    generator = progress.prepare(options)
    network = build(CONFIG)
    if start is not None:
        load_weights(network, options.out / start)
    lungs_real.fit(network, images, masks, options, generator, squares if len(squares.images) else None)
    save_weights(network, path)
    return network


def rows(found: Measured, options: argparse.Namespace) -> list[results.Row]:
    student, teacher = np.array(found.student), np.array(found.teacher)
    trust = np.array(found.trust)

    def correlation(chosen: NDArray[np.intp]) -> float:
        return float(np.corrcoef(trust[chosen], teacher[chosen])[0, 1])

    arm = f"{options.arm}, pseudolabels"
    values = {
        "dice": measures.bootstrap_mean(found.student),
        "dice_worst": lungs_real.single(float(student.min()), len(student)),
        f"dice minus {options.arm}": measures.bootstrap_mean((student - teacher).tolist()),
        "taken": lungs_real.single(found.taken, found.taken),
    }
    followed = measures.bootstrap(len(trust), correlation)
    made = [lungs_real.row(arm, "real", metric, value, COMMAND, options) for metric, value in values.items()]
    return [
        *made,
        lungs_real.row(options.arm, "real", "trust_dice_correlation", followed, COMMAND, options),
    ]


if __name__ == "__main__":
    main()
