"""Tubes along space curves: ribs, vessels, catheters, drawn as the mm of matter each ray meets."""

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.phantom.frame import Curve, Frame, Mask, Plane, Points

Whole = NDArray[np.intp]

_CHUNK = 25_000
"""Pixels worked on at once: few enough for a processor's cache."""
_MOST_SLANT = 2.6
_HALVES = np.unique(np.concatenate([np.arange(9), 8 * 1.2 ** np.arange(40)]).astype(np.intp))
"""Half widths of windows in pixels, up to thousands: few kinds, so that many pieces are drawn together."""
_THINNEST = 0.65
"""Half width in pixels below which a tube is widened and thinned: its matter is kept."""
_SLACK = 0.01
"""Pixels by which a window is wider than its tube: more than single precision errs."""


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
    """Straight pieces on the detector, in pixels: start (N, 2), run (N, 2) to the end, radius, inner radius;
    core: share of matter missing inside; scale: mm of matter a pixel; plane: which one they are drawn on."""

    start: Points
    run: Points
    radius: Curve
    inner: Curve
    core: Curve
    scale: Curve
    plane: Whole


@dataclass(frozen=True)
class _Rows:
    """Rows of pixels in which pieces are drawn: across the axis, rows or columns of the picture, that a piece
    mainly runs along. Of each row, (M,):

    half: pixels to either side of the piece; line: the pixel on the piece, counted in the row; limit: how
    many pixels the row has in the picture; at, step: place of that pixel among all planes, and from pixel to
    pixel; origin: the piece's start, in the row; along: pixels from its start along the axis; numbers:
    float32 (M, 10), what `_matter` needs of the piece.
    """

    half: Whole
    line: Curve
    limit: Whole
    at: Whole
    step: Whole
    origin: Curve
    along: Plane
    numbers: Plane
    hollow: Mask


def draw(frame: Frame, tubes: list[Tube]) -> Plane:
    """mm of matter along the beam; where tubes of one call overlap the larger counts."""
    return draw_apart(frame, tubes)[0]


def draw_apart(frame: Frame, *groups: list[Tube]) -> list[Plane]:
    """A plane for each group of tubes: what `draw` makes of each, but sooner."""
    planes = np.zeros((len(groups), *frame.shape), np.float32)
    tubes = [(tube, plane) for plane, group in enumerate(groups) for tube in group]
    if tubes:
        rows = _rows(frame.shape, _pieces(frame, tubes))
        for part in _chunks(rows):
            _stamp(planes.reshape(-1), rows, part)
    return list(planes)


def _pieces(frame: Frame, tubes: list[tuple[Tube, int]]) -> _Pieces:
    begin, owner = _begins([tube.radii.shape for tube, _ in tubes])
    seen = frame.view(np.concatenate([tube.points.reshape(-1, 3) for tube, _ in tubes]))
    flat = frame.pixels(seen)
    start, run = flat[begin], flat[begin + 1] - flat[begin]
    in_plane = np.hypot(run[:, 0], run[:, 1]) * frame.spacing
    depth = seen[begin + 1, 2] - seen[begin, 2]
    radii = np.concatenate([tube.radii.reshape(-1) for tube, _ in tubes])
    radius = (radii[begin] + radii[begin + 1]) / 2
    slant = np.sqrt(1 + (depth / np.maximum(in_plane, 1e-6)) ** 2)
    slant = np.minimum(np.minimum(slant, _MOST_SLANT), 1 + np.abs(depth) / radius)
    wall, core, strength = np.array([(t.shell / frame.spacing, 1 - t.core, t.strength) for t, _ in tubes]).T
    pixels = radius / frame.spacing
    wide = np.maximum(pixels, _THINNEST)
    return _Pieces(
        start=start,
        run=run,
        radius=wide,
        inner=np.where(wall[owner] > 0, np.maximum(wide - wall[owner], 0), 0),
        core=core[owner],
        scale=2 * frame.spacing * slant * strength[owner] * (pixels / wide) ** 2,
        plane=np.array([plane for _, plane in tubes])[owner],
    )


def _begins(shapes: list[tuple[int, ...]]) -> tuple[Whole, Whole]:
    """Of all the points of tubes (..., K) in a row: those at which a piece begins (all but the last of each
    line), and the tube that each piece belongs to."""
    lengths = np.array([shape[-1] for shape in shapes])
    lines = np.array([math.prod(shape[:-1]) for shape in shapes])
    last = np.cumsum(np.repeat(lengths, lines)) - 1
    begin = np.delete(np.arange(last[-1] + 1), last)
    return begin, np.repeat(np.arange(len(shapes)), lines * (lengths - 1))


