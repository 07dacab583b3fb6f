"""Solids as stacks of ellipses, and the stretch of each ray inside them.

A loft gives, for every level y, the edges of an ellipse that lies across the body. A parallel ray meets a
convex loft in one stretch, so unions and intersections of organs are exact arithmetic on stretches.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from inference.phantom.solid.frame import GRID, Curve, Frame, Plane, turned


@dataclass(frozen=True)
class Span:
    """The stretch w = lo..hi of every ray, float32 (rows, cols) in mm; empty where hi <= lo."""

    lo: Plane
    hi: Plane

    @property
    def length(self) -> Plane:
        between: Plane = self.hi - self.lo
        np.maximum(between, 0, out=between)
        return between

    def __and__(self, other: "Span") -> "Span":
        return Span(np.maximum(self.lo, other.lo), np.minimum(self.hi, other.hi))

    def hull(self, other: "Span") -> "Span":
        """The stretch from the first to the last of both."""
        return Span(np.minimum(self.lo, other.lo), np.maximum(self.hi, other.hi))


@dataclass(frozen=True)
class Loft:
    """Edges in mm over `GRID` (levels y): right < left along x, front < back along z.

    Where an edge pair is crossed the solid has ended. boxy: corners fuller than an ellipse's.
    """

    right: Curve
    left: Curve
    front: Curve
    back: Curve
    boxy: bool = False

    @classmethod
    def ellipsoid(cls, centre: tuple[float, float, float], axes: tuple[float, float, float]) -> Self:
        """An upright ellipsoid; centre and half axes (x, y, z) in mm."""
        share = np.sqrt(np.maximum(1 - ((GRID - centre[1]) / axes[1]) ** 2, 0))
        share = np.where(share > 0, share, -1e-3)
        x, z = axes[0] * share, axes[2] * share
        return cls(centre[0] - x, centre[0] + x, centre[2] - z, centre[2] + z)

    def cut(self, top: float, bottom: float) -> Self:
        """Only the part between two levels."""
        inside = (top <= GRID) & (bottom >= GRID)
        middle = (self.right + self.left) / 2
        return replace(
            self,
            right=np.where(inside, self.right, middle + 1e-3),
            left=np.where(inside, self.left, middle - 1e-3),
        )

    def moved(self, dx: Curve | float = 0.0, dz: Curve | float = 0.0) -> Self:
        return replace(
            self,
            right=self.right + dx,
            left=self.left + dx,
            front=self.front + dz,
            back=self.back + dz,
        )

    def grown(self, by: Curve | float) -> Self:
        """Every edge pushed out by mm."""
        return replace(
            self,
            right=self.right - by,
            left=self.left + by,
            front=self.front - by,
            back=self.back + by,
        )

    def shifted_down(self, dy: float) -> Self:
        right, left, front, back = (
            np.interp(GRID - dy, GRID, curve) for curve in (self.right, self.left, self.front, self.back)
        )
        return replace(self, right=right, left=left, front=front, back=back)

    def span(self, frame: Frame) -> Span:
        """Where the rays of a view run inside. Exact for a parallel beam; the solid as a whole is magnified
        for its mean depth."""
        cos, sin = turned(frame.pose.angle)
        a, c = (self.left - self.right) / 2, (self.back - self.front) / 2
        inside = (a > 0) & (c > 0)
        if not inside.any():
            return _nothing(frame)
        a, c = np.where(inside, a, 1e-3), np.where(inside, c, 1e-3)
        x, z = (self.left + self.right) / 2, (self.back + self.front) / 2
        u, w = x * cos + z * sin, z * cos - x * sin
        across = sin * sin / (a * a) + cos * cos / (c * c)
        tilt = (sin * cos / (c * c) - sin * cos / (a * a)) / across
        weight = np.where(inside, a * c, 0)
        scale = frame.pose.magnification(float((w * weight).sum() / weight.sum()))
        reach = np.where(inside, a * c * np.sqrt(across), 1e-3)
        half = np.where(inside, 1 / np.sqrt(across), 0.0)
        curves = (u * scale, 1 / (reach * scale), half, w, tilt / scale)
        seen = np.flatnonzero(np.interp(GRID, GRID * scale, inside.astype(float)))
        edges = (u - reach)[inside] * scale, (u + reach)[inside] * scale
        part = (
            frame.rows(int(seen[0]), int(seen[-1])),
            frame.columns(float(edges[0].min()), float(edges[1].max())),
        )
        places = frame.iv[part]
        planes = [
            np.take(np.interp(GRID, GRID * scale, curve).astype(np.float32), places) for curve in curves
        ]
        span = _nothing(frame)
        span.lo[part], span.hi[part] = self._stretch(frame.u[part], planes)
        return span

    def _stretch(self, u: Plane, planes: list[Plane]) -> tuple[Plane, Plane]:
        centre, shrink, half, middle, tilt = planes
        away = u - centre
        middle -= tilt * away
        away *= shrink
        np.square(away, out=away)
        if self.boxy:
            np.square(away, out=away)
        np.subtract(1, away, out=away)
        missed = away <= 0
        np.maximum(away, 0, out=away)
        np.sqrt(away, out=away)
        away *= half
        away -= missed * np.float32(_FAR)
        return middle - away, middle + away


_FAR = 1e4
"""mm; an empty stretch runs from here back to -here, so that hulls and intersections need no cases."""


def _nothing(frame: Frame) -> Span:
    return Span(np.full(frame.shape, _FAR, np.float32), np.full(frame.shape, -_FAR, np.float32))


def halfspace(frame: Frame, normal: tuple[float, float, float], offset: float) -> Span:
    """Where normal . (x, y, z) < offset along each ray."""
    cos, sin = turned(frame.pose.angle)
    along = normal[2] * cos - normal[0] * sin
    scale = frame.pose.magnification(0.0)
    rest = frame.u * np.float32((normal[0] * cos + normal[2] * sin) / scale)
    rest += frame.v * np.float32(normal[1] / scale)
    far = np.full(frame.shape, _FAR, np.float32)
    if abs(along) < 0.02:
        inside = rest < offset
        return Span(np.where(inside, -far, far), np.where(inside, far, -far))
    bound = (np.float32(offset) - rest) * np.float32(1 / along)
    return Span(-far, bound) if along > 0 else Span(bound, far)


def covered(within: Span, one: Span, other: Span) -> Plane:
    """How much of `within` the union of two stretches covers, in mm."""
    a, b = within & one, within & other
    total = a.length + b.length
    total -= (a & b).length
    return total
