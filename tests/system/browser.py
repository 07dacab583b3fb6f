"""A real browser (Debian's Chromium) on the running hospital: one context a person."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests import components
from tests.system.hospital import Hospital

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
expect.set_options(timeout=30_000)


@contextmanager
def browser() -> Iterator[Browser]:
    path = components.require("chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


@contextmanager
def signed_in(browser: Browser, hospital: Hospital, name: str) -> Iterator[Page]:
    """A page of someone signed in; what the page's scripts throw fails the test."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(30_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{hospital.url}/accounts/login/")
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", f"demo-{name}")
    page.click("main button.primary")
    page.wait_for_url(lambda url: "login" not in url)
    yield page
    context.close()
    assert errors == [], errors


def saved(page: Page) -> None:
    """Wait until the page says that what is on screen is saved."""
    expect(page.locator("#save-status")).to_have_attribute("data-state", "saved")
    expect(page.locator("#save-status")).to_contain_text(re.compile(r"\d:\d\d:\d\d"))


def sign(page: Page, name: str) -> None:
    """Open the dialog, give the password, sign, and see the page become read-only."""
    page.click("#sign")
    expect(page.locator("#sign-dialog")).to_have_attribute("aria-busy", "false")
    page.fill("#password", f"demo-{name}")
    page.click("#sign-dialog button[type=submit]")
    expect(page.locator(".signed-text").first).to_be_visible()
    expect(page.locator("#findings")).to_have_count(0)
