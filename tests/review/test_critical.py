"""Critical results: raised, told, read back, overdue; nobody who may not write records any of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from review import exceptions
from review.models.audit import AuditEvent, Verb
from review.models.critical import Communication, CriticalResult
from review.pipeline import sweeper
from review.services import critical
from tests.review import cast

MINUTES = CriticalResult.Urgency.MINUTES


class CriticalTests(TestCase):
    def setUp(self) -> None:
        self.people = cast.make()
        self.study = cast.study(self.people.central)
        self.client.force_login(self.people.ruth)

    def post(self, name: str, data: dict[str, str], *more: int) -> Any:
        return self.client.post(reverse(name, args=[self.study.study_instance_uid, *more]), data)

    def raised(self) -> CriticalResult:
        self.post("study-critical", {"finding": "Tension pneumothorax", "urgency": "1"})
        return CriticalResult.objects.get()

    def test_raised_told_and_read_back(self) -> None:
        result = self.raised()
        assert result.due_at - result.raised_at == timedelta(minutes=60)
        tried = {"told": "Ward 3", "method": "phone", "note": "no answer"}
        assert self.post("critical-communicate", tried, result.pk).status_code == 302
        result.refresh_from_db()
        assert result.acknowledged_at is None
        told = {"told": "Dr Ono, ward 3", "method": "phone", "read_back": "on"}
        self.post("critical-communicate", told, result.pk)
        result.refresh_from_db()
        assert result.acknowledged_at is not None
        assert list(Communication.objects.values_list("told", "read_back")) == [
            ("Ward 3", False),
            ("Dr Ono, ward 3", True),
        ]
        assert AuditEvent.objects.filter(verb=Verb.CRITICAL_COMMUNICATED).count() == 2
        assert self.post("critical-communicate", told, result.pk).status_code == 409

    def test_the_trail_holds_no_word_of_it(self) -> None:
        self.raised()
        event = AuditEvent.objects.get(verb=Verb.CRITICAL_RAISED)
        assert "pneumothorax" not in bytes(event.canonical).decode()

    def test_what_is_overdue_is_escalated_once(self) -> None:
        result = self.raised()
        assert sweeper.run()["escalated"] == 0
        CriticalResult.objects.update(due_at=timezone.now() - timedelta(minutes=1))
        assert sweeper.run()["escalated"] == 1
        assert sweeper.run()["escalated"] == 0
        assert AuditEvent.objects.filter(verb=Verb.CRITICAL_ESCALATED).count() == 1
        self.assertContains(self.client.get(reverse("critical")), "OVERDUE")
        result.refresh_from_db()
        assert result.is_overdue(timezone.now())

    def test_a_time_that_cannot_be_is_refused(self) -> None:
        result = self.raised()
        for told_at in (timezone.now() + timedelta(hours=1), timezone.now() - timedelta(hours=1)):
            with pytest.raises(exceptions.InvalidInput):
                critical.communicate(
                    result,
                    by=self.people.ruth,
                    told="Dr Ono",
                    told_at=told_at,
                    method=Communication.Method.PHONE,
                    read_back=True,
                )
        assert not Communication.objects.exists()

    def test_the_quality_lead_sees_and_does_not_record(self) -> None:
        result = self.raised()
        self.client.force_login(self.people.ada)
        self.assertContains(self.client.get(reverse("critical")), "Tension pneumothorax")
        told = {"told": "Dr Ono", "method": "phone", "read_back": "on"}
        assert self.post("critical-communicate", told, result.pk).status_code == 403
        assert self.post("study-critical", {"finding": "x", "urgency": "1"}).status_code == 403

    def test_a_stranger_sees_nothing(self) -> None:
        result = self.raised()
        self.client.force_login(self.people.petra)
        self.assertNotContains(self.client.get(reverse("critical")), "Tension")
        assert (
            self.post("critical-communicate", {"told": "x", "method": "phone"}, result.pk).status_code == 404
        )

    def test_htmx_gets_the_panel_again(self) -> None:
        result = self.raised()
        address = reverse("critical-communicate", args=[self.study.study_instance_uid, result.pk])
        told = {"told": "Dr Ono", "method": "person", "read_back": "on"}
        answer = self.client.post(address, told, headers={"HX-Request": "true"}, follow=True)
        self.assertContains(answer, "read back")
        self.assertContains(answer, "acknowledged")
