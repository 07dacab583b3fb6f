"""The trail after someone with the database's own rights has been at it: the broken link is named."""

import hashlib
import io
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
import rfc8785
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections, transaction

from review import audit
from review.models.audit import AuditCheckpoint, AuditEvent, Verb
from review.selectors import audit as trail
from tests.review import cast

pytestmark = pytest.mark.usefixtures("committed_db", "own_keys")

CHAIN = 6
NOBODY = -1
"""An id that no row has, however many tests used the database before."""


@pytest.fixture
def own_keys(tmp_path: Path, settings) -> None:
    settings.AUDIT_KEY_FILE = tmp_path / "keys" / "audit.pem"
    settings.AUDIT_CHECKPOINT_DIR = tmp_path / "checkpoints"


@pytest.fixture
def chain(committed_db: None, own_keys: None) -> str:
    """A study's chain of six events, all under one checkpoint, and a person's beside it."""
    people = cast.make()
    with transaction.atomic():
        study = cast.study(people.central)
        for number in range(CHAIN):
            audit.record(Verb.STUDY_OPENED, by=people.ruth, study=study, data={"number": number})
        audit.record(Verb.SIGNED_IN, by=people.ruth)
    audit.checkpoint()
    return f"study:{study.pk}"


def as_owner(*statements: tuple[str, list]) -> None:
    """What a superuser does: switch the walls off, change something, switch them on again."""
    tables = ("review_auditevent", "review_auditcheckpoint")
    with connections["owner"].cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement, values in statements:
            cursor.execute(statement, values)
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def event(chain: str, sequence: int) -> AuditEvent:
    return AuditEvent.objects.get(chain=chain, sequence=sequence)


def document(row: AuditEvent) -> dict:
    return json.loads(bytes(row.canonical))


def first() -> trail.Break:
    return next(trail.verify())