def _rows(shape: tuple[int, int], pieces: _Pieces) -> _Rows:
    """The rows in which pieces can be seen, those of like windows together."""
    axis = (np.abs(pieces.run[:, 0]) < np.abs(pieces.run[:, 1])).astype(np.intp)
    run, drift = _of(pieces.run, axis), _of(pieces.run, 1 - axis)
    slope = drift / np.where(run == 0, 1, run)
    half = ((pieces.radius + _SLACK) * np.sqrt(1 + slope * slope) + 0.5).astype(np.intp)
    half = _HALVES[np.searchsorted(_HALVES, half)]
    first, count = (_of(pairs, axis) for pairs in _seen(shape, pieces))
    order = np.lexsort((half, pieces.inner > 0))
    of = np.repeat(order, count[order])
    on = first[of] + np.arange(of.size) - np.repeat(np.cumsum(count[order]) - count[order], count[order])
    along, origin = on - pieces.start[of, axis[of]], pieces.start[of, 1 - axis[of]]
    line = np.rint(origin + np.clip(along, np.minimum(run, 0)[of], np.maximum(run, 0)[of]) * slope[of])
    step_on, step = (np.where(axis[of] == down, shape[1], 1) for down in (0, 1))
    return _Rows(
        half=half[of],
        line=line,
        limit=np.array(shape)[1 - axis[of]],
        at=pieces.plane[of] * (shape[0] * shape[1]) + on * step_on + line.astype(np.intp) * step,
        step=step,
        origin=origin,
        along=along.astype(np.float32),
        numbers=_numbers(pieces, run, drift)[of],
        hollow=pieces.inner[of] > 0,
    )


def _seen(shape: tuple[int, int], pieces: _Pieces) -> tuple[Whole, Whole]:
    """Of each piece the first row and column of the picture that it reaches, and how many: two arrays (N, 2);
    none of a piece beside the picture."""
    reach = pieces.radius[:, None] + _SLACK
    low = pieces.start + np.minimum(pieces.run, 0) - reach
    high = pieces.start + np.maximum(pieces.run, 0) + reach
    first = np.ceil(np.maximum(low, 0)).astype(np.intp)
    count = np.floor(np.minimum(high, np.array(shape) - 1)).astype(np.intp) + 1 - first
    return first, np.where((count > 0).all(axis=1, keepdims=True), count, 0)


def _of(pairs: NDArray[Any], axis: Whole) -> NDArray[Any]:
    """Of each pair of an array (N, 2) the one at its axis."""
    return pairs[np.arange(axis.size), axis]


def _numbers(pieces: _Pieces, on: Curve, aside: Curve) -> Plane:
    """What `_matter` needs of each piece, float32 (N, 10); on, aside: how far they run along and across their
    axes."""
    square = on * on + aside * aside + 1e-9
    size = np.sqrt(square)
    columns = (
        aside / square,
        on / square,
        on,
        -aside,
        pieces.radius**2,
        pieces.scale,
        aside / size,
        on / size,
        pieces.inner**2,
        pieces.core,
    )
    return np.stack(columns, axis=1).astype(np.float32)


def _chunks(rows: _Rows) -> list[slice]:
    """Stretches of rows of one kind that have about a chunk of pixels."""
    full = np.cumsum(2 * rows.half + 1) // _CHUNK
    edge = (np.diff(full) > 0) | (np.diff(rows.half) != 0) | (np.diff(rows.hollow) != 0)
    if rows.half.size == 0:
        return []
    edges = [0, *(np.flatnonzero(edge) + 1).tolist(), rows.half.size]
    return [slice(*pair) for pair in itertools.pairwise(edges)]


def _stamp(flat: Plane, rows: _Rows, part: slice) -> None:
    """Raise the planes, flattened, by the matter in some rows of pixels."""
    half, line, limit = int(rows.half[part.start]), rows.line[part], rows.limit[part]
    window = np.arange(-half, half + 1)
    off_line = line[:, None] + window
    across = (off_line - rows.origin[part, None]).astype(np.float32)
    matter = _matter(rows.numbers[part], rows.along[part, None], across, hollow=bool(rows.hollow[part.start]))
    if line.min() < half or (line + half >= limit).any():
        matter *= (off_line >= 0) & (off_line < limit[:, None])
    hit = np.flatnonzero(matter > 0)
    at = rows.at[part, None] + window * rows.step[part, None]
    np.maximum.at(flat, at.reshape(-1)[hit], matter.reshape(-1)[hit])


def _matter(numbers: Plane, along: Plane, across: Plane, *, hollow: bool) -> Plane:
    """mm of matter at the pixels of rows, (M, pixels), that lie so far from the starts of their pieces."""
    share_across, share_along, on, back, round_, scale, sin, cos, inner, core = numbers.T[:, :, None]
    share = across * share_across
    share += along * share_along
    np.maximum(share, 0, out=share)
    np.minimum(share, 1, out=share)
    near = np.square(along - share * on)
    share *= back
    share += across
    near += np.square(share, out=share)
    matter: Plane = np.subtract(round_, near, out=near)
    np.maximum(matter, 0, out=matter)
    np.sqrt(matter, out=matter)
    if hollow:
        # The marrow runs on past the ends of a piece, so that no walls stand where pieces meet.
        line = np.square(along * sin - across * cos)
        matter = np.maximum(matter - np.sqrt(np.maximum(inner - line, 0)) * core, 0)
    matter *= scale
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
