"""The whole way in a browser: a radiologist reads, corrects, signs; the QA lead audits; the admin exports."""

import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.system.browser import saved, sign, signed_in
from tests.system.hospital import Hospital, wait_until
from tests.system.test_survival import all_drafted

# The same installation as that of the other system tests, and so the same xdist worker.
pytestmark = pytest.mark.xdist_group("hospital")

REAL = "dicom/chest/pylibjpeg-data__ljdata_ds_JPEG2000Lossless_966_fixed.dcm"
WRITTEN = "Tortuous aorta. No focal consolidation, effusion or pneumothorax."


def uid_where(hospital: Hospital, condition: str) -> str:
    rows = hospital.sql(
        "SELECT s.study_instance_uid FROM review_study s JOIN review_worklistentry w ON w.study_id = s.id"
        f" JOIN review_site site ON site.id = s.site_id WHERE {condition} ORDER BY s.id LIMIT 1"
    )
    assert rows, condition
    return str(rows[0][0])


def stored_findings(hospital: Hospital, uid: str) -> str:
    """The findings of the newest revision of a study's report."""
    rows = hospital.sql(
        "SELECT v.findings FROM review_revision v JOIN review_report r ON r.id = v.report_id"
        " JOIN review_study s ON s.id = r.study_id"
        f" WHERE s.study_instance_uid = '{uid}' ORDER BY v.number DESC LIMIT 1"
    )
    return str(rows[0][0])


def open_from_worklist(page: Page, hospital: Hospital, uid: str) -> None:
    page.goto(f"{hospital.url}/studies/")
    page.locator(f"a[href*='{uid}']").first.click()
    page.wait_for_url(f"**/{uid}/**")
    page.wait_for_selector("figure[data-state=full]")


def import_real(page: Page, hospital: Hospital, path: Path) -> str:
    """Hand in a real radiograph through the upload page and wait for its draft."""
    page.goto(f"{hospital.url}/arrivals/")
    page.set_input_files("input[name=files]", str(path))
    expect(page.locator("#upload-list tr")).to_have_count(1)
    expect(page.locator("#upload-list a")).to_be_visible()
    all_drafted(hospital)
    return str(
        hospital.sql(
            "SELECT study_instance_uid FROM review_study JOIN review_arrival a ON true"
            " JOIN review_image i ON i.id = a.image_id JOIN review_series e ON e.id = i.series_id"
            " AND e.study_id = review_study.id WHERE a.origin = 'upload' ORDER BY a.id DESC LIMIT 1"
        )[0][0]
    )


def test_a_phantom_and_a_real_radiograph_go_the_whole_way(
    hospital: Hospital, chromium: Browser, shared_data: Path, tmp_path: Path
) -> None:
    all_drafted(hospital)
    phantom = uid_where(hospital, "w.status = 'ready' AND w.is_open AND site.code = 'central'")
    with signed_in(chromium, hospital, "radiologist") as page:
        _read_phantom(page, hospital, phantom)
        real = import_real(page, hospital, shared_data / REAL)
        _read_real(page, hospital, real)
    with signed_in(chromium, hospital, "qa") as page:
        _audit(page, hospital, phantom, real)
    with signed_in(chromium, hospital, "admin") as page:
        archive = _export(page, hospital, tmp_path)
    signed = hospital.count(
        "SELECT count(*) FROM review_report r JOIN review_study s ON s.id = r.study_id"
        " JOIN review_site site ON site.id = s.site_id"
        " WHERE site.code = 'central' AND r.status IN ('final', 'amended', 'corrected', 'appended')"
    )
    _check_archive(archive, signed)
    assert hospital.manage("verifyaudit").returncode == 0


def _read_phantom(page: Page, hospital: Hospital, uid: str) -> None:
    open_from_worklist(page, hospital, uid)
    expect(page.locator("[data-sentence]").first).to_be_visible()
    drafted = page.input_value("#findings")
    assert drafted
    sentence = page.locator("[data-sentence]", has=page.locator(".evidence")).first
    sentence.hover()
    expect(page.locator("#structures .lit").first).to_be_visible()
    page.focus("#findings")
    page.keyboard.press("Control+End")
    page.keyboard.type(" No rib fracture.")
    saved(page)
    sign(page, "radiologist")
    assert stored_findings(hospital, uid) == drafted + " No rib fracture."
    page.fill("#addendum", "Discussed with the ward.")
    page.fill("#addendum-password", "demo-radiologist")
    page.click("form.addendum button.primary")
    expect(page.locator("section.addendum")).to_contain_text("Discussed with the ward.")


