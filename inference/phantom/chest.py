"""The organs of a person as lofts: cage, lungs, heart, mediastinum, aorta, domes, trunk."""

from dataclasses import dataclass

import numpy as np

from inference.contract import Side
from inference.phantom.frame import GRID, Curve
from inference.phantom.lofts import Loft
from inference.phantom.person import Person, sign
from inference.phantom.tables import hill, smooth, spline, wobble


@dataclass(frozen=True)
class Chest:
    """Lofts by organ; axis: the spine's sideways swing; wide, front, back: inside of the ribs, over y."""

    person: Person
    axis: Curve
    wide: Curve
    front: Curve
    back: Curve
    cage: Loft
    apices: dict[Side, Loft]
    domes: dict[Side, Loft]
    heart: Loft
    mediastinum: Loft
    aorta: Loft
    trunk: Loft
    neck: Loft

    def edge(self, side: Side, y: float) -> float:
        """x of the inner chest wall."""
        return float(np.interp(y, GRID, self.cage.left if side is Side.LEFT else self.cage.right))

    def at(self, curve: Curve, y: float) -> float:
        return float(np.interp(y, GRID, curve))


def build(person: Person) -> Chest:
    rng = np.random.default_rng([person.seed, 0])
    axis = person.scoliosis * hill(GRID, person.scoliosis_phase, 160) * 2
    wide = _wide(person) + wobble(rng, 60, 1.2)
    back = _back(person)
    front = _front(person, back)
    cage = Loft(axis * 0.5 - wide, axis * 0.5 + wide, front, back, boxy=True)
    domes = {side: _dome(person, side, wide, (front, back), rng) for side in (Side.RIGHT, Side.LEFT)}
    return Chest(
        person=person,
        axis=axis,
        wide=wide,
        front=front,
        back=back,
        cage=cage.cut(person.apex, person.bottom + 2),
        apices={side: _apex(person, side, back) for side in (Side.RIGHT, Side.LEFT)},
        domes=domes,
        heart=_heart(person, front, rng),
        mediastinum=_mediastinum(person, axis, front, back, rng),
        aorta=_aorta(person, axis, back),
        trunk=_trunk(person, wide, front, back),
        neck=_neck(person, back),
    )


def _wide(person: Person) -> Curve:
    """Half width inside the ribs: bell-shaped, narrow at the top."""
    t = np.clip((GRID - person.apex) / (person.bottom - person.apex), 0, 1)
    rise = np.maximum(1 - (1 - np.minimum(t / 0.78, 1)) ** person.fullness, 0) ** 0.62
    wide: Curve = 52 + (person.half_width - 52) * rise - 6 * np.maximum(t - 0.8, 0)
    return wide


def _back(person: Person) -> Curve:
    return 0.88 * person.half_depth + person.kyphosis * hill(GRID, 5, 190) - 0.06 * np.maximum(-GRID - 40, 0)


def _front(person: Person, back: Curve) -> Curve:
    t = np.clip((GRID - person.apex) / (0.62 * (person.bottom - person.apex)), 0, 1)
    depth = person.half_depth * (0.72 + 1.22 * (1 - (1 - t) ** 1.8))
    return back - depth - 4


def _apex(person: Person, side: Side, back: Curve) -> Loft:
    """The rounded top of one lung; it stops binding some way down."""
    t = np.clip((GRID - person.apex) / 46, 0, 1)
    growth = 0.035 * np.maximum(GRID - person.apex - 14, 0) ** 2
    radius = np.sqrt(1 - (1 - t) ** 2)
    x = sign(side) * 0.34 * person.half_width * (1 + 0.05 * person.waist / 8)
    across = np.where(t > 0, 38 * radius, -1) + growth
    z = back - 50
    deep = np.where(t > 0, 48 * radius, -1) + growth
    return Loft(x - across, x + across, z - deep, z + deep)


def _dome(
    person: Person, side: Side, wide: Curve, depth: tuple[Curve, Curve], rng: np.random.Generator
) -> Loft:
    """One half of the diaphragm with what lies below it: the recess is deepest at the back."""
    front, back = depth
    crest = person.dome(side)
    f = np.maximum(GRID - crest, -1e-3) / person.recess
    below = np.clip(f, 0, 1)
    round_ = np.where(f > 0, np.sqrt(below * (1.25 - 0.25 * below)), -1e-3)
    late = np.where(f > 0, np.sqrt(1 - (1 - np.clip(f * 0.72, 0, 1)) ** 2), -1e-3)
    s, width = sign(side), person.half_width
    lean = rng.uniform(0.42, 0.54)
    crest_x, crest_z = s * lean * width, -0.12 * person.half_depth
    outer = crest_x + s * (wide * 1.03 - abs(crest_x)) * round_
    inner = crest_x - s * (abs(crest_x) + 30) * np.where(f > 0, np.clip(1.6 * round_, 0, 1), -1e-3)
    ahead = crest_z - (crest_z - front + 3) * np.clip(round_ * 1.25, -1, 1.02)
    behind = crest_z + (back - crest_z + 3) * late
    right, left = (outer, inner) if side is Side.RIGHT else (inner, outer)
    wave = wobble(rng, 45, 1.5)
    return Loft(right + wave, left + wave, ahead, behind, boxy=True)


