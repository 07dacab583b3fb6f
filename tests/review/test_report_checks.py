"""Questions about a text before it is signed: asked, decided on by a person, and kept with the signature."""

import json

import pytest
import rfc8785
from django.test import Client, TestCase

from review import exceptions
from review.models.audit import AuditEvent
from review.models.reports import Signature
from review.selectors import checks
from review.services import reports
from tests.review import cast

AUTHOR = Signature.Meaning.AUTHOR


class ChecksCase(TestCase):
    def setUp(self) -> None:
        self.cast = cast.make()
        self.study = cast.study(self.cast.central)

    def keys(self, findings: str, impression: str, by=None) -> list[str]:
        asked = checks.of_text(self.study, by or self.cast.ruth, findings, impression)
        return [str(one.kind) for one in asked.warnings + asked.gaps]

    def save(self, findings: str, impression: str):
        text = reports.Text(findings, impression, 0)
        return reports.save(self.study, by=self.cast.ruth, text=text)

    def sign(self, revision, decided=()) -> Signature:
        return reports.sign(
            self.study,
            by=self.cast.ruth,
            revision_number=revision.number,
            sha256=revision.sha256,
            input_digest=self.study.input_digest,
            meaning=AUTHOR,
            decided=decided,
        )


class CircumstancesTests(ChecksCase):
    def test_outlines_count_as_far_as_they_are_trusted(self) -> None:
        cast.draft(self.study, structures=("pneumothorax_left",))
        assert self.keys("No pneumothorax.", "Normal.") == ["denied-outline"]

    def test_without_a_draft_no_outline_is_missed(self) -> None:
        assert self.keys("Left pneumothorax.", "Left pneumothorax.") == []

    def test_at_a_silent_site_the_checks_tell_nothing_of_outlines(self) -> None:
        cast.draft(self.study, structures=("pneumothorax_left",))
        self.cast.central.stage = "silent"
        self.cast.central.save(update_fields=["stage"])
        self.study.refresh_from_db()
        assert self.keys("No pneumothorax.", "Normal.") == []

    def test_an_earlier_study_of_the_patient_is_a_prior_and_a_strangers_is_not(self) -> None:
        said = ("Unchanged effusion.", "Effusion, unchanged.")
        assert self.keys(*said) == ["no-prior", "no-prior"]
        other = cast.study(self.cast.central, number=2)
        type(other).objects.filter(pk=other.pk).update(started_at=cast.TAKEN.replace(year=2020))
        assert self.keys(*said) == ["no-prior", "no-prior"]
        type(other).objects.filter(pk=other.pk).update(patient=self.study.patient)
        assert self.keys(*said) == []

    def test_a_patients_sex_and_age(self) -> None:
        assert self.keys("She coughs. Clear.", "Normal.") == ["person"]


class SignTests(ChecksCase):
    def test_a_question_nobody_decided_on_stops_the_signature(self) -> None:
        revision = self.save("Left effusion.", "Right effusion.")
        with pytest.raises(exceptions.ChecksOpen) as caught:
            self.sign(revision)
        assert caught.value.errors == {"open": ["side|impression:0|Pleural Effusion"]}
        assert not Signature.objects.exists()

    def test_who_decided_signs_and_the_signature_says_so(self) -> None:
        revision = self.save("Left effusion.", "Right effusion.")
        key = "side|impression:0|Pleural Effusion"
        signature = self.sign(revision, [key, "of-something-else"])
        content = json.loads(bytes(signature.content))
        assert content["checks"] == {"in_spite_of": [key], "not_checked": []}
        assert rfc8785.dumps(content) == bytes(signature.content)
        event = AuditEvent.objects.get(verb="report.signed")
        assert json.loads(bytes(event.canonical))["data"]["signed_in_spite_of"] == ["side"]

    def test_a_clean_report_is_asked_nothing(self) -> None:
        signature = self.sign(self.save("Lungs are clear. No effusion.", "Normal chest."))
        assert json.loads(bytes(signature.content))["checks"]["in_spite_of"] == []


class DoorTests(ChecksCase):
    def setUp(self) -> None:
        super().setUp()
        self.client = Client()
        self.url = f"/studies/{self.study.study_instance_uid}/report/check/"

    def ask(self, **text: str):
        return self.client.post(self.url, text, content_type="application/json")

    def test_it_answers_in_words_with_places(self) -> None:
        self.client.force_login(self.cast.ruth)
        body = self.ask(findings="𝒳 Left effusion. [ ]", impression="Right effusion.").json()
        assert [(one["kind"], one["text"]) for one in body["warnings"]] == [
            ("leftover", "Left open: [ ]"),
            ("side", "Pleural effusion: the impression names a side that the findings do not"),
        ]
        assert body["warnings"][0]["place"] == {"section": "findings", "start": 17, "end": 20}
        assert body["gaps"] == []

    def test_a_cited_outline_is_named_by_the_id_the_page_knows(self) -> None:
        draft = cast.draft(self.study, structures=("pneumothorax_left",))
        self.client.force_login(self.cast.ruth)
        (gap,) = self.ask(findings="Clear.", impression="").json()["gaps"]
        assert gap["masks"] == [draft.masks.get().pk]
        assert gap["text"] == "Outlined, not mentioned: Left pneumothorax"

    def test_a_stranger_is_told_nothing(self) -> None:
        self.client.force_login(self.cast.petra)
        assert self.ask(findings="Clear.", impression="").status_code == 404

    def test_what_is_no_text_is_refused(self) -> None:
        self.client.force_login(self.cast.ruth)
        assert self.client.post(self.url, "[1]", content_type="application/json").status_code == 422

    def test_signing_by_the_form_carries_the_decision(self) -> None:
        revision = self.save("Left effusion.", "Right effusion.")
        self.client.force_login(self.cast.ruth)
        given = {
            "revision": revision.number,
            "sha256": revision.sha256,
            "input_digest": self.study.input_digest,
            "meaning": "author",
            "password": cast.PASSWORD,
        }
        url = self.url.replace("check", "sign")
        refused = self.client.post(url, given, headers={"accept": "application/json"})
        assert (refused.status_code, refused.json()["code"]) == (409, "checks-open")
        given["decided"] = json.dumps(refused.json()["errors"]["open"])
        signed = self.client.post(url, given, headers={"accept": "application/json"})
        assert signed.status_code == 200

    def test_a_decision_that_is_no_list_is_refused(self) -> None:
        self.client.force_login(self.cast.ruth)
        given = {"revision": 1, "sha256": "a" * 64, "input_digest": "b" * 64, "meaning": "author"}
        response = self.client.post(
            self.url.replace("check", "sign"),
            given | {"decided": '{"a": 1}'},
            headers={"accept": "application/json"},
        )
        assert response.status_code == 422
