"""What the database itself refuses, from services, `update()` and raw SQL alike."""

import itertools
from collections.abc import Callable
from unittest import mock

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.test import TestCase

from review import audit
from review.models import states
from review.models.audit import Verb
from review.models.drafts import Draft, Evidence, Explanation, Mask, Sentence, Support
from review.models.feedback import FeedbackDataset
from review.models.registry import ModelVersion
from review.models.reports import Report
from review.models.studies import Arrival
from review.services import reports
from tests.review import cast

APPEND_ONLY = [
    "review_auditevent",
    "review_auditcheckpoint",
    "review_revision",
    "review_signature",
    "review_addendum",
    "review_sentence",
    "review_evidence",
    "review_mask",
    "review_maskcontent",
    "review_support",
    "review_judgement",
    "review_letter",
    "review_communication",
]


class RoleTests(TestCase):
    def test_the_application_owns_nothing_and_may_not_change_what_only_grows(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            assert cursor.fetchone() == ("maira_app",)
            for table in APPEND_ONLY:
                for right in ("UPDATE", "DELETE", "TRUNCATE"):
                    cursor.execute("SELECT has_table_privilege('maira_app', %s, %s)", [table, right])
                    assert cursor.fetchone() == (False,), (table, right)
                cursor.execute("SELECT has_table_privilege('maira_app', %s, 'INSERT')", [table])
                assert cursor.fetchone() == (True,), table

    def test_every_append_only_trigger_fires_always(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT tgrelid::regclass::text FROM pg_trigger"
                " WHERE tgname LIKE '%%append_only' AND tgenabled = 'A'"
            )
            assert sorted(row[0] for row in cursor.fetchall()) == sorted(APPEND_ONLY)


class AppendOnlyTests(TestCase):
    def setUp(self) -> None:
        self.cast = cast.make()
        self.study = cast.study(self.cast.central)
        cast.draft(self.study)
        reports.save(self.study, by=self.cast.ruth, text=reports.Text("Clear.", "Normal.", 0))

    def _refused(self, statement: str) -> None:
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)

    def test_raw_sql_cannot_change_a_revision(self) -> None:
        self._refused("UPDATE review_revision SET findings = 'x'")
        self._refused("DELETE FROM review_revision")
        self._refused("TRUNCATE review_revision CASCADE")

    def test_even_the_owner_meets_the_trigger(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")
        try:
            self._refused("UPDATE review_auditevent SET canonical = 'x'")
            self._refused("DELETE FROM review_mask")
            self._refused("TRUNCATE review_auditevent")
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SET ROLE maira_app")

    def test_a_ready_draft_is_immutable(self) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            Draft.objects.update(reason="rewritten")


MACHINES = {
    "job": (Draft, "status", states.JobStatus),
    "arrival": (Arrival, "status", states.ArrivalStatus),
    "report": (Report, "status", states.ReportStatus),
    "model": (ModelVersion, "state", states.ModelState),
}


class ReadyTests(TestCase):
    """What is ready is closed: for the application, and for whoever writes SQL."""

    def setUp(self) -> None:
        self.cast = cast.make()
        self.draft = cast.draft(cast.study(self.cast.central))

    def refused(self, act: Callable[[], object]) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            act()

    def test_nothing_is_added_to_a_ready_draft(self) -> None:
        sentence = self.draft.sentences.first()
        mask = self.draft.masks.get()
        more = {"position": 9, "section": "findings", "text": "More.", "language": "en"}
        self.refused(lambda: Sentence.objects.create(draft=self.draft, **more))
        self.refused(lambda: Evidence.objects.create(sentence=sentence, mask=mask, weight=0.5))
        copy = {
            "image": mask.image,
            "area": 1,
            "box": [0, 0, 1, 1],
            "trusted": True,
            "created_at": cast.TAKEN,
        }
        again = {**copy, "structure": "heart", "draft": self.draft}
        self.refused(lambda: Mask.objects.create(source=Mask.Source.AI, **again))
        drawn = Mask.objects.create(source=Mask.Source.HUMAN, author=self.cast.ruth, **again)
        assert drawn.pk

    def test_support_is_added_only_while_the_draft_is_being_explained(self) -> None:
        given = {"sentence": self.draft.sentences.first(), "mask": self.draft.masks.get()}
        self.refused(lambda: Support.objects.create(**given, nats=0.5))
        explanation = Explanation.objects.create(draft=self.draft, queued_at=cast.TAKEN)
        self.refused(lambda: Support.objects.create(**given, nats=0.5))
        rows = Explanation.objects.filter(pk=explanation.pk)
        rows.update(status="running")
        Support.objects.create(**given, nats=0.5)
        self.refused(lambda: Support.objects.update(nats=5.0))
        rows.update(status="ready")
        self.refused(
            lambda: Support.objects.create(sentence=self.draft.sentences.last(), mask=given["mask"], nats=1)
        )
        self.refused(lambda: rows.update(status="queued"))
        self.refused(rows.delete)

    def test_a_finished_dataset_is_frozen(self) -> None:
        dataset = FeedbackDataset.objects.create(
            site=self.cast.central, number=1, schema_version="1", queued_at=cast.TAKEN
        )
        rows = FeedbackDataset.objects.filter(pk=dataset.pk)
        rows.update(status="running")
        rows.update(status="ready", manifest_sha256="a" * 64)
        self.refused(lambda: rows.update(manifest_sha256="b" * 64))
        self.refused(rows.delete)


@pytest.mark.parametrize("machine", sorted(MACHINES))
def test_the_trigger_knows_exactly_the_moves_of_the_table(machine: str) -> None:
    """The trigger that was migrated holds the same pairs as the table the services read."""
    model, field, choices = MACHINES[machine]
    trigger = next(t for t in model._meta.triggers if t.name == f"{machine}_{field}_moves")
    source = trigger.get_func(model)
    for old, new in itertools.permutations(choices.values, 2):
        assert (f"('{old}', '{new}')" in source) == states.is_legal(machine, old, new), (old, new)


class StateMachineTests(TestCase):
    """Every pair of report states, tried as raw SQL."""

    def test_raw_sql_moves_a_report_only_along_legal_moves(self) -> None:
        study = cast.study(cast.make().central)
        for old, new in itertools.permutations(states.ReportStatus.values, 2):
            with transaction.atomic():
                moved = self._try(study.pk, old, new)
                assert moved == states.is_legal("report", old, new), (old, new)
                Report.objects.filter(study=study).delete()

    def _try(self, study_pk: int, old: str, new: str) -> bool:
        report = Report.objects.create(study_id=study_pk)
        path = {
            "registered": [],
            "preliminary": ["preliminary"],
            "final": ["final"],
            "cancelled": ["cancelled"],
            "entered-in-error": ["final", "entered-in-error"],
        }.get(old, ["final", old])
        for step in path:
            Report.objects.filter(pk=report.pk).update(status=step)
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("UPDATE review_report SET status = %s WHERE id = %s", [new, report.pk])
        except DatabaseError:
            return False
        return True

    def test_a_row_starts_at_the_beginning(self) -> None:
        study = cast.study(cast.make().central)
        with pytest.raises(DatabaseError), transaction.atomic():
            Report.objects.create(study=study, status="final")


class AuditTests(TestCase):
    def test_columns_are_generated_from_the_canonical_bytes(self) -> None:
        people = cast.make()
        study = cast.study(people.central)
        first = audit.record(Verb.STUDY_OPENED, by=people.ruth, study=study)
        second = audit.record(Verb.STUDY_CLOSED, by=people.ruth, study=study, data={"seconds": 3.5})
        first.refresh_from_db()
        second.refresh_from_db()
        assert (second.chain, second.sequence, second.verb) == (f"study:{study.pk}", 2, "study.closed")
        assert (second.actor_id, second.study_id, second.site_id) == (
            people.ruth.pk,
            study.pk,
            people.central.pk,
        )
        assert first.sha256.encode() in bytes(second.canonical)

    def test_an_event_needs_the_transaction_of_its_act(self) -> None:
        outside = mock.patch.object(connections["default"], "in_atomic_block", new=False)
        with outside, pytest.raises(AssertionError, match="transaction"):
            audit.record(Verb.SIGNED_IN, by=None)

    def test_a_checkpoint_is_made_only_when_something_happened(self) -> None:
        assert audit.checkpoint() is None
        audit.record(Verb.SIGNED_IN, by=None)
        row = audit.checkpoint()
        assert row is not None
        audit.signing_key().public_key().verify(bytes(row.signature), bytes(row.canonical))
        assert audit.checkpoint() is None
