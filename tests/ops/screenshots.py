"""`python -m tests.ops.screenshots FOLDER`: pictures of a freshly loaded demo hospital for the docs."""

import sys
import tempfile
from pathlib import Path

from tests.system.browser import browser, signed_in
from tests.system.hospital import Hospital, wait_until

# The open study with most to see: a draft with several findings cited.
STUDY = """
SELECT study.study_instance_uid FROM review_study study
JOIN review_draft draft ON draft.study_id = study.id
JOIN review_sentence sentence ON sentence.draft_id = draft.id
WHERE draft.status = 'ready' GROUP BY study.id ORDER BY count(*) DESC, study.id LIMIT 1
"""
UNFINISHED = "SELECT count(*) FROM review_draft WHERE status IN ('queued', 'running')"
SETTLE_MS = 3000
"""Time for the image to come in full resolution."""


def take(folder: Path) -> None:
    """Start the hospital and photograph its pages, dark (as they come) and light."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hospital-") as place:
        Path(place).chmod(0o755)
        hospital = Hospital(Path(place) / "var")
        try:
            hospital.start()
            wait_until("every draft finished", lambda: hospital.count(UNFINISHED) == 0, 300)
            [(study,)] = hospital.sql(STUDY)
            pages = {
                "worklist": "/studies/",
                "reading": f"/studies/{study}/",
                "history": f"/studies/{study}/history/",
            }
            with browser() as chromium, signed_in(chromium, hospital, "radiologist") as page:
                for theme in ("dark", "light"):
                    page.emulate_media(color_scheme=theme)
                    for name, address in pages.items():
                        page.goto(hospital.url + address)
                        page.wait_for_timeout(SETTLE_MS)
                        page.screenshot(path=folder / f"{name}-{theme}.png")
        finally:
            hospital.remove()


if __name__ == "__main__":
    take(Path(sys.argv[1]))
