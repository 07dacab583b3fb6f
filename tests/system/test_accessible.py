"""Every page and state a person works in, by axe-core: WCAG 2.2 level A and AA, dark and light."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.system.browser import signed_in
from tests.system.hospital import Hospital
from tests.system.test_reading_room import WITH_PRIOR
from tests.system.test_survival import all_drafted
from tests.system.test_whole_way import uid_where

pytestmark = pytest.mark.xdist_group("hospital")

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
PLACES = {
    "radiologist": ["studies/", "critical/", "macros/", "arrivals/"],
    "qa": ["quality/", "critical/"],
    "admin": ["feedback/", "models/", "arrivals/"],
}


def found(page: Page) -> list[tuple[str, Any]]:
    violations = Axe().run(page, options=RULES).response["violations"]
    return [(one["id"], [node["target"] for node in one["nodes"]]) for one in violations]


def in_theme(page: Page, hospital: Hospital, theme: str) -> None:
    page.context.add_cookies([{"name": "theme", "value": theme, "url": hospital.url}])


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_places(hospital: Hospital, chromium: Browser, theme: str) -> None:
    for person, places in PLACES.items():
        with signed_in(chromium, hospital, person) as page:
            in_theme(page, hospital, theme)
            for place in places:
                page.goto(f"{hospital.url}/{place}")
                assert found(page) == [], (person, place)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_reading_page_with_everything_open(hospital: Hospital, chromium: Browser, theme: str) -> None:
    all_drafted(hospital)
    uid = uid_where(hospital, WITH_PRIOR)
    with signed_in(chromium, hospital, "radiologist") as page:
        in_theme(page, hospital, theme)
        page.goto(f"{hospital.url}/studies/{uid}/")
        page.wait_for_selector("figure[data-state=full]")
        steps: list[Callable[[], None]] = [
            lambda: None,
            lambda: page.keyboard.press("t"),
            lambda: page.keyboard.press("3"),
            lambda: page.locator("#priors > summary").click(),
            lambda: page.locator("#critical summary").last.click(),
            lambda: page.keyboard.press("Control+Enter"),
        ]
        for number, step in enumerate(steps):
            step()
            page.wait_for_timeout(300)
            assert found(page) == [], number
        expect(page.locator("#sign-dialog")).to_be_visible()
