"""Which structures are outlined in which view: a frontal and a lateral radiograph have a segmenter each."""

from collections.abc import Mapping
from enum import StrEnum

from inference.contract import ViewPosition
from inference.structures import STRUCTURES


class View(StrEnum):
    FRONTAL = "frontal"
    LATERAL = "lateral"


LATERAL_POSITIONS = frozenset((ViewPosition.LEFT_LATERAL, ViewPosition.RIGHT_LATERAL))
_HIDDEN = frozenset(
    (
        *("clavicle_right", "clavicle_left", "scapula_right", "scapula_left"),
        *("ribs", "mediastinum", "rib_fracture_right", "rib_fracture_left"),
        *("pneumothorax_right", "pneumothorax_left"),
    )
)
"""What a lateral view shows badly or not at all: both sides lie upon each other."""
STRUCTURES_OF: Mapping[View, tuple[str, ...]] = {
    View.FRONTAL: tuple(structure.code for structure in STRUCTURES),
    View.LATERAL: tuple(structure.code for structure in STRUCTURES if structure.code not in _HIDDEN),
}
"""The output channels of a view's segmenter, in their order."""


def view_of(position: ViewPosition) -> View:
    """Images that do not say how they were taken count as frontal."""
    return View.LATERAL if position in LATERAL_POSITIONS else View.FRONTAL
