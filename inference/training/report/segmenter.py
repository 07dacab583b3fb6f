"""The segmenter's tables: per structure and per group, beside the floors that were set for it.

Dice is over the studies where the structure is there; a missed one counts zero. A structure is detected where
the drawn mask overlaps it with a Dice of `FOUND_DICE`; a mask drawn elsewhere is a false alarm, and the
structure missed. `centreline_recall` and `tip_mm` are those of `centrelines`, of tubes that are there: recall
is zero where nothing is drawn; the median tip error is over drawn tips, `tip_within_5_mm` over all.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from inference import measures
from inference.segmentation.views import STRUCTURES_OF, View
from inference.structures import BY_CODE, Group
from inference.training.report.outlined import TUBES, Outlined, Seen, group
from inference.training.report.rows import Table
from inference.training.results import Row

FOUND_DICE = 0.1
FLOORS = {"lungs": 0.95, "heart": 0.95, "other anatomy": 0.85, "findings": 0.75}
"""Of Dice, by group."""
F1_FLOOR, RECALL_FLOOR, TIP_CEILING_MM = 0.85, 0.9, 5.0
DETECTION: dict[str, dict[str, float]] = {
    "detection_precision": {},
    "detection_recall": {},
    "detection_f1": {"floor": F1_FLOOR},
}
ROBUST_GROUPS = ("lungs", "heart", "other anatomy", "findings")

Indices = NDArray[np.intp]
Statistic = Callable[[NDArray[np.float64]], np.floating]


def populations(view: View = View.FRONTAL) -> dict[str, tuple[str, ...]]:
    """Name -> the structures of a view that are judged together: groups first, then each alone."""
    codes = STRUCTURES_OF[view]
    groups = {
        name: tuple(code for code in codes if group(code) == name)
        for name in dict.fromkeys(map(group, codes))
    }
    tubes = tuple(code for code in TUBES if code in codes)
    return {**groups, "tubes": tubes, **{code: (code,) for code in codes}}


def rows(seen: Sequence[Seen], table: Table, view: View = View.FRONTAL) -> list[Row]:
    """Everything measured on one population as it comes."""
    made = gate_rows(seen, table, "phantom")
    for name, codes in populations(view).items():
        chosen = pick(seen, codes)
        made += dice_rows(chosen, table, (name, "dice", FLOORS.get(group(codes[0]))))
        if BY_CODE[codes[0]].group != Group.ANATOMY:
            made += detection_rows(chosen, table, name)
        if set(codes) <= set(TUBES):
            made += tube_rows(chosen, table, name)
    return made


def robust_rows(seen: Sequence[Seen], table: Table, condition: str) -> list[Row]:
    """Gates and Dice by group under one condition."""
    made = gate_rows(seen, table, condition)
    for name in ROBUST_GROUPS:
        made += dice_rows(
            pick(seen, populations()[name]), table, (condition, f"dice:{name}", FLOORS.get(name))
        )
    return made


def pick(seen: Iterable[Seen], codes: Sequence[str]) -> list[list[Outlined]]:
    """Per image, of these structures those that were tried."""
    return [[one for one in image.structures if one.code in codes] for image in seen]


def gate_rows(seen: Sequence[Seen], table: Table, population: str) -> list[Row]:
    shares = {
        "masks_open": [image.masks_open for image in seen],
        "draft_open": [image.draft_open for image in seen],
    }
    return [
        table.row(population, name, measures.wilson(sum(found), len(found))) for name, found in shares.items()
    ]


def dice_rows(
    chosen: Sequence[Sequence[Outlined]], table: Table, place: tuple[str, str, float | None]
) -> list[Row]:
    """The mean over studies of the mean over their structures; no row where the structure never is. place:
    population, metric, floor."""
    population, metric, floor = place
    dices = [[one.dice for one in image if one.is_there] for image in chosen]
    values = [float(np.mean(found)) for found in dices if found]
    more = {} if floor is None else {"floor": floor}
    return [table.row(population, metric, measures.bootstrap_mean(values), **more)] if values else []


def detection_rows(chosen: Sequence[Sequence[Outlined]], table: Table, population: str) -> list[Row]:
    """Precision, recall and F1 over all structures of the population; studies are resampled."""
    counts = np.array([_counts(image) for image in chosen], dtype=float).reshape(-1, 3)
    made = []
    for metric, more in DETECTION.items():
        statistic = partial(_detection, counts, metric)
        if np.isfinite(statistic(np.arange(len(counts)))):
            made.append(table.row(population, metric, measures.bootstrap(len(counts), statistic), **more))
    return made


def _counts(image: Iterable[Outlined]) -> tuple[int, int, int]:
    """(found, drawn, there)."""
    structures = list(image)
    found = sum(one.dice >= FOUND_DICE for one in structures)
    return found, sum(one.is_drawn for one in structures), sum(one.is_there for one in structures)


def _detection(counts: NDArray[np.float64], metric: str, picked: Indices) -> float:
    found, drawn, there = counts[picked].sum(axis=0)
    top, bottom = {
        "detection_precision": (found, drawn),
        "detection_recall": (found, there),
        "detection_f1": (2 * found, drawn + there),
    }[metric]
    return float(top / bottom) if bottom else float("nan")


def tube_rows(chosen: Sequence[Sequence[Outlined]], table: Table, population: str) -> list[Row]:
    """Course and tip; a study's tubes are resampled together."""
    courses = [[one.course for one in image if one.course is not None] for image in chosen]
    tips = [[one.tip_mm for one in image if one.tip_mm is not None] for image in chosen]
    drawn = [[mm for mm in image if np.isfinite(mm)] for image in tips]
    near = [[float(mm <= TIP_CEILING_MM) for mm in image] for image in tips]
    wanted: list[tuple[str, list[list[float]], dict[str, object]]] = [
        ("centreline_recall", courses, {"floor": RECALL_FLOOR}),
        ("tip_mm", drawn, {"ceiling": TIP_CEILING_MM, "statistic": "median"}),
        ("tip_within_5_mm", near, {}),
    ]
    made = []
    for metric, values, more in wanted:
        known = [image for image in values if image]
        if known:
            statistic = np.median if "statistic" in more else np.mean
            value = measures.bootstrap(len(known), partial(_of_all, known, statistic))
            made.append(table.row(population, metric, value, **more))
    return made


def _of_all(values: Sequence[Sequence[float]], statistic: Statistic, picked: Indices) -> float:
    return float(statistic(np.concatenate([values[i] for i in picked])))
