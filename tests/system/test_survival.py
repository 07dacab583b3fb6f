"""What is killed here comes back, and what was said to be saved is there."""

import json
import shutil

import pytest

from maira_web import embedded
from tests.system.hospital import Hospital, wait_until

# One installation for all of these, and so one xdist worker.
pytestmark = pytest.mark.xdist_group("hospital")

UNFINISHED = "SELECT count(*) FROM review_draft WHERE status IN ('queued', 'running')"
UNEXPLAINED = "SELECT count(*) FROM review_explanation WHERE status IN ('queued', 'running')"


def all_drafted(hospital: Hospital) -> None:
    wait_until("every draft finished", lambda: hospital.count(UNFINISHED) == 0, 300)


def test_the_demo_hospital_is_ready_with_normal_and_abnormal_studies(hospital: Hospital) -> None:
    all_drafted(hospital)
    ready = "SELECT count(*) FROM review_worklistentry WHERE status = 'ready'"
    assert hospital.count(ready) >= 24
    stated = (
        "SELECT count(DISTINCT s.draft_id) FROM review_sentence s"
        " WHERE s.certainty = 'present' AND s.finding <> ''"
    )
    abnormal = hospital.count(stated)
    assert 0 < abnormal < hospital.count(ready)
    assert hospital.count("SELECT count(*) FROM review_mask") >= 24 * 3


def test_every_draft_is_finished_though_worker_and_broker_are_lost(hospital: Hospital) -> None:
    all_drafted(hospital)
    before = hospital.count("SELECT count(*) FROM review_study")
    folder = hospital.var / "more"
    made = hospital.manage("createphantoms", str(folder), "--studies", "8", "--seed", "77", "--priors")
    assert made.returncode == 0, made.stderr
    wanted = before + len(list(folder.iterdir()))
    assert wanted >= before + 8, "and priors"
    received = hospital.manage("importstudies", str(folder), "--site", "central")
    assert received.returncode == 0, received.stderr
    wait_until(
        "a draft under way",
        lambda: hospital.count("SELECT count(*) FROM review_draft WHERE status = 'running'"),
    )
    assert hospital.kill("--queues", "inference")
    shutil.rmtree(hospital.var / "broker")
    wait_until("all filed", lambda: hospital.count("SELECT count(*) FROM review_study") == wanted, 180)
    all_drafted(hospital)
    assert hospital.count("SELECT count(*) FROM review_draft WHERE status = 'failed'") == 0
    assert (
        hospital.count("SELECT count(*) FROM review_worklistentry WHERE status IN ('preparing', 'failed')")
        == 0
    )
    assert hospital.count(stored_twice("draft.ready")) == 0, "a draft was stored twice"


def test_the_evidence_of_every_draft_is_measured_once_all_the_same(hospital: Hospital) -> None:
    """In the tasks behind the drafts, of which the test before lost some."""
    all_drafted(hospital)
    wait_until("all evidence measured", lambda: hospital.count(UNEXPLAINED) == 0, 300)
    measured = "SELECT count(*) FROM review_explanation WHERE status = 'ready'"
    assert hospital.count(measured) >= 24
    other = "SELECT count(*) FROM review_explanation WHERE failure_code NOT IN ('', 'superseded')"
    assert hospital.count(other) == 0
    assert hospital.count("SELECT count(*) FROM review_support") > 24
    assert hospital.count(stored_twice("evidence.measured")) == 0


def stored_twice(verb: str) -> str:
    """Drafts of which more than one event of this verb tells."""
    return (
        f"SELECT count(*) FROM (SELECT 1 FROM review_auditevent WHERE verb = '{verb}'"
        " GROUP BY convert_from(canonical, 'UTF8')::jsonb -> 'data' ->> 'draft' HAVING count(*) > 1) again"
    )


def test_it_verifies_and_names_the_link_a_superuser_broke(hospital: Hospital) -> None:
    whole = hospital.manage("verifyaudit")
    assert whole.returncode == 0, whole.stdout + whole.stderr
    event, chain, sequence = hospital.sql(
        "SELECT id, chain, sequence FROM review_auditevent WHERE chain LIKE 'study:%' AND sequence = 2"
        " ORDER BY id LIMIT 1"
    )[0]
    original = bytes(hospital.sql(f"SELECT canonical FROM review_auditevent WHERE id = {event}")[0][0])
    document = json.loads(original)
    document["actor_name"] = "nobody"
    forged = json.dumps(document, separators=(",", ":"), sort_keys=True)
    try:
        _overwrite(hospital, event, forged.encode())
        broken = hospital.manage("verifyaudit")
        assert broken.returncode == 1
        said = broken.stdout + broken.stderr
        assert chain in said
        assert str(sequence) in said
        assert str(event) in said
    finally:
        _overwrite(hospital, event, original)
    assert hospital.manage("verifyaudit").returncode == 0


def _overwrite(hospital: Hospital, event: int, canonical: bytes) -> None:
    for statement in (
        "ALTER TABLE review_auditevent DISABLE TRIGGER ALL",
        f"UPDATE review_auditevent SET canonical = decode('{canonical.hex()}', 'hex') WHERE id = {event}",
        "ALTER TABLE review_auditevent ENABLE ALWAYS TRIGGER review_auditevent_append_only",
        "ALTER TABLE review_auditevent ENABLE ALWAYS TRIGGER review_auditevent_never_truncated",
    ):
        hospital.sql(statement, role=embedded.SUPERUSER)


def test_it_stops_on_ctrl_c_and_can_be_run_again(hospital: Hospital) -> None:
    studies = hospital.count("SELECT count(*) FROM review_study")
    assert hospital.stop() == 0
    assert hospital.pids() == []
    hospital.start()
    # The demo hospital may have been stopped while it was being loaded: it goes on then.
    assert hospital.count("SELECT count(*) FROM review_study") >= studies
