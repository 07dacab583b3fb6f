"""What the beam meets in a healthy chest, layer by layer, and the exact masks of its structures."""

import math
from dataclasses import dataclass, field

import numpy as np

from inference.contract import Side
from inference.phantom import skeleton
from inference.phantom.anatomy import SIDES, Anatomy, Outline, outline
from inference.phantom.frame import GRID, Frame, Mask, Plane, Point, enlarge, smooth

TEXTURE_GRID = 72


@dataclass
class Scene:
    """What the beam meets, layer by layer (float32, mm along the beam), and the exact masks.

    lung: lung tissue; opacity: share of that lung filled with fluid or cells, 0..1; airless: share of pure
    air, 0..1 (pneumothorax); vessels, soft, bone: extra water-like and bony tissue; metal: radiopaque matter.
    """

    frame: Frame
    anatomy: Anatomy
    outline: Outline
    lung: Plane
    vessels: Plane
    soft: Plane
    bone: Plane
    body: Plane
    texture: Plane
    opacity: Plane
    pure_air: Plane
    metal: Plane
    masks: dict[str, Mask] = field(default_factory=dict)


def lay_out(anatomy: Anatomy, frame: Frame) -> Scene:
    """Lay out the healthy chest on a pixel grid, with the masks of its structures."""
    out = outline(anatomy)
    floor = frame.along_x(out.diaphragm)
    masks: dict[str, Mask] = {}
    lung = np.zeros(frame.shape, np.float32)
    for side in SIDES:
        masks[f"lung_{side}"] = _lung(frame, out, side, floor)
        lung += masks[f"lung_{side}"] * _lung_depth(anatomy, frame, out, side)
    lung *= 0.62 + 0.38 * np.clip((floor - frame.y) * np.float32(1 / 70), 0, 1)
    masks["heart"], heart_depth = _heart_layer(anatomy, frame, out, floor)
    tissue = heart_depth + _pedicle(anatomy, frame)
    recess = np.clip(1 - (frame.y - floor) * np.float32(1 / 45), 0, 1) * 12
    recess *= (frame.y >= floor) & (np.abs(frame.x) < frame.along_y(out.cage))
    lung = np.maximum(lung - tissue, 0.16 * lung) + recess.astype(np.float32)
    masks["trachea"], airway = _airway(anatomy, frame)
    texture = _texture(anatomy, frame)
    zeros = np.zeros(frame.shape, np.float32)
    return Scene(
        frame=frame,
        anatomy=anatomy,
        outline=out,
        lung=lung,
        vessels=_vessels(anatomy, frame) * (masks["lung_right"] | masks["lung_left"]),
        soft=_breasts(anatomy, frame) - airway - _stomach(anatomy, frame),
        bone=skeleton.bones(anatomy, frame, out),
        body=_body(anatomy, frame, out),
        texture=texture,
        opacity=zeros.copy(),
        pure_air=zeros.copy(),
        metal=zeros.copy(),
        masks=masks,
    )


def _heart_layer(anatomy: Anatomy, frame: Frame, out: Outline, floor: Plane) -> tuple[Mask, Plane]:
    """The silhouette down to the diaphragm: the tilted ellipse, and the base that joins the vessels."""
    ellipse = frame.ellipse(out.heart.centre, out.heart.axes, out.heart.tilt)
    base = frame.ellipse((4, 52), (37, 40))
    radius = np.where(frame.y > 20, np.minimum(ellipse, base), ellipse)
    depth = np.sqrt(np.sqrt(np.maximum(1 - radius, 0))) * np.float32(0.56 * anatomy.depth)
    return (radius < 1) & (frame.y < floor + 10), depth


def _lung(frame: Frame, out: Outline, side: Side, floor: Plane) -> Mask:
    away = -frame.x if side is Side.RIGHT else frame.x
    inside = (away < frame.along_y(out.lateral[side])) & (away > frame.along_y(out.medial[side]))
    return inside & (frame.y < floor)


def _lung_depth(anatomy: Anatomy, frame: Frame, out: Outline, side: Side) -> Plane:
    share = frame.x / frame.along_y(out.lateral[side] * 1.03)
    high = np.clip((GRID - anatomy.apex + 6) / 95, 0, 1) ** 0.5
    away = np.abs(frame.x) - frame.along_y(out.medial[side])
    taper = smooth((away + 2) * frame.along_y(1 / (9 + 26 * smooth((GRID - 10) / 60))))
    depth: Plane = np.sqrt(np.maximum(1 - share * share, 0)) * taper
    return depth * frame.along_y(high * anatomy.depth * 0.68)


def _pedicle(anatomy: Anatomy, frame: Frame) -> Plane:
    """Great vessels and hila, as soft tissue that takes the place of lung."""
    arch = frame.ellipse((20, -14), (18 + anatomy.arch, 20))
    root = frame.ellipse((-6, 30), (32, 58))
    soft = 60 * np.sqrt(np.maximum(1 - arch, 0)) + 55 * np.sqrt(np.maximum(1 - root, 0))
    for centre, axes in (((-44.0, 26.0), (17.0, 26.0)), ((46.0, 16.0), (16.0, 24.0))):
        soft += 30 * np.maximum(1 - frame.ellipse(centre, axes), 0)
    layer: Plane = soft.astype(np.float32)
    return layer