def _heart(person: Person, front: Curve, rng: np.random.Generator) -> Loft:
    """Edges as a radiograph shows them: atrium on the right; pulmonary trunk, waist and ventricle on the
    left."""
    width = person.heart_ratio * 2 * person.half_width
    left, right = person.heart_left * width, (1 - person.heart_left) * width
    floor = person.dome_left + 10
    tall = max(floor - 8, 90.0)
    r = person.heart_round
    left_edge = spline(
        [
            (-14, 18),
            (6, 31),
            (20, 38 + person.waist),
            (0.30 * tall + 12, 0.38 * left + 12 + person.waist + 4 * r),
            (0.52 * tall + 10, 0.77 * left + 4 + 5 * r),
            (0.74 * tall + 8, 0.97 * left + 2 * r),
            (0.88 * tall + 8, left),
            (1.0 * tall + 8, 0.95 * left),
            (1.12 * tall + 8, 0.66 * left),
            (1.22 * tall + 8, 0.1 * left),
        ]
    )
    right_edge = spline(
        [
            (-14, -14),
            (10, -22),
            (0.36 * tall, -0.86 * right),
            (0.62 * tall, -right),
            (0.86 * tall, -0.9 * right),
            (1.08 * tall, -0.45 * right),
            (1.22 * tall + 8, 0.0),
        ]
    )
    bottom = 1.22 * tall + 8
    rear = spline(
        [(-14, -6), (20, 22), (0.5 * tall, 0.36 * person.half_depth + 6), (tall, 22), (bottom, -20)]
    )
    ahead = front + 7 + spline([(-14, 34), (20, 12), (60, 0), (0.8 * tall, 2), (bottom, 34)])
    loft = Loft(right_edge, left_edge, ahead, rear, boxy=True).cut(-14, bottom)
    return loft.moved(wobble(rng, 40, 1.0) + person.shift * hill(GRID, 70, 260))


def _mediastinum(person: Person, axis: Curve, front: Curve, back: Curve, rng: np.random.Generator) -> Loft:
    """Great vessels, arch, gullet and the front of the spine: what no lung lies behind or before."""
    p = person.pedicle
    right = spline(
        [
            (-170, 26),
            (person.apex, 0.8 * p),
            (-50, p),
            (-15, p + 1),
            (14, p + 3),
            (55, 0.62 * p),
            (100, 16),
            (160, 16),
        ]
    )
    left = spline(
        [
            (-170, 26),
            (person.apex, 0.78 * p),
            (-52, p),
            (-34, p + 0.75 * person.arch),
            (-22, p + person.arch),
            (-8, p + 0.7 * person.arch),
            (4, p + 1),
            (18, p + 5),
            (60, 0.64 * p),
            (100, 17),
            (160, 17),
        ]
    )
    pull = person.shift * hill(GRID, 30, 260)
    sway = axis + wobble(rng, 50, 2.5) + pull
    # Below the hila only gullet, aorta and spine are left; the heart is a solid of its own.
    low = smooth((GRID - 25) / 50)
    ahead = (front + 46) * (1 - low) + (back - 48) * low
    # Between the domes lies no lung at all.
    lowest = smooth((GRID - person.dome_right + 6) / 14)
    ahead = ahead * (1 - lowest) + (front - 4) * lowest
    return Loft(sway - 1.04 * right, sway + 1.04 * left, ahead, back - 4 + 24 * smooth((GRID - 50) / 50))


def _aorta(person: Person, axis: Curve, back: Curve) -> Loft:
    """The descending aorta, beside and before the spine."""
    x = axis + spline([(-20, 24), (60, 20), (150, 8)]) + person.shift * 0.4
    z = back - 38
    loft = Loft(x - person.aorta, x + person.aorta, z - person.aorta, z + person.aorta)
    return loft.cut(-24, 230)


def _trunk(person: Person, wide: Curve, front: Curve, back: Curve) -> Loft:
    """Skin: neck, shoulders, chest and belly in one outline; the arms are apart."""
    w, wall, m = person.half_width, person.wall, person.muscle
    top = person.apex
    shoulder = w + 34 * m + 0.8 * wall
    edge = spline(
        [
            (top - 90, 52 + 0.2 * wall),
            (top - 70, 62 + 0.4 * wall),
            (top - 50, 96 + 0.5 * wall),
            (top - 26, shoulder * 0.88),
            (top + 6, shoulder),
            (top + 70, shoulder),
            (top + 130, w + 24 * m + 1.1 * wall),
            (person.bottom - 20, w + 10 + 1.1 * wall),
            (person.bottom + 90, w + 1.1 * wall - 6),
        ]
    )
    thin = 1 - 0.42 * smooth((top + 15 - GRID) / 60)
    ahead = (front - 8 - 0.75 * wall * m) * thin
    behind = back + (20 + 0.8 * wall * m) * thin
    belly = 0.9 * wall * smooth((GRID - person.dome_left) / 120)
    return Loft(-edge, edge, ahead - belly, behind, boxy=True)


def _neck(person: Person, back: Curve) -> Loft:
    middle = back - 62
    radius = 56 + 0.25 * person.wall
    return Loft(-radius + 0 * GRID, radius + 0 * GRID, middle - 58, middle + 62).cut(-440, person.apex + 12)
