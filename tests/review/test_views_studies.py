"""The reading page, its images and outlines, its history and its small acts."""

import json
import math
from dataclasses import replace
from pathlib import Path
from unittest import mock

from django.conf import settings
from django.test import TestCase
from django.urls import reverse

from inference.structures import BY_CODE, STRUCTURES
from review import storage
from review.models.audit import AuditEvent, Verb
from review.models.drafts import Draft
from review.models.patients import Patient, Site
from review.models.reports import Signature
from review.models.states import JobStatus
from review.models.studies import Image, Order, Study
from review.services import reports
from review.views import images, panels, vocabulary
from tests.review import cast

AUTHOR = Signature.Meaning.AUTHOR


class StudyTestCase(TestCase):
    def setUp(self) -> None:
        self.people = cast.make()
        self.study = cast.study(self.people.central)
        self.client.force_login(self.people.ruth)

    def url(self, name: str, *more: str) -> str:
        return reverse(name, args=[self.study.study_instance_uid, *more])

    def verbs(self) -> list[str]:
        return list(
            AuditEvent.objects.filter(study_id=self.study.pk).order_by("id").values_list("verb", flat=True)
        )


class ReadingTests(StudyTestCase):
    def test_it_works_and_is_recorded(self) -> None:
        cast.draft(self.study)
        response = self.client.get(self.url("study"))
        self.assertContains(response, "The right lung is clear.")
        self.assertContains(response, 'id="report-editor"')
        self.assertContains(response, "Demonstration model, not for clinical use")
        assert Verb.STUDY_OPENED in self.verbs()

    def test_a_cited_outline_says_what_it_does_once_that_is_measured(self) -> None:
        draft = cast.draft(self.study)
        self.assertNotContains(self.client.get(self.url("study")), "Percent:")
        cast.explained(draft, {"lung_right": math.log(4)})
        response = self.client.get(self.url("study"))
        self.assertContains(response, '<span class="change">−75 %</span>')
        self.assertContains(response, "Percent: how the probability of the statement, given those before it")

    def test_the_outline_that_does_most_is_named_first(self) -> None:
        draft = cast.draft(self.study, structures=["lung_right", "heart", "trachea"])
        cast.explained(draft, {"lung_right": -math.log(1.25), "heart": math.log(2), "trachea": 0.001})
        (sentence, *_rest) = panels.draft(self.study, self.people.ruth)["by_section"][0][1]
        assert [item["name"] for item in sentence["evidence"]] == [
            str(vocabulary.STRUCTURES[code]) for code in ("heart", "trachea", "lung_right")
        ]
        assert [item["change"] for item in sentence["evidence"]] == ["−50 %", "±0 %", "+25 %"]

    def test_a_doubtful_name_is_shown_with_the_bytes_that_came(self) -> None:
        Patient.objects.filter(studies=self.study).update(name_doubtful=True)
        raw = "山田".encode("shift_jis").decode("latin-1") + "\x1b$B"
        Image.objects.filter(series__study=self.study).update(header={"patient_name_raw": raw})
        self.assertContains(self.client.get(self.url("study")), r"<code>\x8eR\x93c\x1b$B</code>")

    def test_the_editor_starts_with_the_draft(self) -> None:
        cast.draft(self.study)
        told = self.client.get(self.url("study")).context["page"]["report"]
        assert told["findings"] == "The right lung is clear."
        assert told["impression"] == "No acute abnormality."
        assert told["revision"] == 0

    def test_the_editor_goes_on_with_what_was_saved(self) -> None:
        cast.draft(self.study)
        reports.save(self.study, by=self.people.ruth, text=reports.Text("\nMine.", "", 0))
        response = self.client.get(self.url("study"))
        assert response.context["page"]["report"]["findings"] == "\nMine."
        self.assertContains(response, ">\n\nMine.</textarea>")

    def test_withheld_prose_leaves_the_editor_empty_and_says_why(self) -> None:
        cast.draft(self.study, withheld="outside-domain")
        response = self.client.get(self.url("study"))
        assert response.context["page"]["report"]["findings"] == ""
        self.assertContains(response, "unlike those the drafter was validated on")

    def test_a_silent_site_shows_no_draft(self) -> None:
        cast.draft(self.study)
        Site.objects.filter(pk=self.people.central.pk).update(stage=Site.Stage.SILENT)
        response = self.client.get(self.url("study"))
        self.assertNotContains(response, "The right lung is clear.")
        self.assertContains(response, "Drafts are not shown at this site.")
        assert self.client.get(self.url("study-masks")).json() == []

    def test_a_stale_draft_says_so(self) -> None:
        cast.draft(self.study)
        type(self.study).objects.filter(pk=self.study.pk).update(input_digest="b" * 64)
        self.assertContains(self.client.get(self.url("study")), "does not cover the whole study")

    def test_a_pending_draft_is_asked_for_again_and_a_ready_one_is_not(self) -> None:
        row = cast.draft(self.study)
        self.assertNotContains(self.client.get(self.url("study-draft")), "data-live")
        Draft.objects.create(
            study=self.study, model_version=row.model_version, input_digest="c" * 64, language="en",
            reason="request", queued_at=cast.TAKEN,
        )  # fmt: skip
        self.assertContains(self.client.get(self.url("study-draft")), 'data-live="2"')

    def test_a_qa_lead_reads_without_an_editor(self) -> None:
        self.client.force_login(self.people.ada)
        response = self.client.get(self.url("study"))
        self.assertNotContains(response, 'id="report-editor"')
        self.assertContains(response, "Read only")

    def test_orientation_is_marked_only_as_stated(self) -> None:
        self.assertContains(self.client.get(self.url("study")), "orientation not stated")
        Image.objects.update(patient_orientation="L\\F")
        (shown,) = self.client.get(self.url("study")).context["images"]
        assert shown["marks"] == [("left", "R"), ("right", "L")]
        Image.objects.update(patient_orientation="P\\F")
        (shown,) = self.client.get(self.url("study")).context["images"]
        assert shown["marks"] == [("left", "A"), ("right", "P")]
        Image.objects.update(patient_orientation="R\\H")
        (shown,) = self.client.get(self.url("study")).context["images"]
        assert shown["marks"] == [("left", "L"), ("right", "R"), ("top", "F"), ("bottom", "H")]

    def test_spacing_names_its_source(self) -> None:
        Image.objects.update(pixel_spacing=[0.2, 0.2], pixel_spacing_source="detector")
        self.assertContains(self.client.get(self.url("study")), "0.2 mm (detector)")

    def test_next_is_the_next_open_study(self) -> None:
        later = cast.study(self.people.central, number=2)
        response = self.client.get(self.url("study"), {"sort": "newest"})
        expected = reverse("study", args=[later.study_instance_uid]) + "?sort=newest"
        assert response.context["next_url"] == expected

    def test_text_from_outside_is_escaped(self) -> None:
        Order.objects.update(indication="</script><script>alert(1)</script>")
        reports.save(
            self.study, by=self.people.ruth, text=reports.Text("</textarea><script>x</script>", "", 0)
        )
        page = self.client.get(self.url("study")).content.decode()
        assert "<script>alert" not in page
        assert "<script>x" not in page

    def test_the_language_of_the_page_can_be_japanese(self) -> None:
        self.client.cookies["django_language"] = "ja"
        response = self.client.get(self.url("study"))
        self.assertContains(response, "デモ用モデル、診療には使えません")
        self.assertContains(response, '<html lang="ja"')


