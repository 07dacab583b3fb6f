"""Tubes along space curves: ribs, vessels, catheters, drawn as the mm of matter each ray meets."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.phantom.solid.frame import Curve, Frame, Plane, Points

_CHUNK = 40_000
_MOST_SLANT = 2.6
_THINNEST = 0.65
"""Half width in pixels below which a tube is widened and thinned: its matter is kept."""


@dataclass(frozen=True)
class Tube:
    """points: (..., K, 3) body mm along one or many tubes; radii: (..., K) mm; shell: mm of wall, 0 for
    solid; core: share of matter inside the wall; strength: factor on the matter."""

    points: Points
    radii: Curve
    shell: float = 0.0
    core: float = 0.0
    strength: float = 1.0


@dataclass(frozen=True)
class _Pieces:
    """Straight pieces on the detector, in pixels: ends (N, 2), radius, wall; scale: mm of matter a pixel."""

    start: Points
    end: Points
    radius: Curve
    inner: Curve
    core: Curve
    scale: Curve


def draw(frame: Frame, tubes: list[Tube], plane: Plane | None = None) -> Plane:
    """mm of matter along the beam; where tubes of one call overlap the larger counts."""
    plane = np.zeros(frame.shape, np.float32) if plane is None else plane
    if not tubes:
        return plane
    pieces = [_pieces(frame, tube) for tube in tubes]
    joined = _Pieces(*(np.concatenate([getattr(p, n) for p in pieces]) for n in _Pieces.__annotations__))
    middle = (joined.start + joined.end) / 2
    reach = np.hypot(*(joined.end - joined.start).T) / 2 + joined.radius + 1
    seen = ((middle > -reach[:, None]) & (middle < np.array(frame.shape) + reach[:, None])).all(axis=1)
    half = np.ceil(reach).astype(np.intp)
    half += np.where(half > 8, -half % 4, half % 2)
    flat = plane.reshape(-1)
    for size in np.unique(half[seen]):
        rows = np.flatnonzero(seen & (half == size))
        share = max(1, _CHUNK // int(2 * size + 1) ** 2)
        for first in range(0, rows.size, share):
            _stamp(flat, frame.shape, joined, rows[first : first + share], int(size))
    return plane


def _pieces(frame: Frame, tube: Tube) -> _Pieces:
    shape = tube.points.shape
    seen = frame.view(tube.points.reshape(-1, 3))
    flat = frame.pixels(seen).reshape(*shape[:-1], 2)
    start, end = (flat[..., part, :].reshape(-1, 2) for part in (slice(-1), slice(1, None)))
    in_plane = np.hypot(*(end - start).T) * frame.spacing
    depth = np.diff(seen[:, 2].reshape(shape[:-1])).reshape(-1)
    slant = np.sqrt(1 + (depth / np.maximum(in_plane, 1e-6)) ** 2)
    radius = ((tube.radii[..., :-1] + tube.radii[..., 1:]) / 2).reshape(-1)
    slant = np.minimum(np.minimum(slant, _MOST_SLANT), 1 + np.abs(depth) / radius)
    pixels = radius / frame.spacing
    wide = np.maximum(pixels, _THINNEST)
    inner = np.maximum(wide - tube.shell / frame.spacing, 0) if tube.shell else np.zeros_like(wide)
    scale = 2 * frame.spacing * slant * tube.strength * (pixels / wide) ** 2
    return _Pieces(start, end, wide, inner, np.full_like(wide, 1 - tube.core), scale)


def _stamp(flat: Plane, shape: tuple[int, int], all_: _Pieces, rows: NDArray[np.intp], size: int) -> None:
    """Raise the flattened picture by pieces whose windows are 2 size + 1 pixels wide."""
    start, end = all_.start[rows], all_.end[rows]
    corner = np.rint((start + end) / 2).astype(np.intp) - size
    offset = np.arange(2 * size + 1, dtype=np.float32)

    def wide(values: Curve) -> Plane:
        return values.astype(np.float32)[:, None, None]

    down = offset[None, :, None] - wide(start[:, 0] - corner[:, 0])
    across = offset[None, None, :] - wide(start[:, 1] - corner[:, 1])
    dr, dc = (end - start).T
    square = dr * dr + dc * dc + 1e-9
    share = down * wide(dr / square) + across * wide(dc / square)
    np.maximum(share, 0, out=share)
    np.minimum(share, 1, out=share)
    near = np.square(down - share * wide(dr))
    share *= wide(-dc)
    share += across
    near += np.square(share, out=share)
    matter = np.subtract(wide(all_.radius[rows] ** 2), near, out=near)
    np.maximum(matter, 0, out=matter)
    np.sqrt(matter, out=matter)
    if all_.inner[rows].any():
        # The marrow runs on past the ends of a piece, so that no walls stand where pieces meet.
        line = np.square(down * wide(dc / np.sqrt(square)) - across * wide(dr / np.sqrt(square)))
        hollow = np.sqrt(np.maximum(wide(all_.inner[rows] ** 2) - line, 0))
        matter = np.maximum(matter - hollow * wide(all_.core[rows]), 0)
    matter *= wide(all_.scale[rows])
    r = corner[:, 0, None] + np.arange(2 * size + 1)
    c = corner[:, 1, None] + np.arange(2 * size + 1)
    inside = ((r >= 0) & (r < shape[0]))[:, :, None] & ((c >= 0) & (c < shape[1]))[:, None, :]
    inside &= matter > 0
    at = (r * shape[1])[:, :, None] + c[:, None, :]
    np.maximum.at(flat, at[inside], matter[inside])


def curve(knots: Points, count: int) -> Points:
    """A smooth space curve (Catmull-Rom) through knots (N, 3), `count` steps to a stretch."""
    padded = np.concatenate([knots[:1], knots, knots[-1:]])[:, None, :]
    t = (np.arange(count) / count)[:, None]
    a, b, c, d = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    bend = (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3
    line = 0.5 * (2 * b + (c - a) * t + bend)
    return np.concatenate([line.reshape(-1, knots.shape[1]), knots[-1:]])


def off(point: Points, dx: float, dy: float, dz: float) -> Points:
    """A point or points, moved by mm."""
    moved: Points = point + np.array([dx, dy, dz])
    return moved
