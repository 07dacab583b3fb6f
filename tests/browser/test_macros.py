"""Macros and fields in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.stage import opened

START = """async (texts) => {
  const {Macros} = await import('/static/js/report/macros.js');
  const macros = new Macros(texts);
  const area = document.getElementById('text');
  area.addEventListener('keydown', (event) => macros.key(event));
  area.focus();
}"""
TEXTS = {"eff": "[Small|Moderate*|Large] [left|right] effusion of [ ] cm.", "右": "右胸水を認めます。"}


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    with opened(browser, tmp_path) as page:
        page.evaluate(START, TEXTS)
        yield page


def text(page: Page) -> str:
    return page.input_value("#text")


def test_a_name_becomes_its_text_and_the_fields_are_gone_through(page: Page) -> None:
    page.keyboard.type("Heart normal. .eff ")
    assert text(page) == f"Heart normal. {TEXTS['eff']}"
    page.keyboard.press("2")
    page.keyboard.press("Tab")
    page.keyboard.press("1")
    page.keyboard.press("Tab")
    page.keyboard.type("3")
    assert text(page) == "Heart normal. Moderate left effusion of 3 cm."
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") != "text", "without fields Tab goes on as ever"


def test_shift_tab_goes_back(page: Page) -> None:
    page.keyboard.type(".eff ")
    page.keyboard.press("Tab")
    assert page.evaluate("getSelection().toString()") == "[left|right]"
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("getSelection().toString()") == "[Small|Moderate*|Large]"


def test_what_was_put_in_is_undone_as_if_typed(page: Page) -> None:
    page.keyboard.type(".eff ")
    page.keyboard.press("Control+z")
    assert "effusion" not in text(page)


def test_other_words_stay(page: Page) -> None:
    page.keyboard.type("3.eff .nobody 1.5 cm ")
    assert text(page) == "3.eff .nobody 1.5 cm "


def test_japanese_names(page: Page) -> None:
    page.keyboard.insert_text("所見。.右")
    page.keyboard.press("Tab")
    assert text(page) == "所見。右胸水を認めます。"
