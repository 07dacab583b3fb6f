"""The person: drawn measures, and the outlines that follow from them."""

import math
from dataclasses import dataclass

import numpy as np

from inference.contract import Side
from inference.phantom.frame import GRID, Curve, Point, bump

SIDES = (Side.RIGHT, Side.LEFT)
APEX_X = 46.0


@dataclass(frozen=True)
class Anatomy:
    """One person's measures in mm, ranges in `draw`. ctr is heart width over inner thoracic width."""

    female: bool
    half_width: float
    asymmetry: float
    apex: float
    dome_right: float
    dome_left: float
    angle_depth: float
    chest_wall: float
    depth: float
    ctr: float
    heart_tilt: float
    heart_share_left: float
    arch: float
    trachea_x: float
    rib_pitch: float
    rib_phase: float
    rib_slope: float
    rib_strength: float
    clavicle: float
    breast: float
    gastric_bubble: float
    texture_seed: int

    def sign(self, side: Side) -> float:
        """-1 for the patient's right (x below zero), +1 for the left."""
        return -1.0 if side is Side.RIGHT else 1.0

    def width(self, side: Side) -> float:
        """Widest distance of the inner chest wall from the midline."""
        return self.half_width * (1 - self.sign(side) * self.asymmetry)

    def dome(self, side: Side) -> float:
        return self.dome_right if side is Side.RIGHT else self.dome_left


def draw(rng: np.random.Generator, *, female: bool, heart: str = "") -> Anatomy:
    """Draw a person. heart is empty or an extent of cardiomegaly; nothing else depends on it."""
    u = rng.uniform
    habitus = u(0.92, 1.08) * (0.94 if female else 1.02)
    ctr = {"": 0.39, "mild": 0.53, "marked": 0.595}[heart] + u(0, 0.06)
    dome = u(128, 160) * habitus
    return Anatomy(
        female=female,
        half_width=142 * habitus * u(0.95, 1.06),
        asymmetry=u(-0.02, 0.03),
        apex=-u(92, 108) * habitus,
        dome_right=dome,
        dome_left=dome + u(5, 20),
        angle_depth=u(36, 54),
        chest_wall=u(18, 42),
        depth=u(190, 270) * habitus,
        ctr=ctr,
        heart_tilt=math.radians(u(32, 46)),
        heart_share_left=u(0.64, 0.71),
        arch=u(8, 17),
        trachea_x=u(-4, 2),
        rib_pitch=u(27, 33) * habitus,
        rib_phase=u(0, 1),
        rib_slope=u(0.32, 0.55),
        rib_strength=u(0.75, 1.3),
        clavicle=u(-84, -66) * habitus,
        breast=u(15, 55) if female else 0.0,
        gastric_bubble=u(0, 26) if u() < 0.6 else 0.0,
        texture_seed=int(rng.integers(2**31)),
    )


@dataclass(frozen=True)
class Heart:
    """The cardiac silhouette: a tilted ellipse."""

    centre: Point
    axes: Point
    tilt: float


@dataclass(frozen=True)
class Outline:
    """Edges as curves over y (lateral, medial: unsigned distance from the midline) and over x (diaphragm)."""

    lateral: dict[Side, Curve]
    medial: dict[Side, Curve]
    diaphragm: Curve
    heart: Heart

    @property
    def cage(self) -> Curve:
        """The narrower side's inner chest wall."""
        return np.minimum(self.lateral[Side.RIGHT], self.lateral[Side.LEFT])


def lateral_edge(anatomy: Anatomy, side: Side, y: Curve) -> Curve:
    """Inner chest wall over y, rounded at the apex."""
    start = APEX_X
    bottom = anatomy.dome(side) + anatomy.angle_depth
    t = np.clip((y - anatomy.apex) / (bottom - anatomy.apex), 0, 1)
    rise = np.maximum(1 - (1 - np.minimum(t / 0.72, 1)) ** 2.2, 0) ** 0.62
    return start + (anatomy.width(side) - start) * rise


def apical_edge(anatomy: Anatomy, y: Curve) -> Curve:
    """Inner border of the rounded lung apex over y: unsigned distance from the midline."""
    top = np.clip((y - anatomy.apex) / 30, 0, 1)
    return APEX_X - APEX_X * np.sqrt(1 - (1 - top) ** 2)


def outline(anatomy: Anatomy) -> Outline:
    """The outlines that follow from a person's measures."""
    lateral = {side: lateral_edge(anatomy, side, GRID) for side in SIDES}
    apical = apical_edge(anatomy, GRID)
    right = 21 + 10 * bump(GRID, 8, 70) + 3 * bump(GRID, 120, 60)
    left = 21 + anatomy.arch * bump(GRID, -16, 30) + 8 * bump(GRID, 26, 36)
    medial = {Side.RIGHT: np.maximum(right, apical), Side.LEFT: np.maximum(left, apical)}
    return Outline(lateral, medial, _diaphragm(anatomy), _heart(anatomy))


def _diaphragm(anatomy: Anatomy) -> Curve:
    curve = np.zeros_like(GRID)
    for side in SIDES:
        width = anatomy.width(side)
        crest = 0.46 * width
        x = np.abs(GRID)
        outward = np.clip((x - crest) / (width - crest), 0, 1.2) ** 2.3 * anatomy.angle_depth
        inward = np.clip((crest - x) / crest, 0, 1) ** 2 * 16
        mine = GRID < 0 if side is Side.RIGHT else GRID >= 0
        curve[mine] = (anatomy.dome(side) + outward + inward)[mine]
    return curve


def _heart(anatomy: Anatomy) -> Heart:
    width = anatomy.ctr * (anatomy.width(Side.RIGHT) + anatomy.width(Side.LEFT))
    tilt, ratio = anatomy.heart_tilt, 0.74 - 0.7 * max(anatomy.ctr - 0.5, 0.0)
    long = width / 2 / math.hypot(math.cos(tilt), ratio * math.sin(tilt))
    height = long * math.hypot(math.sin(tilt), ratio * math.cos(tilt))
    centre = ((anatomy.heart_share_left - 0.5) * width, anatomy.dome_left + 4 - 0.86 * height)
    return Heart(centre, (long, ratio * long), tilt)
