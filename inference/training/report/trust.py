"""Does trust tell good masks from bad ones? Each drawn mask's trust beside its true Dice.

A mask drawn where there is nothing has a Dice of zero; structures that were missed have no mask and no part
in this. Studies are resampled, and patients where radiographs are real.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from inference import measures
from inference.contract import StudyInput
from inference.imaging import masks as rle
from inference.training import radiographs
from inference.training.report.outlined import Outliner, Seen, group
from inference.training.report.rows import Table
from inference.training.results import Row

POOR_DICE = 0.7
LUNGS = ("lung_right", "lung_left")

Pairs = list[tuple[float, float]]
"""(trust, Dice) of the masks drawn of one study or patient."""
Measure = Callable[[NDArray[np.float64], float], float]


def pairs(seen: Iterable[Seen], groups: Sequence[str] = ()) -> list[Pairs]:
    """Per study, of the structures of these groups, all when none is named."""
    return [
        [
            (one.trust, one.dice)
            for one in image.structures
            if one.is_drawn and (not groups or group(one.code) in groups)
        ]
        for image in seen
    ]


def real_lungs(outliner: Outliner, taken: Iterable[radiographs.Radiograph]) -> list[Pairs]:
    """Per patient the right and left lungs of radiographs on which a person drew them and they lie apart."""
    found: dict[str, Pairs] = {}
    for radiograph in taken:
        apart = None if radiograph.lungs is None else radiographs.two_lungs(radiograph.lungs)
        if apart is None:
            continue
        true = dict(zip(LUNGS, apart, strict=True))
        output = outliner.draft(StudyInput(radiograph.name, (radiograph.image_input(),)))
        found.setdefault(radiograph.patient, []).extend(
            (mask.trust or 0.0, measures.dice(rle.decode(mask.counts, mask.size), true[mask.structure]))
            for mask in output.masks
            if mask.structure in LUNGS
        )
    return list(found.values())


def rows(populations: dict[str, list[Pairs]], threshold: float, table: Table) -> list[Row]:
    """Every measure of every population; none where it is not defined, as a correlation of one mask is."""
    made = []
    for population, images in populations.items():
        known = [np.array(image) for image in images if image]
        for metric, measure in MEASURES.items() if known else ():
            statistic = partial(_of_masks, known, measure, threshold)
            if np.isfinite(statistic(np.arange(len(known)))):
                made.append(table.row(population, metric, measures.bootstrap(len(known), statistic)))
    return made


def _of_masks(
    images: Sequence[NDArray[np.float64]], measure: Measure, threshold: float, picked: NDArray[np.intp]
) -> float:
    return measure(np.concatenate([images[i] for i in picked]), threshold)


def _spearman(masks: NDArray[np.float64], _threshold: float) -> float:
    trust, dice = masks.T
    if np.ptp(trust) == 0 or np.ptp(dice) == 0:
        return float("nan")
    return float(stats.spearmanr(trust, dice).statistic)


def _poor(masks: NDArray[np.float64], _threshold: float) -> float:
    return float((masks[:, 1] < POOR_DICE).mean())


def _auroc(masks: NDArray[np.float64], _threshold: float) -> float:
    return measures.auroc(-masks[:, 0], masks[:, 1] < POOR_DICE)


def _coverage(masks: NDArray[np.float64], threshold: float) -> float:
    return float((masks[:, 0] >= threshold).mean())


def _dice(masks: NDArray[np.float64], _threshold: float) -> float:
    return float(masks[:, 1].mean())


def _trusted_dice(masks: NDArray[np.float64], threshold: float) -> float:
    trusted = masks[masks[:, 0] >= threshold, 1]
    return float(trusted.mean()) if trusted.size else float("nan")


def _trusted_poor(masks: NDArray[np.float64], threshold: float) -> float:
    trusted = masks[masks[:, 0] >= threshold, 1]
    return float((trusted < POOR_DICE).mean()) if trusted.size else float("nan")


MEASURES: dict[str, Measure] = {
    "spearman": _spearman,
    f"auroc_dice_below_{POOR_DICE}": _auroc,
    f"dice_below_{POOR_DICE}": _poor,
    f"dice_below_{POOR_DICE}_of_trusted": _trusted_poor,
    "dice": _dice,
    "dice_of_trusted": _trusted_dice,
    "coverage": _coverage,
}
"""Share of poor masks, of all and of those believed; coverage is the share that is believed."""
