"""Two people, or two tabs, at one report: nobody's words are lost, and no page says what is not so."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.browser import saved, sign, signed_in
from tests.system.hospital import Hospital
from tests.system.test_survival import all_drafted
from tests.system.test_whole_way import stored_findings, uid_where

pytestmark = pytest.mark.xdist_group("hospital")

FRESH = "w.status = 'ready' AND w.is_open AND site.code = 'central'"


@pytest.fixture
def uid(hospital: Hospital) -> str:
    all_drafted(hospital)
    return uid_where(hospital, FRESH)


def open_study(page: Page, hospital: Hospital, uid: str) -> None:
    page.goto(f"{hospital.url}/studies/{uid}/")
    page.wait_for_selector("figure[data-state=full]")


def write(page: Page, words: str) -> None:
    page.focus("#findings")
    page.keyboard.press("Control+End")
    page.keyboard.type(words)


def findings(page: Page) -> str:
    return page.input_value("#findings")


def later(page: Page) -> None:
    """Put the decision off, and let the browser make the page its own again: that takes it a frame."""
    page.locator("#conflict").get_by_text("Decide later").click()
    expect(page.locator("#conflict")).to_be_hidden()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def unreachable(page: Page) -> None:
    """From here on no save of this page arrives."""
    page.route("**/report/", lambda route: route.abort())


def test_who_takes_over_goes_on_from_the_newest_text(hospital: Hospital, chromium: Browser, uid: str) -> None:
    with (
        signed_in(chromium, hospital, "radiologist") as first,
        signed_in(chromium, hospital, "radiologist2") as second,
    ):
        open_study(first, hospital, uid)
        open_study(second, hospital, uid)
        write(first, " Words of the first.")
        saved(first)
        expect(second.locator("#lock-banner")).to_be_visible()
        assert second.locator("#findings").evaluate("area => area.readOnly")
        second.click("#take-over")
        expect(second.locator("#lock-banner")).to_be_hidden()
        assert findings(second).endswith("Words of the first.")
        write(second, " And of the second.")
        saved(second)
        assert stored_findings(hospital, uid).endswith("Words of the first. And of the second.")
        assert second.locator("#conflict").is_hidden()
        # The locked text takes nothing, by no button either.
        expect(first.locator("#lock-banner")).to_be_visible()
        before = findings(first)
        first.locator("[data-insert]").first.evaluate("button => button.click()")
        assert findings(first) == before


def test_words_written_while_a_conflict_waits_are_not_lost(
    hospital: Hospital, chromium: Browser, uid: str
) -> None:
    with (
        signed_in(chromium, hospital, "radiologist") as one,
        signed_in(chromium, hospital, "radiologist") as other,
    ):
        open_study(one, hospital, uid)
        open_study(other, hospital, uid)
        other.route("**/report/lock/**", lambda route: route.abort())  # nothing tells this tab
        write(one, " From one tab.")
        saved(one)
        write(other, " From the other.")
        dialog = other.locator("#conflict")
        expect(dialog).to_be_visible()
        later(other)
        write(other, " Later words.")
        other.reload()
        expect(dialog).to_be_visible()
        later(other)
        write(other, " Still later.")
        other.wait_for_timeout(2500)
        assert stored_findings(hospital, uid).endswith("From one tab."), "saved over the other undecided"
        other.click("#show-conflict")
        expect(dialog).to_contain_text("Still later.")
        dialog.get_by_text("Take theirs").click()
        dialog.get_by_text("Bring mine back").click()
        assert findings(other).endswith("From the other. Later words. Still later.")
        saved(other)
        assert stored_findings(hospital, uid).endswith("Still later.")


def test_signing_an_old_screen_shows_both_texts(hospital: Hospital, chromium: Browser, uid: str) -> None:
    with (
        signed_in(chromium, hospital, "radiologist") as one,
        signed_in(chromium, hospital, "radiologist") as other,
    ):
        open_study(one, hospital, uid)
        write(one, " First.")
        saved(one)
        open_study(other, hospital, uid)
        other.route("**/report/lock/**", lambda route: route.abort())  # nothing tells this tab
        write(one, " Second.")
        saved(one)
        other.click("#sign")
        other.fill("#password", "demo-radiologist")
        other.click("#sign-dialog button[type=submit]")
        expect(other.locator("#conflict")).to_contain_text("Second.")
        expect(other.locator("#save-status")).to_have_attribute("data-state", "conflict")


def test_what_was_unsaved_when_another_signed_is_still_there(
    hospital: Hospital, chromium: Browser, uid: str
) -> None:
    with (
        signed_in(chromium, hospital, "radiologist") as slow,
        signed_in(chromium, hospital, "radiologist2") as quick,
    ):
        open_study(slow, hospital, uid)
        write(slow, " Saved.")
        saved(slow)
        unreachable(slow)
        write(slow, " Never saved.")
        expect(slow.locator("#save-status")).to_have_attribute("data-state", "failed")
        open_study(quick, hospital, uid)
        quick.click("#take-over")
        expect(quick.locator("#lock-banner")).to_be_hidden()
        sign(quick, "radiologist2")
        slow.unroute("**/report/")
        expect(slow.locator("#restored")).to_contain_text("Never saved.")
        slow.once("dialog", lambda dialog: dialog.accept())
        slow.reload()
        expect(slow.locator("#leftover")).to_contain_text("Never saved.")
        slow.get_by_text("Put it into an addendum").click()
        assert "Never saved." in slow.input_value("#addendum")
        slow.once("dialog", lambda dialog: dialog.accept())
        slow.reload()
        assert "Never saved." in slow.input_value("#addendum")
        slow.fill("#addendum-password", "demo-radiologist")
        slow.click("form.addendum button.primary")
        expect(slow.locator("section.addendum")).to_contain_text("Never saved.")


def test_a_word_taken_back_is_no_longer_unsaved(hospital: Hospital, chromium: Browser, uid: str) -> None:
    with signed_in(chromium, hospital, "radiologist") as page:
        open_study(page, hospital, uid)
        write(page, " Kept.")
        saved(page)
        unreachable(page)
        write(page, "x")
        expect(page.locator("#save-status")).to_have_attribute("data-state", "failed")
        page.keyboard.press("Control+Enter")
        expect(page.locator(".toast").first).to_contain_text("can be signed once")
        page.keyboard.press("Backspace")
        expect(page.locator("#save-status")).to_have_attribute("data-state", "saved")


def test_a_late_image_is_told_on_the_open_page(hospital: Hospital, chromium: Browser, uid: str) -> None:
    with signed_in(chromium, hospital, "radiologist") as page:
        open_study(page, hospital, uid)
        hospital.sql(
            f"UPDATE review_study SET input_digest = repeat('e', 64) WHERE study_instance_uid = '{uid}'"
        )
        expect(page.locator("#study-changed")).to_be_visible()


def test_a_reading_without_the_mouse(hospital: Hospital, chromium: Browser, uid: str) -> None:
    """Search, open, look, hide, write, sign: keys alone."""
    accession_number = hospital.sql(
        "SELECT accession_number FROM review_order o JOIN review_study s ON s.order_id = o.id"
        f" WHERE s.study_instance_uid = '{uid}'"
    )[0][0]
    with signed_in(chromium, hospital, "radiologist") as page:
        page.goto(f"{hospital.url}/studies/")
        page.keyboard.press("/")
        page.keyboard.type(str(accession_number))
        expect(page.locator("#worklist-rows a[data-row]")).to_have_count(1)
        page.keyboard.press("Escape")
        assert page.input_value("#search") == accession_number
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_selector("figure[data-state=full]")
        live = page.locator("figure .live").first
        at_first = live.inner_text()
        page.keyboard.press("Shift+ArrowDown")
        expect(live).not_to_have_text(at_first)
        page.keyboard.press("r")
        expect(live).to_have_text(at_first)
        page.keyboard.press("h")
        expect(page.locator("[data-tool=overlays]")).to_have_attribute("aria-pressed", "false")
        page.keyboard.press("e")
        page.keyboard.type("By keys alone. ")
        saved(page)
        page.keyboard.press("Control+Enter")
        page.keyboard.type("demo-radiologist")
        page.keyboard.press("Enter")
        expect(page.locator(".signed-text").first).to_contain_text("By keys alone.")
