"""Bone as tubes and lofts: ribs swept round the cage, spine, collarbones, shoulder blades, arms."""

import functools
from dataclasses import dataclass

import numpy as np

from inference.contract import Side
from inference.phantom.chest import Chest
from inference.phantom.frame import GRID, Curve, Frame, Plane, Points, turned
from inference.phantom.person import SIDES, sign
from inference.phantom.tables import smooth
from inference.phantom.tubes import Tube, curve, off

FIRST = -4.7
"""Vertebrae from the carina (between T5 and T6) up to T1."""
_SPINE = 40.0
"""mm to either side of the spine's axis in which its bodies are drawn."""
_ENDS = (0.74, 0.78, 0.78, 0.76, 0.74, 0.71, 0.68, 0.62, 0.57, 0.52, 0.34, 0.24)
"""How far round the bony part of each rib reaches, as a share of the half circle."""


@dataclass(frozen=True)
class Break:
    """A broken rib: side, which rib (0 the first), share of its length, and the step in mm."""

    side: Side
    rib: int
    share: float
    step: float


def rib_level(chest: Chest, rib: int) -> float:
    """y at which a rib leaves the spine."""
    return (rib + FIRST + 0.3) * chest.person.pitch + 0.4 * chest.person.rib_phase


def rib(chest: Chest, side: Side, number: int, count: int = 21) -> Points:
    """The centre line of a rib from the spine forward, (count + 1, 3) mm."""
    person = chest.person
    rng = np.random.default_rng([person.seed, 1, number, side is Side.LEFT])
    cos, sin = _turns(number, count)
    fall = person.slope * (0.5 + 0.075 * min(number, 7)) * rng.uniform(0.96, 1.04)
    lateral = (1 - cos) / 2
    y = rib_level(chest, number) - 5 * sin * (number < 7) + fall * lateral + rng.uniform(-1.5, 1.5)
    wide, front, back = (np.interp(y, GRID, c) for c in (chest.wide, chest.front, chest.back))
    if number == 0:
        wide = np.minimum(wide, 66.0)
        front = np.maximum(front, back - 100)
    middle, deep = (front + back) / 2, (back - front) / 2 + 4
    x = np.interp(y, GRID, chest.axis) * 0.6 + sign(side) * (wide + 3) * sin**0.85
    return np.stack([x, y, middle + deep * cos], axis=1)


@functools.cache
def _turns(number: int, count: int) -> tuple[Curve, Curve]:
    """Cosines and sines of the way round the chest along a rib, (count + 1,)."""
    angles = np.linspace(0.06, _ENDS[number], count + 1) * 180
    cos, sin = np.array([turned(float(a)) for a in angles]).T
    return cos, sin


def ribs(
    chest: Chest, broken: tuple[Break, ...] = (), *, lateral: bool = False
) -> tuple[list[Tube], list[Tube]]:
    """(posterior, anterior) halves, so that crossings add up. A rib is a flat band: seen from the front its
    turn at the side shows its edge (lateral: its face)."""
    posterior: list[Tube] = []
    anterior: list[Tube] = []
    strength = chest.person.bone
    for side in SIDES:
        for number in range(12):
            points = rib(chest, side, number)
            points = _displaced(points, [b for b in broken if b.side == side and b.rib == number])
            split = int(np.searchsorted(-points[:, 2], 8.0))
            split = min(max(split, 2), len(points) - 1)
            along = np.linspace(0, 1, len(points))
            radii = 4.4 + 1.9 * along + 1.6 * np.maximum(along - 0.85, 0) / 0.15 - 0.6 * (number > 9)
            radii = np.full_like(radii, 4.6) if number == 0 else radii
            if not lateral:
                radii = radii * (1 - 0.42 * np.clip(1 - ((points[:, 2] - 5) / 42) ** 2, 0, 1))
            halves = ((posterior, slice(None, split + 1)), (anterior, slice(split, None)))
            for tubes, part in halves:
                thin = (1.0 if tubes is posterior else 0.55) * (0.6 if number == 0 else 1.0)
                tubes.append(Tube(points[part], radii[part], 1.1, 0.18, 1.05 * strength * thin))
    return posterior, anterior


