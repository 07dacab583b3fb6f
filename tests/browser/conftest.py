"""A browser for the module, a phantom's derivatives, and a page on which to draw them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from inference.imaging import pixels
from inference.objects import dx
from inference.phantom import study as phantom
from tests import components
from tests.browser.stage import FLAGS, SIDE, opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = components.require("chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The derivatives of a phantom; MONOCHROME1 by an indirect parameter."""
    folder = tmp_path_factory.mktemp("image")
    made = next(
        study
        for study in (phantom.generate(5, index, size=SIDE) for index in range(100))
        if study.images[0].photometric == getattr(request, "param", "MONOCHROME2")
    )
    pixels.write_derivatives(dx.build(made, made.images[0]), folder)
    return folder


@pytest.fixture
def page(browser: Browser, image: Path) -> Iterator[Page]:
    with opened(browser, image) as page:
        yield page
