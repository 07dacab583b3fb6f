"""How good is it: overlap of masks, agreement of findings, and how sure we are of a number. Numpy only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z_95 = 1.959964
"""The 97.5th percentile of the normal distribution."""


@dataclass(frozen=True)
class Interval:
    """A measured value with its 95 % interval and the number of units it was measured on."""

    mean: float
    low: float
    high: float
    n: int


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


def macro_f1(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    """(studies, findings) booleans -> the mean F1 over findings that occur or are claimed."""
    total = said.sum(axis=0) + true.sum(axis=0)
    occurs = total > 0
    scores = 2 * (said & true).sum(axis=0)[occurs] / total[occurs]
    return float(scores.mean()) if scores.size else float("nan")


def micro_f1(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    """(studies, findings) booleans -> the F1 of all claims together."""
    total = int(said.sum()) + int(true.sum())
    return 2 * int((said & true).sum()) / total if total else float("nan")


def brier(probabilities: Sequence[float], right: Sequence[bool]) -> float:
    """The mean squared distance of probabilities from what came true (Brier, 1950)."""
    said, true = np.asarray(probabilities, dtype=np.float64), np.asarray(right, dtype=np.float64)
    return float(((said - true) ** 2).mean()) if said.size else float("nan")


def expected_calibration_error(
    probabilities: Sequence[float], right: Sequence[bool], *, bins: int = 10
) -> float:
    """The gap between mean probability and share that came true, in bins of equal width over 0..1, weighted
    by how many fall into each (Naeini et al., 2015)."""
    said, true = np.asarray(probabilities, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if not said.size:
        return float("nan")
    place = np.minimum((said * bins).astype(int), bins - 1)
    gaps = [abs((said - true)[place == number].sum()) for number in range(bins)]
    return float(sum(gaps) / said.size)


def auroc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """The chance that a positive has a higher score than a negative, ties counted half; NaN without either.

    It is the area under the receiver operating characteristic (Hanley and McNeil 1982).
    """
    above, below = scores[positive], np.sort(scores[~positive])
    if not above.size or not below.size:
        return float("nan")
    lower = np.searchsorted(below, above, side="left")
    not_higher = np.searchsorted(below, above, side="right")
    return float((lower + not_higher).mean() / (2 * below.size))


def wilson(hits: int, units: int) -> Interval:
    """A rate with its 95 % score interval (Wilson 1927), which stays honest at 0 and 1 and for few units.

    Raises
    ------
    ValueError
        Without units, or with more hits than units.
    """
    if not 0 <= hits <= units or units < 1:
        raise ValueError(f"{hits} of {units} is no rate")
    rate, weight = hits / units, Z_95**2 / units
    centre = (rate + weight / 2) / (1 + weight)
    half = Z_95 / (1 + weight) * ((rate * (1 - rate) + weight / 4) / units) ** 0.5
    return Interval(rate, max(0.0, centre - half), min(1.0, centre + half), units)


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
