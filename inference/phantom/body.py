"""A body before the beam: a person's organs in a position, moved by what is wrong with them."""

from dataclasses import dataclass, replace

import numpy as np

from inference.contract import Side
from inference.phantom import chest as chests
from inference.phantom.chest import Chest
from inference.phantom.person import Person, breathe, sign
from inference.phantom.plan import PlannedFinding, dice
from inference.phantom.skeleton import Break

LARGE_HEART = {"mild": (0.53, 0.57), "marked": (0.6, 0.66)}


@dataclass(frozen=True)
class Position:
    """How the body is held. less: mm the domes stand higher than in full inspiration; overlap: mm the
    shoulder blades stand over the lungs; raised: mm the collarbones stand higher."""

    supine: bool
    less: float
    overlap: float
    raised: float

    @classmethod
    def draw(cls, rng: np.random.Generator, *, supine: bool) -> "Position":
        u = rng.uniform
        if supine:
            return cls(True, u(6, 52), u(4, 26), u(4, 18))
        return cls(False, u(0, 22), u(-26, 2), u(-6, 4))


@dataclass(frozen=True)
class Body:
    """chest: organs as they lie now; broken: ribs with a step."""

    chest: Chest
    supine: bool
    overlap: float
    raised: float
    broken: tuple[Break, ...] = ()


def place(person: Person, position: Position, planned: tuple[PlannedFinding, ...], base: int) -> Body:
    """The body with what findings do to its form: size of the heart, pull and push on the mediastinum, level
    of the domes, vessels, broken ribs. base seeds the draws of findings."""
    held = breathe(person, less=position.less, supine=position.supine)
    broken: list[Break] = []
    for one in planned:
        rng = dice(base, one, 1)
        held = _deformed(held, one, rng)
        if one.finding == "rib_fracture":
            broken += fractures(one, rng)
    return Body(chests.build(held), position.supine, position.overlap, position.raised, tuple(broken))


def _deformed(person: Person, one: PlannedFinding, rng: np.random.Generator) -> Person:
    away = -sign(one.side)
    if one.finding == "cardiomegaly":
        low, high = LARGE_HEART[one.extent]
        return replace(person, heart_ratio=rng.uniform(low, high), waist=person.waist + 3)
    if one.finding == "pneumothorax" and one.extent == "tension":
        return _lowered(replace(person, shift=person.shift + away * rng.uniform(20, 30)), one.side, 24)
    if one.finding == "pleural_effusion" and one.extent == "large":
        return replace(person, shift=person.shift + away * rng.uniform(4, 10))
    if one.finding == "atelectasis" and one.extent == "lobar":
        shifted = replace(person, shift=person.shift - away * rng.uniform(12, 20))
        return _lowered(shifted, one.side, -rng.uniform(14, 22))
    if one.finding == "pulmonary_edema":
        return replace(person, vessels=person.vessels * 1.22, pedicle=person.pedicle * 1.06)
    return person


def _lowered(person: Person, side: Side, by: float) -> Person:
    if side is Side.RIGHT:
        return replace(person, dome_right=person.dome_right + by)
    return replace(person, dome_left=person.dome_left + by)


def fractures(one: PlannedFinding, rng: np.random.Generator) -> list[Break]:
    first = int(rng.integers(4, 7))
    count = 1 if one.extent == "single" else 3
    size = rng.uniform(2.2, 3.0) if one.doubtful else rng.uniform(3.6, 6.5)
    share = rng.uniform(0.34, 0.62)
    return [Break(one.side, first + n, share + 0.02 * n, size) for n in range(count)]
