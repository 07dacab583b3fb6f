"""One JSON object per line on standard output: what a person tails and a parent process reads."""

import argparse
import json
import math
import sys
import time
from pathlib import Path

import torch


class Progress:
    """Reports the state of one run. `every` seconds at most one line, besides those that are forced."""

    def __init__(self, run: str, *, every: float = 15.0) -> None:
        self.run, self.every = run, every
        self.started = time.monotonic()
        self._last = -math.inf

    def report(self, *, force: bool = False, **values: float | int | str) -> None:
        now = time.monotonic()
        if not force and now - self._last < self.every:
            return
        self._last = now
        rounded = {k: round(v, 5) if isinstance(v, float) else v for k, v in values.items()}
        line = {"run": self.run, "seconds": round(now - self.started, 1), **rounded}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def arguments(description: str, *, steps: int, batch: int, rate: float) -> argparse.ArgumentParser:
    """The options every training command shares."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, required=True, help="folder that receives the weights")
    parser.add_argument(
        "--cache", type=Path, default=Path("var/training"), help="rendered phantoms and features"
    )
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--minutes", type=float, default=0.0, help="stop after this long, 0 for no limit")
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--rate", type=float, default=rate, help="highest learning rate")
    parser.add_argument("--studies", type=int, default=3200, help="phantoms to train on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--processes", type=int, default=2, help="that render phantoms and write reports")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--resume", action="store_true", help="go on from the weights in --out")
    return parser


def prepare(options: argparse.Namespace) -> torch.Generator:
    """Threads and seeds. Everything random in a run comes from this generator or torch's own seed; the run
    lives on the generator's device, where single-precision products may be rounded (TF32)."""
    torch.set_num_threads(options.threads)
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(options.seed)
    return torch.Generator(options.device).manual_seed(options.seed)


WARM_UP = 50
"""Steps in which the learning rate rises."""


def rate_factor(step: int, share: float) -> float:
    """Of the highest learning rate: a straight rise, then a cosine down to a twentieth. `step` counts from
    1."""
    return min(1.0, step / WARM_UP) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * share)))


class Schedule:
    """Warm-up, then a cosine down to a twentieth. Follows the clock when the run has a time limit."""

    def __init__(self, optimiser: torch.optim.Optimizer, options: argparse.Namespace) -> None:
        self.optimiser, self.rate, self.steps = optimiser, options.rate, options.steps
        self.limit = options.minutes * 60
        self.started = time.monotonic()
        self.step = 0

    @property
    def share(self) -> float:
        """How much of the run is over, 0..1."""
        spent = (time.monotonic() - self.started) / self.limit if self.limit else 0.0
        return min(1.0, max(spent, self.step / self.steps))

    @property
    def over(self) -> bool:
        return self.share >= 1.0

    def advance(self) -> None:
        self.step += 1
        rate = self.rate * rate_factor(self.step, self.share)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
