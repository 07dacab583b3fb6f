"""From the layers of a scene to stored values: attenuation, scatter, noise, processing for display."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.phantom.frame import Frame, Plane, Point, enlarge
from inference.phantom.scene import Scene

WATER_PER_MM = 0.0185
BONE_PER_MM = 0.042
METAL_PER_MM = 0.055
LUNG_AIR_SHARE = 0.74
BITS_STORED = 12
TOP_VALUE = 2**BITS_STORED - 1
_EXPONENT_STEPS = 4096


@dataclass(frozen=True)
class Exposure:
    """How the picture was taken and processed: scatter, noise, blur (mm), equalisation, contrast."""

    scatter: float
    noise: float
    blur: float
    equalise: float
    black: float
    white: float
    window_center: float
    window_width: float
    marker: str
    wires: int
    seed: int


def draw(rng: np.random.Generator, *, bedside: bool) -> Exposure:
    """Draw an exposure; bedside pictures scatter more, are noisier, and show monitoring wires."""
    u = rng.uniform
    marker = ("R", "L", "")[int(rng.integers(3))]
    wires = int(rng.integers(0, 4))
    return Exposure(
        scatter=u(0.7, 1.1) if bedside else u(0.3, 0.7),
        noise=u(0.010, 0.018) if bedside else u(0.005, 0.011),
        blur=u(0.3, 0.6),
        equalise=u(0.2, 0.5),
        black=u(-0.02, 0.06),
        white=u(0.84, 1.0),
        window_center=float(round(u(1900, 2200))),
        window_width=float(round(u(3500, 4096))),
        marker=marker,
        wires=wires if bedside else 0,
        seed=int(rng.integers(2**31)),
    )


def project(scene: Scene, exposure: Exposure, noise: np.random.Generator | None) -> NDArray[np.uint16]:
    """Stored values, 12 bits, dense is bright (MONOCHROME2). Without `noise` the picture is noise-free."""
    frame = scene.frame
    depth = _attenuation(scene) + _wires(frame, exposure) * np.float32(METAL_PER_MM)
    depth = ndimage.gaussian_filter(depth, exposure.blur / frame.spacing, truncate=2.5)
    primary = _exp_minus(depth)
    light = primary + np.float32(exposure.scatter) * _spread(primary, frame, 45.0)
    signal = -_log(light)
    signal -= np.float32(exposure.equalise) * _spread(signal, frame, 38.0)
    if noise is not None:
        grain = noise.standard_normal(frame.shape, dtype=np.float32)
        signal += (
            grain
            * np.float32(exposure.noise)
            / np.sqrt(np.maximum(light, np.float32(0.002)))
            * np.float32(0.35)
        )
    return _stored(signal, scene, exposure)


def _attenuation(scene: Scene) -> Plane:
    """The exponent of the beam's weakening."""
    share = LUNG_AIR_SHARE * (1 - 0.1 * scene.texture)
    air = scene.lung * np.maximum((1 - scene.opacity) * share, scene.pure_air)
    water = np.maximum(scene.body - air, 0) + scene.vessels * (1 - scene.opacity) + scene.soft
    total = np.maximum(water, 0) * WATER_PER_MM + scene.bone * (BONE_PER_MM * 0.8)
    exponent: Plane = (total + scene.metal * METAL_PER_MM).astype(np.float32)
    return exponent


def _exp_minus(depth: Plane) -> Plane:
    """exp(-depth) from a table, linearly interpolated: the same bytes on every processor."""
    table = np.exp(-np.arange(0, 16, 1 / 256)).astype(np.float32)
    return _looked_up(table, depth * 256)


def _log(light: Plane) -> Plane:
    """Natural logarithm of values up to 4 by a table over the square root, linearly interpolated."""
    roots = np.arange(1, _EXPONENT_STEPS * 2 + 2) / _EXPONENT_STEPS
    table = (2 * np.log(roots)).astype(np.float32)
    return _looked_up(table, np.sqrt(light) * _EXPONENT_STEPS - 1)