class LadderTests(StudyTestCase):
    """Every door of one study, for everyone who should not pass it."""

    GETS = ("study", "study-history", "study-draft", "study-masks", "report-state", "report-lock")
    GET_ONLY = ("study", "study-history", "study-masks", "report-state")
    POST_ONLY = ("study-assign", "study-close", "report-save", "report-sign", "report-addenda")
    POSTS = (*POST_ONLY, "study-draft", "report-lock")

    def test_strangers_find_nothing(self) -> None:
        self.client.force_login(self.people.petra)
        for name in self.GETS:
            assert self.client.get(self.url(name)).status_code == 404, name
        for name in self.POSTS:
            assert self.client.post(self.url(name)).status_code == 404, name

    def test_colleagues_pass(self) -> None:
        self.client.force_login(self.people.omar)
        for name in self.GETS:
            assert self.client.get(self.url(name)).status_code == 200, name

    def test_administration_and_technologists_are_refused(self) -> None:
        for person in (self.people.nils, self.people.tessa, self.people.root):
            self.client.force_login(person)
            for name in self.GETS:
                assert self.client.get(self.url(name)).status_code == 403, name

    def test_anonymous_is_sent_to_sign_in(self) -> None:
        self.client.logout()
        for name in self.GETS:
            url = self.url(name)
            self.assertRedirects(self.client.get(url), f"/accounts/login/?next={url}", msg_prefix=name)

    def test_the_wrong_method_is_405(self) -> None:
        for name in self.GET_ONLY:
            assert self.client.post(self.url(name)).status_code == 405, name
        for name in self.POST_ONLY:
            assert self.client.get(self.url(name)).status_code == 405, name

    def test_a_missing_study_is_404(self) -> None:
        assert self.client.get(reverse("study", args=["1.2.3"])).status_code == 404

    def test_those_who_only_read_change_nothing(self) -> None:
        self.client.force_login(self.people.ada)
        for name, data in (
            ("study-draft", {}),
            ("study-assign", {"to": "me"}),
            ("report-lock", {"action": "hold"}),
        ):
            assert self.client.post(self.url(name), data).status_code == 403, name


