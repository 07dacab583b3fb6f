"""At a silent site drafts are made and compared later; nobody there is told of them, in no history either."""

from django.db import transaction
from django.test import Client, TestCase

from review import audit
from review.models.audit import Verb
from review.models.reports import Signature
from review.services import reports
from tests.review import api_case, cast


class SilentSiteTests(TestCase):
    def setUp(self) -> None:
        self.cast = cast.make()
        self.study = cast.study(self.cast.central)
        draft = cast.draft(self.study)
        for verb in (Verb.DRAFT_REQUESTED, Verb.DRAFT_WITHHELD, Verb.DRAFT_READY):
            with transaction.atomic():
                data = {"draft": draft.pk, "model": "f" * 64, "reason": "secret reason"}
                audit.record(verb, by=None, study=self.study, data=data)
        self.sign()
        self.ada = Client()
        self.ada.force_login(self.cast.ada)

    def sign(self) -> None:
        """Signed while drafts were shown; the site fell silent afterwards."""
        text = reports.Text("The right lung is hazy.", "No acute abnormality.", 0)
        revision = reports.save(self.study, by=self.cast.ruth, text=text)
        reports.sign(
            self.study,
            by=self.cast.ruth,
            revision_number=revision.number,
            sha256=revision.sha256,
            input_digest=self.study.input_digest,
            meaning=Signature.Meaning.AUTHOR,
        )

    def fall_silent(self) -> None:
        self.cast.central.stage = "silent"
        self.cast.central.save(update_fields=["stage"])

    def history(self):
        return self.ada.get(f"/studies/{self.study.study_instance_uid}/history/")

    def test_the_history_says_nothing_of_drafts(self) -> None:
        self.assertContains(self.history(), "draft withheld")
        self.fall_silent()
        response = self.history()
        self.assertContains(response, "report signed")
        for word in ("draft requested", "draft withheld", "draft ready", "ffffffffffff", "<del>"):
            self.assertNotContains(response, word)
        assert response.context["comparison"] is None

    def test_the_first_text_is_not_compared_with_the_draft(self) -> None:
        self.fall_silent()
        saved = next(event for event in self.history().context["events"] if event["difference"])
        assert all("<del>" not in part["difference"] for part in saved["difference"])

    def test_the_quality_desk_does_not_either(self) -> None:
        self.fall_silent()
        (row,) = self.ada.get("/quality/").context["rows"]
        assert (row["changed"], row["model_digest"]) == (None, "")

    def test_nor_do_programs(self) -> None:
        ada = api_case.client(self.cast.ada)
        path = f"/api/v1/studies/{self.study.study_instance_uid}/audit/"
        assert "secret reason" in ada.get(path).content.decode()
        self.fall_silent()
        response = ada.get(path)
        verbs = {event["verb"] for event in response.json()["events"]}
        assert "report.signed" in verbs
        assert not any(verb.startswith("draft.") for verb in verbs)
        assert "secret reason" not in response.content.decode()
