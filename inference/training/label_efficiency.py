"""How good the image encoder gets with few labels, and what a start without labels saves:

    python -m inference.training.label_efficiency run --out var/labels
    python -m inference.training.label_efficiency report --out var/labels --write

Starts: `scratch`; `restored`, trained before on the same images (normal ones drawn less often, as ever)
without labels; `anatomy`, trained before on masks of their anatomy. Each is then trained with
`--supervision labels` on a share of the labels, always the same number of steps, and tells the findings of
held-out phantoms. `run` does what is not done yet; a folder holds runs of the same options only."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference import measures
from inference.maira_seg.checkpoint import save_weights
from inference.maira_seg.config import PRESETS, MairaSegConfig
from inference.training import progress, records, results, train_encoder
from inference.training.datasets import finding_targets
from inference.training.train_encoder import Labeller, Lessons

TEST_SEED = 23
STARTS = {"scratch": "", "restored": "none", "anatomy": "anatomy"}
"""By what each start was supervised before."""
SHARES = (0.02, 0.1, 0.5, 1.0)
OPTIONS = ("studies", "test_studies", "steps", "batch", "rate", "seed")
"""What makes runs comparable."""
COMMAND = "python -m inference.training.label_efficiency"
Table = NDArray[np.float64]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("verb", choices=("run", "report"))
    parser.add_argument("--out", type=Path, default=Path("var/labels"))
    parser.add_argument("--cache", type=Path, default=Path("var/training"), help="rendered phantoms")
    parser.add_argument("--starts", nargs="*", choices=sorted(STARTS), default=list(STARTS))
    parser.add_argument("--studies", type=int, default=3200)
    parser.add_argument("--test-studies", type=int, default=500)
    parser.add_argument("--steps", type=int, default=1500, help="of each run, before as well as with labels")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--processes", type=int, default=2, help="that render phantoms")
    parser.add_argument("--write", action="store_true", help="put the rows into docs/results.json")
    options = parser.parse_args(arguments)
    options.minutes = 0.0
    if options.verb == "run":
        carry_out(options, PRESETS["demo"])
    else:
        rows = report(options.out)
        for row in rows:
            print(json.dumps(row))
        if options.write:
            results.put(rows)


def carry_out(options: argparse.Namespace, config: MairaSegConfig) -> None:
    """Every run that is not done.

    Raises
    ------
    SystemExit
        When the folder holds runs of other options: they would be taken for these.
    """
    _claim(options)
    size = config.vision.image_size
    train, test = (
        records.phantoms(options.cache, seed, count, size=size, processes=options.processes).to(
            options.device
        )
        for seed, count in (
            (train_encoder.SEED_PHANTOMS, options.studies),
            (TEST_SEED, options.test_studies),
        )
    )
    for start in options.starts:
        for share in SHARES:
            path = options.out / f"{start}-{share}.json"
            if path.is_file():
                continue
            generator = progress.prepare(options)
            labeller = Labeller(config).to(options.device)
            if STARTS[start]:
                labeller.vision.load_state_dict(_started(start, train, options, config).vision.state_dict())
            among = torch.arange(len(train)) < round(share * len(train))
            targets = finding_targets(train.truths).to(options.device)
            lessons = Lessons(train, targets, "labels", among.to(options.device))
            train_encoder.fit(labeller, lessons, options, generator)
            told = tell(labeller, test)
            part = path.with_suffix(".part")
            part.write_text(
                json.dumps({"told": told.tolist(), "true": finding_targets(test.truths).tolist()})
            )
            part.rename(path)


def _claim(options: argparse.Namespace) -> None:
    """Notes in the folder what its runs are made with, or compares."""
    asked = {name: getattr(options, name) for name in OPTIONS}
    note = options.out / "options.json"
    if note.is_file():
        held = json.loads(note.read_text())
        other = [
            f"--{name.replace('_', '-')} {held.get(name)}"
            for name in OPTIONS
            if held.get(name) != asked[name]
        ]
        if other:
            sys.exit(f"{options.out} holds runs of {', '.join(other)}: ask for that, or take another --out")
        return
    options.out.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps(asked))


def _started(
    start: str, train: records.Phantoms, options: argparse.Namespace, config: MairaSegConfig
) -> Labeller:
    """An encoder trained without labels of findings, once for all shares."""
    folder = options.out / start
    labeller = Labeller(config).to(options.device)
    if (folder / train_encoder.ENCODER).is_file():
        labeller.vision.load_state_dict(train_encoder.read(config, folder).state_dict())
        return labeller
    generator = progress.prepare(options)
    if STARTS[start] == "none":
        labeller.vision = train_encoder.restore(labeller.vision, config, train, options, generator)
    else:
        targets = finding_targets(train.truths).to(options.device)
        train_encoder.fit(labeller, Lessons(train, targets, STARTS[start]), options, generator)
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(labeller, folder / train_encoder.ENCODER)
    return labeller


@torch.inference_mode()
def tell(labeller: Labeller, phantoms: records.Phantoms) -> Tensor:
    """(N, labels): the logits of every finding, on the processor."""
    labeller.eval()
    parts = [labeller(phantoms.images(rows))[0].cpu() for rows in torch.arange(len(phantoms)).split(64)]
    return torch.cat(parts)


def auroc(told: Table, true: Table) -> float:
    """Mean over labels of the area under the curve; labels that all studies or none have are left out."""
    each = [measures.auroc(scores, there) for scores, there in zip(told.T, true.T > 0, strict=True)]
    return float(np.nanmean(each)) if not np.isnan(each).all() else float("nan")


def report(folder: Path) -> list[results.Row]:
    """Mean AUROC over labels and macro F1 at even odds, of every run there is, with the commands that give
    them again."""
    rows = []
    kept = json.loads((folder / "options.json").read_text())
    given = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in kept.items())
    command = f"{COMMAND} run {given} && {COMMAND} report --write"
    for start in STARTS:
        for share in SHARES:
            path = folder / f"{start}-{share}.json"
            if not path.is_file():
                continue
            kept = json.loads(path.read_text())
            told, true = np.array(kept["told"]), np.array(kept["true"])
            rows.append(_row(start, share, "auroc", told, true) | {"command": command})
            rows.append(_row(start, share, "macro_f1", told, true) | {"command": command})
    return rows


def _row(start: str, share: float, metric: str, told: Table, true: Table) -> results.Row:
    def value(chosen: NDArray[np.intp]) -> float:
        if metric == "auroc":
            return auroc(told[chosen], true[chosen])
        return measures.macro_f1(told[chosen] > 0, true[chosen] > 0)

    interval = measures.bootstrap(len(told), value)
    return {
        "experiment": "label-efficiency",
        "arm": start,
        "views": "frontal",
        "population": f"{share:.0%} of the labels",
        "metric": metric,
        "mean": round(interval.mean, 4),
        "low": round(interval.low, 4),
        "high": round(interval.high, 4),
        "n": interval.n,
        "seeds": 1,
    }


if __name__ == "__main__":
    main()
