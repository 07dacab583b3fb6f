"""Where detector pixels lie on the body, and the few drawing tools that need to know it.

Body millimetres: x grows towards the patient's left (the viewer's right), y towards the feet; the origin
is the carina. Curves over x or y are tables on `GRID`, looked up per pixel: fast, and only additions and
multiplications are done in two dimensions, so that the same bytes come out on every machine.
"""

import itertools
import math
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]
Curve = NDArray[np.float64]
Point = tuple[float, float]
Window = tuple[slice, slice]
Real = TypeVar("Real", bound=np.floating)

STEP = 0.25
REACH = 400.0
GRID: Curve = np.arange(-REACH, REACH + STEP / 2, STEP)


@dataclass(frozen=True)
class Pose:
    """How the patient stands: field in mm along the longer side, turn in degrees, offset in mm."""

    field: float
    turn: float
    offset_x: float
    offset_y: float


@dataclass(frozen=True)
class Frame:
    """The pixel grid in body millimetres. x, y: float32 (rows, cols); ix, iy: their places in `GRID`."""

    shape: tuple[int, int]
    spacing: float
    pose: Pose
    x: Plane
    y: Plane
    ix: NDArray[np.intp]
    iy: NDArray[np.intp]

    @classmethod
    def make(cls, shape: tuple[int, int], pose: Pose) -> Self:
        rows, cols = shape
        spacing = pose.field / max(shape)
        across = ((np.arange(cols) - (cols - 1) / 2) * spacing).astype(np.float32)
        down = ((np.arange(rows) - (rows - 1) / 2) * spacing).astype(np.float32)
        cos, sin = _turn(pose)
        x = (across * cos - np.float32(pose.offset_x))[None, :] + (down * sin)[:, None]
        y = (down * cos - np.float32(pose.offset_y))[:, None] - (across * sin)[None, :]
        return cls(shape, spacing, pose, x, y, places(x), places(y))

    def pixel(self, point: Point) -> Point:
        """(row, column) of a body point."""
        cos, sin = _turn(self.pose)
        x, y = point[0] + self.pose.offset_x, point[1] + self.pose.offset_y
        rows, cols = self.shape
        column = (x * cos - y * sin) / self.spacing + (cols - 1) / 2
        row = (x * sin + y * cos) / self.spacing + (rows - 1) / 2
        return float(row), float(column)

    def along_x(self, curve: Curve) -> Plane:
        """The value of a curve over x at every pixel."""
        return np.take(curve.astype(np.float32), self.ix)

    def along_y(self, curve: Curve) -> Plane:
        """The value of a curve over y at every pixel."""
        return np.take(curve.astype(np.float32), self.iy)

    def ellipse(self, centre: Point, axes: Point, turn: float = 0.0) -> Plane:
        """Squared elliptic radius: below 1 inside. turn in radians, from x towards y."""
        dx = self.x - np.float32(centre[0])
        dy = self.y - np.float32(centre[1])
        if not turn:
            upright: Plane = np.square(dx * np.float32(1 / axes[0])) + np.square(dy * np.float32(1 / axes[1]))
            return upright
        cos, sin = math.cos(turn), math.sin(turn)
        long = dx * np.float32(cos / axes[0]) + dy * np.float32(sin / axes[0])
        short = dy * np.float32(cos / axes[1]) - dx * np.float32(sin / axes[1])
        radius: Plane = long * long + short * short
        return radius

    def distance(self, points: list[Point], reach: float) -> Plane:
        """Millimetres to a polyline, cut off at `reach`."""
        plane = np.full(self.shape, reach, np.float32)
        for start, end in itertools.pairwise(points):
            found = self._segment(start, end, reach)
            if found is not None:
                part = plane[found[0]]
                np.minimum(part, found[1], out=part)
        return plane

    def cylinder(self, plane: Plane, start: Point, end: Point, radius: float) -> None:
        """Raise `plane` to the thickness (mm) of a cylinder lying in the picture plane."""
        found = self._segment(start, end, max(radius, 0.6 * self.spacing))
        if found is None:
            return
        window, near = found
        part = plane[window]
        square = np.float32(radius * radius) - near * near
        np.maximum(part, 2 * np.sqrt(np.maximum(square, 0)), out=part)

    def _segment(self, start: Point, end: Point, reach: float) -> tuple[Window, Plane] | None:
        """The part of the picture within reach of a stretch, and the mm to it there; None out of sight."""
        (r0, c0), (r1, c1) = self.pixel(start), self.pixel(end)
        pad = reach / self.spacing + 1
        top, bottom = max(int(min(r0, r1) - pad), 0), min(int(max(r0, r1) + pad) + 1, self.shape[0])
        left, right = max(int(min(c0, c1) - pad), 0), min(int(max(c0, c1) + pad) + 1, self.shape[1])
        if top >= bottom or left >= right:
            return None
        down = (np.arange(top, bottom) - r0).astype(np.float32)[:, None]
        across = (np.arange(left, right) - c0).astype(np.float32)[None, :]
        dr, dc = r1 - r0, c1 - c0
        square = dr * dr + dc * dc + 1e-9
        share = np.clip(down * np.float32(dr / square) + across * np.float32(dc / square), 0, 1)
        near = np.sqrt((down - share * np.float32(dr)) ** 2 + (across - share * np.float32(dc)) ** 2)
        return (slice(top, bottom), slice(left, right)), near * np.float32(self.spacing)


