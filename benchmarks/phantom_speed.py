"""Milliseconds a view of a phantom takes on one core: `python -m benchmarks.phantom_speed`.

Prints one JSON line a size and view: median and 95th percentile of processor milliseconds.
"""

import argparse
import json
import time

import numpy as np

from inference.contract import ViewPosition
from inference.phantom import study

VIEWS = (ViewPosition.PA, ViewPosition.AP, ViewPosition.LEFT_LATERAL)


def measure(size: int, view: ViewPosition, studies: int) -> dict[str, float | int | str]:
    """Processor time, so that a busy machine does not blur it more than it must."""
    study.generate(0, 0, size=size, views=[view], with_prior=False)
    spent = []
    for index in range(studies):
        start = time.process_time()
        study.generate(2, index, size=size, views=[view], with_prior=False)
        spent.append((time.process_time() - start) * 1000)
    return {
        "size": size,
        "view": str(view),
        "studies": studies,
        "median_ms": round(float(np.median(spent)), 1),
        "p95_ms": round(float(np.percentile(spent, 95)), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=30)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    options = parser.parse_args()
    for size in options.sizes:
        for view in VIEWS:
            print(json.dumps(measure(size, view, options.studies)))


if __name__ == "__main__":
    main()