def _displaced(points: Points, breaks: list[Break]) -> Points:
    for b in breaks:
        place = int(b.share * (len(points) - 1))
        points = points.copy()
        fade = np.linspace(1, 0.4, len(points) - place)
        points[place:, 1] += b.step * fade
        points[place:, 2] -= 0.5 * b.step * fade
    return points


def spine(chest: Chest, frame: Frame, bone: Plane) -> Plane:
    """mm of bone: bodies with dense end plates, added to what was drawn of the `processes`."""
    person = chest.person
    phase = ((GRID - 0.4 * person.rib_phase) / person.pitch - 0.5) % 1
    disc = smooth((np.abs(phase - 0.5) - 0.36) / 0.07)
    plate = np.clip(1 - np.abs(np.abs(phase - 0.5) - 0.345) / 0.05, 0, 1)
    half = 13.5 + 3.0 * np.clip((GRID + 150) / 300, 0, 1) + 2.5 * (np.abs(phase - 0.5) * 2) ** 2
    lateral = abs(turned(frame.pose.angle)[1]) > 0.7
    depth = 34 if lateral else 28
    level = (0.17 * depth * (1 - 0.6 * disc) + 2.4 * plate) * person.bone
    middle = _magnified(frame, chest.back - 42, 0) if lateral else _magnified(frame, chest.axis, 40)
    scale = frame.pose.magnification(0.0 if lateral else 40.0)
    columns = frame.columns(float(middle.min()) - _SPINE, float(middle.max()) + _SPINE)
    places = frame.iv[:, columns]

    def along(curve_: Curve) -> Plane:
        return np.take(curve_.astype(np.float32), places)

    off_edge = np.abs(frame.u[:, columns] - along(middle))
    off_edge -= along(_magnified(frame, half + lateral, 40) * scale)
    body = np.clip(1 - off_edge * np.float32(0.3), 0, 1)
    body *= 1 + np.float32(0.25) * np.clip(1 - np.abs(off_edge + np.float32(1.5)), 0, 1)
    bone[:, columns] += body * along(_magnified(frame, level, 40))
    return bone


def _magnified(frame: Frame, values: Curve, depth: float) -> Curve:
    scale = frame.pose.magnification(depth)
    return np.interp(GRID, GRID * scale, values)


def processes(chest: Chest) -> list[Tube]:
    """Pedicles and processes of the vertebrae."""
    person, tubes = chest.person, []
    for number in range(-6, 16):
        y = (number + FIRST + 0.5) * person.pitch + 0.4 * person.rib_phase
        x, back = chest.at(chest.axis, y), chest.at(chest.back, y)
        for s in (-1, 1):
            pedicle = np.array([[x + s * 10, y - 5, back - 26], [x + s * 10.5, y - 2, back - 14]])
            tubes.append(Tube(pedicle, np.array([4.0, 4.0]), 1.3, 0.2, 0.5 * person.bone))
            if number >= 0:
                way = np.array([[x + s * 10, y - 4, back - 12], [x + s * 30, y - 9, back - 2]])
                tubes.append(Tube(way, np.array([4.0, 3.4]), 1.0, 0.3, 0.45 * person.bone))
        spinous = np.array([[x, y, back - 8], [x, y + 16, back + 18]])
        tubes.append(Tube(spinous, np.array([3.2, 3.6]), 1.2, 0.3, 0.32 * person.bone))
    return tubes


