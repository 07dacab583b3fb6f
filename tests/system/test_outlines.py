"""Outlines corrected by hand in a real browser on the running hospital: what is called saved stands, what is
not saved comes back, and two people see each other's."""

import re

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from inference.imaging import masks as rle
from tests.system.browser import saved, signed_in
from tests.system.hospital import Hospital
from tests.system.test_survival import all_drafted
from tests.system.test_whole_way import uid_where

pytestmark = pytest.mark.xdist_group("hospital")

FRESH = """w.status = 'ready' AND w.is_open AND site.code = 'central' AND NOT EXISTS (
    SELECT 1 FROM review_mask mask JOIN review_image image ON image.id = mask.image_id
    JOIN review_series series ON series.id = image.series_id
    WHERE series.study_id = w.study_id AND mask.source = 'human')"""
HUMAN = """SELECT mask.structure, mask.area, mask.supersedes_id, content.rows, content.columns, content.counts
    FROM review_mask mask JOIN review_maskcontent content ON content.mask_id = mask.id
    JOIN review_image image ON image.id = mask.image_id
    JOIN review_series series ON series.id = image.series_id
    JOIN review_study study ON study.id = series.study_id
    WHERE study.study_instance_uid = '{uid}' AND mask.source = 'human' ORDER BY mask.id"""
REDRAFTED = """SELECT jsonb_array_length(draft.human_masks), count(sentence.id) FROM review_draft draft
    JOIN review_study study ON study.id = draft.study_id
    JOIN review_sentence sentence ON sentence.draft_id = draft.id
    WHERE study.study_instance_uid = '{uid}' AND draft.status = 'ready' AND draft.human_masks <> '[]'
    GROUP BY draft.id"""
BAR = "#outline-bar"


@pytest.fixture
def uid(hospital: Hospital) -> str:
    all_drafted(hospital)
    return uid_where(hospital, FRESH)


def start(page: Page, hospital: Hospital, uid: str, structure: str) -> None:
    """Open the study and correct this structure."""
    page.goto(f"{hospital.url}/studies/{uid}/")
    page.wait_for_selector("figure[data-state=full]")
    page.wait_for_selector(".structure")
    page.keyboard.press("c")
    page.wait_for_selector(f"{BAR}:not([hidden])")
    page.select_option(f"{BAR} [name=structure]", structure)


def draw(page: Page, down: float, right: float) -> None:
    """A stroke from these shares of the canvas."""
    box = page.locator("figure.active canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] * right, box["y"] + box["height"] * down
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 25, steps=4)
    page.mouse.up()


def says(page: Page, words: str) -> None:
    expect(page.locator(f"{BAR} [role=status]")).to_contain_text(words)


def kept(page: Page) -> None:
    """Save, and see it taken."""
    page.keyboard.press("Control+s")
    page.wait_for_selector(f"{BAR}[hidden]", state="attached")


def test_what_was_missed_is_added_and_what_is_wrong_is_taken_away(
    hospital: Hospital, chromium: Browser, uid: str
) -> None:
    with signed_in(chromium, hospital, "radiologist") as page:
        start(page, hospital, uid, "rib_fracture_left")
        draw(page, 0.4, 0.4)
        says(page, "not saved yet")
        kept(page)
        start(page, hospital, uid, "heart")
        page.click(f"{BAR} [data-outline=not-there]")
        says(page, "not there")
        kept(page)
        page.reload()
        expect(page.locator(".structure", has_text="Left rib fracture").locator(".source")).to_have_text(
            "person"
        )
        expect(page.locator(".structure", has_text="Heart").locator(".not-there")).to_be_visible()
        text = page.input_value("#findings")
        before = page.get_attribute("#draft-panel", "data-draft")
        page.get_by_text("Draft again with the corrected outlines").click()
        newer = re.compile(rf"^(?!{before}$)\d+$")
        expect(page.locator("#draft-panel")).to_have_attribute("data-draft", newer, timeout=120_000)
        assert page.input_value("#findings") == text, "a draft never goes into the text by itself"
    fracture, heart = hospital.sql(HUMAN.format(uid=uid))
    assert (fracture[0], fracture[2]) == ("rib_fracture_left", None)
    assert rle.decode(fracture[5], fracture[3:5]).sum() == fracture[1] > 0
    assert heart[:2] == ("heart", 0)
    assert heart[2] is not None, "it supersedes the model's"
    ((shown, sentences),) = hospital.sql(REDRAFTED.format(uid=uid))
    assert (shown, sentences > 0) == (2, True)


def test_undoing_everything_leaves_nothing_to_save(hospital: Hospital, chromium: Browser, uid: str) -> None:
    with signed_in(chromium, hospital, "radiologist") as page:
        start(page, hospital, uid, "lung_left")
        draw(page, 0.5, 0.6)
        page.keyboard.press("x")
        draw(page, 0.5, 0.6)
        page.keyboard.press("Control+z")
        page.keyboard.press("Control+z")
        expect(page.locator(f"{BAR} [data-outline=save]")).to_be_disabled()
        page.keyboard.press("Escape")
        page.wait_for_selector(f"{BAR}[hidden]", state="attached")
    assert hospital.sql(HUMAN.format(uid=uid)) == []