class ImageTests(StudyTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.image = Image.objects.get()
        folder = Path(settings.MEDIA_ROOT) / "made"
        folder.mkdir(parents=True, exist_ok=True)
        for name in storage.DERIVATIVES:
            (folder / name).write_bytes(f"content of {name}".encode())
        storage.keep_derivatives(
            folder, pipeline_version=self.image.pipeline_version, content_sha256=self.image.content_sha256
        )

    def address(self, name: str = "preview.bin") -> str:
        return self.url("study-image", self.image.sop_instance_uid, name)

    def test_it_works_and_may_be_kept_for_good_under_its_version(self) -> None:
        response = self.client.get(self.address(), {"v": images.version_of(self.image)})
        assert b"".join(response) == b"content of preview.bin"
        assert "immutable" in response["Cache-Control"]
        assert "private" in response["Cache-Control"]

    def test_without_its_version_it_is_not_kept(self) -> None:
        assert "no-cache" in self.client.get(self.address())["Cache-Control"]

    def test_strangers_and_other_roles(self) -> None:
        for name, status in (("omar", 200), ("ada", 200), ("petra", 404), ("nils", 403), ("tessa", 403)):
            self.client.force_login(getattr(self.people, name))
            assert self.client.get(self.address()).status_code == status, name

    def test_only_the_prepared_files_are_served(self) -> None:
        for name in ("original", "..%2F..%2Fetc", "display.json.bak"):
            assert self.client.get(self.address(name)).status_code == 404, name

    def test_an_image_of_another_study_is_not_found_here(self) -> None:
        other = cast.study(self.people.central, number=2)
        foreign = Image.objects.get(series__study=other)
        response = self.client.get(self.url("study-image", foreign.sop_instance_uid, "preview.bin"))
        assert response.status_code == 404

    def test_the_outlines_say_all_the_viewer_needs(self) -> None:
        cast.draft(self.study)
        (mask,) = self.client.get(self.url("study-masks")).json()
        assert mask["image"] == self.image.sop_instance_uid
        assert mask["name"] == "Right lung"
        assert mask["size"] == [cast.ROWS, cast.COLUMNS]
        assert (mask["group"], mask["side"], mask["source"]) == ("anatomy", "right", "ai")
        assert mask["trusted"]
        assert not mask["quiet"]

    def test_landmarks_are_told_apart(self) -> None:
        cast.draft(self.study)
        assert BY_CODE["ribs"].quiet
        with mock.patch.dict(BY_CODE, lung_right=replace(BY_CODE["lung_right"], quiet=True)):
            (mask,) = self.client.get(self.url("study-masks")).json()
        assert mask["quiet"]

    def test_every_structure_has_a_name_in_both_languages(self) -> None:
        assert set(vocabulary.STRUCTURES) == {structure.code for structure in STRUCTURES}


class SmallActTests(StudyTestCase):
    def test_assigning_and_giving_back(self) -> None:
        self.client.post(self.url("study-assign"), {"to": "me"})
        assert Study.objects.get(pk=self.study.pk).assignee == self.people.ruth
        self.client.post(self.url("study-assign"), {"to": "", "was": self.people.ruth.pk})
        assert Study.objects.get(pk=self.study.pk).assignee is None
        assert self.verbs().count(Verb.STUDY_ASSIGNED) == 2

    def test_an_old_page_takes_nothing_from_who_has_it_now(self) -> None:
        self.client.post(self.url("study-assign"), {"to": "me"})
        self.client.force_login(self.people.omar)
        assert self.client.post(self.url("study-assign"), {"to": "me", "was": ""}).status_code == 409
        assert Study.objects.get(pk=self.study.pk).assignee == self.people.ruth

    def test_assigning_nonsense_is_422(self) -> None:
        assert self.client.post(self.url("study-assign"), {"to": "you"}).status_code == 422

    def test_leaving_is_recorded_with_its_seconds(self) -> None:
        assert self.client.post(self.url("study-close"), {"seconds": "12.5"}).status_code == 204
        event = AuditEvent.objects.get(verb=Verb.STUDY_CLOSED)
        assert json.loads(bytes(event.canonical))["data"] == {"seconds": 12.5}

    def test_impossible_seconds_are_422(self) -> None:
        for seconds in ("", "-1", "nan", "inf", "1e99"):
            assert self.client.post(self.url("study-close"), {"seconds": seconds}).status_code == 422

    def test_asking_for_a_draft_twice_makes_one(self) -> None:
        cast.model()
        for _press in range(2):
            self.assertRedirects(self.client.post(self.url("study-draft")), self.url("study"))
        assert Draft.objects.filter(study=self.study, status=JobStatus.QUEUED).count() == 1

    def test_without_a_model_asking_is_refused_in_words(self) -> None:
        response = self.client.post(self.url("study-draft"))
        assert response.status_code == 409
        self.assertContains(response, "No model is active", status_code=409)


class HistoryTests(StudyTestCase):
    def test_it_shows_who_did_what_and_what_changed(self) -> None:
        seen = cast.draft(self.study).pk
        reports.save(
            self.study, by=self.people.ruth, text=reports.Text("The right lung is hazy.", "", 0, seen)
        )
        revision = reports.save(
            self.study, by=self.people.omar, text=reports.Text("The right lung is hazy.", "Pneumonia.", 1)
        )
        reports.sign(
            self.study,
            by=self.people.omar,
            revision_number=2,
            sha256=revision.sha256,
            input_digest=self.study.input_digest,
            meaning=AUTHOR,
        )
        self.client.force_login(self.people.ada)
        response = self.client.get(self.url("study-history"))
        self.assertContains(response, "Dr Ruth")
        self.assertContains(response, "<del>clear</del><ins>hazy</ins>", html=False)
        self.assertContains(response, "<ins>Pneumonia.</ins>")
        self.assertContains(response, "revision 2 as author")
        assert Verb.HISTORY_VIEWED in self.verbs()

    def test_texts_are_escaped_in_differences(self) -> None:
        reports.save(self.study, by=self.people.ruth, text=reports.Text("<b>bold</b>", "", 0))
        page = self.client.get(self.url("study-history")).content.decode()
        assert "<b>bold" not in page
