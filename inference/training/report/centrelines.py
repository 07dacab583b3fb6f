"""Tubes and lines as what matters of them: the course, and where it ends.

The centreline is the skeleton of a mask (Zhang and Suen 1984, scikit-image). A tube comes from outside the
picture or the body, so its tip is that end of its longest stretch which lies deepest inside the picture.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse, spatial
from scipy.sparse import csgraph
from skimage.morphology import skeletonize

TOLERANCE_MM = 2.0
"""How far from the centreline a drawn mask may lie and still follow it."""
EDGE_MM = 5.0
"""A tube whose deepest end is nearer to the edge of the picture leaves it there: its tip is not seen."""

Spacing = tuple[float, float]
Mask = NDArray[np.bool_]


def centreline(mask: Mask) -> Mask:
    """One pixel wide, connected as the mask is."""
    return np.asarray(skeletonize(mask), dtype=np.bool_)


def recall(drawn: Mask, true: Mask, spacing: Spacing) -> float:
    """The share of the true centreline within `TOLERANCE_MM` of the drawn mask. spacing: mm between (rows,
    columns).

    Raises
    ------
    ValueError
        When there is no true tube.
    """
    course = centreline(true)
    if not course.any():
        raise ValueError("there is no tube to follow")
    if not drawn.any():
        return 0.0
    away = ndimage.distance_transform_edt(~drawn, sampling=spacing)
    return float((away[course] <= TOLERANCE_MM).mean())


def tip(mask: Mask, spacing: Spacing) -> NDArray[np.float64] | None:
    """(row, column) in mm, or None where the mask is empty or leaves the picture at both ends."""
    ends = _ends(centreline(mask), np.array(spacing))
    if ends is None:
        return None
    size = (np.array(mask.shape) - 1) * spacing
    inside = np.minimum(ends, size - ends).min(axis=1)
    deepest = int(inside.argmax())
    return ends[deepest] if inside[deepest] > EDGE_MM else None


def tip_error_mm(drawn: Mask, true: Mask, spacing: Spacing) -> float | None:
    """Distance of the drawn tip from the true one in mm at the detector: infinite where none is drawn, None
    where the true one is not in the picture."""
    here, there = tip(drawn, spacing), tip(true, spacing)
    if there is None:
        return None
    return float("inf") if here is None else float(np.linalg.norm(here - there))


def _ends(course: Mask, spacing: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """(2, 2) in mm: both ends of the longest way through the largest piece of a skeleton."""
    places = np.argwhere(course)
    if not len(places):
        return None
    pairs = spatial.cKDTree(places).query_pairs(1.5, output_type="ndarray")
    points = places * spacing
    lengths = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    graph = sparse.coo_array((lengths, (pairs[:, 0], pairs[:, 1])), (len(places), len(places))).tocsr()
    _, piece = csgraph.connected_components(graph, directed=False)
    start = int(np.flatnonzero(piece == np.bincount(piece).argmax())[0])
    one = _farthest(graph, start)
    return points[[one, _farthest(graph, one)]]


def _farthest(graph: sparse.csr_array, start: int) -> int:
    """The node of the same piece with the longest way to it."""
    ways = csgraph.dijkstra(graph, directed=False, indices=start)
    return int(np.where(np.isfinite(ways), ways, -1).argmax())