def test_what_could_not_be_saved_comes_back(hospital: Hospital, chromium: Browser, uid: str) -> None:
    with signed_in(chromium, hospital, "radiologist") as page:
        start(page, hospital, uid, "rib_fracture_left")
        page.route("**/masks/", lambda route: route.abort())
        draw(page, 0.3, 0.3)
        page.keyboard.press("Control+s")
        says(page, "the server does not answer")
        page.on("dialog", lambda dialog: dialog.accept())
        page.unroute("**/masks/")
        page.goto(f"{hospital.url}/studies/")
        page.goto(f"{hospital.url}/studies/{uid}/")
        expect(page.locator("#toasts")).to_contain_text("was never saved: Left rib fracture")
        start(page, hospital, uid, "rib_fracture_left")
        says(page, "not saved")
        kept(page)
        assert page.evaluate("Object.keys(localStorage).filter((key) => key.includes('outline'))") == []
    (fracture,) = hospital.sql(HUMAN.format(uid=uid))
    assert fracture[1] > 0


def test_two_people_see_each_others_outlines(hospital: Hospital, chromium: Browser, uid: str) -> None:
    with (
        signed_in(chromium, hospital, "radiologist") as first,
        signed_in(chromium, hospital, "radiologist2") as second,
    ):
        start(first, hospital, uid, "heart")
        start(second, hospital, uid, "heart")
        draw(first, 0.15, 0.3)
        draw(second, 0.2, 0.7)
        kept(first)
        second.keyboard.press("Control+s")
        expect(second.locator(f"{BAR} [role=status][data-kind=bad]")).not_to_be_empty()
        assert len(hospital.sql(HUMAN.format(uid=uid))) == 1, "a conflict is a decision of people"
        kept(second)
    one, other = hospital.sql(HUMAN.format(uid=uid))
    assert not np.array_equal(rle.decode(one[5], one[3:5]), rle.decode(other[5], other[3:5]))
    assert other[2] is not None, "it supersedes the other person's"


def test_a_flipped_image_says_so_until_it_is_reset(hospital: Hospital, chromium: Browser, uid: str) -> None:
    with signed_in(chromium, hospital, "radiologist") as page:
        page.goto(f"{hospital.url}/studies/{uid}/")
        page.wait_for_selector("figure[data-state=full]")
        right = page.locator("figure.active .mark").filter(has_text=re.compile("^R$"))
        expect(right).to_have_class("mark left")
        page.keyboard.press("y")
        expect(page.locator("figure.active .turned")).to_have_text("FLIPPED")
        expect(right).to_have_class("mark right")
        page.keyboard.press(".")
        expect(page.locator("figure.active .turned")).to_have_text("FLIPPED · TURNED 90°")
        page.keyboard.press("r")
        expect(page.locator("figure.active .turned")).to_be_hidden()
        expect(right).to_have_class("mark left")


def test_a_question_about_the_text_is_asked_before_the_signature(
    hospital: Hospital, chromium: Browser, uid: str
) -> None:
    with signed_in(chromium, hospital, "radiologist") as page:
        page.goto(f"{hospital.url}/studies/{uid}/")
        page.wait_for_selector("figure[data-state=full]")
        page.fill("#findings", "Small left pleural effusion. No pneumothorax.")
        page.fill("#impression", "Right pleural effusion.")
        page.keyboard.press("Control+Enter")
        asked = page.locator("#sign-dialog .asked")
        expect(asked).to_contain_text("the impression names a side that the findings do not")
        expect(page.locator("#sign-dialog [type=submit]")).to_have_text("Sign as it is")
        asked.get_by_role("button", name="Show").first.click()
        expect(page.locator("#sign-dialog")).to_be_hidden()
        assert page.evaluate("document.activeElement.id") == "impression"
        assert page.evaluate("getSelection().toString()") == "Right pleural effusion."
        page.fill("#impression", "Left pleural effusion.")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#sign-dialog [type=submit]")).to_be_visible()
        expect(asked).not_to_contain_text("names a side")
        page.click("#sign-dialog [data-close]")


def test_what_is_typed_while_the_questions_are_looked_up_is_the_password(
    hospital: Hospital, chromium: Browser, uid: str
) -> None:
    """Never a part of the report; and Enter before there was something to see signs no question unseen."""
    with signed_in(chromium, hospital, "radiologist") as page:
        page.goto(f"{hospital.url}/studies/{uid}/")
        page.wait_for_selector("figure[data-state=full]")
        page.fill("#findings", "Small left pleural effusion. No pneumothorax.")
        page.fill("#impression", "Right pleural effusion.")
        saved(page)
        page.wait_for_timeout(2_000)  # the gaps have been asked for
        held: list[Route] = []
        page.route("**/report/check/", lambda route: held.append(route))
        page.focus("#findings")
        page.keyboard.press("Control+Enter")
        page.keyboard.type("demo-radiologist")
        page.keyboard.press("Enter")
        page.wait_for_timeout(300)
        assert page.input_value("#password") == "demo-radiologist"
        assert page.input_value("#findings") == "Small left pleural effusion. No pneumothorax."
        for route in held:
            route.continue_()
        expect(page.locator("#sign-dialog .asked")).to_be_visible()
        expect(page.locator("#sign-dialog")).to_have_attribute("aria-busy", "false")
        expect(page.locator("#findings")).to_have_count(1)
        assert hospital.sql(
            "SELECT count(*) FROM review_signature s JOIN review_report r ON s.report_id = r.id"
            f" JOIN review_study u ON r.study_id = u.id WHERE u.study_instance_uid = '{uid}'"
        ) == [(0,)]
