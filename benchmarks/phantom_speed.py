"""Milliseconds a view of a phantom takes on one core:

    python -m benchmarks.phantom_speed [--studies 30] [--sizes 256 512 1024] [--write]

Prints one JSON line a size and view: median and 95th percentile of processor milliseconds.
"""

import argparse
import json
import time

import numpy as np

from inference.contract import ViewPosition
from inference.phantom import study
from inference.training import results

COMMAND = "python -m benchmarks.phantom_speed"
VIEWS = (ViewPosition.PA, ViewPosition.AP, ViewPosition.LEFT_LATERAL)


def measure(size: int, view: ViewPosition, studies: int) -> list[float]:
    """Processor milliseconds of each study, so that a busy machine does not blur them more than it must."""
    study.generate(0, 0, size=size, views=[view], with_prior=False)
    spent = []
    for index in range(studies):
        start = time.process_time()
        study.generate(2, index, size=size, views=[view], with_prior=False)
        spent.append((time.process_time() - start) * 1000)
    return spent


def rows(size: int, view: ViewPosition, spent: list[float]) -> list[results.Row]:
    """The median with its range, and the 95th percentile."""
    common = {"command": COMMAND, "population": f"{size} px", "views": str(view)}
    return [
        results.spread("phantom-speed", str(view), "median_ms", spent, **common),
        results.spread("phantom-speed", str(view), "p95_ms", [float(np.percentile(spent, 95))], **common),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=30)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--write", action="store_true", help="put the rows into docs/results.json")
    options = parser.parse_args()
    found: list[results.Row] = []
    for size in options.sizes:
        for view in VIEWS:
            made = rows(size, view, measure(size, view, options.studies))
            median, p95 = (row["mean"] for row in made)
            print(
                json.dumps({"size": size, "view": str(view), "median_ms": median, "p95_ms": p95}), flush=True
            )
            found += made
    if options.write:
        results.put(found)


if __name__ == "__main__":
    main()
