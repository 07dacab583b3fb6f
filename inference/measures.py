"""How good is it: overlap of masks, agreement of findings, and how sure we are of a number. Numpy only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Interval:
    """A measured value with its 95 % bootstrap interval and the number of units it was measured on."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Counts:
    """Hits, false alarms and misses of one finding."""

    hits: int = 0
    false_alarms: int = 0
    misses: int = 0

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN); nan when there was nothing to find and nothing was claimed."""
        total = 2 * self.hits + self.false_alarms + self.misses
        return 2 * self.hits / total if total else float("nan")

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.hits + other.hits, self.false_alarms + other.false_alarms, self.misses + other.misses
        )


def dice(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """2 |A and B| / (|A| + |B|); 1 when both are empty.

    Raises
    ------
    ValueError
        When the masks differ in shape.
    """
    if one.shape != other.shape:
        raise ValueError(f"masks differ in shape: {one.shape} and {other.shape}")
    total = int(one.sum()) + int(other.sum())
    return 2 * int((one & other).sum()) / total if total else 1.0


def count(said: Sequence[bool], true: Sequence[bool]) -> Counts:
    """Hits, false alarms and misses over studies."""
    claimed, actual = np.asarray(said, dtype=bool), np.asarray(true, dtype=bool)
    if claimed.shape != actual.shape:
        raise ValueError(f"{claimed.size} claims for {actual.size} studies")
    return Counts(
        int((claimed & actual).sum()), int((claimed & ~actual).sum()), int((~claimed & actual).sum())
    )


def macro_f1(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    """(studies, findings) booleans -> the mean F1 over findings that occur or are claimed."""
    scores = [count(said[:, i].tolist(), true[:, i].tolist()).f1 for i in range(said.shape[1])]
    defined = [score for score in scores if not np.isnan(score)]
    return float(np.mean(defined)) if defined else float("nan")


def micro_f1(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    """(studies, findings) booleans -> the F1 of all claims together."""
    return count(said.ravel().tolist(), true.ravel().tolist()).f1


def bootstrap(
    units: int,
    statistic: Callable[[NDArray[np.intp]], float],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """The statistic over all units, and the 2.5th and 97.5th percentile of it over resampled units.

    statistic takes the indices of the units to use. Resample the independent unit: the study, or the patient.
    """
    if units < 1:
        raise ValueError("nothing to resample")
    rng = np.random.default_rng(seed)
    everything = np.arange(units)
    drawn = [statistic(rng.integers(units, size=units)) for _ in range(resamples)]
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return Interval(float(statistic(everything)), float(low), float(high), units)


def bootstrap_mean(values: Sequence[float], *, resamples: int = 1000, seed: int = 0) -> Interval:
    """The mean of one value per unit, with its interval."""
    known = np.asarray(values, dtype=np.float64)
    return bootstrap(len(known), lambda rows: float(known[rows].mean()), resamples=resamples, seed=seed)
