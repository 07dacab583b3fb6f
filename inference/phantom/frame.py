"""Where detector pixels lie in a view of the body, for any direction of the beam.

Body millimetres: x to the patient's left, y to the feet, z to the back; the origin is the carina, z = 0 the
middle of the chest. A view turns the body about its long axis into (u, v, w): u to the viewer's right,
v down, w along the beam. Only sums, products, quotients, square roots and table look-ups are done on
planes, so that the same bytes come out on every machine.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from inference.contract import ViewPosition

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]
Curve = NDArray[np.float64]
Points = NDArray[np.float64]

STEP = 0.25
REACH = 440.0
GRID: Curve = np.arange(-REACH, REACH + STEP / 2, STEP)
"""Levels y (or v) in mm at which every curve is tabulated."""


@dataclass(frozen=True)
class Pose:
    """How the patient stands before the beam.

    field: mm at the detector along the picture's longer side; yaw, turn: degrees about the body's axis and
    in the picture; offset: mm at the detector; distance: focus to detector; gap: origin to detector.
    """

    view: ViewPosition
    field: float
    yaw: float
    turn: float
    offset_u: float
    offset_v: float
    distance: float
    gap: float

    @property
    def angle(self) -> float:
        """Degrees from the frontal direction."""
        return self.yaw + (90.0 if self.view is ViewPosition.LEFT_LATERAL else 0.0)

    def magnification(self, depth: float) -> float:
        """How much larger something at w = depth appears at the detector."""
        away = self.gap + (-depth if self.view is ViewPosition.AP else depth)
        return self.distance / (self.distance - away)


@dataclass(frozen=True)
class Frame:
    """The pixel grid. u, v: float32 (rows, cols) in mm at the detector, from the central ray; iv: places of v
    in `GRID`."""

    shape: tuple[int, int]
    spacing: float
    pose: Pose
    u: Plane
    v: Plane
    iv: NDArray[np.intp]

    @classmethod
    def make(cls, shape: tuple[int, int], pose: Pose) -> Self:
        rows, cols = shape
        spacing = pose.field / max(shape)
        across = ((np.arange(cols) - (cols - 1) / 2) * spacing).astype(np.float32)
        down = ((np.arange(rows) - (rows - 1) / 2) * spacing).astype(np.float32)
        cos, sin = turned(pose.turn)
        u = (across * cos - np.float32(pose.offset_u))[None, :] + (down * sin)[:, None]
        v = (down * cos - np.float32(pose.offset_v))[:, None] - (across * sin)[None, :]
        return cls(shape, spacing, pose, u, v, places(v))

    def along(self, curve: Curve) -> Plane:
        """The value of a curve over v at every pixel."""
        return np.take(curve.astype(np.float32), self.iv)

    def rows(self, first: int, last: int) -> slice:
        """The rows of the picture in which places first..last of `GRID` are seen."""
        low = np.minimum(self.iv[:, 0], self.iv[:, -1])
        high = np.maximum(self.iv[:, 0], self.iv[:, -1])
        seen = np.flatnonzero((high >= first) & (low <= last))
        return slice(int(seen[0]), int(seen[-1]) + 1) if seen.size else slice(0, 0)

    def columns(self, low: float, high: float) -> slice:
        """The columns of the picture in which u = low..high (mm at the detector) is seen."""
        least, most = np.minimum(self.u[0], self.u[-1]), np.maximum(self.u[0], self.u[-1])
        seen = np.flatnonzero((most >= low) & (least <= high))
        return slice(int(seen[0]), int(seen[-1]) + 1) if seen.size else slice(0, 0)

    def view(self, points: Points) -> Points:
        """Body points (N, 3) as (u, v, w): u and v magnified to the detector."""
        cos, sin = turned(self.pose.angle)
        u = points[:, 0] * cos + points[:, 2] * sin
        w = points[:, 2] * cos - points[:, 0] * sin
        away = self.pose.gap + (-w if self.pose.view is ViewPosition.AP else w)
        scale = self.pose.distance / (self.pose.distance - away)
        return np.stack([u * scale, points[:, 1] * scale, w], axis=1)

    def pixels(self, uv: Points) -> Points:
        """(N, 2) rows and columns of (N, 2+) detector points u, v."""
        cos, sin = turned(self.pose.turn)
        u, v = uv[:, 0] + self.pose.offset_u, uv[:, 1] + self.pose.offset_v
        column = (u * cos - v * sin) / self.spacing + (self.shape[1] - 1) / 2
        row = (u * sin + v * cos) / self.spacing + (self.shape[0] - 1) / 2
        return np.stack([row, column], axis=1)


def turned(degrees: float) -> tuple[float, float]:
    """Cosine and sine, rounded to single precision: libraries differ in the last digits of a double."""
    angle = math.radians(degrees)
    return float(np.float32(math.cos(angle))), float(np.float32(math.sin(angle)))


def places(values: Plane) -> NDArray[np.intp]:
    """The nearest places in `GRID`, clipped at its ends."""
    shifted = (values + np.float32(REACH + STEP / 2)) * np.float32(1 / STEP)
    np.clip(shifted, 0, GRID.size - 1, out=shifted)
    return shifted.astype(np.intp)
