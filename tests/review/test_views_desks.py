"""Arrivals, feedback datasets, models, quality, the start, and the error pages."""

import io
import zipfile
from typing import Any
from uuid import uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from django.utils import timezone

from review.models.audit import AuditEvent, Verb
from review.models.feedback import FeedbackDataset
from review.models.reports import Signature
from review.models.states import ArrivalStatus, JobStatus
from review.models.studies import Arrival, Image
from review.services import reports
from tests.review import cast

JSON = {"Accept": "application/json"}
AUTHOR = Signature.Meaning.AUTHOR

DISCARD = {"decision": "discard", "note": "wrong patient", "reason_code": "patient-mismatch"}


class DeskTestCase(TestCase):
    def setUp(self) -> None:
        self.people = cast.make()

    def statuses(self, url: str) -> dict[str, int]:
        found = {}
        for name in ("ruth", "tomo", "petra", "ada", "nils", "tessa", "root"):
            self.client.force_login(getattr(self.people, name))
            found[name] = self.client.get(url).status_code
        return found


class ArrivalsTests(DeskTestCase):
    URL = "/arrivals/"

    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.people.tessa)

    def send(self, content: bytes = b"DICM", name: str = "a.dcm", **changes: object) -> Any:
        data = {"site": "central", "batch": str(uuid4()), "path": f"folder/{name}"} | changes
        data["file"] = SimpleUploadedFile(name, content)
        return self.client.post(self.URL, data, headers=JSON)

    def quarantined(self) -> Arrival:
        self.send()
        Arrival.objects.update(status=ArrivalStatus.RUNNING)
        Arrival.objects.update(
            status=ArrivalStatus.QUARANTINED, reason_code="patient-mismatch", reason="Another name."
        )
        return Arrival.objects.get()

    def test_who_may_come_in(self) -> None:
        expected = {
            "ruth": 200,
            "tomo": 403,
            "petra": 200,
            "ada": 403,
            "nils": 200,
            "tessa": 200,
            "root": 403,
        }
        assert self.statuses(self.URL) == expected

    def test_a_file_is_received(self) -> None:
        response = self.send()
        assert response.status_code == 201
        (arrival,) = response.json()["arrivals"]
        assert (arrival["filename"], arrival["status"]) == ("folder/a.dcm", "queued")
        assert AuditEvent.objects.filter(verb=Verb.FILE_RECEIVED).count() == 1

    def test_a_plain_form_works_too(self) -> None:
        data = {"site": "central", "file": SimpleUploadedFile("a.dcm", b"DICM")}
        self.assertRedirects(self.client.post(self.URL, data), self.URL)

    def test_an_archive_is_taken_file_by_file(self) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("one.dcm", b"1")
            archive.writestr("two.dcm", b"2")
        assert len(self.send(packed.getvalue(), "many.zip").json()["arrivals"]) == 2

    def test_an_empty_file_is_refused_in_words(self) -> None:
        (arrival,) = self.send(b"").json()["arrivals"]
        assert arrival["status"] == "refused"
        assert "empty" in arrival["reason"]

    def test_a_site_of_others_is_422(self) -> None:
        assert self.send(site="harbour").status_code == 422
        assert self.send(batch="nonsense").status_code == 422
        assert Arrival.objects.count() == 0

    def test_a_batch_is_told(self) -> None:
        batch = str(uuid4())
        self.send(batch=batch)
        self.send(b"other")
        response = self.client.get(self.URL, {"batch": batch}, headers=JSON)
        assert len(response.json()["arrivals"]) == 1
        assert self.client.get(self.URL, {"batch": "x"}, headers=JSON).status_code == 422

    def test_only_readers_get_a_link_to_the_study(self) -> None:
        batch = str(uuid4())
        self.send(batch=batch)
        cast.study(self.people.central)
        Arrival.objects.update(image=Image.objects.get())
        for person, is_linked in ((self.people.tessa, False), (self.people.ruth, True)):
            self.client.force_login(person)
            (arrival,) = self.client.get(self.URL, {"batch": batch}, headers=JSON).json()["arrivals"]
            assert bool(arrival["study_url"]) == is_linked

    def test_a_quarantined_file_is_shown_and_discarded(self) -> None:
        arrival = self.quarantined()
        self.assertContains(self.client.get(self.URL), "Another name.")
        url = f"/arrivals/{arrival.pk}/resolve/"
        self.assertRedirects(
            self.client.post(url, DISCARD),
            self.URL,
        )
        arrival.refresh_from_db()
        assert (arrival.status, arrival.resolved_by) == (ArrivalStatus.DISCARDED, self.people.tessa)
        assert self.client.post(url, DISCARD).status_code == 409
        assert AuditEvent.objects.filter(verb=Verb.FILE_RESOLVED).count() == 1

    def test_a_decision_needs_a_reason(self) -> None:
        url = f"/arrivals/{self.quarantined().pk}/resolve/"
        for data in ({"decision": "discard"}, {"decision": "burn", "note": "x"}, {}):
            assert self.client.post(url, data).status_code == 422

    def test_a_refused_file_is_read_again_by_those_who_import(self) -> None:
        self.client.force_login(self.people.tessa)
        self.send()
        arrival = Arrival.objects.get()
        Arrival.objects.filter(pk=arrival.pk).update(status=ArrivalStatus.RUNNING)
        Arrival.objects.filter(pk=arrival.pk).update(status=ArrivalStatus.REFUSED)
        url = f"/arrivals/{arrival.pk}/retry/"
        self.assertContains(self.client.get(self.URL), url)
        self.client.force_login(self.people.petra)
        assert self.client.post(url).status_code == 404
        self.client.force_login(self.people.ada)
        assert self.client.post(url).status_code == 403
        self.client.force_login(self.people.tessa)
        assert self.client.get(url).status_code == 405
        self.assertRedirects(self.client.post(url), self.URL)
        arrival.refresh_from_db()
        assert arrival.status == ArrivalStatus.QUEUED
        assert self.client.post(url).status_code == 409
        assert AuditEvent.objects.filter(verb=Verb.FILE_RECEIVED).count() == 2

    def test_strangers_decide_nothing(self) -> None:
        url = f"/arrivals/{self.quarantined().pk}/resolve/"
        for name, status in (("petra", 404), ("ada", 403)):
            self.client.force_login(getattr(self.people, name))
            assert self.client.post(url, DISCARD).status_code == status
        self.client.force_login(self.people.tessa)
        assert self.client.get(url).status_code == 405
        self.client.logout()
        self.assertRedirects(self.client.post(url), "/accounts/login/?next=/")


