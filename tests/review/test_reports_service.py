from datetime import timedelta
from unittest import mock

import pytest
from django.test import Client, TestCase
from django.utils import timezone

from inference.text import normal
from review import exceptions
from review.models.audit import AuditEvent, Verb
from review.models.reports import Report, Revision, Signature
from review.models.worklist import WorklistEntry
from review.services import reports
from tests.review import cast

AUTHOR = Signature.Meaning.AUTHOR


class ReportCase(TestCase):
    def setUp(self) -> None:
        self.cast = cast.make()
        self.study = cast.study(self.cast.central)
        self.draft = cast.draft(self.study)

    def save(self, findings: str = "Clear.", based_on: int = 0, by=None) -> Revision:
        text = reports.Text(findings, "Normal.", based_on, self.draft.pk)
        return reports.save(self.study, by=by or self.cast.ruth, text=text)

    def sign(self, revision: Revision, by=None, meaning=AUTHOR) -> Signature:
        return reports.sign(
            self.study,
            by=by or self.cast.ruth,
            revision_number=revision.number,
            sha256=revision.sha256,
            input_digest=self.study.input_digest,
            meaning=meaning,
        )

    def verbs(self) -> list[str]:
        return list(AuditEvent.objects.order_by("id").values_list("verb", flat=True))


class SaveTests(ReportCase):
    def test_it_works(self) -> None:
        revision = self.save()
        assert (revision.number, revision.draft) == (1, self.draft)
        assert revision.sha256 == normal.report_sha256("Clear.", "Normal.")
        assert WorklistEntry.objects.get(study=self.study).status == "reading"
        assert self.verbs() == [Verb.REPORT_SAVED]

    def test_the_same_text_again_is_the_same_revision(self) -> None:
        assert self.save() == self.save(based_on=1) == self.save(based_on=0)
        assert Revision.objects.count() == 1

    def test_an_older_base_is_a_conflict_that_carries_the_other_text(self) -> None:
        self.save("Mine.")
        with pytest.raises(exceptions.RevisionConflict) as caught:
            self.save("Theirs.", based_on=0, by=self.cast.omar)
        assert caught.value.errors["current"]["findings"] == "Mine."
        assert Revision.objects.count() == 1

    def test_text_is_kept_in_normal_form(self) -> None:
        assert self.save("Cafe\u0301\r\nclear").findings == "Caf\u00e9\nclear"

    def test_it_refuses_a_reader_without_the_right(self) -> None:
        for person in (self.cast.ada, self.cast.petra, self.cast.root, self.cast.tessa, self.cast.nils):
            with pytest.raises(exceptions.NotAllowed):
                self.save(by=person)

    def test_it_refuses_while_another_person_holds_the_lock(self) -> None:
        reports.lock(self.study, by=self.cast.omar)
        with pytest.raises(exceptions.ReportLocked) as caught:
            self.save()
        assert caught.value.errors["lock"]["holder"] == "Dr Omar"

    def test_it_refuses_a_nul_character_and_endless_text(self) -> None:
        for text in ("a\x00b", "a\ud800b", "x" * 60_000):
            with pytest.raises(exceptions.InvalidInput):
                self.save(text)

    def test_provenance_tells_ai_from_edited_from_human(self) -> None:
        revision = self.save("The right lung is clear. The left lung was not in the draft at all.")
        assert [row["origin"] for row in revision.provenance] == ["ai", "human", "human"]

    def test_whether_ai_was_seen_first_is_recorded_once(self) -> None:
        self.save()
        assert Report.objects.get(study=self.study).ai_seen_first is True

    def test_what_was_on_screen_when_the_site_fell_silent_was_seen(self) -> None:
        self.cast.central.stage = "silent"
        self.cast.central.save(update_fields=["stage"])
        revision = self.save("The right lung is clear.")
        assert revision.report.ai_seen_first is True
        assert revision.provenance[0]["origin"] == "ai"

    def test_a_withheld_draft_was_not_seen(self) -> None:
        other = cast.study(self.cast.central, number=2)
        withheld = cast.draft(other, withheld="outside-domain")
        text = reports.Text("Clear.", "", 0, withheld.pk)
        assert reports.save(other, by=self.cast.ruth, text=text).draft is None
        assert Report.objects.get(study=other).ai_seen_first is False


class LockTests(ReportCase):
    def test_a_second_person_is_told_who_holds_it(self) -> None:
        reports.lock(self.study, by=self.cast.ruth)
        with pytest.raises(exceptions.ReportLocked):
            reports.lock(self.study, by=self.cast.omar)

    def test_a_heartbeat_keeps_it_without_another_event(self) -> None:
        first = reports.lock(self.study, by=self.cast.ruth)
        since, expires = first.locked_at, first.lock_expires_at
        second = reports.lock(self.study, by=self.cast.ruth)
        assert second.locked_at == since
        assert second.lock_expires_at >= expires
        assert self.verbs() == [Verb.REPORT_LOCKED]

    def test_it_expires(self) -> None:
        reports.lock(self.study, by=self.cast.ruth)
        later = timezone.now() + timedelta(hours=1)
        with mock.patch("review.services.reports.timezone.now", return_value=later):
            assert reports.lock(self.study, by=self.cast.omar).locked_by == self.cast.omar

    def test_taking_over_is_recorded_with_whom_it_was_taken_from(self) -> None:
        reports.lock(self.study, by=self.cast.ruth)
        assert reports.take_over(self.study, by=self.cast.omar).locked_by == self.cast.omar
        assert self.verbs()[-1] == Verb.REPORT_TAKEN_OVER

    def test_only_the_holder_releases(self) -> None:
        reports.lock(self.study, by=self.cast.ruth)
        reports.release(self.study, by=self.cast.omar)
        assert Report.objects.get(study=self.study).locked_by == self.cast.ruth
        reports.release(self.study, by=self.cast.ruth)
        assert Report.objects.get(study=self.study).locked_by is None


