"""The viewer's modules in a real browser, against the Python that made their data."""

from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

from inference.imaging import dicom, pixels, voi
from inference.imaging import masks as rle
from inference.text import normal
from maira_web.static import smaller
from review.templatetags.scripts import closure
from tests.browser.stage import OPEN, SIDE, STATIC, opened, outline, shot
from tests.inference import golden
from tests.inference.radiographs import lut, radiograph, save


def shown(folder: Path) -> NDArray[np.uint8]:
    """What the server says that each pixel looks like."""
    grayscale, _valid = pixels.model_input(folder)
    return (np.rint(grayscale * voi.WHITE).astype(np.uint16) >> 8).astype(np.uint8)


KINDS = pytest.mark.parametrize("kind", ["webgl", "canvas"])
POLARITIES = pytest.mark.parametrize("image", ["MONOCHROME1", "MONOCHROME2"], indirect=True)


@KINDS
@POLARITIES
def test_the_first_paint_is_the_servers_picture_pixel_by_pixel(page: Page, image: Path, kind: str) -> None:
    name = page.evaluate(OPEN, {"kind": kind})
    assert name == {"webgl": "WebGLRenderer", "canvas": "CanvasRenderer"}[kind]
    assert np.array_equal(shot(page)[..., 0], shown(image))


@KINDS
@pytest.mark.parametrize("case", golden.CASES, ids=str)
def test_the_browser_shows_what_the_standard_says(
    browser: Browser, tmp_path: Path, case: golden.Case, kind: str
) -> None:
    """Gray worked out by hand, on the canvas: see tests/inference/golden.py."""
    dataset, _header = dicom.read(save(case.dataset(), tmp_path / "image.dcm"))
    pixels.write_derivatives(dataset, tmp_path / "derivatives")
    with opened(browser, tmp_path / "derivatives") as page:
        page.evaluate(OPEN, {"kind": kind})
        assert np.array_equal(shot(page)[..., 0], (case.gray() >> 8).astype(np.uint8))
        for index, gray in enumerate(case.gray_of_others(), 1):
            page.evaluate("(index) => viewer.setPreset(index)", index)
            assert np.array_equal(shot(page)[..., 0], (gray >> 8).astype(np.uint8)), index
            assert page.evaluate("viewer.preset") == index
        page.evaluate("viewer.reset()")
        assert np.array_equal(shot(page)[..., 0], (case.gray() >> 8).astype(np.uint8))


def test_the_list_of_windows_names_every_voi_lut_and_one_key_goes_through_them(
    browser: Browser, tmp_path: Path
) -> None:
    """Two of them tell the same inputs apart, two windows are equal, and all are entries of their own."""
    luts = [lut([2, 100, 16], [0, 65535], name) for name in ("SOFT", "HARD")]
    windows = {"WindowCenter": [9, 9], "WindowWidth": [8, 8], "WindowCenterWidthExplanation": ["A", "B"]}
    dataset = radiograph(VOILUTSequence=luts, **windows)
    pixels.write_derivatives(dataset, tmp_path)
    with opened(browser, tmp_path) as page:
        page.evaluate(OPEN, {"kind": "canvas"})
        page.evaluate(
            """async () => {
              const names = ['invert', 'fit', 'one-to-one', 'reset', 'zoom-in', 'zoom-out', 'overlays']
                .concat(['fill', 'turn-left', 'turn-right', 'flip']);
              document.body.insertAdjacentHTML('beforeend', '<div id="tools"><select name="preset"></select>'
                + '<input type="range" name="opacity">'
                + names.map((name) => `<button data-tool="${name}"></button>`).join('') + '</div>');
              const {connectTools} = await import('/static/js/viewer/tools.js');
              const viewers = new Map([['1', viewer]]);
              connectTools({active: () => viewer, restyle: () => {}, viewers}).show(viewer);
            }"""
        )
        names = page.locator("select option").all_text_contents()
        assert names[:4] == ["SOFT", "HARD", "A", "B"]
        shown = []
        for _ in range(5):
            shown.append(page.locator("select").evaluate("list => list.selectedIndex"))
            page.keyboard.press("w")
        assert shown == [0, 1, 2, 3, 4]
        page.evaluate("viewer.dragWindow(5, 5)")
        assert page.locator("select").input_value() == "hand"