class FeedbackTests(DeskTestCase):
    URL = "/feedback/"

    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.people.nils)

    def ready(self) -> FeedbackDataset:
        self.client.post(self.URL, {"site": "central"})
        FeedbackDataset.objects.update(status=JobStatus.RUNNING)
        name = default_storage.save("feedback/test.zip", ContentFile(b"archive"))
        FeedbackDataset.objects.update(
            status=JobStatus.READY, storage_name=name, size=7, study_count=1, finished_at=timezone.now()
        )
        return FeedbackDataset.objects.get()

    def test_who_may_come_in(self) -> None:
        expected = {
            "ruth": 403,
            "tomo": 403,
            "petra": 403,
            "ada": 403,
            "nils": 200,
            "tessa": 403,
            "root": 403,
        }
        assert self.statuses(self.URL) == expected

    def test_asking_makes_a_numbered_dataset(self) -> None:
        self.assertRedirects(self.client.post(self.URL, {"site": "central"}), self.URL)
        assert FeedbackDataset.objects.get().number == 1
        self.assertContains(self.client.get(self.URL), 'data-live="2"')
        assert AuditEvent.objects.filter(verb=Verb.DATASET_REQUESTED).count() == 1

    def test_another_site_is_422(self) -> None:
        assert self.client.post(self.URL, {"site": "harbour"}).status_code == 422

    def test_a_ready_one_is_downloaded_and_that_is_recorded(self) -> None:
        dataset = self.ready()
        response = self.client.get(f"/feedback/{dataset.pk}/download/")
        assert b"".join(response) == b"archive"
        assert "feedback-central-0001.zip" in response["Content-Disposition"]
        assert AuditEvent.objects.filter(verb=Verb.DATASET_DOWNLOADED).count() == 1

    def test_one_that_is_not_ready_is_404(self) -> None:
        self.client.post(self.URL, {"site": "central"})
        pk = FeedbackDataset.objects.get().pk
        assert self.client.get(f"/feedback/{pk}/download/").status_code == 404

    def test_others_download_nothing(self) -> None:
        pk = self.ready().pk
        for name in ("ruth", "ada", "tessa"):
            self.client.force_login(getattr(self.people, name))
            assert self.client.get(f"/feedback/{pk}/download/").status_code == 403
        self.client.logout()
        url = f"/feedback/{pk}/download/"
        self.assertRedirects(self.client.get(url), f"/accounts/login/?next={url}")


