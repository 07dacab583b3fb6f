"""How long the main job takes: file to ready draft, first image in the browser, page weights, queries a page.

    python -m benchmarks.spine [--studies 8] [--write]

Starts an installation of its own as `make run` does, and prints one row a figure; `--write` puts them into
docs/results.json. Needs Chromium.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from inference.training import results
from tests.system.hospital import ROOT, Hospital, wait_until

COMMAND = "python -m benchmarks.spine"
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
UNFINISHED = "SELECT count(*) FROM review_draft WHERE status IN ('queued', 'running')"
FIRST_IMAGE = """() => {
    const marks = performance.getEntriesByType('mark').filter(mark => mark.name.startsWith('first-paint:'));
    return marks.length ? Math.min(...marks.map(mark => mark.startTime)) / 1000 : null;
}"""


def row(metric: str, values: list[float]) -> results.Row:
    return results.spread("spine", "maira-web", metric, values, population="phantom", command=COMMAND)


@contextmanager
def running() -> Iterator[Hospital]:
    folder = Path(tempfile.mkdtemp(prefix="spine-"))
    folder.chmod(0o755)
    hospital = Hospital(folder / "var")
    try:
        hospital.start()
        wait_until("the demo drafted", lambda: hospital.count(UNFINISHED) == 0, 600)
        yield hospital
    finally:
        hospital.remove()


def file_to_draft(hospital: Hospital, studies: int) -> list[float]:
    """Seconds from the arrival of a study's first file to the draft of all of them, one study at a time on an
    idle machine. A second view that comes while the first is drafted makes the first draft stale."""
    folder = hospital.var / "bench"
    hospital.manage("createphantoms", str(folder), "--studies", str(studies), "--seed", "101")
    seconds = []
    for study in sorted(folder.iterdir()):
        last = hospital.count("SELECT coalesce(max(id), 0) FROM review_draft")
        hospital.manage("importstudies", str(study), "--site", "central")
        ready = f"SELECT count(*) FROM review_draft WHERE id > {last} AND status = 'ready'"
        wait_until("its draft", partial(drafted, hospital, ready))
        seconds.append(
            float(
                hospital.sql(
                    "SELECT extract(epoch FROM max(d.finished_at) - min(a.queued_at)) FROM review_draft d"
                    " JOIN review_series s ON s.study_id = d.study_id"
                    " JOIN review_image i ON i.series_id = s.id"
                    f" JOIN review_arrival a ON a.image_id = i.id WHERE d.id > {last} AND d.status = 'ready'"
                )[0][0]
            )
        )
    return seconds


def drafted(hospital: Hospital, ready: str) -> bool:
    """Nothing is being drafted and the query counts a draft."""
    return hospital.count(UNFINISHED) == 0 < hospital.count(ready)


def sign_in(page: Page, hospital: Hospital) -> None:
    page.goto(f"{hospital.url}/accounts/login/")
    page.fill("input[name=login]", "radiologist")
    page.fill("input[name=password]", "demo-radiologist")
    page.click("main button.primary")
    page.wait_for_url("**/studies/**")


def first_image(browser: Browser, hospital: Hospital, tries: int) -> tuple[list[float], list[float]]:
    """Seconds from navigation to the first painted image, with an empty cache and with a warm one."""
    uids = [
        uid
        for (uid,) in hospital.sql(f"SELECT study_instance_uid FROM review_study ORDER BY id LIMIT {tries}")
    ]
    cold: list[float] = []
    warm: list[float] = []
    for uid in uids:
        context = browser.new_context(viewport={"width": 1920, "height": 1080})
        page = context.new_page()
        sign_in(page, hospital)
        for seconds in (cold, warm):
            page.goto(f"{hospital.url}/studies/{uid}/")
            page.wait_for_selector("figure[data-state=full]")
            seconds.append(float(page.evaluate(FIRST_IMAGE)))
        context.close()
    return cold, warm


def weights(browser: Browser, hospital: Hospital) -> dict[str, tuple[int, int, int]]:
    """Requests, bytes on the wire and uncompressed bytes of JavaScript of each page, with an empty cache."""
    (uid,) = hospital.sql("SELECT study_instance_uid FROM review_study ORDER BY id LIMIT 1")[0]
    found = {}
    for name, path in {"worklist": "studies/", "reading": f"studies/{uid}/"}.items():
        context = browser.new_context(viewport={"width": 1920, "height": 1080})
        page = context.new_page()
        sign_in(page, hospital)
        client = context.new_cdp_session(page)
        client.send("Network.enable")
        client.send("Network.setCacheDisabled", {"cacheDisabled": True})
        received: list[int] = []
        scripts: dict[str, int] = {}

        def count(event: dict[str, Any], received: list[int] = received) -> None:
            received.append(int(event["encodedDataLength"]))

        def note(response: Any, scripts: dict[str, int] = scripts) -> None:
            if response.url.split("?")[0].endswith(".js"):
                scripts[response.url] = len(response.body())

        client.on("Network.loadingFinished", count)
        page.on("response", note)
        page.goto(f"{hospital.url}/{path}", wait_until="networkidle")
        found[name] = (len(received), sum(received), sum(scripts.values()))
        context.close()
    return found


def queries(hospital: Hospital) -> dict[str, int]:
    """Queries of one request of each page, counted in Django."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.queries"],
        cwd=ROOT,
        env={**os.environ, **hospital.environment, "DATABASE_POOL": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    counted: dict[str, int] = json.loads(done.stdout)
    return counted


def measure(studies: int) -> list[results.Row]:
    with running() as hospital, sync_playwright() as playwright:
        rows = [row("file_to_draft_s", file_to_draft(hospital, studies))]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        cold, warm = first_image(browser, hospital, studies)
        rows += [row("first_image_cold_s", cold), row("first_image_warm_s", warm)]
        for page, (requests, received, scripts) in weights(browser, hospital).items():
            rows += [
                row(f"{page}_requests", [requests]),
                row(f"{page}_bytes", [received]),
                row(f"{page}_js_bytes", [scripts]),
            ]
        browser.close()
        rows += [row(f"{page}_queries", [count]) for page, count in queries(hospital).items()]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=8)
    parser.add_argument("--write", action="store_true", help="put the rows into docs/results.json")
    options = parser.parse_args()
    rows = measure(options.studies)
    for each in rows:
        print(f"{each['metric']:<24} {each['mean']:>12} ({each['low']} to {each['high']}, n = {each['n']})")
    if options.write:
        results.put(rows)


if __name__ == "__main__":
    main()
