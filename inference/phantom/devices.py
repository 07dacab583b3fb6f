"""Tubes, lines and pacemakers with the place of their tips.

tip_mm: tubes in the airway end so far above the carina (below it: negative); a nasogastric tube so far below
the crest of the left dome; a central line so far below the carina; a chest drain so far below the apex.
"""

import numpy as np

from inference.contract import Side
from inference.phantom import tubes
from inference.phantom.chest import Chest
from inference.phantom.frame import GRID, Plane, Points
from inference.phantom.lofts import Loft
from inference.phantom.person import sign
from inference.phantom.plan import PlannedFinding
from inference.phantom.rendered import Rendered
from inference.phantom.scene import Scene
from inference.phantom.tubes import Tube, curve, off
from inference.phantom.vessels import airways

_PLASTIC, _STRIPE, _LEAD = 0.03, 0.26, 0.30
_DRAIN = 2.4
"""How much more of metal salts a drain has in its wall and stripe than other tubes: it lies in gray lung."""


def endotracheal(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    low, high = {
        "well_placed": (28, 58),
        "too_low": (2, 16),
        "too_high": (78, 100),
        "bronchial": (-28, -16),
    }[planned.extent]
    tip = float(rng.uniform(low, high))
    way = _airway_line(scene.body.chest, tip)
    return _tube(scene, planned.finding, way, 5.0, tip)


def _airway_line(chest: Chest, tip: float) -> Points:
    """From the mouth down the windpipe to mm above the carina, or into the right main bronchus."""
    trachea, bronchi = airways(chest)
    line = trachea.points
    if tip < 0:
        right = bronchi[0].points
        line = np.concatenate([line, right[right[:, 1] > line[-1, 1] + 2]])
    y = np.arange(line[0, 1], -tip, 3.0)
    y = np.append(y, -tip)
    return np.stack([np.interp(y, line[:, 1], line[:, k]) for k in range(3)], axis=1)


def tracheostomy(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    """A short bent cannula from the front of the neck."""
    chest = scene.body.chest
    tip = float(rng.uniform(36, 56))
    inside = _airway_line(chest, tip)
    entry = chest.person.apex - 8
    inside = inside[inside[:, 1] > entry + 14]
    start = off(inside[0], 0, -16, -22)
    way = curve(
        np.concatenate([[off(start, 0, -2, -14), start], inside[:: max(1, len(inside) // 3)], inside[-1:]]), 5
    )
    return _tube(scene, planned.finding, way, 5.4, tip)


def nasogastric(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    chest, person = scene.body.chest, scene.body.chest.person
    bend = rng.normal(0, 2.5, (3, 3)) * [1, 0, 1]
    low, high = {"well_placed": (46, 85), "too_high": (-80, -30), "bronchial": (-50, -22)}[planned.extent]
    tip = float(rng.uniform(low, high))
    end = person.dome_left + tip
    if planned.extent == "bronchial":
        trachea, bronchi = airways(chest)
        branch = bronchi[0].points[4:]
        last = np.array([-0.42 * person.half_width, end, 24.0])
        way = np.concatenate([trachea.points, branch, last[None]])
    else:
        y = np.array([-230.0, -60.0, 20.0, min(end, person.dome_left - 6)])
        x = np.interp(y, GRID, chest.axis) + np.array([0, 2, 4, 9])
        gullet = np.stack([x, y, np.interp(y, GRID, chest.back) - 40], axis=1)
        gullet[1:] += bend
        stomach = np.array([[26.0, person.dome_left + 22, 0.0], [52.0, end, -20.0]])
        way = np.concatenate([gullet, stomach]) if tip > 24 else gullet
    way = curve(way, 8)
    return _tube(scene, planned.finding, way, 2.3, round(float(way[-1, 1] - person.dome_left), 1))


def central_line(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    """Through a neck, collarbone or arm vein into the superior vena cava."""
    person, s = scene.body.chest.person, sign(planned.side)
    tip = float(rng.uniform(8, 38) if planned.extent == "well_placed" else rng.uniform(66, 92))
    sway = rng.normal(0, 3, (2, 3))
    w, top, z = person.half_width, person.apex, -12.0
    starts = {
        "jugular": [[s * 46, top - 95, z], [s * 38, top - 40, z]],
        "subclavian": [[s * (0.86 * w), top + 58, z - 40], [s * 0.55 * w, top + 30, z - 20]],
        "picc": [[s * (w + 62), top + 190, z], [s * (w + 40), top + 62, z], [s * 0.62 * w, top + 30, z - 14]],
    }[planned.zone]
    cava = -person.pedicle + 9 + person.shift * 0.6
    joins = (
        [[s * 26, top + 38, z - 8]]
        if planned.side is Side.RIGHT
        else [[26, top + 40, z - 8], [0, top + 58, z - 14]]
    )
    way = [*starts, *joins, [cava + 2, min(-30.0, tip - 30), z], [cava, tip, z]]
    knots = np.array(way, dtype=float)
    knots[1 : 1 + len(sway)] += sway
    matter = tubes.draw(scene.frame, [Tube(curve(knots, 9), np.full(9 * (len(knots) - 1) + 1, 1.1))])
    return _drawn(scene, planned.finding, matter, 0.10, tip)


def pacemaker(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    """A can under the collarbone and one or two leads with their electrodes."""
    chest, person, s = scene.body.chest, scene.body.chest.person, sign(planned.side)
    w, top = person.half_width, person.apex
    box = np.array([s * w * rng.uniform(0.66, 0.8), top + rng.uniform(60, 78), 0.0])
    box[2] = chest.at(chest.front, float(box[1])) - 14
    width = person.heart_ratio * 2 * w
    apex = [person.heart_left * width * 0.66 + person.shift, person.dome_left - 8, -40.0]
    atrium = [-0.2 * width + person.shift, 34.0, -28.0]
    matter = 9 * _can(scene, (float(box[0]), float(box[1]), float(box[2])))
    for number, end in enumerate([apex, atrium][: 2 if planned.extent == "dual_lead" else 1]):
        matter = np.maximum(matter, _lead(scene, off(box, 0, -4 * number, 0), np.array(end), s, number))
    return _drawn(scene, planned.finding, matter.astype(np.float32), _LEAD, None)


def _lead(scene: Scene, box: Points, end: Points, s: float, number: int) -> Plane:
    person = scene.body.chest.person
    cava = -person.pedicle + 10 + person.shift * 0.6 + 2.5 * number
    top = person.apex
    way = [
        off(box, -s * 12, -14, 0),
        [s * 0.42 * person.half_width, top + 38, -20],
        [s * 24, top + 44 + number, -20],
    ]
    if s > 0:
        way.append(np.array([2.0, top + 62, -18.0]))
    way += [np.array([cava, -8, -12.0]), np.array([cava - 4, 40 - 14 * number, -16.0])]
    if number == 0:
        way.append(np.array([0.4 * end[0] - 6, end[1] - 16, -24.0]))
    line = curve(np.array([*way, end], dtype=float), 8)
    tip = line[-4:] if len(line) > 4 else line
    parts = [Tube(line, np.full(len(line), 0.95)), Tube(tip, np.full(len(tip), 1.7))]
    return tubes.draw(scene.frame, parts)


def _can(scene: Scene, centre: tuple[float, float, float]) -> Plane:
    """1 inside the can, with a notch of lower density for its header."""
    can = Loft.ellipsoid(centre, (23, 21, 5)).span(scene.frame).length
    header = Loft.ellipsoid((centre[0], centre[1] - 16, centre[2]), (13, 8, 5)).span(scene.frame).length
    inside: Plane = np.minimum(can * np.float32(1 / 4), 1)
    inside -= np.float32(0.55) * np.minimum(np.minimum(header, can) * np.float32(1 / 4), 1)
    return inside


def drain(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    chest, person, s = scene.body.chest, scene.body.chest.person, sign(planned.side)
    entry = rng.uniform(36, 70)
    wall = abs(chest.edge(planned.side, entry))
    tip = (
        rng.uniform(16, 36)
        if planned.zone == "apical"
        else person.dome(planned.side) - person.apex - rng.uniform(8, 22)
    )
    depth = rng.uniform(-20, 30)
    x = 0.4 * person.half_width if planned.zone == "apical" else 0.34 * person.half_width + 8
    level = person.apex + tip
    knots = [
        [s * (wall + person.wall + 60), entry + 44, 0],
        [s * (wall + 12), entry + 4, 0],
        [s * 0.8 * wall, entry - 16 if planned.zone == "apical" else entry + 8, depth],
        [s * (x + 0.12 * wall), 0.5 * (entry + level), depth],
        [s * x, level, depth],
    ]
    way = curve(np.array(knots, dtype=float), 9)
    return _tube(scene, planned.finding, way, 4.2, float(tip), dense=_DRAIN)


def _tube(scene: Scene, code: str, way: Points, radius: float, tip: float, *, dense: float = 1.0) -> Rendered:
    """A hollow plastic tube with a line of metal along it."""
    width = np.full(len(way), radius)
    matter = tubes.draw(scene.frame, [Tube(way, width, 0.28 * radius, 0.0)])
    off = np.array([0.45 * radius, 0, -0.3 * radius])
    stripe = tubes.draw(scene.frame, [Tube(way + off, np.full(len(way), max(0.16 * radius, 0.8)))])
    scene.metal += stripe * np.float32(_STRIPE * dense)
    scene.air -= np.minimum(matter * np.float32(0.5), np.maximum(scene.air, 0))
    return _drawn(scene, code, matter, _PLASTIC * dense, tip)


def _drawn(scene: Scene, code: str, matter: Plane, metal: float, tip: float | None) -> Rendered:
    scene.metal += matter * np.float32(metal)
    scene.mark(code, matter > 0)
    return Rendered((code,), tip_mm=None if tip is None else round(tip, 1))
