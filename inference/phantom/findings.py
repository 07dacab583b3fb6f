"""Renders planned findings into a scene: each changes the layers the beam meets and adds its exact mask."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from inference.contract import Side
from inference.phantom.anatomy import apical_edge
from inference.phantom.frame import GRID, STEP, Curve, Mask, Plane, Point, bezier, enlarge, smooth
from inference.phantom.scenario import PlannedFinding
from inference.phantom.scene import Scene

_BEYOND = 1000.0


@dataclass(frozen=True)
class Rendered:
    """What came out of rendering: the structures outlined, and a measure in mm.

    size_mm: a nodule's diameter, a tube tip's distance above the carina, else None.
    """

    structures: tuple[str, ...]
    size_mm: float | None = None


def render(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    """Render one finding; the draws depend on nothing but `rng`."""
    return _RENDERERS[planned.finding](scene, planned, rng)


def _add(scene: Scene, code: str, mask: Mask) -> str:
    present = scene.masks.get(code)
    scene.masks[code] = mask if present is None else present | mask
    return code


def _away(scene: Scene, side: Side) -> Plane:
    """Distance from the midline towards a side."""
    return -scene.frame.x if side is Side.RIGHT else scene.frame.x


def _effusion(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    """Fluid with a meniscus: it climbs along the chest wall and, less, along the mediastinum."""
    side, anatomy = planned.side, scene.anatomy
    ranges = {"small": (42, 58), "moderate": (70, 96), "large": (110, 150)}
    low, high = ranges[planned.extent]
    height = rng.uniform(low, high) * (0.82 if planned.doubtful else 1.0)
    width = anatomy.width(side)
    bottom = anatomy.dome(side) + anatomy.angle_depth
    share = np.clip(np.abs(GRID) / width, 0, 1)
    climb = (0.25 + 0.25 * rng.uniform()) * height + 14
    surface = bottom - height - climb * share**3.2 - 10 * (1 - share) ** 4 + 0.2 * climb
    below = scene.frame.y - scene.frame.along_x(surface)
    mask = scene.masks[f"lung_{side}"] & (below > 0)
    strength = np.float32(0.55 if planned.doubtful else rng.uniform(0.84, 0.95))
    depth = smooth(below * np.float32(1 / (16 + 0.2 * height))) * 0.65 + 0.35
    scene.opacity = np.where(mask, np.maximum(scene.opacity, depth * strength), scene.opacity)
    return Rendered((_add(scene, f"pleural_effusion_{side}", mask),))


def _pneumothorax(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    """Air between chest wall and a collapsed lung, widest at the apex, with a thin visceral pleural line."""
    side, anatomy, out = planned.side, scene.anatomy, scene.outline
    drop_range, gap_range, reach_range = {
        "small": ((16, 26), (9, 15), (0.45, 0.6)),
        "moderate": ((32, 48), (20, 32), (0.7, 0.9)),
        "large": ((58, 84), (42, 60), (1.05, 1.2)),
    }[planned.extent]
    drop, gap, reach = (rng.uniform(*r) for r in (drop_range, gap_range, reach_range))
    t = (GRID - anatomy.apex) / (anatomy.dome(side) + anatomy.angle_depth - anatomy.apex)
    fade = np.clip(1 - t / reach, 0, 1) ** 0.8
    lowered = GRID - drop * fade
    outer = np.where(fade > 0, np.interp(lowered, GRID, out.lateral[side]) - gap * fade, _BEYOND)
    inner = np.interp(lowered, GRID, apical_edge(anatomy, GRID))
    away, lung = _away(scene, side), scene.masks[f"lung_{side}"]
    outside, below = away - scene.frame.along_y(outer), away - scene.frame.along_y(inner)
    mask = lung & ((outside > 0) | (below < 0))
    scene.pure_air = np.where(mask, np.float32(0.97), scene.pure_air)
    scene.vessels = scene.vessels * ~mask
    near = np.minimum(_slant(scene, outside, outer), _slant(scene, below, inner))
    line = np.clip(1 - near * np.float32(1 / 1.6), 0, 1) * (lung & ~mask & (scene.frame.along_y(fade) > 0.02))
    scene.soft = scene.soft + line * np.float32(7 if planned.doubtful else 11)
    collapse = 0.25 * drop / 84
    left = lung & ~mask
    scene.opacity = np.where(left, np.maximum(scene.opacity, np.float32(collapse)), scene.opacity)
    return Rendered((_add(scene, f"pneumothorax_{side}", mask),))


def _slant(scene: Scene, off: Plane, edge: Curve) -> Plane:
    """Distance to a curve x = edge(y), corrected for its slope."""
    slope = np.clip(np.gradient(edge, STEP), -40, 40)
    stretch: Curve = np.sqrt(1 + slope * slope)
    return np.divide(np.abs(off), scene.frame.along_y(stretch), dtype=np.float32)


def _zone_centre(scene: Scene, side: Side, zone: str, rng: np.random.Generator) -> Point:
    """A place well inside the lung, clear of heart and hilum."""
    anatomy, out = scene.anatomy, scene.outline
    floor = anatomy.dome(side)
    low, high = {"upper": (0.17, 0.3), "mid": (0.44, 0.58), "lower": (0.72, 0.86)}[zone]
    y = anatomy.apex + (floor - anatomy.apex) * rng.uniform(low, high)
    wall = float(np.interp(y, GRID, out.lateral[side]))
    inner = float(np.interp(y, GRID, out.medial[side])) + 14
    centre, axes = out.heart.centre, out.heart.axes
    if side is Side.LEFT and abs(y - centre[1]) < axes[0]:
        inner = max(inner, min(centre[0] + 0.6 * axes[0], wall - 40))
    inner = max(inner, 58.0) if zone == "mid" else inner
    return anatomy.sign(side) * (inner + (wall - inner) * rng.uniform(0.3, 0.65)), y


def _consolidation(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    side = planned.side
    centre = _zone_centre(scene, side, planned.zone, rng)
    axes = (rng.uniform(28, 50), rng.uniform(22, 40))
    turn = rng.uniform(-0.6, 0.6)
    grain = rng.uniform(-1, 1, (26, 26)).astype(np.float32)
    fine = rng.uniform(-1, 1, (64, 64)).astype(np.float32)
    patchy = planned.extent == "patchy"
    field = 1.35 - scene.frame.ellipse(centre, axes, turn)
    field += enlarge(grain, scene.frame.shape) * np.float32(0.75 if patchy else 0.4)
    field += enlarge(fine, scene.frame.shape) * np.float32(0.55 if patchy else 0.2)
    share = smooth(field * np.float32(1 / 1.9))
    lung = scene.masks[f"lung_{side}"]
    wet = scene.masks.get(f"pleural_effusion_{side}")
    free = (lung & ~wet) if wet is not None else lung
    mask = free & (share > 0.3)
    strength = rng.uniform(0.55, 0.7) if patchy else rng.uniform(0.75, 0.9)
    strength *= 0.62 if planned.doubtful else 1.0
    filled = (share * np.float32(strength)) * free
    scene.opacity = np.maximum(scene.opacity, filled.astype(np.float32))
    return Rendered((_add(scene, f"consolidation_{side}", mask),))


def _nodule(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    side = planned.side
    x, y = _zone_centre(scene, side, planned.zone, rng)
    size = rng.uniform(11, 17) if planned.doubtful else rng.uniform(14, 31)
    squash, turn = rng.uniform(0.86, 1.0), rng.uniform(0, math.pi)
    q = scene.frame.ellipse((x, y), (size / 2, size / 2 * squash), turn)
    mask = (q < 1) & scene.masks[f"lung_{side}"]
    strength = size * (1.05 if planned.doubtful else 1.3) + 3
    ball: Plane = np.sqrt(np.maximum(1 - q, 0)) * mask
    scene.soft = scene.soft + ball * np.float32(strength)
    return Rendered((_add(scene, "nodule", mask),), size_mm=float(size))


def _cardiomegaly(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    """The heart was already drawn large with the anatomy; this names it."""
    return Rendered(("heart",))


def _tube(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    """Endotracheal tube: two faint walls, a dense stripe, a tip in the trachea."""
    above = rng.uniform(30, 62) if planned.extent == "well_placed" else rng.uniform(2, 14)
    lean = rng.uniform(-2.5, 2.5)
    x0 = scene.anatomy.trachea_x - 3
    points = [
        (x0 + 3 * lean, -260.0),
        (x0 + lean, -150.0),
        (x0 + 0.4 * lean, -90.0),
        (-3.0 + 0.3 * lean, -above),
    ]
    line = bezier(points)
    distance = scene.frame.distance(line, 8.0)
    mask = distance < max(4.6, 0.75 * scene.frame.spacing)
    wall = np.clip(1 - np.abs(distance - 4.0) * np.float32(1 / 1.1), 0, 1)
    stripe = scene.frame.distance([(x + 2.4, y) for x, y in line], 4.0)
    scene.metal = scene.metal + wall * 5 + np.clip(1.3 - stripe * np.float32(1 / 1.3), 0, 1) * 9
    return Rendered((_add(scene, "endotracheal_tube", mask),), size_mm=float(above))


def _catheter(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    """Central venous catheter, jugular or subclavian, into the superior vena cava."""
    sign = scene.anatomy.sign(planned.side)
    tip_y = rng.uniform(12, 34) if planned.extent == "well_placed" else rng.uniform(78, 104)
    tip = (-20.0 + rng.uniform(-3, 3), tip_y)
    jugular = rng.uniform() < 0.6
    shift = rng.uniform(-6, 6)
    if jugular:
        start: list[Point] = [(sign * 52 + shift, -240.0), (sign * 42 + shift, -150.0), (sign * 34, -98.0)]
    else:
        y = scene.anatomy.clavicle
        start = [(sign * (128 + shift), y + 26), (sign * 92, y - 6), (sign * 52, y + 2)]
    middle: list[Point] = [(-24.0, -42.0)] if sign < 0 else [(14.0, -68.0), (-18.0, -40.0)]
    line = bezier([*start, *middle, (-23.0, -10.0), tip])
    distance = scene.frame.distance(line, 6.0)
    mask = distance < max(1.6, 0.75 * scene.frame.spacing)
    scene.metal = scene.metal + np.clip(1.55 - distance * np.float32(1 / 1.2), 0, 1) * 13
    return Rendered((_add(scene, "central_line", mask),))


def _pacemaker(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    """A generator in the pectoral pocket, and one lead or two."""
    sign, anatomy, heart = scene.anatomy.sign(planned.side), scene.anatomy, scene.outline.heart
    centre = (sign * rng.uniform(88, 108), anatomy.clavicle + rng.uniform(30, 44))
    half = (rng.uniform(19, 24), rng.uniform(17, 21))
    frame = scene.frame
    box = ((frame.x - np.float32(centre[0])) / half[0]) ** 4 + (
        (frame.y - np.float32(centre[1])) / half[1]
    ) ** 4
    inside = box < 1
    ventricle = (heart.centre[0] + 0.34 * heart.axes[0], heart.centre[1] + 0.52 * heart.axes[1])
    ends: list[list[Point]] = [[(-18.0, heart.centre[1] + 2), ventricle]]
    if planned.extent == "dual_lead":
        ends.append([(-24.0, heart.centre[1] - 6), (-32.0, heart.centre[1] - 22)])
    crossing: list[Point] = [(-24.0, -42.0)] if sign < 0 else [(14.0, -66.0), (-16.0, -44.0)]
    mask = inside
    metal = inside * (np.float32(26) + 9 * np.clip((box - 0.55).astype(np.float32), 0, 1))
    for number, end in enumerate(ends):
        head: list[Point] = [(centre[0] - sign * half[0] * 0.8, centre[1] - half[1] * 0.6 + 5 * number)]
        joint: list[Point] = [(sign * 62, anatomy.clavicle + 4 + 2.5 * number)]
        line = bezier([*head, *joint, *crossing, (-21.0 - 2.5 * number, 10.0), *end])
        distance = frame.distance(line, 6.0)
        mask = mask | (distance < max(1.4, 0.75 * frame.spacing))
        metal = metal + np.clip(1.5 - distance * np.float32(1 / 1.1), 0, 1) * 12 * ~inside
        metal = metal + (np.clip(2.4 - frame.distance(line[-3:], 4.0), 0, 1) * 8)
    scene.metal = scene.metal + metal.astype(np.float32)
    return Rendered((_add(scene, "pacemaker", mask),))


_RENDERERS: dict[str, Callable[[Scene, PlannedFinding, np.random.Generator], Rendered]] = {
    "pleural_effusion": _effusion,
    "pneumothorax": _pneumothorax,
    "consolidation": _consolidation,
    "nodule": _nodule,
    "cardiomegaly": _cardiomegaly,
    "endotracheal_tube": _tube,
    "central_line": _catheter,
    "pacemaker": _pacemaker,
}