class SignTests(ReportCase):
    def test_it_works(self) -> None:
        signature = self.sign(self.save())
        assert (signature.role, signature.resulting_status) == ("radiologist", "final")
        assert b'"findings":"Clear."' in bytes(signature.content)
        entry = WorklistEntry.objects.get(study=self.study)
        assert (entry.status, entry.is_open, entry.signed_at) == ("signed", False, signature.signed_at)
        assert self.verbs()[-1] == Verb.REPORT_SIGNED

    def test_it_signs_only_what_was_on_screen(self) -> None:
        old = self.save("First.")
        self.save("Second.", based_on=1)
        with pytest.raises(exceptions.RevisionConflict):
            self.sign(old)

    def test_it_refuses_when_an_image_came_after_the_screen_was_drawn(self) -> None:
        revision = self.save()
        type(self.study).objects.filter(pk=self.study.pk).update(input_digest="b" * 64)
        with pytest.raises(exceptions.StudyChanged):
            self.sign(revision)

    def test_nothing_saved_is_nothing_to_sign(self) -> None:
        with pytest.raises(exceptions.RevisionConflict):
            reports.sign(
                self.study,
                by=self.cast.ruth,
                revision_number=0,
                sha256="",
                input_digest=self.study.input_digest,
                meaning=AUTHOR,
            )

    def test_an_empty_report_is_refused(self) -> None:
        revision = reports.save(self.study, by=self.cast.ruth, text=reports.Text("  ", "", 0))
        with pytest.raises(exceptions.EmptyReport):
            self.sign(revision)

    def test_a_trainee_signs_as_preliminary_and_a_radiologist_finishes(self) -> None:
        revision = self.save(by=self.cast.tomo)
        assert self.sign(revision, by=self.cast.tomo).resulting_status == "preliminary"
        with pytest.raises(exceptions.IllegalMove):
            self.sign(revision, by=self.cast.tomo)
        final = self.sign(revision, meaning=Signature.Meaning.APPROVER)
        assert final.resulting_status == "final"

    def test_a_trainee_signs_again_what_was_changed_since(self) -> None:
        self.sign(self.save(by=self.cast.tomo), by=self.cast.tomo)
        changed = self.save("Clear, seen again.", based_on=1, by=self.cast.tomo)
        assert self.sign(changed, by=self.cast.tomo).resulting_status == "preliminary"

    def test_the_page_puts_a_signature_under_its_own_text_only(self) -> None:
        self.sign(self.save(by=self.cast.tomo), by=self.cast.tomo)
        self.sign(self.save("Rewritten.", based_on=1))
        client = Client()
        client.force_login(self.cast.ada)
        response = client.get(f"/studies/{self.study.study_instance_uid}/")
        names = [row.printed_name for row in response.context["signatures"]]
        assert names == ["Dr Ruth"]
        assert [row.printed_name for row in response.context["earlier_signatures"]] == ["Dr Tomo"]
        self.assertContains(response, "Signatures on earlier texts")

    def test_a_signed_report_cannot_be_edited_or_signed_again(self) -> None:
        revision = self.save()
        self.sign(revision)
        with pytest.raises(exceptions.ReportSigned):
            self.save("Other.", based_on=1)
        with pytest.raises(exceptions.ReportSigned):
            self.sign(revision)


class AddendumTests(ReportCase):
    def test_it_leaves_the_signed_original_byte_equal(self) -> None:
        before = bytes(self.sign(self.save()).content)
        addendum = reports.add_addendum(self.study, by=self.cast.omar, text="Compared with 2024: unchanged.")
        assert (addendum.number, addendum.signature.resulting_status) == (1, "appended")
        assert bytes(Signature.objects.get(revision__isnull=False).content) == before
        assert self.verbs()[-1] == Verb.ADDENDUM_ADDED
        assert reports.add_addendum(self.study, by=self.cast.ruth, text="More.").number == 2

    def test_it_needs_a_signed_report_text_and_the_right(self) -> None:
        with pytest.raises(exceptions.IllegalMove):
            reports.add_addendum(self.study, by=self.cast.ruth, text="Early.")
        self.sign(self.save())
        with pytest.raises(exceptions.InvalidInput):
            reports.add_addendum(self.study, by=self.cast.ruth, text="  ")
        with pytest.raises(exceptions.NotAllowed):
            reports.add_addendum(self.study, by=self.cast.tomo, text="Trainee.")
