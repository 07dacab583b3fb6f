"""From matter to stored values: polychromatic beam, scatter, grid, blur, quanta, processing for display."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.phantom.frame import Plane
from inference.phantom.scene import Scene
from inference.phantom.tables import exp_minus, log, spread

BITS_STORED = 12
TOP_VALUE = 2**BITS_STORED - 1
# Attenuation per mm at 50, 70 and 95 keV, near the values of NIST's XCOM tables for water, cortical bone
# (1.9 g/cm3) and iron; the weights are those of a filtered 110 kV beam.
WEIGHTS = (0.32, 0.42, 0.26)
WATER = (0.0225, 0.0193, 0.0173)
BONE = (0.080, 0.050, 0.037)
METAL = (1.54, 0.64, 0.31)
_AIR_SIGNAL = 0.05
_KNEE = 0.6


@dataclass(frozen=True)
class Exposure:
    """How the picture was taken and processed.

    scatter: scattered over primary light; quanta: relative noise of the open beam; blur: mm; equalise,
    detail: strength of the multi-scale processing; curve: bend of the tone curve, shoulder: how far its
    bright end is held back; black, white: ends.
    """

    scatter: float
    quanta: float
    blur: float
    equalise: float
    detail: float
    curve: float
    shoulder: float
    black: float
    white: float
    window_center: float
    window_width: float


def draw(rng: np.random.Generator, *, bedside: bool) -> Exposure:
    """Draw an exposure; bedside pictures scatter more (often no grid) and are noisier."""
    u = rng.uniform
    grid = u() < (0.35 if bedside else 0.9)
    return Exposure(
        scatter=u(0.25, 0.6) if grid else u(0.8, 1.5),
        quanta=u(0.002, 0.007) if bedside else u(0.001, 0.004),
        blur=u(0.25, 0.5),
        equalise=u(0.65, 1.1),
        detail=u(0.4, 2.2),
        curve=u(-0.2, 0.9),
        shoulder=u(0.0, 0.2),
        black=u(-0.02, 0.06),
        white=u(0.8, 1.0),
        window_center=float(round(u(1900, 2200))),
        window_width=float(round(u(3500, 4096))),
    )


def expose(scene: Scene, exposure: Exposure, noise: np.random.Generator | None) -> Plane:
    """Signal of the detector: negative logarithm of the light, dense is high."""
    frame = scene.frame
    water = np.maximum(scene.trunk - scene.air - scene.bone, 0)
    light = np.zeros(frame.shape, np.float32)
    for weight, w, b, m in zip(WEIGHTS, WATER, BONE, METAL, strict=True):
        depth = water * np.float32(w) + scene.bone * np.float32(b)
        depth += scene.metal * np.float32(m)
        light += np.float32(weight) * exp_minus(depth)
    light = ndimage.gaussian_filter(light, exposure.blur / frame.spacing, truncate=2.5)
    light += np.float32(exposure.scatter) * spread(np.minimum(light, 0.12), 30 / frame.spacing)
    if noise is not None:
        grain = noise.standard_normal(frame.shape, dtype=np.float32)
        pixel = np.float32(exposure.quanta * 0.7 / max(frame.spacing, 0.35))
        light += grain * (pixel * np.sqrt(light))
    return -log(np.clip(light, np.float32(1e-5), 3.9))


def process(signal: Plane, scene: Scene, exposure: Exposure) -> Plane:
    """Processing for display: equalised over several scales, then bent; 0 black to 1 white. Metal sets no
    end of the scale, so that a device changes the picture only where it lies."""
    frame = scene.frame
    inside = (scene.trunk > 40) & (scene.metal <= 0)
    floor = np.float32(_AIR_SIGNAL)
    held = np.maximum(signal, floor)
    coarse = spread(held, 46 / frame.spacing)
    middle = spread(held, 9 / frame.spacing, cells=160)
    fine = spread(held, 2.2 / frame.spacing, cells=256)
    out = held - np.float32(exposure.equalise) * coarse
    out += np.float32(0.36 * exposure.detail) * (held - middle)
    out += np.float32(0.8 * exposure.detail) * (held - fine)
    return _toned(out, inside, exposure)


def _toned(signal: Plane, inside: NDArray[np.bool_], exposure: Exposure) -> Plane:
    skip = max(1, max(signal.shape) // 128)
    sample = np.sort(signal[::skip, ::skip][inside[::skip, ::skip]], axis=None)
    if sample.size < 16:
        sample = np.sort(signal, axis=None)
    dark, bright = sample[int(0.01 * sample.size)], sample[int(0.998 * sample.size)]
    tone = np.maximum((signal - dark) * np.float32(0.93 / (bright - dark + 1e-6)) + np.float32(0.05), 0)
    tone += np.float32(exposure.curve) * tone * np.maximum(1 - tone, 0) * np.float32(0.55)
    # The shoulder of the tone curve: dense tissue keeps a gray, metal and letters alone are white.
    high = np.maximum(tone - np.float32(_KNEE), 0)
    tone -= high * high * np.float32(exposure.shoulder) / (high + np.float32(0.2))
    shown: Plane = tone * np.float32(exposure.white - exposure.black) + np.float32(exposure.black)
    return shown


def stored(shown: Plane) -> NDArray[np.uint16]:
    """Twelve bits, rounded."""
    levels = np.rint(np.clip(shown * (0.94 * TOP_VALUE) + 0.02 * TOP_VALUE, 0, TOP_VALUE))
    values: NDArray[np.uint16] = levels.astype(np.uint16)
    return values
