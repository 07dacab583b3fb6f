"""Measuring in a real browser: values by hand from the standard's definitions, on both renderers."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from inference.imaging import pixels
from tests.browser.stage import OPEN, SIDE, opened, outline, shot
from tests.inference.radiographs import radiograph

KINDS = pytest.mark.parametrize("kind", ["webgl", "canvas"])
TOOLS = """async ({masks, view}) => {
  const {attachMouse} = await import('/static/js/viewer/mouse.js');
  Object.assign(viewer.figure.dataset, {projection: 'frontal', viewPosition: view ?? 'PA'});
  const names = ['', 'length', 'angle', 'ratio', 'probe', 'lens'];
  document.body.insertAdjacentHTML('beforeend', '<div id="tools"><select name="measure">'
    + names.map((name) => `<option>${name}</option>`).join('') + '</select></div>');
  const words = {
    'measure-mm': '{value} mm ({source})', 'measure-px': '{value} px', 'measure-angle': '{value}°',
    'measure-ratio': 'ratio {value}', 'probe': '{value} at {row}, {column}',
  };
  document.getElementById('messages').textContent = JSON.stringify(words);
  const sheet = document.createElement('link');
  Object.assign(sheet, {rel: 'stylesheet', href: '/static/css/reading.css'});
  await new Promise((resolve) => { sheet.onload = resolve; document.head.append(sheet); });
  Object.assign(viewer.figure.style, {position: 'relative', margin: 0, width: '200px', height: '200px'});
  const {Measures} = await import('/static/js/measure/measures.js');
  attachMouse(viewer);
  window.measures = new Measures({active: () => viewer, masksOf: () => masks ?? []});
}"""


def at(page: Page, row: float, column: float) -> tuple[float, float]:
    """Where a position of the image is on the page."""
    x, y = page.evaluate(
        """([row, column]) => {
          const {x, y} = viewer.onScreen({row, column});
          const box = viewer.canvas.getBoundingClientRect();
          return [x + box.left, y + box.top];
        }""",
        [row, column],
    )
    return x, y


def click(page: Page, row: float, column: float) -> None:
    page.mouse.click(*at(page, row, column))


def labels(page: Page) -> list[str]:
    return page.locator(".measure-label:not([hidden])").all_text_contents()


def start(browser: Browser, folder: Path, kind: str, **image: Any) -> AbstractContextManager[Page]:
    pixels.write_derivatives(radiograph(**image), folder)
    return opened(browser, folder)


@KINDS
def test_a_length_counts_the_size_of_each_pixel_and_names_its_source(
    browser: Browser, tmp_path: Path, kind: str
) -> None:
    """30 rows of 0.4 mm and 40 columns of 0.4 mm: 20 mm, whichever way the image is turned."""
    with start(browser, tmp_path, kind, ImagerPixelSpacing=[0.4, 0.4]) as page:
        page.evaluate(OPEN, {"kind": kind})
        page.evaluate(TOOLS, {})
        page.evaluate("measures.start('length')")
        click(page, 20, 30)
        click(page, 50, 70)
        assert labels(page) == ["20.0 mm (spacing-detector)"]
        page.evaluate("viewer.turn(1); viewer.flip()")
        shot(page)
        page.mouse.move(*at(page, 10, 10))
        page.mouse.down()
        page.mouse.move(*at(page, 10, 50), steps=3)
        page.mouse.move(*at(page, 10, 60), steps=3)
        page.mouse.up()
        assert labels(page) == ["20.0 mm (spacing-detector)"] * 2
        page.evaluate("measures.escape()")
        assert page.evaluate("viewer.tool") is None


def test_without_a_size_a_length_is_in_pixels(browser: Browser, tmp_path: Path) -> None:
    with start(browser, tmp_path, "canvas", PixelAspectRatio=[1, 1]) as page:
        page.evaluate(OPEN, {"kind": "canvas"})
        page.evaluate(TOOLS, {})
        page.evaluate("measures.start('length')")
        click(page, 10, 10)
        click(page, 10, 110)
        (label,) = labels(page)
        assert float(label.removesuffix(" px")) == pytest.approx(100, abs=1)


@KINDS
def test_an_angle_is_that_of_the_body_not_of_the_pixels(browser: Browser, tmp_path: Path, kind: str) -> None:
    """Pixels half as high as wide: down 40 rows and across 20 columns is 45 degrees."""
    with start(browser, tmp_path, kind, PixelSpacing=[0.1, 0.2]) as page:
        page.evaluate(OPEN, {"kind": kind})
        page.evaluate(TOOLS, {})
        page.evaluate("measures.start('angle')")
        for row, column in ((20, 100), (20, 40), (60, 60)):
            click(page, row, column)
        (label,) = labels(page)
        assert float(label.removesuffix("°")) == pytest.approx(45, abs=1)


@KINDS
def test_the_probe_says_the_value_in_modality_units(browser: Browser, tmp_path: Path, kind: str) -> None:
    values = np.arange(SIDE * SIDE, dtype=np.uint16).reshape(SIDE, SIDE) % 4000
    with start(browser, tmp_path, kind, pixels=values, RescaleSlope=2, RescaleIntercept=-100) as page:
        page.evaluate(OPEN, {"kind": kind})
        page.evaluate(TOOLS, {})
        page.evaluate("measures.start('probe')")
        page.mouse.move(*at(page, 30.5, 70.5))
        wanted = int(values[30, 70]) * 2 - 100
        assert page.locator(".probe").text_content() == f"{wanted} at 31, 71"
        page.evaluate("measures.start('probe')")
        assert page.locator(".probe").count() == 0


def box(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[top:bottom, left:right] = True
    return mask


def chest(*, turned: bool = False, trusted: bool = True) -> list[dict[str, object]]:
    """A heart of 60 columns, lungs 150 wide at the widest, clavicles around a spine."""
    shift = 14 if turned else 0
    parts = {
        "heart": box(90, 150, 80, 140),
        "lung_right": box(40, 150, 30, 90) | box(120, 140, 25, 90),
        "lung_left": box(40, 150, 110, 170) | box(120, 140, 110, 175),
        "spine": box(0, 190, 95, 105),
        "clavicle_right": box(30, 40, 30, 80 + shift),
        "clavicle_left": box(30, 40, 120 + shift, 170),
    }
    return [
        outline(number, mask, structure=structure, trusted=trusted, area=int(mask.sum()))
        for number, (structure, mask) in enumerate(parts.items(), 1)
    ]


@pytest.mark.parametrize(
    ("masks", "view", "said"),
    [
        (chest(), "PA", "ratio 0.40"),
        (chest(), "AP", "ratio 0.40 · ratio-ap"),
        (chest(turned=True), "PA", "ratio 0.40 · ratio-rotated"),
        (chest(trusted=False), "PA", "ratio 0.40 · ratio-untrusted"),
        (chest()[:3], "PA", "ratio 0.40 · ratio-rotation-unknown"),
        ([], "PA", "ratio 0.38 · ratio-rotation-unknown · ratio-by-hand"),
    ],
)
def test_the_cardiothoracic_ratio_by_the_outlines(
    browser: Browser, tmp_path: Path, masks: list[dict[str, object]], view: str, said: str
) -> None:
    """60 of 150 columns."""
    with start(browser, tmp_path, "canvas") as page:
        page.evaluate(OPEN, {"kind": "canvas"})
        page.evaluate(TOOLS, {"masks": masks, "view": view})
        page.evaluate("measures.start('ratio')")
        assert labels(page) == [said]


@KINDS
def test_each_end_of_the_ratio_is_moved_by_hand(browser: Browser, tmp_path: Path, kind: str) -> None:
    """The heart's left end moved from column 140 to 155: 75 of 150."""
    with start(browser, tmp_path, kind) as page:
        page.evaluate(OPEN, {"kind": kind})
        page.evaluate(TOOLS, {"masks": chest()})
        page.evaluate("measures.start('ratio')")
        row = page.evaluate("measures.layers.get(viewer).measures[0].points[1].row")
        page.mouse.move(*at(page, row, 140))
        page.mouse.down()
        page.mouse.move(*at(page, row, 155), steps=4)
        page.mouse.up()
        (label,) = labels(page)
        assert float(label.split()[1]) == pytest.approx(0.5, abs=0.011)
        page.locator(".measure-label").click()
        assert labels(page) == []
        assert page.locator(".measures polyline").count() == 0