def _looked_up(table: Plane, at: Plane) -> Plane:
    at = np.clip(at, 0, table.size - 2)
    low = at.astype(np.intp)
    share = at - low.astype(np.float32)
    return np.take(table, low) * (1 - share) + np.take(table, low + 1) * share


def _spread(plane: Plane, frame: Frame, sigma: float) -> Plane:
    """A wide blur, made on a coarse grid."""
    rows, cols = (min(64, size) for size in frame.shape)
    picked_rows = np.rint(np.linspace(0, frame.shape[0] - 1, rows)).astype(np.intp)
    picked_cols = np.rint(np.linspace(0, frame.shape[1] - 1, cols)).astype(np.intp)
    small = plane[picked_rows][:, picked_cols]
    coarse = frame.spacing * max(frame.shape[0] / rows, frame.shape[1] / cols)
    return enlarge(ndimage.gaussian_filter(small, sigma / coarse, truncate=2.5), frame.shape)


def _stored(signal: Plane, scene: Scene, exposure: Exposure) -> NDArray[np.uint16]:
    """Values scaled to the body, as detectors do: open air is black, whatever its share."""
    frame = scene.frame
    step = max(1, max(frame.shape) // 128)
    inside = scene.body[::step, ::step] > np.float32(0.5 * scene.anatomy.depth)
    sample = np.sort(signal[::step, ::step][inside], axis=None)
    dark, bright = sample[int(0.01 * sample.size)], sample[int(0.992 * sample.size)]
    scaled = np.maximum((signal - dark) * np.float32(1 / (bright - dark + 1e-6)) + np.float32(0.07), 0)
    shown = np.float32(exposure.black) + scaled * np.float32(exposure.white - exposure.black)
    shown = np.where(_marker(frame, exposure), np.float32(1.0), shown)
    levels = np.rint(np.clip(shown * (0.94 * TOP_VALUE) + 0.02 * TOP_VALUE, 0, TOP_VALUE))
    stored: NDArray[np.uint16] = levels.astype(np.uint16)
    return stored


def _marker(frame: Frame, exposure: Exposure) -> NDArray[np.bool_]:
    """A lead letter beside the shoulder of its side."""
    mask = np.zeros(frame.shape, bool)
    if not exposure.marker:
        return mask
    width = frame.shape[1] * frame.spacing / 2
    x = (width - 26) * (-1 if exposure.marker == "R" else 1) - frame.pose.offset_x
    y = -frame.shape[0] * frame.spacing / 2 + 30 - frame.pose.offset_y
    strokes: dict[str, list[list[Point]]] = {
        "R": [[(-5, 8), (-5, -8), (2, -8), (5, -5), (5, -3), (2, 0), (-5, 0)], [(0, 0), (5, 8)]],
        "L": [[(-4, -8), (-4, 8), (5, 8)]],
    }
    for stroke in strokes[exposure.marker]:
        mask |= frame.distance([(x + dx, y + dy) for dx, dy in stroke], 3.0) < max(1.2, 0.6 * frame.spacing)
    return mask


def _wires(frame: Frame, exposure: Exposure) -> Plane:
    """Monitoring leads lying on the chest of a bedside patient: not part of any truth, like in life."""
    rng = np.random.default_rng([exposure.seed, 1])
    plane = np.zeros(frame.shape, np.float32)
    places_ = ((-105.0, -50.0), (112.0, -44.0), (95.0, 128.0))
    for centre in places_[: exposure.wires]:
        x, y = centre[0] + rng.uniform(-14, 14), centre[1] + rng.uniform(-14, 14)
        end = (x * 0.4 + rng.uniform(-20, 20), 260.0)
        way: list[Point] = [(x, y), (x * 1.1 + rng.uniform(-20, 20), y * 0.6 + 60), end]
        for start, stop in itertools.pairwise(way):
            frame.cylinder(plane, start, stop, 0.8)
        ring = frame.distance([(x, y), (x, y)], 9.0)
        plane = np.maximum(plane, np.clip(1 - np.abs(ring - 4.5) / 1.4, 0, 1) * 5)
    return plane.astype(np.float32) * 2
