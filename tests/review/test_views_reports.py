"""Saving, locking, signing and adding, through their doors."""

import json
from typing import Any

from django.core.cache import cache
from django.test import Client, TestCase
from django.urls import reverse

from inference.text import normal
from review.models.audit import AuditEvent, Verb
from review.models.reports import Addendum, Report, Revision, Signature
from review.models.states import ReportStatus
from review.services import reports
from tests.review import cast

JSON = {"Accept": "application/json"}
AUTHOR = Signature.Meaning.AUTHOR


class ReportTestCase(TestCase):
    def setUp(self) -> None:
        cache.clear()  # allauth counts attempts there.
        self.people = cast.make()
        self.study = cast.study(self.people.central)
        self.client.force_login(self.people.ruth)

    def url(self, name: str) -> str:
        return reverse(name, args=[self.study.study_instance_uid])

    def save(
        self, findings: str = "Clear.", impression: str = "", based_on: object = 0, **headers: str
    ) -> Any:
        body = {"based_on": based_on, "findings": findings, "impression": impression}
        return self.client.post(
            self.url("report-save"), json.dumps(body), content_type="application/json", headers=JSON | headers
        )

    def count(self, verb: Verb) -> int:
        return AuditEvent.objects.filter(verb=verb).count()


class SaveTests(ReportTestCase):
    def test_it_works_and_tells_number_and_hash(self) -> None:
        response = self.save("Right\r\nlung clear.", "Caf\u0065\u0301")
        assert response.status_code == 200
        body = response.json()
        assert body["revision"] == 1
        assert body["sha256"] == normal.report_sha256("Right\nlung clear.", "Café")
        assert Revision.objects.get().findings == "Right\nlung clear."
        assert self.count(Verb.REPORT_SAVED) == 1

    def test_blanks_are_kept_as_typed(self) -> None:
        self.save("  two  blanks \n\n")
        assert Revision.objects.get().findings == "  two  blanks \n\n"

    def test_the_same_again_is_harmless(self) -> None:
        assert self.save().json()["revision"] == 1
        assert self.save().json()["revision"] == 1
        assert self.count(Verb.REPORT_SAVED) == 1

    def test_the_loser_gets_409_and_the_other_text(self) -> None:
        self.save("Mine.")
        response = self.save("Theirs.", based_on=0)
        assert response.status_code == 409
        body = response.json()
        assert body["code"] == "revision-conflict"
        assert body["status"] == 409
        assert body["errors"]["current"]["findings"] == "Mine."
        assert body["errors"]["current"]["revision"] == 1

    def test_anothers_lock_is_423_and_says_who(self) -> None:
        reports.lock(self.study, by=self.people.omar)
        response = self.save()
        assert response.status_code == 423
        assert response.json()["errors"]["lock"]["holder"] == "Dr Omar"

    def test_a_qa_lead_is_refused(self) -> None:
        self.client.force_login(self.people.ada)
        response = self.save()
        assert (response.status_code, response.json()["code"]) == (403, "not-allowed")

    def test_a_page_of_another_user_saves_nothing(self) -> None:
        response = self.save(**{"X-Review-User": str(self.people.omar.pk)})
        assert response.status_code == 403
        assert Revision.objects.count() == 0

    def test_nonsense_is_422(self) -> None:
        for based_on in (None, "", -1, "one", 2**40):
            assert self.save(based_on=based_on).status_code == 422, based_on
        assert self.save("x" * 50001).status_code == 422
        assert self.save("nul\x00").status_code == 422
        for body in ("", "[]", "{", '"text"', "3"):
            response = self.client.post(
                self.url("report-save"), body, content_type="application/json", headers=JSON
            )
            assert response.status_code == 422, body

    def test_without_a_session_it_is_401(self) -> None:
        self.client.logout()
        assert self.save().status_code == 401

    def test_without_a_csrf_token_it_is_refused(self) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(self.people.ruth)
        response = strict.post(self.url("report-save"), "{}", content_type="application/json", headers=JSON)
        assert response.status_code == 403


class LockTests(ReportTestCase):
    def act(self, action: str) -> Any:
        return self.client.post(self.url("report-lock"), {"action": action}, headers=JSON)

    def test_hold_beat_and_release(self) -> None:
        assert self.act("hold").json()["mine"]
        self.act("hold")
        assert self.count(Verb.REPORT_LOCKED) == 1
        assert self.act("release").json()["holder"] is None
        self.act("release")
        assert self.count(Verb.REPORT_RELEASED) == 1

    def test_a_colleague_sees_the_holder_and_may_take_over(self) -> None:
        self.act("hold")
        self.client.force_login(self.people.omar)
        state = self.client.get(self.url("report-lock")).json()
        assert (state["mine"], state["holder"]) == (False, "Dr Ruth")
        assert self.act("hold").status_code == 423
        assert self.act("take-over").json()["mine"]
        assert self.count(Verb.REPORT_TAKEN_OVER) == 1

    def test_nonsense_is_422(self) -> None:
        assert self.act("steal").status_code == 422


