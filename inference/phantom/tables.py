"""Small numerics on curves and planes: soft steps, hills, splines, coarse noise, look-ups."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import PchipInterpolator

from inference.phantom.frame import GRID, Curve, Plane

Real = TypeVar("Real", bound=np.floating)

ALL = (slice(None), slice(None))
_EXP_STEPS, _EXP_REACH = 1024, 20
_EXP = np.exp(-np.arange(_EXP_STEPS * _EXP_REACH) / _EXP_STEPS).astype(np.float32)
_LOG_STEPS = 16384
_LOG = (2 * np.log(np.arange(0.5, 2 * _LOG_STEPS) / _LOG_STEPS)).astype(np.float32)


def hill(values: Curve, centre: float, half_width: float) -> Curve:
    """A smooth hill of height 1 that ends at `half_width`."""
    return np.maximum(1 - ((values - centre) / half_width) ** 2, 0) ** 2


def spline(knots: Sequence[tuple[float, float]]) -> Curve:
    """A smooth curve over `GRID` through (y, value) knots that never overshoots; flat beyond the ends."""
    at, value = (np.array(column) for column in zip(*knots, strict=True))
    curve: Curve = PchipInterpolator(at, value)(np.clip(GRID, at[0], at[-1]))
    return curve


def wobble(rng: np.random.Generator, wavelength: float, size: float) -> Curve:
    """A slow random curve over `GRID`, about `size` mm to either side: nothing in a body is straight."""
    count = int(GRID[-1] * 2 / wavelength) + 2
    knots = np.linspace(GRID[0], GRID[-1], count)
    return PchipInterpolator(knots, rng.uniform(-size, size, count))(GRID)  # type: ignore[no-any-return]


def noise(
    rng: np.random.Generator, shape: tuple[int, int], cells: int, part: tuple[slice, slice] = ALL
) -> Plane:
    """Smooth noise in -1..1, `cells` grains across, the same at every picture size; of a part of the
    picture."""
    small: Plane = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
    return enlarge(small, shape, part)


def exp_minus(depth: Plane) -> Plane:
    """exp(-depth) from a table: the same bytes on every processor."""
    at = np.clip(depth * np.float32(_EXP_STEPS) + np.float32(0.5), 0, _EXP.size - 1)
    light: Plane = np.take(_EXP, at.astype(np.intp))
    return light


def log(values: Plane) -> Plane:
    """Natural logarithm of values in 0..4, from a table over the square root."""
    at = np.clip(np.sqrt(values) * np.float32(_LOG_STEPS), 0, _LOG.size - 1)
    logarithm: Plane = np.take(_LOG, at.astype(np.intp))
    return logarithm


def spread(plane: Plane, sigma: float, cells: int = 64) -> Plane:
    """A wide blur of `sigma` pixels, made on a coarse grid of at most `cells` a side."""
    shape = plane.shape
    step_ = max(1, max(shape) // cells)
    rows, cols = (-(-size // step_) for size in shape)
    padded = np.pad(plane, ((0, rows * step_ - shape[0]), (0, cols * step_ - shape[1])), mode="edge")
    small = padded.reshape(rows, step_, cols, step_)[:, :: max(1, step_ // 4), :, :: max(1, step_ // 4)]
    mean = _total(_total(small, 3), 1) / np.float32(small.shape[1] * small.shape[3])
    blurred = ndimage.gaussian_filter(mean, sigma / step_, truncate=2.5, mode="nearest")
    wide: Plane = enlarge(blurred, (rows * step_, cols * step_))[: shape[0], : shape[1]]
    return wide


def _total(values: NDArray[Real], axis: int) -> NDArray[Real]:
    """The sum along a short axis, in its order: NumPy's own is slow where the axis is short."""
    first, *others = np.moveaxis(values, axis, 0)
    total: NDArray[Real] = first.copy()
    for each in others:
        total += each
    return total


def smooth(values: NDArray[Real]) -> NDArray[Real]:
    """0 below 0, 1 above 1, and a soft step between."""
    clipped = np.clip(values, 0, 1)
    step: NDArray[Real] = clipped * clipped * (3 - 2 * clipped)
    return step


def enlarge(small: Plane, shape: tuple[int, int], part: tuple[slice, slice] = ALL) -> Plane:
    """Linear interpolation of a coarse grid that spans the whole picture; of a part of the picture."""
    low, share = _between(small.shape[0], shape[0], part[0])
    share = share[:, None]
    rows = small[low] * (1 - share) + small[low + 1] * share
    low, share = _between(small.shape[1], shape[1], part[1])
    wide: Plane = np.take(rows, low, axis=1)
    wide *= 1 - share
    wide += np.take(rows, low + 1, axis=1) * share
    return wide


def _between(cells: int, size: int, part: slice) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Of each pixel in part of a line: the cell before it, and its share of the way to the next."""
    at = np.linspace(0, cells - 1, size)[part]
    low = np.minimum(at.astype(np.intp), cells - 2)
    return low, (at - low).astype(np.float32)