@KINDS
def test_pixels_that_are_not_square_keep_the_shape_of_the_body(
    browser: Browser, tmp_path: Path, kind: str
) -> None:
    """200 rows of 0.1 mm beside 200 columns of 0.2 mm: as wide as the canvas, and half as high."""
    bright = np.full((SIDE, SIDE), 4095, np.uint16)
    pixels.write_derivatives(
        radiograph(bright, PixelSpacing=[0.1, 0.2], WindowCenter=2048, WindowWidth=4096), tmp_path
    )
    with opened(browser, tmp_path) as page:
        page.evaluate(OPEN, {"kind": kind})
        lit = shot(page)[..., 0] == 255
        page.evaluate("viewer.turn(1)")
        standing = shot(page)[..., 0] == 255
    assert lit.all(axis=1).sum() == SIDE // 2
    assert np.flatnonzero(lit.any(axis=1))[[0, -1]].tolist() == [SIDE // 4, SIDE * 3 // 4 - 1]
    assert np.array_equal(standing, lit.T), "turned, it keeps its shape"


@KINDS
def test_reset_is_the_first_paint_again(page: Page, kind: str) -> None:
    page.evaluate(OPEN, {"kind": kind})
    before = shot(page)
    page.evaluate("viewer.dragWindow(30, -20); viewer.invert(); viewer.zoom(3); viewer.pan(9, 9)")
    assert not np.array_equal(shot(page), before)
    page.evaluate("viewer.reset()")
    assert np.array_equal(shot(page), before)


@POLARITIES
@pytest.mark.parametrize("inverted", [False, True])
def test_dragging_down_brightens_whatever_the_polarity(page: Page, image: Path, inverted: bool) -> None:
    page.evaluate(OPEN, {"kind": "canvas"})
    if inverted:
        page.evaluate("viewer.invert()")
    before = shot(page)[..., 0].mean()
    page.evaluate("viewer.dragWindow(0, 40)")
    assert shot(page)[..., 0].mean() > before + 3


def test_both_ways_of_drawing_agree_at_every_zoom(page: Page, browser: Browser) -> None:
    for zoom in (0.6, 1.7, 4.0):
        page.evaluate(OPEN, {"kind": "webgl", "zoom": zoom})
        by_gpu = shot(page)[..., 0].astype(int)
        page.reload()
        page.evaluate(OPEN, {"kind": "canvas", "zoom": zoom})
        by_cpu = shot(page)[..., 0].astype(int)
        page.reload()
        assert np.percentile(np.abs(by_gpu - by_cpu), 99.9) <= 1, zoom


@KINDS
def test_inverting_twice_changes_nothing(page: Page, kind: str) -> None:
    page.evaluate(OPEN, {"kind": kind})
    before = shot(page)
    page.evaluate("viewer.invert()")
    assert np.array_equal(shot(page)[..., 0], 255 - before[..., 0])
    page.evaluate("viewer.invert()")
    assert np.array_equal(shot(page), before)


def clicked(page: Page, x: float, y: float) -> list[int]:
    """The masks under a position of the canvas, smallest first."""
    found: list[int] = page.evaluate(
        """([x, y]) => {
          const box = viewer.canvas.getBoundingClientRect();
          return viewer.masksAt(box.left + x, box.top + y).map((mask) => mask.id);
        }""",
        [x, y],
    )
    return found


def f_shape() -> NDArray[np.bool_]:
    """An F, off centre: no flip or transpose leaves it where it is."""
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[30:120, 20:40] = mask[30:50, 20:90] = mask[70:85, 20:70] = True
    return mask


@KINDS
def test_a_filled_mask_covers_its_pixels_and_no_others(page: Page, image: Path, kind: str) -> None:
    mask = f_shape()
    given = [
        {
            "id": 1,
            "colour": "#FF0000",
            "trusted": True,
            "size": [SIDE, SIDE],
            "counts": rle.encode(mask),
            "area": int(mask.sum()),
        }
    ]
    page.evaluate(OPEN, {"kind": kind, "masks": given, "look": {"filled": True}})
    drawn = shot(page)
    coloured = drawn[..., 0].astype(int) - drawn[..., 1].astype(int) > 20
    assert np.array_equal(coloured[mask], np.ones(mask.sum(), dtype=bool))
    assert not coloured[~mask].any()
    assert np.array_equal(drawn[~mask][:, 0], shown(image)[~mask])
    # Off is off, also for a mask that is lit.
    page.evaluate("viewer.restyle({on: false, lit: new Set([1])})")
    assert np.array_equal(shot(page)[..., 0], shown(image))


@KINDS
def test_an_outline_leaves_the_inside_free_and_a_click_finds_the_mask(
    page: Page, image: Path, kind: str
) -> None:
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[40:160, 60:140] = True
    given = {"id": 7, "colour": "#00FF00", "trusted": True, "size": [SIDE, SIDE], "counts": rle.encode(mask)}
    page.evaluate(OPEN, {"kind": kind, "masks": [given], "look": {"filled": False}})
    drawn = shot(page)
    assert drawn[40, 100, 1] == 255
    assert np.array_equal(drawn[100, 100, :3], np.repeat(shown(image)[100, 100], 3))
    assert clicked(page, 100, 100) == [7]
    assert clicked(page, 20, 100) == []


def test_forty_overlapping_masks_keep_apart(page: Page) -> None:
    given = []
    for number in range(40):
        mask = np.zeros((SIDE, SIDE), dtype=bool)
        mask[number * 4 : number * 4 + 30, 10:60] = True
        given.append(
            {
                "id": number,
                "colour": "#FFFFFF",
                "trusted": True,
                "size": [SIDE, SIDE],
                "counts": rle.encode(mask),
            }
        )
    page.evaluate(OPEN, {"kind": "webgl", "masks": given})
    found = sorted(clicked(page, 30, 158.5))
    assert found == [33, 34, 35, 36, 37, 38, 39]


@KINDS
def test_seventy_masks_are_each_drawn_in_their_own_colour(page: Page, kind: str) -> None:
    """More than two layers of 32: the first over the whole image, the others small squares on top of it."""
    colours = [f"#{64 + 2 * n:02X}{255 - 3 * n:02X}{(n * 37) % 256:02X}" for n in range(70)]
    whole = np.ones((SIDE, SIDE), dtype=bool)
    given, corners = [outline(0, whole, colours[0])], []
    for number in range(1, 70):
        mask = np.zeros((SIDE, SIDE), dtype=bool)
        row, column = 4 + 18 * (number // 10), 4 + 18 * (number % 10)
        mask[row : row + 12, column : column + 12] = True
        given.append(outline(number, mask, colours[number]))
        corners.append((row, column))
    page.evaluate(OPEN, {"kind": kind, "masks": given})
    drawn = shot(page)
    for number, (row, column) in enumerate(corners, 1):
        colour = "#" + "".join(f"{value:02X}" for value in drawn[row, column, :3])
        assert colour == colours[number], number
    assert clicked(page, corners[-1][1] + 5, corners[-1][0] + 5) == [69, 0]


# The list beside the image, wired as the reading page does it.
LIST = """async (masks) => {
  const {StructureList} = await import('/static/js/viewer/structures.js');
  window.light = Object.assign(new EventTarget(), {
    masks: new Set(),
    set({masks = []}) { this.masks = new Set(masks); this.dispatchEvent(new Event('change')); },
    clear() { this.set({}); },
  });
  const list = new StructureList(document.getElementById('structures'), light);
  window.list = list;
  list.addEventListener('change', () => viewer.restyle({hidden: list.hidden, resting: list.resting}));
  light.addEventListener('change', () => viewer.restyle({lit: light.masks}));
  list.show(masks);
  viewer.setMasks(masks);
}"""


def with_list(page: Page, kind: str) -> tuple[list[dict[str, Any]], NDArray[np.uint8]]:
    """A finding in red and two landmarks in green, of which the first is at (100, 20), drawn with their list;
    and the picture without any of them."""
    left, right, middle = (np.zeros((SIDE, SIDE), dtype=bool) for _ in range(3))
    left[80:120, 20:60] = right[80:120, 140:180] = middle[80:120, 80:120] = True
    masks = [
        outline(1, middle, group="finding"),
        outline(2, left, "#00FF00", quiet=True),
        outline(3, right, "#00FF00", quiet=True),
    ]
    page.evaluate(OPEN, {"kind": kind})
    bare = shot(page)
    page.evaluate(LIST, masks)
    return masks, bare


def greens(page: Page) -> tuple[bool, bool]:
    """Which of the two landmarks is drawn."""
    drawn = shot(page)
    return tuple(tuple(drawn[100, column, :3]) == (0, 255, 0) for column in (20, 140))


@KINDS
def test_landmarks_are_off_until_asked_for(page: Page, kind: str) -> None:
    with_list(page, kind)
    assert tuple(shot(page)[100, 80, :3]) == (255, 0, 0), "a finding is drawn at once"
    assert greens(page) == (False, False)
    assert clicked(page, 40, 100) == [], "nor does a click find what is not shown"
    assert not page.locator("details").evaluate("fold => fold.open")
    assert not page.locator(".structure[data-mask='2']").is_visible()

    page.click("summary")
    page.locator(".structure[data-mask='2'] input").check()
    page.evaluate("light.clear()")
    assert greens(page) == (True, False)
    assert clicked(page, 40, 100) == [2]


@KINDS
def test_a_landmark_is_drawn_while_it_is_lit(page: Page, kind: str) -> None:
    """Of a sentence that rests on it, or of its row."""
    with_list(page, kind)
    page.evaluate("light.set({masks: [2]})")
    assert greens(page) == (True, False)
    assert page.locator("#structures .lit").first.is_visible(), "the list tells so, folded as it is"
    page.evaluate("light.clear()")
    assert greens(page) == (False, False)


@KINDS
def test_a_group_is_switched_as_one_and_one_key_still_hides_all(page: Page, kind: str) -> None:
    _masks, bare = with_list(page, kind)
    group = page.locator("h3 input").last
    page.click("summary")
    page.locator(".structure[data-mask='3'] input").check()
    assert group.evaluate("box => box.indeterminate")
    group.check()
    page.evaluate("light.clear()")
    assert greens(page) == (True, True)
    page.evaluate("viewer.restyle({on: false}); light.set({masks: [1, 2, 3]})")
    assert np.array_equal(shot(page), bare)
    page.evaluate("viewer.restyle({on: true}); light.clear()")
    group.uncheck()
    assert greens(page) == (False, False)
    # Reset is the image's: what was switched stays switched.
    group.check()
    page.evaluate("viewer.zoom(2); viewer.reset(); light.clear()")
    assert greens(page) == (True, True)


def test_a_newer_draft_leaves_the_switches_as_they_are(page: Page) -> None:
    masks, _bare = with_list(page, "canvas")
    page.click("summary")
    page.locator(".structure[data-mask='2'] input").check()
    page.locator(".structure[data-mask='1'] input").uncheck()
    newer = [{**mask, "id": mask["id"] + 10} for mask in masks]
    page.evaluate("(masks) => list.show(masks)", newer)
    boxes = {int(row.get_attribute("data-mask") or 0): row for row in page.locator(".structure").all()}
    assert {number: row.locator("input").is_checked() for number, row in boxes.items()} == {
        11: False,
        12: True,
        13: False,
    }
    assert page.locator("details").evaluate("fold => fold.open")
    assert page.evaluate("[[...list.hidden], [...list.resting]]") == [[11], [13]]


def test_a_lost_context_comes_back_as_it_was(page: Page) -> None:
    page.evaluate(OPEN, {"kind": "webgl"})
    before = shot(page)
    page.evaluate(
        """async () => {
          const lose = viewer.renderer.gl.getExtension('WEBGL_lose_context');
          const back = new Promise((r) => viewer.canvas.addEventListener('webglcontextrestored', r));
          lose.loseContext();
          await new Promise((r) => setTimeout(r, 50));
          lose.restoreContext();
          await back;
        }"""
    )
    assert np.array_equal(shot(page), before)


def test_without_webgl_the_canvas_takes_over(page: Page) -> None:
    page.evaluate(
        """() => {
          const old = HTMLCanvasElement.prototype.getContext;
          HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
            return kind === 'webgl2' ? null : old.call(this, kind, ...more);
          };
        }"""
    )
    assert page.evaluate(OPEN, {"kind": "webgl"}) == "CanvasRenderer"


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("invert", [False, True])
def test_tables_are_those_of_the_server(page: Page, function: str, invert: bool) -> None:
    for center, width, slope, intercept, padding in (
        (2048.0, 4096.0, 1.0, 0.0, None),
        (40.5, 350.25, 0.5, -1024.0, (0, 30)),
        (127.0, 1.0, 1.0, 0.0, None),
        (-600.0, 1500.0, 1.0, -32768.0, (60000, 65535)),
    ):
        scale = voi.ValueScale(slope, intercept)
        gray = voi.window_gray(scale.modality(), voi.Window(center, width, function))
        expected = voi.table(gray, invert=invert, padding=padding)
        display = {"value_slope": slope, "value_intercept": intercept, "invert": invert, "padding": padding}
        found = page.evaluate(
            """async ([display, window]) => {
              const table = (await import('/static/js/viewer/tables.js')).windowTable(display, window);
              const bytes = new Uint8Array(table.buffer);
              return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
            }""",
            [display, {"center": center, "width": width, "function": function}],
        )
        table = np.frombuffer(b64decode(found), "<u2").astype(int)
        # The exponential of the two languages may differ in its last bit.
        assert np.abs(table - expected).max() <= (1 if function == "SIGMOID" else 0)


def test_masks_are_decoded_as_pycocotools_does(page: Page) -> None:
    rng = np.random.default_rng(1)
    given = [np.zeros((7, 5), dtype=bool), np.ones((7, 5), dtype=bool), f_shape()]
    given += [rng.random(tuple(rng.integers(1, 60, 2))) < rng.random() for _ in range(40)]
    decode = (
        "async (given) => { const {decode} = await import('/static/js/viewer/rle.js');"
        " return given.map(({size, counts}) => Array.from(decode(counts, size))); }"
    )
    found = page.evaluate(decode, [{"size": list(m.shape), "counts": rle.encode(m)} for m in given])
    for mask, bits in zip(given, found, strict=True):
        assert np.array_equal(np.array(bits, dtype=bool).reshape(mask.shape), mask)


def test_a_mask_of_another_size_is_refused(page: Page) -> None:
    said = page.evaluate(
        "async ({counts}) => { const {decode} = await import('/static/js/viewer/rle.js');"
        " try { decode(counts, [6, 5]); return ''; } catch (error) { return error.message; } }",
        {"counts": rle.encode(np.ones((7, 5), dtype=bool))},
    )
    assert said


def call(page: Page, module: str, function: str, *arguments: Any) -> Any:
    return page.evaluate(
        "async ([module, name, given]) => (await import(module))[name](...given)",
        [f"/static/js/{module}", function, list(arguments)],
    )


def test_the_hash_of_a_report_is_the_servers(page: Page) -> None:
    for findings, impression in (
        ("", ""),
        ("Clear.\r\nNo effusion.", "Normal."),
        ('Cafe\u0301 \u2028 \u0007 "quoted" \\ / \x7f', "\U0001f9d1\u200d\u2695\ufe0f"),
        ("右肺に浸潤影。ｶﾞ が", "正常"),
    ):
        text = {"findings": findings, "impression": impression}
        assert call(page, "report/text.js", "digest", text) == normal.report_sha256(findings, impression)


DRAFTS = [
    {"id": "1", "text": "The heart is enlarged."},
    {"id": "2", "text": "No pleural effusion."},
    {"id": "3", "text": "No pneumothorax."},
]


@pytest.mark.parametrize(
    ("text", "states"),
    [
        (
            "The heart is enlarged. No pleural effusion. No pneumothorax.",
            {"1": "kept", "2": "kept", "3": "kept"},
        ),
        ("The heart is mildly enlarged. No pleural effusion.", {"1": "edited", "2": "kept"}),
        ("No pneumothorax. The heart is enlarged.", {"1": "kept", "3": "kept"}),
        ("Old rib fracture.", {}),
        ("", {}),
    ],
)
def test_sentences_of_the_draft_are_found_again(page: Page, text: str, states: dict[str, str]) -> None:
    parts = call(page, "report/marks.js", "match", text, DRAFTS, "en")
    assert {part["id"]: part["state"] for part in parts} == states
    for part in parts:
        if part["state"] == "kept":
            (draft,) = [draft for draft in DRAFTS if draft["id"] == part["id"]]
            assert text[part["start"] : part["end"]] == draft["text"]


def test_keys_wait_while_someone_types(page: Page) -> None:
    page.evaluate(
        "async () => { const {bind} = await import('/static/js/keyboard.js'); window.pressed = [];"
        " bind('i', () => pressed.push('i')); bind('ctrl+enter', () => pressed.push('sign')); }"
    )
    page.keyboard.press("i")
    page.focus("#text")
    page.keyboard.type("iii")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("i")
    assert page.evaluate("pressed") == ["i", "sign", "i"]
    assert page.input_value("#text") == "iii"


def test_the_scripts_stay_light() -> None:
    """What the reading page loads of ours as it opens, as it is served and before compression: with htmx
    (51 kB) less than 150 kB. What few readers use comes when they do."""
    opened = [STATIC / name for page in ("js/study.js", "js/main.js") for name in closure(page)]
    opened.append(STATIC / "js" / "viewer" / "ahead.js")  # always, when the images are there
    assert len(opened) > 15
    assert sum(len(smaller(path.read_text()).encode()) for path in set(opened)) < 98_700


def turned(picture: NDArray[Any], quarters: int, flipped: bool) -> NDArray[Any]:
    """What is shown: flipped left to right first, then turned clockwise."""
    return np.rot90(np.fliplr(picture) if flipped else picture, -quarters)


# What is pressed, and the quarters and flip that the image is then seen in.
ORIENTATIONS = [
    ("viewer.turn(1)", 1, False),
    ("viewer.turn(-1)", 3, False),
    ("viewer.turn(1); viewer.turn(1)", 2, False),
    ("viewer.flip()", 0, True),
    ("viewer.flip(); viewer.turn(1)", 1, True),
    ("viewer.turn(1); viewer.flip()", 3, True),
    ("viewer.flip(); viewer.turn(1); viewer.flip(); viewer.turn(1)", 0, False),
]


@KINDS
@pytest.mark.parametrize(("pressed", "quarters", "flipped"), ORIENTATIONS)
def test_turning_and_flipping_moves_every_pixel_mask_and_click(
    page: Page, image: Path, kind: str, pressed: str, quarters: int, flipped: bool
) -> None:
    mask = f_shape()
    given = outline(1, mask)
    page.evaluate(OPEN, {"kind": kind, "masks": [given], "look": {"filled": True}})
    page.evaluate(pressed)
    drawn, seen = shot(page), turned(mask, quarters, flipped)
    coloured = drawn[..., 0].astype(int) - drawn[..., 1].astype(int) > 20
    assert np.array_equal(coloured, seen)
    assert np.array_equal(drawn[~seen][:, 0], turned(shown(image), quarters, flipped)[~seen])
    row, column = np.argwhere(seen)[7]
    assert clicked(page, column + 0.5, row + 0.5) == [1]
    assert page.evaluate("viewer.transform.isUpright") is (quarters == 0 and not flipped)
    there = page.evaluate(
        "([x, y]) => { const p = viewer.transform.toImage(x, y, viewer.image);"
        " const q = viewer.transform.toCanvas(p, viewer.image); return [q.x, q.y]; }",
        [31.5, 77.25],
    )
    assert np.allclose(there, [31.5, 77.25])
    page.evaluate("viewer.reset(); viewer.restyle({on: false})")
    assert np.array_equal(shot(page)[..., 0], shown(image))


def test_sides_of_the_image_are_named_where_they_are_seen(page: Page) -> None:
    page.evaluate(OPEN, {"kind": "canvas"})
    seen = "['top', 'right', 'bottom', 'left'].map((side) => viewer.transform.sideOnScreen(side))"
    page.evaluate("viewer.turn(1)")
    assert page.evaluate(seen) == ["right", "bottom", "left", "top"]
    page.evaluate("viewer.turn(-1); viewer.flip()")
    assert page.evaluate(seen) == ["top", "left", "bottom", "right"]