def clavicle(chest: Chest, side: Side, raised: float) -> Tube:
    person, s = chest.person, sign(side)
    w, top = person.half_width, person.apex + 34 - raised
    lift = person.clavicle
    front = chest.at(chest.front, person.apex + 34)
    knots = np.array(
        [
            [s * 16, top + 10, front - 6],
            [s * 0.33 * w, top + 3 - 0.3 * lift, front - 14],
            [s * 0.68 * w, top - 10 - 0.8 * lift, front + 6],
            [s * 0.98 * w, top - 14 - 1.2 * lift, front + 34],
            [s * 1.16 * w, top - 12 - 1.2 * lift, front + 40],
        ]
    )
    points = curve(knots, 9)
    along = np.linspace(0, 1, len(points))
    radii = 5.2 + 3.4 * np.maximum(0.2 - along, 0) / 0.2 + 1.4 * np.maximum(along - 0.8, 0) / 0.2
    return Tube(points, radii, 1.7, 0.2, 1.05 * person.bone)


def blade(chest: Chest, side: Side, overlap: float) -> tuple[list[Tube], list[Tube]]:
    """A shoulder blade: its denser rims, spine, neck and coracoid; and its flat."""
    person, s = chest.person, sign(side)
    w, top = person.half_width + 6 - overlap, person.apex
    z = chest.at(chest.back, top + 60) - 2
    glenoid = np.array([s * (w + 34), top + 34, z - 40])
    angle_low, angle_high = np.array([s * (w - 2), top + 138, z]), np.array([s * (w - 26), top + 6, z - 6])
    low_side, acromion = off(glenoid, 0, 14, 4), np.array([s * (w + 46), top + 4, z - 30])
    middle = np.array([(glenoid + angle_high) / 2 + [0, 8, 4], off(angle_low, s * 4, -22, 0)])
    flat = Tube(curve(middle, 4), np.linspace(30, 13, 5), 0.0, 0.0, 0.075 * person.bone)

    def rim(points: list[np.ndarray], radius: float, strength: float) -> Tube:
        way = curve(np.array(points), 8)
        return Tube(way, np.full(len(way), radius), 1.5, 0.25, 1.9 * strength * person.bone)

    bend = (low_side + angle_low) / 2 + [-s * 5, 0, 0]
    medial = (angle_low + angle_high) / 2 + [-s * 5, 0, 0]
    spine_root = off(angle_high, s * 2, 34, 4)
    rims = [
        rim([low_side, bend, angle_low], 4.0, 0.5),
        rim([angle_low, medial, angle_high], 1.8, 0.5),
        rim([angle_high, (angle_high + glenoid) / 2 + [0, -12, 0], off(glenoid, 0, -14, 0)], 2.2, 0.4),
        rim([spine_root, (spine_root + acromion) / 2 + [0, -5, 8], acromion], 4.4, 0.36),
        rim([off(glenoid, 0, -14, 0), off(glenoid, -s * 3, 0, 0), low_side], 6.0, 0.42),
        rim(
            [off(glenoid, -s * 6, -14, 0), off(glenoid, -s * 2, -24, -22), off(glenoid, s * 4, -18, -34)],
            5.0,
            0.3,
        ),
    ]
    return rims, [flat]


def arm_line(chest: Chest, side: Side, raised: float) -> Points:
    """The axis of an upper arm from its head down."""
    person, s = chest.person, sign(side)
    w, top = person.half_width, person.apex
    z = chest.at(chest.back, top + 60) - 44
    head = np.array([s * (w + 54), top + 30, z])
    out = 34 - 0.5 * raised
    shaft = np.array([off(head, 0, -6, 0), off(head, s * 4, 8, 0), off(head, s * (6 + 0.3 * out), 46, 0)])
    return curve(np.concatenate([shaft, (off(head, s * (6 + out), 190, 0))[None]]), 4)


def arm(chest: Chest, side: Side, raised: float) -> Tube:
    """The upper arm's bone: head and shaft."""
    points = arm_line(chest, side, raised)
    along = np.linspace(0, 1, len(points))
    radii = 11.5 + 12.0 * np.maximum(0.36 - along, 0) / 0.36
    return Tube(points, radii, 3.4, 0.2, 0.85 * chest.person.bone)