@KINDS
def test_the_magnifier_shows_the_image_itself_larger(browser: Browser, tmp_path: Path, kind: str) -> None:
    """A checkerboard of 10 pixels is one of 25 under the lens, and what lies beneath is as it was."""
    rows, columns = np.indices((SIDE, SIDE)) // 10
    board = ((rows + columns) % 2 * 4095).astype(np.uint16)
    with start(browser, tmp_path, kind, pixels=board, WindowCenter=2048, WindowWidth=4096) as page:
        page.evaluate(OPEN, {"kind": kind})
        page.evaluate(TOOLS, {})
        before = shot(page)
        page.mouse.move(*at(page, 100, 100))
        page.evaluate("measures.lens(true)")
        assert np.array_equal(shot(page), before)
        line = page.evaluate(
            """() => {
              const {width, height} = document.querySelector('.lens');
              const context = document.querySelector('.lens').getContext('2d');
              const {data} = context.getImageData(0, height / 2 + 5, width, 1);
              return [...data].filter((_, i) => i % 4 === 0);
            }"""
        )
        edges = np.flatnonzero(np.diff(np.array(line[60:220]) > 127))
        assert np.diff(edges).tolist() == [25] * (len(edges) - 1)
        assert len(edges) > 4
        page.evaluate("measures.lens(false)")
        assert page.locator(".lens").count() == 0
