"""Tubes along space curves: ribs, vessels, catheters, drawn as the mm of matter each ray meets."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.phantom.solid.frame import Curve, Frame, Plane, Points

_CHUNK = 40_000
_MOST_SLANT = 2.6
_SIZES = np.unique((2 * 1.4 ** np.arange(25)).astype(np.intp))
"""Sizes of windows in pixels, up to thousands: few kinds, so that many pieces are drawn together."""
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
    flat = plane.reshape(-1)
    run = np.abs(joined.end - joined.start)
    steep = run[:, 0] >= run[:, 1]
    for axis, rows in ((0, np.flatnonzero(steep)), (1, np.flatnonzero(~steep))):
        _stamp_all(flat, frame.shape, joined, rows, axis)
    return plane


def _stamp_all(
    flat: Plane, shape: tuple[int, int], pieces: _Pieces, rows: NDArray[np.intp], axis: int
) -> None:
    """Stamp pieces that run mainly along `axis`, those of one window size together."""
    low = np.minimum(pieces.start[rows], pieces.end[rows])
    high = np.maximum(pieces.start[rows], pieces.end[rows])
    reach = pieces.radius[rows, None] + 1
    seen = ((high + reach > 0) & (low - reach < np.array(shape))).all(axis=1)
    length = np.ceil(high[:, axis] - low[:, axis] + 2 * reach[:, 0] + 1).astype(np.intp)
    length = _SIZES[np.searchsorted(_SIZES, length)]
    run = (high - low) + 1e-9
    lean = run[:, 1 - axis] / run[:, axis]
    half = np.ceil(reach[:, 0] * np.sqrt(1 + np.minimum(lean, 1) ** 2)).astype(np.intp)
    half = _SIZES[np.searchsorted(_SIZES, half)]
    kinds = length * 4096 + half
    for kind in np.unique(kinds[seen]):
        chosen = rows[seen & (kinds == kind)]
        size = int(kind) // 4096, int(kind) % 4096
        share = max(1, _CHUNK // (size[0] * (2 * size[1] + 1)))
        for first in range(0, chosen.size, share):
            _stamp(flat, shape, (pieces, chosen[first : first + share]), size, axis)


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


def _stamp(
    flat: Plane,
    shape: tuple[int, int],
    part: tuple[_Pieces, NDArray[np.intp]],
    size: tuple[int, int],
    axis: int,
) -> None:
    """Raise the flattened picture by pieces: `size[0]` pixels along the axis, `size[1]` to either side of the
    piece's own line across it."""
    pieces, rows = part
    start, run = pieces.start[rows], (pieces.end - pieces.start)[rows]
    run_on, run_off = run[:, axis], run[:, 1 - axis]
    first = np.floor(np.minimum(run_on, 0) + start[:, axis] - pieces.radius[rows] - 1).astype(np.intp)
    on = first[:, None] + np.arange(size[0])
    slope = run_off / np.where(run_on == 0, 1, run_on)
    low, high = np.minimum(run_on, 0)[:, None], np.maximum(run_on, 0)[:, None]
    line = start[:, 1 - axis, None] + np.clip(on - start[:, axis, None], low, high) * slope[:, None]
    off_line = np.rint(line).astype(np.intp)[:, :, None] + np.arange(-size[1], size[1] + 1)
    matter = _matter(
        (pieces, rows),
        (on - start[:, axis, None]).astype(np.float32)[:, :, None],
        (off_line - start[:, 1 - axis, None, None]).astype(np.float32),
        (run_on, run_off),
    )
    hit = matter > 0
    hit &= ((on >= 0) & (on < shape[axis]))[:, :, None]
    hit &= (off_line >= 0) & (off_line < shape[1 - axis])
    steps = (shape[1], 1) if axis == 0 else (1, shape[1])
    at = (on * steps[0])[:, :, None] + off_line * steps[1]
    np.maximum.at(flat, at[hit], matter[hit])


def _matter(
    part: tuple[_Pieces, NDArray[np.intp]], along: Plane, across: Plane, run: tuple[Curve, Curve]
) -> Plane:
    """mm of matter at pixels (N, along, across) measured from the starts of pieces."""
    pieces, rows = part

    def wide(values: Curve) -> Plane:
        return values.astype(np.float32)[:, None, None]

    on, aside = run
    square = on * on + aside * aside + 1e-9
    share = across * wide(aside / square)
    share += along * wide(on / square)
    np.maximum(share, 0, out=share)
    np.minimum(share, 1, out=share)
    near = np.square(along - share * wide(on))
    share *= wide(-aside)
    share += across
    near += np.square(share, out=share)
    matter: Plane = np.subtract(wide(pieces.radius[rows] ** 2), near, out=near)
    np.maximum(matter, 0, out=matter)
    np.sqrt(matter, out=matter)
    if pieces.inner[rows].any():
        # The marrow runs on past the ends of a piece, so that no walls stand where pieces meet.
        size = np.sqrt(square)
        line = np.square(along * wide(aside / size) - across * wide(on / size))
        hollow = np.sqrt(np.maximum(wide(pieces.inner[rows] ** 2) - line, 0))
        matter = np.maximum(matter - hollow * wide(pieces.core[rows]), 0)
    matter *= wide(pieces.scale[rows])
    return matter


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
