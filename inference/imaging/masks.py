"""Masks as COCO run-length encoding: column-major runs, compressed ASCII, `size` = (rows, cols).

pycocotools does the coding. Its C decoder trusts the counts it is given, so `validate` looks at them first.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco

MAX_COUNTS = 8_000_000
"""Characters of counts: more than any mask a person or a model draws."""
_FIRST_CHARACTER, _LAST_CHARACTER = 48, 48 + 63


def encode(mask: NDArray[np.bool_]) -> str:
    """(rows, cols) bool to counts."""
    if mask.ndim != 2:
        raise ValueError(f"a mask has two dimensions, this has {mask.ndim}")
    runs = coco.encode(np.asfortranarray(mask, dtype=np.uint8))
    counts: bytes = runs["counts"]
    return counts.decode("ascii")


def decode(counts: str, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Counts to (rows, cols) bool. Raises ValueError when the counts do not fill `size`."""
    validate(size, counts, size)
    decoded: NDArray[np.uint8] = coco.decode(_runs(counts, size))
    return np.ascontiguousarray(decoded).astype(bool)


def area(counts: str, size: tuple[int, int]) -> int:
    """Pixels inside."""
    validate(size, counts, size)
    return int(coco.area(_runs(counts, size)))


def bounding_box(counts: str, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """(row, col, height, width) of the smallest box around the mask; zeros when it is empty."""
    validate(size, counts, size)
    left, top, width, height = (int(v) for v in coco.toBbox(_runs(counts, size)))
    return top, left, height, width


def resize(mask: NDArray[np.bool_], size: tuple[int, int], *, keep_thin: bool = False) -> NDArray[np.bool_]:
    """(rows, cols) bool to another size by area.

    A pixel is inside when at least half of it is covered; with `keep_thin`, when any part of it is, so that
    catheters and pleural lines survive a reduction. Enlarging by whole factors is exact.
    """
    rows, cols = size
    if mask.shape == (rows, cols):
        return mask.copy()
    picture = Image.fromarray(mask.astype(np.float32))
    covered = np.asarray(picture.resize((cols, rows), Image.Resampling.BOX))
    inside: NDArray[np.bool_] = covered > 1e-6 if keep_thin else covered >= 0.5
    return inside


def validate(size: tuple[int, int], counts: str, image_size: tuple[int, int]) -> None:
    """Check a mask that came from outside. Raises ValueError that says what is wrong with it."""
    rows, cols = size
    if (rows, cols) != tuple(image_size):
        expected = f"[{image_size[0]}, {image_size[1]}]"
        raise ValueError(f"the mask's size [{rows}, {cols}] is not the image's {expected} (rows, columns)")
    if rows < 1 or cols < 1:
        raise ValueError(f"a mask of size [{rows}, {cols}] holds no pixels")
    if not counts:
        raise ValueError("the counts are empty")
    if len(counts) > MAX_COUNTS:
        raise ValueError(f"the counts have {len(counts)} characters; at most {MAX_COUNTS} are accepted")
    runs = run_lengths(counts)
    if min(runs) < 0:
        raise ValueError("the counts hold a run of negative length")
    if sum(runs) != rows * cols:
        raise ValueError(
            f"the runs cover {sum(runs)} pixels, but the size [{rows}, {cols}] has {rows * cols}"
        )


def run_lengths(counts: str) -> list[int]:
    """The runs, outside first: each is coded in six-bit characters, from the fourth on as a difference.

    Raises
    ------
    ValueError
        On a character outside the code, a run that does not end or does not fit.
    """
    runs: list[int] = []
    number, shift = 0, 0
    for position, character in enumerate(counts):
        code = ord(character)
        if not _FIRST_CHARACTER <= code <= _LAST_CHARACTER:
            raise ValueError(f"the counts hold a character outside the code at position {position}")
        code -= _FIRST_CHARACTER
        number |= (code & 0x1F) << shift
        shift += 5
        if code & 0x20:
            if shift > 30:
                raise ValueError(f"the counts hold a run that is too long at position {position}")
            continue
        if code & 0x10:
            number -= 1 << shift
        runs.append(number + runs[-2] if len(runs) > 2 else number)
        number, shift = 0, 0
    if shift:
        raise ValueError("the counts are cut off")
    return runs


def _runs(counts: str, size: tuple[int, int]) -> dict[str, object]:
    return {"size": [size[0], size[1]], "counts": counts.encode("ascii")}
