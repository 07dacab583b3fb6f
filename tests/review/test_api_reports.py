from typing import Any

from django.test import Client

from review.models.audit import AuditEvent, Verb
from review.models.reports import Revision, Signature
from review.services import reports
from tests.review import cast
from tests.review.api_case import ApiCase, assert_error, client


class ReportTests(ApiCase):
    def put(self, who: Client | None = None, **body: object) -> Any:
        given = {"based_on": 0, "findings": "Clear.", "impression": ""} | body
        return (who or self.ruth).put(self.path("report/"), given, content_type="application/json")

    def test_the_ladder(self) -> None:
        self.climb("report/")

    def test_before_anything_was_saved_it_is_empty(self) -> None:
        body = self.ruth.get(self.path("report/")).json()
        assert (body["status"], body["revision"], body["findings"]) == ("registered", 0, "")
        assert AuditEvent.objects.filter(verb=Verb.STUDY_OPENED).count() == 1

    def test_a_save_is_the_next_revision_to_the_letter(self) -> None:
        text = "  Line one.\r\nLine two. \n"
        saved = self.put(findings=text, draft_id=cast.draft(self.study).pk)
        assert (saved.status_code, saved.json()["revision"]) == (200, 1)
        body = self.ruth.get(self.path("report/")).json()
        assert body["findings"] == "  Line one.\nLine two. \n"
        assert body["sha256"] == saved.json()["sha256"]
        assert (body["author"], body["ai_seen_first"]) == ("Dr Ruth", True)
        assert AuditEvent.objects.filter(verb=Verb.REPORT_SAVED).count() == 1

    def test_a_second_press_is_harmless(self) -> None:
        assert self.put().json() == self.put().json()
        assert Revision.objects.count() == 1

    def test_the_loser_gets_both_texts(self) -> None:
        self.put(findings="Hers.")
        body = assert_error(self.put(client(self.cast.omar), findings="His."), 409, "revision-conflict")
        assert body["errors"]["current"]["findings"] == "Hers."
        assert body["errors"]["yours"] == {"findings": "His.", "impression": ""}
        assert Revision.objects.count() == 1

    def test_a_lock_is_respected(self) -> None:
        reports.lock(self.study, by=self.cast.omar)
        body = assert_error(self.put(), 423, "report-locked")
        assert body["errors"]["lock"]["holder"] == "Dr Omar"

    def test_who_may_not_write_may_not_save(self) -> None:
        assert_error(self.put(client(self.cast.ada)), 403, "not-allowed")
        assert_error(self.put(client(self.cast.petra)), 404, "not-found")
        assert_error(self.put(client(None)), 401, "not-authenticated")
        assert Revision.objects.count() == 0

    def test_nonsense_is_refused_by_field(self) -> None:
        for body, field in (
            ({"based_on": -1}, "based_on"),
            ({"based_on": "x"}, "based_on"),
            ({"findings": None}, "findings"),
            ({"impression": ["a"]}, "impression"),
            ({"findings": "a\x00b"}, "findings"),
        ):
            assert field in assert_error(self.put(**body), 422, "invalid-input")["errors"]
        self.assert_bad_body("{", 400, "parse-error")
        self.assert_bad_body("[]", 422, "invalid-input")
        assert_error(self.put(findings="x" * 60_000), 422, "invalid-input")

    def assert_bad_body(self, body: str, status: int, code: str) -> None:
        response = self.ruth.put(self.path("report/"), body, content_type="application/json")
        assert_error(response, status, code)

    def test_a_signed_report_tells_its_signatures_and_takes_no_text(self) -> None:
        revision = reports.save(self.study, by=self.cast.ruth, text=reports.Text("Clear.", "Normal.", 0))
        reports.sign(
            self.study,
            by=self.cast.ruth,
            revision_number=1,
            sha256=revision.sha256,
            input_digest=self.study.input_digest,
            meaning=Signature.Meaning.AUTHOR,
        )
        reports.add_addendum(self.study, by=self.cast.omar, text="Told to the ward.")
        body = self.ruth.get(self.path("report/")).json()
        assert body["status"] == "appended"
        assert [one["printed_name"] for one in body["signatures"]] == ["Dr Ruth", "Dr Omar"]
        assert [one["revision"] for one in body["signatures"]] == [1, None]
        assert body["addenda"][0]["text"] == "Told to the ward."
        assert_error(self.put(based_on=1, findings="More."), 409, "report-signed")