def verify(*args: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("verifyaudit", *args, stdout=out, stderr=err)
    except CommandError as error:
        return f"{err.getvalue()}exit {error.returncode}"
    return out.getvalue()


def test_a_whole_trail_is_ok_and_looking_is_recorded(chain: str) -> None:
    counts: Counter[str] = Counter()
    assert list(trail.verify(counts)) == []
    assert counts == {"events": 7, "chains": 2, "checkpoints": 1}
    assert verify().strip() == "ok: 7 events, 2 chains, 1 checkpoints"
    looked = AuditEvent.objects.get(verb=Verb.AUDIT_VERIFIED)
    assert document(looked)["data"] == {"events": 7, "chains": 2, "checkpoints": 1, "breaks": 0}
    assert "ok: 8 events, 3 chains" in verify()


def test_an_empty_trail_is_ok(committed_db: None, own_keys: None) -> None:
    assert verify().strip() == "ok: 0 events, 0 chains, 0 checkpoints"


def test_a_changed_event_is_named(chain: str) -> None:
    row = event(chain, 3)
    changed = rfc8785.dumps(document(row) | {"actor": NOBODY})
    as_owner(("UPDATE review_auditevent SET canonical = %s WHERE id = %s", [changed, row.pk]))
    assert (first().chain, first().sequence, first().event_id) == (chain, 3, row.pk)
    assert "seal" in first().what
    said = verify()
    assert f"broken: chain {chain}, sequence 3 (event {row.pk})" in said
    assert said.endswith("exit 1")


def test_a_changed_event_with_a_recomputed_hash_chain_is_named(chain: str) -> None:
    """The later links are rewritten to fit: without the key the seals do not."""
    previous, statements = "", []
    for sequence in range(3, CHAIN + 1):
        row = event(chain, sequence)
        new = document(row) | ({"actor": NOBODY} if sequence == 3 else {"previous": previous})
        canonical = rfc8785.dumps(new)
        previous = hashlib.sha256(canonical).hexdigest()
        statements.append(("UPDATE review_auditevent SET canonical = %s WHERE id = %s", [canonical, row.pk]))
    as_owner(*statements)
    assert (first().chain, first().sequence) == (chain, 3)


@pytest.mark.parametrize(
    ("column", "value"),
    [("study_id", f"{NOBODY}"), ("actor_id", "NULL"), ("verb", "'study.closed'"), ("occurred_at", "now()")],
)
def test_a_generated_column_made_an_ordinary_one_and_changed_is_named(
    chain: str, column: str, value: str
) -> None:
    """Hiding an event from a study's history leaves its document as it was: the column is compared."""
    row = event(chain, 3)
    as_owner(
        (f"ALTER TABLE review_auditevent ALTER COLUMN {column} DROP EXPRESSION", []),
        (f"UPDATE review_auditevent SET {column} = {value} WHERE id = %s", [row.pk]),
    )
    found = list(trail.verify())
    assert [(one.chain, one.sequence, one.event_id) for one in found] == [(chain, 3, row.pk)]
    assert column in found[0].what


def test_events_are_counted_once_over_all_checkpoints(chain: str) -> None:
    for _round in range(3):
        with transaction.atomic():
            audit.record(Verb.SIGN_IN_FAILED, by=None)
        audit.checkpoint()
    assert list(trail.verify()) == []
    as_owner(("DELETE FROM review_auditevent WHERE chain = 'system' AND sequence = 2", []))
    assert [str(one.sequence) for one in trail.verify() if "it counted" in one.what] == ["3", "4"]


def test_a_changed_seal_is_named(chain: str) -> None:
    row = event(chain, 2)
    as_owner(("UPDATE review_auditevent SET mac = %s WHERE id = %s", [b"0" * 32, row.pk]))
    assert (first().sequence, first().event_id) == (2, row.pk)


def test_the_last_event_cut_off_is_named_by_the_checkpoint(chain: str) -> None:
    as_owner(("DELETE FROM review_auditevent WHERE id = %s", [event(chain, CHAIN).pk]))
    found = first()
    assert (found.chain, found.sequence, found.event_id) == (chain, CHAIN, None)
    assert "checkpoint 1 saw it" in found.what
    assert f"sequence {CHAIN} (no row)" in verify()


def test_a_whole_chain_removed_is_named(chain: str) -> None:
    as_owner(("DELETE FROM review_auditevent WHERE chain = %s", [chain]))
    assert (first().chain, first().sequence) == (chain, CHAIN)


def test_an_event_removed_from_the_middle_is_named(chain: str) -> None:
    as_owner(("DELETE FROM review_auditevent WHERE id = %s", [event(chain, 4).pk]))
    found = first()
    assert (found.chain, found.sequence, found.event_id) == (chain, 4, event(chain, 5).pk)
    assert "missing" in found.what


def test_the_first_event_removed_is_named(chain: str) -> None:
    as_owner(("DELETE FROM review_auditevent WHERE id = %s", [event(chain, 1).pk]))
    assert (first().chain, first().sequence) == (chain, 1)


def test_a_forged_event_is_named(chain: str) -> None:
    row = event(chain, CHAIN)
    forged = document(row) | {"sequence": CHAIN + 1, "previous": row.sha256, "data": {"forged": True}}
    as_owner(
        ("INSERT INTO review_auditevent (canonical, mac) VALUES (%s, %s)", [rfc8785.dumps(forged), b"x" * 32])
    )
    assert (first().chain, first().sequence) == (chain, CHAIN + 1)


def test_a_genuine_event_of_another_time_put_in_place_of_a_removed_one_is_named(chain: str) -> None:
    """A seal that fits does not help an event that stands where it was not written."""
    row = event(chain, 3)
    twin = document(row) | {"previous": "0" * 64}
    canonical = rfc8785.dumps(twin)
    as_owner(
        ("DELETE FROM review_auditevent WHERE id = %s", [row.pk]),
        (
            "INSERT INTO review_auditevent (canonical, mac) VALUES (%s, %s)",
            [canonical, audit.seal(canonical)],
        ),
    )
    assert (first().chain, first().sequence) == (chain, 3)
    assert "does not follow" in first().what


def test_bytes_that_are_not_canonical_are_named(chain: str) -> None:
    row = event(chain, CHAIN)
    loose = json.dumps(document(row), indent=1).encode()
    as_owner(
        (
            "UPDATE review_auditevent SET canonical = %s, mac = %s WHERE id = %s",
            [loose, audit.seal(loose), row.pk],
        )
    )
    assert "canonical" in first().what


def test_a_changed_checkpoint_is_named(chain: str) -> None:
    row = AuditCheckpoint.objects.get()
    changed = rfc8785.dumps(json.loads(bytes(row.canonical)) | {"count": 1})
    as_owner(("UPDATE review_auditcheckpoint SET canonical = %s", [changed]))
    assert (first().chain, first().sequence) == ("checkpoints", 1)
    assert "signature" in first().what


def test_a_removed_checkpoint_is_named_by_the_next_or_by_what_left_the_host(chain: str) -> None:
    with transaction.atomic():
        audit.record(Verb.SIGN_IN_FAILED, by=None)
    audit.checkpoint()
    as_owner(("DELETE FROM review_auditcheckpoint WHERE number = 1", []))
    assert (first().chain, first().sequence) == ("checkpoints", 1)
    as_owner(("DELETE FROM review_auditcheckpoint", []))
    assert verify("--database-only").startswith("ok:")
    said = verify()
    assert "chain checkpoints, sequence 1 (no row): missing: it left the host" in said


def test_a_trail_cut_back_with_its_checkpoints_is_named_by_what_left_the_host(chain: str) -> None:
    as_owner(
        ("DELETE FROM review_auditevent WHERE chain = %s AND sequence > 3", [chain]),
        ("DELETE FROM review_auditcheckpoint", []),
    )
    assert verify("--database-only").startswith("ok:")
    assert verify().startswith("broken:")
    assert verify("--checkpoints", str(settings.AUDIT_CHECKPOINT_DIR)).startswith("broken:")


def test_a_replaced_file_is_named(chain: str, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(settings.AUDIT_CHECKPOINT_DIR, folder)
    assert verify("--checkpoints", str(folder)).startswith("ok:")
    (folder / "checkpoint-00000001.json").write_bytes(b"{}")
    assert "no signature that fits" in verify("--checkpoints", str(folder))


def test_a_folder_that_is_not_there_is_said(chain: str) -> None:
    with pytest.raises(CommandError, match="no folder"):
        call_command("verifyaudit", "--checkpoints", "/nowhere")


def test_without_the_key_it_says_so(chain: str) -> None:
    settings.AUDIT_KEY_FILE.unlink()
    with pytest.raises(CommandError, match="restore that file"):
        call_command("verifyaudit")


def test_an_event_smuggled_under_a_checkpoint_is_counted(chain: str) -> None:
    """With the key and a free id, a new chain could be put under a checkpoint: the count tells."""
    forged = {
        "schema": 1,
        "chain": f"user:{NOBODY}",
        "sequence": 1,
        "previous": audit.GENESIS,
        "verb": "user.signed-in",
        "actor": None,
        "actor_name": "",
        "study": None,
        "site": None,
        "at_us": 0,
        "data": {},
    }
    canonical = rfc8785.dumps(forged)
    as_owner(
        (
            "INSERT INTO review_auditevent (id, canonical, mac) OVERRIDING SYSTEM VALUE VALUES (-5, %s, %s)",
            [canonical, audit.seal(canonical)],
        )
    )
    assert "it counted 7 events" in first().what


def test_the_history_of_a_study_is_in_order_with_names(chain: str) -> None:
    study_id = int(chain.removeprefix("study:"))
    events = trail.history(cast.Study.objects.get(pk=study_id))
    assert [one.sequence for one in events] == list(range(1, CHAIN + 1))
    assert {one.actor_name for one in events} == {"Dr Ruth"}
    assert events[2].data == {"number": 2}
