"""How well the finding labels agree with sentences labelled by hand: `python -m benchmarks.labeller
[--write]`.

F1 over (category, state) of all sentences of a gold file, and the share of agreeing labels whose side
agrees too. The held-out sentences were not looked at while the rules were written."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference import measures
from inference.text.labels import labeller
from inference.training import results

GOLD = Path("tests/inference/gold")
POPULATIONS = {"development": "labels_{}", "held out": "labels_{}_held_out"}
COMMAND = "python -m benchmarks.labeller --write"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the rows into docs/results.json")
    options = parser.parse_args(arguments)
    rows = [
        _row(f"{language}, {name}", metric, value)
        for language in labeller.LANGUAGES
        for name, file in POPULATIONS.items()
        for metric, value in measured(GOLD / f"{file.format(language)}.jsonl", language).items()
    ]
    for row in rows:
        print(json.dumps(row))
    if options.write:
        results.put(rows)


def measured(path: Path, language: str) -> dict[str, measures.Interval]:
    """Agreement with one gold file; sentences are resampled."""
    sentences = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    counts = np.array([_counts(one, language) for one in sentences], dtype=float)

    def f1(rows: NDArray[np.intp]) -> float:
        right, both, _ = counts[rows].sum(axis=0)
        return float(2 * right / both)

    def side(rows: NDArray[np.intp]) -> float:
        right, _, sided = counts[rows].sum(axis=0)
        return float(sided / right)

    return {"micro_f1": measures.bootstrap(len(counts), f1), "side": measures.bootstrap(len(counts), side)}


def _counts(sentence: dict[str, object], language: str) -> Sequence[int]:
    """Labels that agree in state, labels said and true together, labels that agree in side too."""
    found = {
        str(category): [str(one.state), str(one.side)]
        for category, one in labeller.label(str(sentence["text"]), language).items()
    }
    wanted: dict[str, list[str]] = dict(sentence["labels"])  # type: ignore[call-overload]
    same = [category for category in wanted if found.get(category, [""])[0] == wanted[category][0]]
    return len(same), len(found) + len(wanted), sum(found[one][1] == wanted[one][1] for one in same)


def _row(population: str, metric: str, value: measures.Interval) -> results.Row:
    return {
        "experiment": "labeller",
        "arm": "rules",
        "views": "sentences",
        "population": population,
        "metric": metric,
        **{part: round(getattr(value, part), 4) for part in ("mean", "low", "high")},
        "n": value.n,
        "seeds": 1,
        "command": COMMAND,
    }


if __name__ == "__main__":
    main()