class ModelsTests(DeskTestCase):
    def test_who_may_come_in(self) -> None:
        expected = {
            "ruth": 403,
            "tomo": 403,
            "petra": 403,
            "ada": 403,
            "nils": 200,
            "tessa": 403,
            "root": 403,
        }
        assert self.statuses("/models/") == expected

    def test_it_shows_the_digest_and_the_card_as_text(self) -> None:
        version = cast.model()
        version.card = "# Card <script>"
        version.save(update_fields=["card"])
        self.client.force_login(self.people.nils)
        response = self.client.get("/models/")
        self.assertContains(response, version.digest)
        self.assertContains(response, "# Card &lt;script&gt;")

    def test_no_model_is_a_state_of_its_own(self) -> None:
        self.client.force_login(self.people.nils)
        self.assertContains(self.client.get("/models/"), "No model is registered")
        assert self.client.post("/models/").status_code == 405


class QualityTests(DeskTestCase):
    def sign(self, number: int = 1, findings: str = "The right lung is hazy.") -> None:
        study = cast.study(self.people.central, number=number)
        text = reports.Text(findings, "No acute abnormality.", 0, cast.draft(study).pk)
        revision = reports.save(study, by=self.people.ruth, text=text)
        reports.sign(
            study,
            by=self.people.ruth,
            revision_number=1,
            sha256=revision.sha256,
            input_digest=study.input_digest,
            meaning=AUTHOR,
        )

    def test_who_may_come_in(self) -> None:
        expected = {
            "ruth": 403,
            "tomo": 403,
            "petra": 403,
            "ada": 200,
            "nils": 403,
            "tessa": 403,
            "root": 403,
        }
        assert self.statuses("/quality/") == expected

    def test_it_shows_signer_meaning_and_the_size_of_the_change(self) -> None:
        self.sign()
        self.client.force_login(self.people.ada)
        (row,) = self.client.get("/quality/").context["rows"]
        assert row["printed_name"] == "Dr Ruth"
        assert row["changed"] == 10  # one of ten words, full stops included
        assert row["ai_seen_first"]

    def test_queries_do_not_grow_with_the_rows(self) -> None:
        self.sign()
        self.client.force_login(self.people.ada)
        self.client.get("/quality/")
        with self.assertNumQueries(6):
            self.client.get("/quality/")
        for number in range(2, 6):
            self.sign(number)
        with self.assertNumQueries(6):
            self.client.get("/quality/")

    def test_nonsense_is_422(self) -> None:
        self.client.force_login(self.people.ada)
        assert self.client.get("/quality/?before=x").status_code == 422


class ErrorPageTests(DeskTestCase):
    def test_an_unknown_address_is_a_page_of_ours(self) -> None:
        self.client.force_login(self.people.ruth)
        response = self.client.get("/no-such-place/")
        self.assertContains(response, "Nothing is here for you", status_code=404)

    def test_a_wrong_role_gets_a_page_of_ours(self) -> None:
        self.client.force_login(self.people.ruth)
        self.assertContains(self.client.get("/quality/"), "Not allowed", status_code=403)

    def test_the_start_leads_to_each_persons_place(self) -> None:
        for name, place in (
            ("ruth", "/studies/"),
            ("ada", "/studies/"),
            ("nils", "/feedback/"),
            ("tessa", "/arrivals/"),
        ):
            self.client.force_login(getattr(self.people, name))
            self.assertRedirects(self.client.get("/"), place)

    def test_the_theme_is_taken_from_its_cookie_and_nothing_else(self) -> None:
        self.client.force_login(self.people.ruth)
        self.client.cookies["theme"] = "light"
        self.assertContains(self.client.get("/studies/"), 'data-theme="light"')
        self.client.cookies["theme"] = '"><script>'
        self.assertNotContains(self.client.get("/studies/"), "data-theme=")

    def test_signing_in_and_out_is_in_our_look(self) -> None:
        response = self.client.get("/accounts/login/")
        self.assertContains(response, "css/tokens.css")
        self.assertContains(response, "User name")
        self.client.force_login(self.people.ruth)
        for url in ("/accounts/2fa/", "/accounts/reauthenticate/", "/accounts/logout/"):
            self.assertContains(self.client.get(url), "css/tokens.css", msg_prefix=url)
