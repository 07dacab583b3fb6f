"""Solids as stacks of ellipses, and the stretch of each ray inside them.

A loft gives, for every level y, the edges of an ellipse that lies across the body. A parallel ray meets a
convex loft in one stretch, so unions and intersections of organs are exact arithmetic on stretches.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from inference.phantom.frame import GRID, Curve, Frame, Plane, turned

Part = tuple[slice, slice]
"""Rows and columns of a picture."""
_FAR = 1e4
"""mm; an empty stretch runs from here back to -here, so that hulls and intersections need no cases."""


@dataclass(frozen=True)
class Span:
    """The stretch of every ray from `near` to `far`, float32 in mm; empty where far <= near.

    shape: of the picture; part: where in it near and far are given, all is empty elsewhere.
    """

    shape: tuple[int, int]
    part: Part
    near: Plane
    far: Plane

    @property
    def length(self) -> Plane:
        """mm, (rows, cols) of the whole picture."""
        between = np.zeros(self.shape, np.float32)
        inside = between[self.part]
        np.subtract(self.far, self.near, out=inside)
        np.maximum(inside, 0, out=inside)
        return between

    @property
    def lo(self) -> Plane:
        """Where the stretches begin, (rows, cols) of the whole picture."""
        return self.over(_whole(self.shape))[0]

    @property
    def hi(self) -> Plane:
        """Where the stretches end, (rows, cols) of the whole picture."""
        return self.over(_whole(self.shape))[1]

    def over(self, part: Part) -> tuple[Plane, Plane]:
        """near and far in another part of the picture."""
        size = tuple(each.stop - each.start for each in part)
        near, far = np.full(size, _FAR, np.float32), np.full(size, -_FAR, np.float32)
        both = _common(self.part, part)
        near[_within(part, both)] = self.near[_within(self.part, both)]
        far[_within(part, both)] = self.far[_within(self.part, both)]
        return near, far

    def __and__(self, other: "Span") -> "Span":
        part = _common(self.part, other.part)
        one, two = _within(self.part, part), _within(other.part, part)
        near, far = np.maximum(self.near[one], other.near[two]), np.minimum(self.far[one], other.far[two])
        return Span(self.shape, part, near, far)

    def hull(self, other: "Span") -> "Span":
        """The stretch from the first to the last of both."""
        part = around(self.part, other.part)
        (near, far), (near_, far_) = self.over(part), other.over(part)
        return Span(self.shape, part, np.minimum(near, near_), np.maximum(far, far_))


def _whole(shape: tuple[int, int]) -> Part:
    return slice(0, shape[0]), slice(0, shape[1])


def around(one: Part, other: Part) -> Part:
    """The smallest part with both in it."""
    pairs = zip(one, other, strict=True)
    rows, cols = (slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in pairs)
    return rows, cols


def _common(one: Part, other: Part) -> Part:
    first = [max(a.start, b.start) for a, b in zip(one, other, strict=True)]
    last = [min(a.stop, b.stop) for a, b in zip(one, other, strict=True)]
    rows, cols = (slice(a, max(a, b)) for a, b in zip(first, last, strict=True))
    return rows, cols


def _within(outer: Part, part: Part) -> Part:
    """A part of the picture counted from the corner of another."""
    rows, cols = (slice(b.start - a.start, b.stop - a.start) for a, b in zip(outer, part, strict=True))
    return rows, cols


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

    def span(self, frame: Frame, wanted: Part | None = None) -> Span:
        """Where the rays of a view run inside. Exact for a parallel beam; the solid as a whole is magnified
        for its mean depth. wanted: the part of the picture that is asked for, if not all."""
        wanted = wanted or _whole(frame.shape)
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
        rows = frame.rows(int(seen[0]), int(seen[-1]))
        part = _common(wanted, (rows, frame.columns(float(edges[0].min()), float(edges[1].max()))))
        places = np.ascontiguousarray(frame.iv[part])
        planes = [
            np.take(np.interp(GRID, GRID * scale, curve).astype(np.float32), places) for curve in curves
        ]
        return Span(frame.shape, part, *self._stretch(frame.u[part], planes))

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


def _nothing(frame: Frame) -> Span:
    nothing = np.zeros((0, 0), np.float32)
    return Span(frame.shape, (slice(0, 0), slice(0, 0)), nothing, nothing)


def halfspace(
    frame: Frame, normal: tuple[float, float, float], offset: float, part: Part | None = None
) -> Span:
    """Where normal . (x, y, z) < offset along each ray of a part of the picture."""
    part = part or _whole(frame.shape)
    cos, sin = turned(frame.pose.angle)
    along = normal[2] * cos - normal[0] * sin
    scale = frame.pose.magnification(0.0)
    rest = frame.u[part] * np.float32((normal[0] * cos + normal[2] * sin) / scale)
    rest += frame.v[part] * np.float32(normal[1] / scale)
    far = np.full(rest.shape, _FAR, np.float32)
    if abs(along) < 0.02:
        inside = rest < offset
        return Span(frame.shape, part, np.where(inside, -far, far), np.where(inside, far, -far))
    bound = (np.float32(offset) - rest) * np.float32(1 / along)
    return Span(frame.shape, part, *((-far, bound) if along > 0 else (bound, far)))


def left(within: Span, one: Span, other: Span) -> Plane:
    """How much of `within` is in neither of two other stretches, in mm, (rows, cols) of the whole picture."""
    part, rest = within.part, within.length
    a, b = within & one, within & other
    covered = a.length[part] + b.length[part]
    covered -= (a & b).length[part]
    rest[part] -= covered
    return rest
