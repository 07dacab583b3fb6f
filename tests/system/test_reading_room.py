"""What a reader does beside writing: priors, measures, judgements, macros, critical results, letters."""

import json
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.browser import saved, sign, signed_in
from tests.system.hospital import Hospital
from tests.system.test_survival import all_drafted
from tests.system.test_whole_way import uid_where

pytestmark = pytest.mark.xdist_group("hospital")

DRAFTED = """w.status = 'ready' AND w.is_open AND site.code = 'central' AND EXISTS (
    SELECT 1 FROM review_draft d JOIN review_sentence t ON t.draft_id = d.id WHERE d.study_id = s.id)"""
WITH_PRIOR = """w.is_open AND site.code = 'central' AND EXISTS (
    SELECT 1 FROM review_study p WHERE p.patient_id = s.patient_id AND p.started_at < s.started_at)"""


@pytest.fixture
def uid(hospital: Hospital) -> str:
    all_drafted(hospital)
    return uid_where(hospital, DRAFTED)


def opened(page: Page, hospital: Hospital, uid: str) -> None:
    page.goto(f"{hospital.url}/studies/{uid}/")
    page.wait_for_selector("figure[data-state=full]")


def test_a_prior_is_read_beside_and_follows(hospital: Hospital, chromium: Browser) -> None:
    all_drafted(hospital)
    uid = uid_where(hospital, WITH_PRIOR)
    with signed_in(chromium, hospital, "radiologist") as page:
        opened(page, hospital, uid)
        page.keyboard.press("3")
        prior = page.locator("figure.prior.shown")
        expect(prior).to_be_visible()
        expect(prior).to_have_attribute("data-state", "full")
        expect(prior.locator(".prior-mark")).to_contain_text("earlier")
        assert page.locator("figure.shown").count() == 2
        current = page.locator("figure.shown:not(.prior)")
        assert prior.get_attribute("data-patient") == current.get_attribute("data-patient")
        page.keyboard.press("+")
        expect(prior.locator(".live")).not_to_have_text("")
        zoomed = re.compile(r"· (\d+) %")
        before = prior.locator(".live").inner_text()
        page.keyboard.press("+")
        expect(prior.locator(".live")).not_to_have_text(before)
        assert zoomed.search(prior.locator(".live").inner_text())
        page.keyboard.press("l")
        unlinked = prior.locator(".live").inner_text()
        page.keyboard.press("+")
        page.wait_for_timeout(300)
        assert prior.locator(".live").inner_text() == unlinked
        page.keyboard.press("3")
        expect(prior).to_be_hidden()
        page.locator("#priors > summary").click()
        page.locator(".prior-study > summary").first.click()
        expect(page.locator(".prior-report").first).not_to_contain_text("Loading")


def test_a_length_is_measured_and_taken_away(hospital: Hospital, chromium: Browser, uid: str) -> None:
    with signed_in(chromium, hospital, "radiologist") as page:
        opened(page, hospital, uid)
        page.keyboard.press("d")
        expect(page.locator("[name=measure]")).to_have_value("length")
        box = page.locator("figure.active canvas").first.bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + 200, box["y"] + 300)
        page.mouse.click(box["x"] + 300, box["y"] + 300)
        label = page.locator(".measure-label:not(.unfinished)")
        expect(label).to_have_text(re.compile(r"^\d+\.\d mm \(.+\)$"))
        page.keyboard.press("Escape")
        page.keyboard.press("t")
        expect(page.locator(".measure-label").last).to_contain_text("heart : thorax 0.")
        label.first.click()
        expect(page.locator(".measure-label")).to_have_count(1)


def test_sentences_are_judged_by_keys(hospital: Hospital, chromium: Browser, uid: str) -> None:
    with signed_in(chromium, hospital, "radiologist") as page:
        opened(page, hospital, uid)
        first, second = page.locator(".sentence").nth(0), page.locator(".sentence").nth(1)
        said = second.locator(".said").inner_text()
        first.focus()
        page.keyboard.press("Enter")
        expect(first).to_have_attribute("data-judged", "accepted")
        second.focus()
        page.keyboard.press("3")
        expect(second).to_have_attribute("data-judged", "rejected")
        expect(second.locator("select")).to_have_value("side")
        expect(page.locator("#findings")).not_to_have_value(re.compile(re.escape(said)))
        page.focus("#findings")
        page.keyboard.press("Control+z")
        expect(page.locator("#findings")).to_have_value(re.compile(re.escape(said)))
        saved(page)
    rows = hospital.sql("SELECT decision, reason, guessed FROM review_judgement ORDER BY id")
    assert rows[-2:] == [("accepted", "", False), ("rejected", "side", False)]


def test_a_macro_is_typed_by_its_name(hospital: Hospital, chromium: Browser, uid: str) -> None:
    with signed_in(chromium, hospital, "radiologist") as page:
        page.goto(f"{hospital.url}/macros/")
        page.fill("#macro-name", "tube")
        page.fill("#macro-text", "Tube tip [ ] cm above the carina.")
        page.click("main .primary")
        expect(page.locator("table")).to_contain_text(".tube")
        opened(page, hospital, uid)
        page.keyboard.press("e")
        page.keyboard.press("Control+End")
        page.wait_for_timeout(500)
        page.keyboard.type(" .tube ")
        page.keyboard.type("4")
        expect(page.locator("#findings")).to_have_value(re.compile(r"Tube tip 4 cm above the carina\.$"))
        saved(page)


def test_a_critical_result_is_told_and_the_letter_goes_out(
    hospital: Hospital, chromium: Browser, uid: str
) -> None:
    with signed_in(chromium, hospital, "radiologist") as page:
        opened(page, hospital, uid)
        page.click("#critical summary")
        page.fill("#critical [name=finding]", "Misplaced tube")
        page.locator("#critical").get_by_role("button", name="Raise").click()
        expect(page.locator("#critical article")).to_contain_text("to be told by")
        page.fill("#critical [name=told]", "Dr Ono, ward 3")
        page.check("#critical [name=read_back]")
        page.locator("#critical").get_by_role("button", name="Record").click()
        expect(page.locator("#critical article")).to_contain_text("acknowledged")
        page.fill("#findings", "Tube tip 4 cm above the carina. No pneumothorax.")
        page.fill("#impression", "Tube repositioned.")
        saved(page)
        sign(page, "radiologist")
        link = page.locator(".signature a", has_text="PDF").first.get_attribute("href")
        assert link is not None
        first, again = (page.request.get(f"{hospital.url}{link}") for _ in range(2))
        assert first.body()[:5] == b"%PDF-"
        assert first.body() == again.body()
    events = hospital.sql("SELECT convert_from(canonical, 'UTF8') FROM review_auditevent ORDER BY id")
    verbs = [json.loads(row[0])["verb"] for row in events]
    assert {"critical.raised", "critical.communicated", "report.letter-opened"} <= set(verbs)


def test_a_study_without_an_image_has_nothing_to_put_a_prior_beside(
    hospital: Hospital, chromium: Browser
) -> None:
    """No key of the layouts throws; what a page throws fails the test."""
    all_drafted(hospital)
    uid = uid_where(hospital, WITH_PRIOR)
    with signed_in(chromium, hospital, "radiologist") as page:
        opened(page, hospital, uid)
        page.evaluate("document.querySelectorAll('.viewports figure').forEach((figure) => figure.remove())")
        for key in ("3", "2", "l"):
            page.keyboard.press(key)
            page.wait_for_timeout(500)
        expect(page.locator("[name=layout]")).not_to_have_value("prior")