def _read_real(page: Page, hospital: Hospital, uid: str) -> None:
    open_from_worklist(page, hospital, uid)
    expect(page.locator("#draft-panel")).to_contain_text("No draft for this study.")
    expect(page.locator("[data-sentence]")).to_have_count(0)
    expect(page.locator("#structures")).to_contain_text("lung", ignore_case=True)
    assert page.input_value("#findings") == ""
    page.click("[data-use-template]")
    expect(page.locator("#findings")).to_have_value(re.compile("^Lines and tubes: \nLungs:"))
    page.fill("#findings", WRITTEN)
    page.fill("#impression", "No acute abnormality.")
    saved(page)
    sign(page, "radiologist")
    seen = "SELECT ai_seen_first FROM review_report r JOIN review_study s ON s.id = r.study_id"
    assert hospital.sql(f"{seen} WHERE s.study_instance_uid = '{uid}'") == [(False,)]


def _audit(page: Page, hospital: Hospital, phantom: str, real: str) -> None:
    page.goto(f"{hospital.url}/quality/")
    for uid, signatures in (
        (phantom, 2),
        (real, 1),
    ):  # the phantom's report, its addendum; other tests sign too
        mine = page.locator("tbody tr", has=page.locator(f"a[href*='{uid}']"))
        expect(mine).to_have_count(signatures)
    page.locator(f"a[href*='{phantom}']").first.click()
    expect(page.locator("ol.chain")).to_contain_text("report signed")
    expect(page.locator(".difference ins").filter(has_text="fracture").first).to_be_visible()
    page.goto(f"{hospital.url}/studies/{real}/")
    expect(page.locator(".signed-text").first).to_contain_text("Tortuous aorta")
    expect(page.locator("#findings")).to_have_count(0)


def _export(page: Page, hospital: Hospital, folder: Path) -> Path:
    page.goto(f"{hospital.url}/studies/")
    assert "/studies/" not in page.url, "an administrator has no worklist"
    refused = page.goto(f"{hospital.url}/quality/")
    assert refused is not None
    assert refused.status == 403
    page.goto(f"{hospital.url}/feedback/")
    page.select_option("#id_site", "central")
    page.click("button.primary")
    wait_until(
        "the dataset",
        lambda: hospital.count("SELECT count(*) FROM review_feedbackdataset WHERE status = 'ready'") == 1,
    )
    page.reload()
    with page.expect_download() as download:
        page.locator("a[href*='download']").first.click()
    target = folder / "dataset.zip"
    download.value.save_as(target)
    return target


def _check_archive(path: Path, signed: int) -> None:
    with zipfile.ZipFile(path) as archive:
        names = {Path(name).name for name in archive.namelist()}
        assert {"manifest.json", "studies.jsonl", "masks.jsonl"} <= names
        lines = next(archive.read(name) for name in archive.namelist() if name.endswith("studies.jsonl"))
    studies = [json.loads(line) for line in lines.splitlines()]
    assert signed >= 2, "the phantom and the real radiograph"
    assert len(studies) == signed, "every signed study and no other"
    assert any(WRITTEN in json.dumps(study, ensure_ascii=False) for study in studies)


def test_nothing_that_the_page_called_saved_is_lost_when_the_server_is_killed(
    hospital: Hospital, chromium: Browser
) -> None:
    all_drafted(hospital)
    uid = uid_where(hospital, "w.status = 'ready' AND w.is_open AND site.code = 'central'")
    with signed_in(chromium, hospital, "radiologist2") as page:
        open_from_worklist(page, hospital, uid)
        page.focus("#findings")
        page.keyboard.press("Control+End")
        page.keyboard.type(" First words.")
        saved(page)
        assert hospital.kill("gunicorn")
        page.keyboard.type(" Words typed while the server was dead.")
        expect(page.locator("#save-status")).not_to_have_attribute("data-state", "saved")
        shown = page.input_value("#findings")
        wait_until("the server is back", hospital.is_ready)
        saved(page)
        page.reload()
        expect(page.locator("#findings")).to_have_value(shown)
        assert shown.endswith("First words. Words typed while the server was dead.")
    assert stored_findings(hospital, uid) == shown
