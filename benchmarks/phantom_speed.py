"""Seconds to make a phantom study on one core: `python -m benchmarks.phantom_speed [--studies N]`.

Prints one JSON line a size: median and 95th percentile of processor milliseconds.
"""

import argparse
import json
import time

import numpy as np

from inference.phantom import study


def measure(size: int, studies: int) -> dict[str, float | int]:
    """Processor time, so that a busy machine does not blur it."""
    study.generate(0, 0, size=size)
    spent = []
    for index in range(studies):
        start = time.process_time()
        study.generate(2, index, size=size)
        spent.append((time.process_time() - start) * 1000)
    return {
        "size": size,
        "studies": studies,
        "median_ms": round(float(np.median(spent)), 1),
        "p95_ms": round(float(np.percentile(spent, 95)), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=50)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    options = parser.parse_args()
    for size in options.sizes:
        print(json.dumps(measure(size, options.studies)))


if __name__ == "__main__":
    main()