def _airway(anatomy: Anatomy, frame: Frame) -> tuple[Mask, Plane]:
    centre = anatomy.trachea_x * np.clip(-GRID / 60, 0, 1) - 3
    gap = np.abs(frame.x - frame.along_y(centre))
    half = np.float32(8.5 if anatomy.female else 9.5)
    mask = (gap < half) & (frame.y < 2)
    chord = np.sqrt(np.maximum(1 - (gap / half) ** 2, 0)) * 21 * (frame.y < 2)
    bronchi = np.zeros(frame.shape, np.float32)
    for end, radius in (((-30.0, 26.0), 6.0), ((36.0, 24.0), 5.5)):
        frame.cylinder(bronchi, (-3.0, 0.0), end, radius)
    return mask, np.maximum(chord, bronchi).astype(np.float32)


def _body(anatomy: Anatomy, frame: Frame, out: Outline) -> Plane:
    """Thickness of the whole body, shoulders and neck included."""
    trunk = out.cage + anatomy.chest_wall
    neck = 58 + 190 * smooth(np.clip((GRID - (anatomy.apex - 55)) / 62, 0, 1))
    axilla = smooth(np.clip((GRID - (anatomy.apex + 80)) / 120, 0, 1))
    half = neck * (1 - axilla) + (trunk + 6) * axilla
    half = np.where(anatomy.apex + 80 > GRID, np.maximum(neck * (1 - axilla), trunk * axilla), half)
    share = frame.x / frame.along_y(np.maximum(half, 20))
    slim = 1 - 0.42 * smooth(np.clip((anatomy.apex + 40 - GRID) / 110, 0, 1))
    square = share * share
    rounded: Plane = np.sqrt(np.maximum(1 - square * square, 0))
    return rounded * frame.along_y(slim * anatomy.depth)


def _breasts(anatomy: Anatomy, frame: Frame) -> Plane:
    soft = np.zeros(frame.shape, np.float32)
    if not anatomy.breast:
        return soft
    for sign in (-1, 1):
        q = frame.ellipse((sign * 0.62 * anatomy.half_width, 62 + anatomy.breast), (66, 72))
        low = frame.along_y(smooth((GRID - 30) / 70))
        soft += np.sqrt(np.maximum(1 - q, 0)) * low * np.float32(0.75 * anatomy.breast)
    return soft


def _stomach(anatomy: Anatomy, frame: Frame) -> Plane:
    """Gas under the left dome, with a flat lower border when standing."""
    if not anatomy.gastric_bubble:
        return np.zeros(frame.shape, np.float32)
    size = 14 + anatomy.gastric_bubble
    q = frame.ellipse(
        (0.42 * anatomy.half_width, anatomy.dome_left + size * 0.8 + 8), (size * 1.5, size * 0.8)
    )
    return (np.sqrt(np.maximum(1 - q, 0)) * 26).astype(np.float32)


def _texture(anatomy: Anatomy, frame: Frame) -> Plane:
    """Slow variation of lung density, mean about 0, drawn on one coarse grid whatever the picture size."""
    rng = np.random.default_rng([anatomy.texture_seed, 2])
    total = np.zeros(frame.shape, np.float32)
    for count, weight in ((TEXTURE_GRID, 0.5), (TEXTURE_GRID // 2, 0.6), (TEXTURE_GRID // 6, 0.7)):
        small = rng.uniform(-1, 1, (count, count)).astype(np.float32)
        total += enlarge(small, frame.shape) * np.float32(weight)
    return total


def _vessels(anatomy: Anatomy, frame: Frame) -> Plane:
    """Branching vessels from each hilum, thinner outwards."""
    rng = np.random.default_rng([anatomy.texture_seed, 3])
    plane = np.zeros(frame.shape, np.float32)
    for side in SIDES:
        sign = anatomy.sign(side)
        for trunk in range(9):
            angle = -1.35 + trunk * 0.33 + rng.uniform(-0.1, 0.1)
            _branch(frame, plane, rng, ((sign * 40.0, 22.0), angle, sign, rng.uniform(3.2, 5.2), 0))
    return plane


def _branch(
    frame: Frame,
    plane: Plane,
    rng: np.random.Generator,
    state: tuple[Point, float, float, float, int],
) -> None:
    point, angle, sign, radius, depth = state
    for _ in range(4 if depth == 0 else 3):
        angle += rng.uniform(-0.16, 0.16)
        length = rng.uniform(15, 24) * (1 - 0.18 * depth)
        end = (point[0] + sign * length * math.cos(angle), point[1] + length * math.sin(angle))
        frame.cylinder(plane, point, end, radius)
        point, radius = end, radius * 0.8
        turn = rng.uniform(0.3, 0.7) * (1 if rng.uniform() < 0.5 else -1)
        if depth < 1:
            _branch(frame, plane, rng, (point, angle + turn, sign, radius * 0.75, depth + 1))
