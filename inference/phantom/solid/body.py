"""A body before the beam: a person's organs in a position, and what is wrong with them."""

from dataclasses import dataclass

from inference.phantom.solid.chest import Chest
from inference.phantom.solid.skeleton import Break


@dataclass(frozen=True)
class Body:
    """overlap: mm the shoulder blades stand over the lungs; raised: mm the collarbones stand higher."""

    chest: Chest
    supine: bool
    overlap: float
    raised: float
    broken: tuple[Break, ...] = ()