def _turn(pose: Pose) -> tuple[float, float]:
    angle = math.radians(pose.turn)
    return float(np.float32(math.cos(angle))), float(np.float32(math.sin(angle)))


def places(values: Plane) -> NDArray[np.intp]:
    """The nearest places in `GRID`, clipped at its ends."""
    shifted = np.rint((values + np.float32(REACH)) * np.float32(1 / STEP))
    index: NDArray[np.intp] = np.clip(shifted, 0, GRID.size - 1).astype(np.intp)
    return index


def smooth(values: NDArray[Real]) -> NDArray[Real]:
    """0 below 0, 1 above 1, and a soft step between."""
    clipped = np.clip(values, 0, 1)
    step: NDArray[Real] = clipped * clipped * (3 - 2 * clipped)
    return step


def bump(values: Curve, centre: float, half_width: float) -> Curve:
    """A smooth hill of height 1 that ends at `half_width`."""
    square = ((values - centre) / half_width) ** 2
    return np.maximum(1 - square, 0) ** 2


def enlarge(small: Plane, shape: tuple[int, int]) -> Plane:
    """Linear interpolation of a coarse grid that spans the whole picture."""
    return _stretch(_stretch(small, shape[0]).T, shape[1]).T


def _stretch(small: Plane, size: int) -> Plane:
    at = np.linspace(0, small.shape[0] - 1, size)
    low = np.minimum(at.astype(np.intp), small.shape[0] - 2)
    share = (at - low).astype(np.float32)[:, None]
    between: Plane = small[low] * (1 - share) + small[low + 1] * share
    return between


def bezier(points: list[Point], count: int = 14) -> list[Point]:
    """A smooth polyline through `points` (Catmull-Rom), `count` steps to a stretch."""
    padded = [points[0], *points, points[-1]]
    line: list[Point] = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        line += [_between(a, b, c, d, step / count) for step in range(count)]
    return [*line, points[-1]]


def _between(a: Point, b: Point, c: Point, d: Point, t: float) -> Point:
    def one(k: int) -> float:
        return 0.5 * (
            2 * b[k]
            + (c[k] - a[k]) * t
            + (2 * a[k] - 5 * b[k] + 4 * c[k] - d[k]) * t * t
            + (3 * b[k] - a[k] - 3 * c[k] + d[k]) * t**3
        )

    return one(0), one(1)
