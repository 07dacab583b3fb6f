"""How often each gate closes, on what: rates with Wilson's interval.

`masks_closed` and `draft_closed` count what shows nothing, whatever the reason; images that the door to the
application or to the model refuses are among them, and are `refused` as well. `lungs_trusted` is the share on
which a lung is shown as believed.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from inference import measures
from inference.contract import ImageInput, InferenceError, StudyInput
from inference.training.report.outlined import Outliner
from inference.training.report.rows import Table
from inference.training.results import Row

LUNGS = ("lung_right", "lung_left")


@dataclass(frozen=True)
class Verdict:
    """What became of one image."""

    masks_closed: bool
    draft_closed: bool
    refused: bool = False
    lungs_trusted: bool = False


def judge(outliner: Outliner, image: ImageInput | None) -> Verdict:
    """None is an image that was not read at all."""
    if image is None:
        return Verdict(masks_closed=True, draft_closed=True, refused=True)
    try:
        output = outliner.draft(StudyInput(image.sop_instance_uid, (image,)))
    except InferenceError as error:
        if not error.permanent:
            raise
        return Verdict(masks_closed=True, draft_closed=True, refused=True)
    return Verdict(
        masks_closed=not output.masks_gate.open,
        draft_closed=not output.draft_gate.open,
        lungs_trusted=any(mask.trusted and mask.structure in LUNGS for mask in output.masks),
    )


def judged(outliner: Outliner, images: Iterable[tuple[str, ImageInput | None]]) -> dict[str, list[Verdict]]:
    """By population, in the order they came."""
    found: dict[str, list[Verdict]] = defaultdict(list)
    for population, image in images:
        found[population].append(judge(outliner, image))
    return dict(found)


def rows(verdicts: dict[str, list[Verdict]], table: Table) -> list[Row]:
    made = []
    for population, found in verdicts.items():
        for metric in ("draft_closed", "masks_closed", "refused", "lungs_trusted"):
            hits = sum(getattr(verdict, metric) for verdict in found)
            if metric != "refused" or hits:
                made.append(table.row(population, metric, measures.wilson(hits, len(found))))
    return made
