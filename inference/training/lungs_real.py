"""How good are lungs on real radiographs when only phantoms taught them?

    python -m inference.training.lungs_real --real FOLDER --out FOLDER [--minutes 30] [--write]

Trains a segmenter on phantoms alone, as `train_segmenter` does without real radiographs, and measures the
union of both lungs on every real radiograph whose lungs a person drew (lung behind the heart included). Not
one real pixel is trained on, so none has to be held out. Experiment `lungs-real`, arm `phantom-only`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference import measures
from inference.segmentation.segmenter import Segmenter
from inference.training import progress, radiographs, results, train_segmenter
from inference.training.radiographs import Radiograph, lung_channels
from inference.training.train_maira_seg import load_segmenter

COMMAND = "python -m inference.training.lungs_real"
MINUTES = 30


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--real", type=Path, required=True, help="folder of real radiographs with lung masks")
    parser.add_argument("--out", type=Path, required=True, help="folder of the segmenter's weights")
    parser.add_argument("--cache", type=Path, default=Path("var/training"))
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--measure-only", action="store_true", help="take the weights that lie in --out")
    parser.add_argument("--write", action="store_true", help="put the rows into docs/results.json")
    options = parser.parse_args(arguments)
    progress.prepare(options)
    if not options.measure_only:
        train_segmenter.main(_training(options))
    drawn = [radiograph for radiograph in radiographs.read(options.real) if radiograph.lungs is not None]
    found = rows(dices(load_segmenter(options.out), drawn), options)
    progress.Progress("lungs-real").report(
        force=True, **{row["metric"]: row["mean"] for row in found}, images=len(drawn)
    )
    if options.write:
        results.put(found)


def _training(options: argparse.Namespace) -> list[str]:
    words = ["--out", options.out, "--cache", options.cache, "--studies", options.studies]
    words += ["--seed", options.seed, "--threads", options.threads]
    words += ["--minutes", options.minutes, "--steps", 10**6, "--half-share", 0.6]
    return [str(word) for word in words]


def dices(segmenter: Segmenter, drawn: Sequence[Radiograph]) -> list[float]:
    """Dice of the union of both lungs, image by image, in the pixels of the image."""
    return [measures.dice(lungs(segmenter, radiograph), radiograph.lungs) for radiograph in drawn]  # type: ignore[arg-type]


def lungs(segmenter: Segmenter, radiograph: Radiograph) -> NDArray[np.bool_]:
    """(rows, cols) bool: both lungs together."""
    square = segmenter.look(radiograph.image_input())
    right, left = (segmenter.to_image(square, channel) for channel in lung_channels())
    both: NDArray[np.bool_] = right | left
    return both


def rows(scores: Sequence[float], options: argparse.Namespace) -> list[results.Row]:
    mean = measures.bootstrap_mean(list(scores))
    common = {
        "experiment": "lungs-real",
        "arm": "phantom-only",
        "views": "frontal",
        "population": "real",
        "n": len(scores),
        "seeds": 1,
        "command": f"{COMMAND} --minutes {options.minutes:g} --studies {options.studies}",
    }
    interval = {name: round(getattr(mean, name), 4) for name in ("mean", "low", "high")}
    worst = round(min(scores), 4)
    return [
        common | interval | {"metric": "dice"},
        common | {"metric": "dice-of-the-worst", "mean": worst, "low": worst, "high": worst},
    ]


if __name__ == "__main__":
    main()
