"""Phantoms through the application's door, and what became of each of their structures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference import contract, measures
from inference.contract import DraftOutput, ImageInput, StudyInput, ViewPosition, bundle_digest
from inference.imaging import masks as rle
from inference.maira_seg import checkpoint, drafter
from inference.maira_seg.prompt import PromptInputs
from inference.phantom import study as phantom
from inference.segmentation.views import STRUCTURES_OF, View, view_of
from inference.structures import BY_CODE, Group
from inference.training import records
from inference.training.report import centrelines

SEED_PHANTOMS = 14
SIZE = 512
TUBES = ("endotracheal_tube", "tracheostomy_tube", "nasogastric_tube", "central_line", "chest_drain")

Mask = NDArray[np.bool_]


class Outliner(drafter.MairaSegDrafter):
    """The application's door, with its gates and masks, that spares the time to write."""

    def tokens(self, inputs: PromptInputs, citable: tuple[str, ...]) -> list[int]:
        return []


@dataclass(frozen=True)
class Outlined:
    """One structure on one image.

    dice: with the true mask, 0 where one of the two is missing. trust: of the drawn mask, 0 where there is
    none. Of tubes that are there, course: the share of it that is followed, and tip_mm: how far the tip is
    off (see `centrelines`).
    """

    code: str
    is_there: bool
    is_drawn: bool
    dice: float
    trust: float = 0.0
    course: float | None = None
    tip_mm: float | None = None


@dataclass(frozen=True)
class Seen:
    """One image: how its gates stood, and every structure that these let through, in their order.

    Outside the draft's domain findings and devices are never outlined, and nothing is where the masks gate is
    closed: what was not tried is left out, not counted as missed.
    """

    masks_open: bool
    draft_open: bool
    structures: tuple[Outlined, ...]


def load(bundle: Path) -> Outliner:
    return Outliner(checkpoint.load(bundle), bundle_digest(bundle))


def held_out(index: int, view: ViewPosition | None = None) -> phantom.PhantomImage:
    """The first image of a held-out study, in its own view (frontal) or another."""
    views = None if view is None else [view]
    return phantom.generate(SEED_PHANTOMS, index, size=SIZE, views=views, with_prior=False).images[0]


def outlined(outliner: Outliner, studies: int, view: ViewPosition | None = None) -> Iterator[Seen]:
    """The first held-out phantoms as they come, or in one view."""
    for index in range(studies):
        made = held_out(index, view)
        yield look(outliner, records.image_input(made), made.masks)


def look(outliner: Outliner, image: ImageInput, truth: Mapping[str, Mask]) -> Seen:
    """Outline one image and compare with its true masks (those of structures that are there).

    Raises
    ------
    ValueError
        When the image says no pixel spacing: lengths are in mm.
    """
    if image.pixel_spacing is None:
        raise ValueError(f"{image.sop_instance_uid} has no pixel spacing")
    output = outliner.draft(StudyInput(image.sop_instance_uid, (image,)))
    compared = compare(output, truth, image.pixel_spacing, view_of(image.view_position))
    return Seen(output.masks_gate.open, output.draft_gate.open, compared)


def compare(
    output: DraftOutput,
    truth: Mapping[str, Mask],
    spacing: centrelines.Spacing,
    view: View = View.FRONTAL,
) -> tuple[Outlined, ...]:
    """Every structure that the gates of one image let through, beside its true mask. A lateral view has one
    gate."""
    masks = {mask.structure: mask for mask in output.masks}
    found = []
    for code in STRUCTURES_OF[view]:
        everything = view is View.LATERAL or output.draft_gate.open
        if output.masks_gate.open and (everything or BY_CODE[code].group == Group.ANATOMY):
            found.append(_compared(code, masks.get(code), truth, spacing))
    return tuple(found)


def _compared(
    code: str, mask: contract.Mask | None, truth: Mapping[str, Mask], spacing: centrelines.Spacing
) -> Outlined:
    true = truth.get(code)
    drawn = None if mask is None else rle.decode(mask.counts, mask.size)
    trust = 0.0 if mask is None or mask.trust is None else mask.trust
    if true is None:
        return Outlined(code, is_there=False, is_drawn=drawn is not None, dice=0.0, trust=trust)
    here = np.zeros_like(true) if drawn is None else drawn
    is_tube = code in TUBES
    return Outlined(
        code=code,
        is_there=True,
        is_drawn=drawn is not None,
        dice=measures.dice(here, true),
        trust=trust,
        course=centrelines.recall(here, true, spacing) if is_tube else None,
        tip_mm=centrelines.tip_error_mm(here, true, spacing) if is_tube else None,
    )


def group(code: str) -> str:
    """The group whose floor a structure has: lungs, heart, other anatomy, findings, devices."""
    named = {"lung_right": "lungs", "lung_left": "lungs", "heart": "heart"}
    groups = {Group.ANATOMY: "other anatomy", Group.FINDING: "findings", Group.DEVICE: "devices"}
    return named.get(code, groups[BY_CODE[code].group])