class SignTests(ReportTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.saved = self.save("Clear.", "Normal.").json()

    def sign(self, *, password: str = cast.PASSWORD, **changes: object) -> Any:
        data = {
            "revision": 1,
            "sha256": self.saved["sha256"],
            "input_digest": self.study.input_digest,
            "meaning": "author",
            "password": password,
        } | changes
        return self.client.post(self.url("report-sign"), data, headers=JSON)

    def test_it_works_and_the_page_is_read_only_then(self) -> None:
        response = self.sign()
        assert response.status_code == 200
        assert response.json()["next"] == self.url("study")
        assert Report.objects.get().status == ReportStatus.FINAL
        assert self.count(Verb.REPORT_SIGNED) == 1
        page = self.client.get(self.url("study"))
        self.assertNotContains(page, 'id="report-editor"')
        self.assertContains(page, Signature.objects.get().content_sha256)

    def test_a_plain_form_is_sent_back_to_the_study(self) -> None:
        data = {
            "revision": 1,
            "sha256": self.saved["sha256"],
            "input_digest": self.study.input_digest,
            "meaning": "author",
            "password": cast.PASSWORD,
        }
        self.assertRedirects(self.client.post(self.url("report-sign"), data), self.url("study"))

    def test_the_wrong_password_signs_nothing(self) -> None:
        for password in ("wrong", ""):
            response = self.sign(password=password)
            assert (response.status_code, response.json()["code"]) == (403, "reauthentication-failed")
        assert Signature.objects.count() == 0

    def test_guessing_is_limited(self) -> None:
        for _try in range(12):
            self.sign(password="wrong")
        assert self.sign().status_code == 403

    def test_only_what_was_on_screen_is_signed(self) -> None:
        self.save("Other.", based_on=1)
        assert self.sign().status_code == 409
        assert self.sign(revision=2).status_code == 409

    def test_twice_signs_once(self) -> None:
        self.sign()
        response = self.sign()
        assert (response.status_code, response.json()["code"]) == (409, "report-signed")
        assert Signature.objects.count() == 1

    def test_a_trainee_signs_a_preliminary_report(self) -> None:
        self.client.force_login(self.people.tomo)
        self.sign()
        assert Report.objects.get().status == ReportStatus.PRELIMINARY
        assert self.sign(meaning="approver").status_code == 403

    def test_a_qa_lead_is_refused(self) -> None:
        self.client.force_login(self.people.ada)
        assert self.sign().status_code == 403

    def test_nonsense_is_422(self) -> None:
        for changes in ({"revision": 0}, {"sha256": "x"}, {"meaning": "owner"}):
            assert self.sign(**changes).status_code == 422, changes

    def test_saving_after_signing_is_409(self) -> None:
        self.sign()
        response = self.save("More.", based_on=1)
        assert (response.status_code, response.json()["code"]) == (409, "report-signed")


class AddendumTests(ReportTestCase):
    def setUp(self) -> None:
        super().setUp()
        sha256 = self.save("Clear.", "Normal.").json()["sha256"]
        reports.sign(
            self.study,
            by=self.people.ruth,
            revision_number=1,
            sha256=sha256,
            input_digest=self.study.input_digest,
            meaning=AUTHOR,
        )

    def add(self, text: str = "Called the ward.", password: str = cast.PASSWORD) -> Any:
        return self.client.post(self.url("report-addenda"), {"text": text, "password": password})

    def test_it_works_and_leaves_the_signed_bytes_alone(self) -> None:
        before = bytes(Signature.objects.get().content)
        self.assertRedirects(self.add(), self.url("study"))
        assert Report.objects.get().status == ReportStatus.APPENDED
        assert bytes(Signature.objects.get(addendum=None).content) == before
        self.assertContains(self.client.get(self.url("study")), "Called the ward.")
        assert self.count(Verb.ADDENDUM_ADDED) == 1

    def test_a_refusal_keeps_what_was_typed(self) -> None:
        response = self.add(password="wrong")
        self.assertContains(response, "Called the ward.", status_code=403)
        assert Addendum.objects.count() == 0

    def test_empty_text_is_422(self) -> None:
        assert self.add(text=" \n ").status_code == 422

    def test_trainees_and_qa_leads_are_refused(self) -> None:
        for person in (self.people.tomo, self.people.ada):
            self.client.force_login(person)
            assert self.add().status_code == 403

    def test_an_unsigned_report_takes_none(self) -> None:
        self.study = cast.study(self.people.central, number=2)
        assert self.add().status_code == 409
