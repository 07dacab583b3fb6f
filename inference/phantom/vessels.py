"""Pulmonary vessels and bronchi that branch in space, from the hila towards the pleura."""

import numpy as np

from inference.contract import Side
from inference.phantom.chest import Chest
from inference.phantom.frame import GRID, Curve, Points
from inference.phantom.person import SIDES, sign
from inference.phantom.tubes import Tube, curve, off

_TRUNKS = 15
_DAUGHTERS = (7, 4, 2)
_POINTS = (9, 6, 4, 3)


def hilum(chest: Chest, side: Side) -> Points:
    """The root of a lung; the left stands higher."""
    y = 22.0 if side is Side.RIGHT else 10.0
    x = sign(side) * (chest.person.pedicle + 8) + chest.person.shift * 0.8
    return np.array([x, y, -2.0])


def tree(chest: Chest) -> tuple[list[Tube], list[Tube]]:
    """(large, small) vessels of both lungs."""
    large: list[Tube] = []
    small: list[Tube] = []
    for side in SIDES:
        rng = np.random.default_rng([chest.person.seed, 2, side is Side.LEFT])
        root = hilum(chest, side)
        tips = _tips(chest, side, rng)
        roots = root + rng.normal(0, [3, 8, 6], tips.shape)
        radii = chest.person.vessels * rng.uniform(3.6, 5.6, len(tips))
        for level in range(len(_POINTS)):
            points, widths = _vessels(rng, roots, tips, radii, level)
            (large if level == 0 else small).append(Tube(points, widths))
            if level < len(_DAUGHTERS):
                roots, tips, radii = _daughters(rng, points, widths, level)
        large += _hilar(rng, root, side, chest)
    return large, small


def _tips(chest: Chest, side: Side, rng: np.random.Generator) -> Points:
    """Ends near the pleura, all over the lung, (N, 3)."""
    top, floor = chest.person.apex + 14, chest.person.dome(side) + 22
    y = top + (floor - top) * (np.arange(_TRUNKS) + rng.uniform(0.1, 0.9, _TRUNKS)) / _TRUNKS
    front, back = np.interp(y, GRID, chest.front) + 14, np.interp(y, GRID, chest.back) - 10
    z = front + (back - front) * rng.uniform(0.1, 0.95, _TRUNKS)
    reach = np.interp(y, GRID, chest.wide) * rng.uniform(0.6, 0.95, _TRUNKS)
    return np.stack([sign(side) * reach, y, z], axis=1)


def _vessels(
    rng: np.random.Generator, roots: Points, tips: Points, radii: Curve, level: int
) -> tuple[Points, Curve]:
    """Bent lines from roots to tips: points (N, K, 3) and tapering radii (N, K)."""
    count = _POINTS[level]
    t = np.linspace(0, 1, count)[:, None]
    way = tips - roots
    length = np.sqrt((way**2).sum(axis=1))
    bend = rng.normal(0, 0.09, (2, len(roots), 3)) * length[:, None]
    arc = 4 * t * (1 - t)
    sway = 6 * t * (1 - t) * (1 - 2 * t)
    points = roots[:, None] + way[:, None] * t + bend[0][:, None] * arc + bend[1][:, None] * sway
    taper = 1 - 0.74 * t[:, 0] ** 0.9
    return points, np.maximum(radii[:, None] * taper, 0.28)


def _daughters(
    rng: np.random.Generator, points: Points, widths: Curve, level: int
) -> tuple[Points, Points, Curve]:
    """Where the branches of each vessel start and end, and how wide they start."""
    number, count, _ = points.shape
    share = _DAUGHTERS[level]
    mother = np.repeat(np.arange(number), share)
    place = rng.integers(1, count - 1, mother.size) if count > 3 else np.ones(mother.size, np.intp)
    roots = points[mother, place]
    on = points[mother, -1] - roots
    length = np.sqrt((on**2).sum(axis=1))[:, None] + 4
    aside = rng.normal(0, 0.42, (mother.size, 3)) * length
    tips = roots + on * rng.uniform(0.45, 1.0, (mother.size, 1)) + aside
    return roots, tips, widths[mother, place] * rng.uniform(0.5, 0.85, mother.size)


def _hilar(rng: np.random.Generator, root: Points, side: Side, chest: Chest) -> list[Tube]:
    """The lower-lobe arteries and veins that make the hilar shadow."""
    s, bulk = sign(side), chest.person.vessels
    down = np.array([[-s * 10, -14, 0], [s * 1, 0, 0], [s * 7, 26, 8], [s * 16, 62, 16]])
    up = np.array([[-s * 8, 4, -4], [s * 3, -8, -6], [s * 12, -34, -4]])
    vein = np.array([[-s * 16, 24, 6], [s * 10, 22, 2], [s * 42, 40, 0]])
    tubes = []
    for knots, radius in ((down, 7.6), (up, 5.4), (vein, 5.4)):
        points = curve(root + knots + rng.normal(0, 2, knots.shape), 6)
        tubes.append(Tube(points, radius * bulk * np.linspace(1, 0.42, len(points))))
    return tubes


def airways(chest: Chest) -> tuple[Tube, list[Tube]]:
    """The trachea from the larynx to the carina, and the main bronchi."""
    person = chest.person
    radius = 9.2 if not person.female else 7.8
    pull = person.shift
    axis = chest.axis
    y = np.array([-230.0, person.apex - 20, -60, -22, 0])
    x = np.array([0, 0, 0.6, 1, 1]) * (person.trachea_x + 0.55 * pull) + np.interp(y, GRID, axis) * 0.7
    back = np.interp(y, GRID, chest.back)
    z = back - np.array([60, 58, 52, 46, 44])
    trachea = curve(np.stack([x, y, z], axis=1), 8)
    end = trachea[-1]
    bronchi = []
    for side, angle, reach in ((Side.RIGHT, 1.9, 38.0), (Side.LEFT, 0.95, 50.0)):
        s = sign(side)
        stop = off(end, s * reach * 0.72, reach * 0.34 * angle, 4)
        way = np.array(
            [off(end, s * 2.5, -7, 0), off(end, s * 9, 5, 0), (end + stop) / 2 + [s * 5, 3, 0], stop]
        )
        points = curve(way, 6)
        bronchi.append(Tube(points, np.linspace(0.8, 0.52, len(points)) * radius))
    return Tube(trachea, np.full(len(trachea), radius)), bronchi
