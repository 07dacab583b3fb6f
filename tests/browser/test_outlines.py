"""Correcting outlines in a real browser: shapes against numpy and scipy, steps and drawing pixel by pixel."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page
from scipy import ndimage

from inference.imaging import masks as rle
from tests.browser.stage import OPEN, SIDE, outline, shot

ROWS, COLUMNS = 37, 53
KINDS = pytest.mark.parametrize("kind", ["webgl", "canvas"])
CROSS = ndimage.generate_binary_structure(2, 1)

# A grid of its own, on which functions of shapes.js are called by name.
SHAPES = """async ({counts, size, calls}) => {
  const shapes = await import('/static/js/outline/shapes.js');
  const {decode} = await import('/static/js/viewer/rle.js');
  const {encode} = await import('/static/js/outline/encode.js');
  const grid = shapes.grid(...size, decode(counts, size));
  const boxes = calls.map(([name, ...given]) => {
    const on = name === 'stroke' || name === 'polygon' ? [given.shift()] : [];
    return shapes[name](...on, grid, ...given);
  });
  return [encode(grid.bits, size), boxes];
}"""


def letter_f(rows: int = ROWS, columns: int = COLUMNS) -> NDArray[np.bool_]:
    shape = np.zeros((rows, columns), dtype=bool)
    shape[4:30, 5:9] = shape[4:8, 5:24] = shape[15:19, 5:17] = True
    return shape


def noise(seed: int, share: float = 0.55) -> NDArray[np.bool_]:
    return np.random.default_rng(seed).random((ROWS, COLUMNS)) < share


def shaped(page: Page, mask: NDArray[np.bool_], *calls: list[Any]) -> tuple[NDArray[np.bool_], list[Any]]:
    """A mask after these calls, and the boxes they say they touched."""
    given = {"counts": rle.encode(mask), "size": list(mask.shape), "calls": list(calls)}
    counts, boxes = page.evaluate(SHAPES, given)
    return rle.decode(counts, mask.shape), boxes


def point(row: float, column: float) -> dict[str, float]:
    return {"row": float(row), "column": float(column)}


@pytest.mark.parametrize("seed", range(6))
def test_pixels_are_written_as_the_server_writes_them(page: Page, seed: int) -> None:
    rng = np.random.default_rng(seed)
    masks = [
        rng.random((int(rng.integers(1, 70)), int(rng.integers(1, 70)))) < share
        for share in (0.0, 0.02, 0.3, 0.5, 0.98, 1.0)
    ]
    for mask in [*masks, letter_f()]:
        given = {"counts": rle.encode(mask), "size": list(mask.shape), "calls": []}
        counts, _boxes = page.evaluate(SHAPES, given)
        assert counts == rle.encode(mask)


def test_a_long_run_is_written_as_the_server_writes_it(page: Page) -> None:
    mask = np.zeros((3000, 2500), dtype=bool)
    mask[2999, 2499] = mask[10, 10] = True
    assert page.evaluate(SHAPES, {"counts": rle.encode(mask), "size": [3000, 2500], "calls": []})[0] == (
        rle.encode(mask)
    )


@pytest.mark.parametrize(("aspect", "radius"), [(1.0, 6.0), (1.0, 0.4), (2.0, 8.0)])
def test_a_stroke_covers_what_lies_within_the_radius_of_its_way(
    page: Page, aspect: float, radius: float
) -> None:
    start, end = (8.3, 10.2), (25.7, 40.9)
    empty = np.zeros((ROWS, COLUMNS), dtype=bool)
    drawn, (box,) = shaped(page, empty, ["stroke", 1, point(*start), point(*end), radius, aspect])
    row, column = np.mgrid[:ROWS, :COLUMNS] + 0.5
    along = np.array([(end[0] - start[0]) * aspect, end[1] - start[1]])
    place = np.stack([(row - start[0]) * aspect, column - start[1]], axis=-1)
    share = np.clip((place @ along) / (along @ along), 0, 1)
    away = np.linalg.norm(place - share[..., None] * along, axis=-1)
    expected = away <= radius
    for at in (start, end):
        expected[int(at[0]), int(at[1])] = True
    assert np.array_equal(drawn, expected)
    inside = np.zeros_like(drawn)
    inside[box["top"] : box["bottom"], box["left"] : box["right"]] = True
    assert not (drawn & ~inside).any()
    erased, _ = shaped(page, np.ones_like(drawn), ["stroke", 0, point(*start), point(*end), radius, aspect])
    assert np.array_equal(erased, ~expected)


def test_a_stroke_over_the_edge_stays_on_the_image(page: Page) -> None:
    empty = np.zeros((ROWS, COLUMNS), dtype=bool)
    drawn, _ = shaped(page, empty, ["stroke", 1, point(-9, 20), point(-3, 20), 6, 1])
    assert drawn[:3, 15:25].any()
    assert not drawn[4:].any()
    _, (box,) = shaped(page, empty, ["stroke", 1, point(-30, 20), point(-20, 20), 6, 1])
    assert box is None


@pytest.mark.parametrize("seed", range(5))
def test_a_polygon_is_filled_by_the_even_odd_rule(page: Page, seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = [(float(r), float(c)) for r, c in rng.uniform((-5, -5), (ROWS + 5, COLUMNS + 5), (7, 2))]
    drawn, _ = shaped(
        page, np.zeros((ROWS, COLUMNS), dtype=bool), ["polygon", 1, [point(*corner) for corner in corners]]
    )
    expected = np.zeros_like(drawn)
    row, column = np.mgrid[:ROWS, :COLUMNS] + 0.5
    for (r0, c0), (r1, c1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        crosses = (r0 <= row) != (r1 <= row)
        expected ^= crosses & (column >= c0 + (row - r0) * (c1 - c0) / (r1 - r0))
    assert np.array_equal(drawn, expected)


def test_an_f_is_moved_as_it_is_and_what_leaves_the_image_is_gone(page: Page) -> None:
    mask = letter_f()
    moved, _ = shaped(page, mask, ["move", 5, 20])
    assert np.array_equal(moved[5:, 20:], mask[:-5, :-20])
    assert not moved[:5].any()
    assert not moved[:, :20].any()
    away, _ = shaped(page, mask, ["move", -10, -7], ["move", 10, 7])
    expected = mask.copy()
    expected[:10] = expected[:, :7] = False
    assert np.array_equal(away, expected)
    assert not shaped(page, mask, ["move", 0, -COLUMNS])[0].any()


@pytest.mark.parametrize("seed", range(4))
def test_holes_and_pieces_are_those_that_scipy_finds(page: Page, seed: int) -> None:
    mask = noise(seed)
    assert np.array_equal(shaped(page, mask, ["fillHoles"])[0], ndimage.binary_fill_holes(mask, CROSS))
    labels, _ = ndimage.label(mask, CROSS)
    row, column = np.argwhere(mask)[len(np.argwhere(mask)) // 2]
    piece = labels == labels[row, column]
    at = point(row + 0.4, column + 0.6)
    assert np.array_equal(shaped(page, mask, ["removePiece", at])[0], mask & ~piece)
    assert np.array_equal(shaped(page, mask, ["keepPiece", at])[0], piece)
    row, column = np.argwhere(~mask)[0]
    assert shaped(page, mask, ["removePiece", point(row, column)], ["keepPiece", point(-1, 5)])[1] == [
        None,
        None,
    ]


# Steps by name and grid; then back to the start, again to the end, and one step aside from the middle.
STEPS = """async ({first, others, size}) => {
  const shapes = await import('/static/js/outline/shapes.js');
  const {Steps} = await import('/static/js/outline/steps.js');
  const {decode} = await import('/static/js/viewer/rle.js');
  const {encode} = await import('/static/js/outline/encode.js');
  const grid = shapes.grid(...size, decode(first, size));
  const now = () => encode(grid.bits, size);
  const steps = new Steps(grid, 'before');
  others.forEach((counts, i) => { grid.bits.set(decode(counts, size)); steps.did(`step ${i}`); });
  const back = [], forth = [];
  while (steps.undoes !== null) { back.push([steps.undoes, now()]); steps.undo(); }
  const start = now();
  const unchanged = steps.isChanged;
  while (steps.redoes !== null) { const name = steps.redoes; steps.redo(); forth.push([name, now()]); }
  steps.did('nothing');
  const still = steps.undoes;
  steps.undo();
  shapes.clear(grid);
  steps.did('aside');
  return {back, start, unchanged, forth, still, aside: steps.undoes, redoes: steps.redoes};
}"""


def test_steps_are_undone_and_done_again_bit_by_bit(page: Page) -> None:
    first, others = rle.encode(letter_f()), [rle.encode(noise(seed)) for seed in range(5)]
    found = page.evaluate(STEPS, {"first": first, "others": others, "size": [ROWS, COLUMNS]})
    names = [f"step {number}" for number in range(5)]
    assert found["back"] == [list(pair) for pair in zip(names, others, strict=True)][::-1]
    assert found["start"] == first
    assert found["unchanged"] is False
    assert found["forth"] == [list(pair) for pair in zip(names, others, strict=True)]
    assert found["still"] == "step 4", "no step where no pixel changed"
    assert (found["aside"], found["redoes"]) == ("aside", None)


CORRECT = """async ({mask, tool}) => {
  const {Session} = await import('/static/js/outline/session.js');
  const {attachMouse} = await import('/static/js/viewer/mouse.js');
  const {decode} = await import('/static/js/viewer/rle.js');
  attachMouse(viewer);
  window.session = new Session(viewer, mask, {user: 1, study: 2});
  session.take(tool);
  window.counts = () => session.steps.counts;
}"""


def spot(page: Page, row: float, column: float) -> tuple[float, float]:
    """The middle of a pixel on the page; the image is drawn one to one."""
    box = page.locator("canvas").bounding_box()
    assert box is not None
    return box["x"] + column + 0.5, box["y"] + row + 0.5


@KINDS
def test_what_is_brushed_is_drawn_as_if_it_had_come_so(page: Page, kind: str) -> None:
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[60:90, 50:80] = True
    other = np.zeros_like(mask)
    other[20:150, 60:70] = True
    given = [outline(1, other, "#00FF00"), outline(2, mask)]
    page.evaluate(OPEN, {"kind": kind, "masks": given, "look": {"filled": True}})
    page.evaluate(CORRECT, {"mask": {**given[1], "row": 7}, "tool": "brush"})
    page.evaluate("session.setRadius(9)")
    page.mouse.move(*spot(page, 75, 60))
    page.mouse.down()
    page.mouse.move(*spot(page, 120, 130), steps=7)
    page.mouse.up()
    counts = page.evaluate("counts()")
    drawn = rle.decode(counts, (SIDE, SIDE))
    assert drawn[120, 130]
    assert drawn[100:110].any()
    assert (drawn & mask).sum() == mask.sum()
    seen = shot(page)
    page.evaluate("session.end()")
    page.evaluate(OPEN, {"kind": kind, "masks": [given[0], outline(2, drawn)], "look": {"filled": True}})
    assert np.array_equal(seen, shot(page))
    window = page.evaluate("viewer.window.center")
    assert window == page.evaluate("viewer.presets[0].center"), "the tool has the left button, not the window"


def now(page: Page) -> NDArray[np.bool_]:
    return rle.decode(page.evaluate("counts()"), (SIDE, SIDE))


def undone(page: Page) -> list[str]:
    """Undo everything; the names of what was undone."""
    names = []
    while (name := page.evaluate("session.steps.undoes")) is not None:
        names.append(name)
        page.evaluate("session.undo()")
    return names


@pytest.fixture
def two_squares(page: Page) -> NDArray[np.bool_]:
    """On the page, being corrected, each of 400 pixels."""
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[40:60, 40:60] = mask[100:120, 100:120] = True
    given = outline(2, mask)
    page.evaluate(OPEN, {"kind": "canvas", "masks": [given]})
    page.evaluate(CORRECT, {"mask": {**given, "row": 7}, "tool": "brush"})
    return mask


def test_pieces_are_taken_away_kept_and_moved_by_hand(page: Page, two_squares: NDArray[np.bool_]) -> None:
    page.evaluate("session.take('remove-piece')")
    page.mouse.click(*spot(page, 50, 50))
    assert (now(page).sum(), now(page)[110, 110]) == (400, True)
    page.evaluate("session.undo()")
    page.evaluate("session.take('keep-piece')")
    page.mouse.click(*spot(page, 50, 50))
    assert (now(page).sum(), now(page)[50, 50]) == (400, True)
    page.evaluate("session.take('move')")
    page.mouse.move(*spot(page, 50, 50))
    page.mouse.down()
    page.mouse.move(*spot(page, 65, 80), steps=4)
    page.mouse.up()
    expected = np.zeros_like(two_squares)
    expected[55:75, 70:90] = True
    assert np.array_equal(now(page), expected)
    assert undone(page) == ["move", "keep-piece"]
    assert np.array_equal(now(page), two_squares)


def test_a_polygon_is_drawn_and_rubbed_out_by_hand(page: Page, two_squares: NDArray[np.bool_]) -> None:
    page.evaluate("session.take('polygon')")
    for row, column in ((130, 130), (130, 180), (180, 180)):
        page.mouse.click(*spot(page, row, column))
    page.mouse.dblclick(*spot(page, 180, 130))
    drawn = now(page)
    assert drawn[155, 155]
    assert 2400 <= (drawn & ~two_squares).sum() <= 2600
    page.evaluate("session.take('eraser'); session.setRadius(20)")
    page.mouse.click(*spot(page, 155, 155))
    assert not now(page)[145:165, 145:165].any()
    assert undone(page) == ["eraser", "polygon"]
    assert np.array_equal(now(page), two_squares)


def test_what_was_not_saved_comes_back(page: Page) -> None:
    mask = letter_f(SIDE, SIDE)
    given = {**outline(2, mask), "row": 7}
    page.evaluate(OPEN, {"kind": "canvas", "masks": [given]})
    page.evaluate(CORRECT, {"mask": given, "tool": "brush"})
    page.mouse.click(*spot(page, 150, 150))
    drawn = page.evaluate("counts()")
    assert drawn != given["counts"]
    page.evaluate("session.end()")
    page.evaluate(CORRECT, {"mask": {**given, "row": 8}, "tool": "brush"})
    assert page.evaluate("session.restore() !== null")
    assert page.evaluate("counts()") == drawn
    assert page.evaluate("session.basedOn") == 7, "what it was drawn from, not what came since"
    page.evaluate("session.undo()")
    assert page.evaluate("counts()") == given["counts"]
    page.evaluate("session.end()")
    page.evaluate(CORRECT, {"mask": given, "tool": "brush"})
    assert page.evaluate("session.restore()") is None
