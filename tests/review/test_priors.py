"""Priors beside a study: only the same patient's that the reader may see, and each look is recorded."""

from datetime import timedelta
from typing import Any

from django.test import TestCase
from django.urls import reverse

from review.models.audit import AuditEvent
from review.models.studies import Study
from review.views import panels
from tests.review import cast


class PriorsTests(TestCase):
    def setUp(self) -> None:
        self.cast = cast.make()
        self.study = cast.study(self.cast.central, number=1)
        self.prior = self.same_patient(cast.study(self.cast.central, number=2), days=400)
        self.client.force_login(self.cast.ruth)

    def same_patient(self, study: Study, *, days: float) -> Study:
        study.patient = self.study.patient
        study.started_at = cast.TAKEN - timedelta(days=days)
        study.save()
        return study

    def test_the_page_lists_them_newest_first(self) -> None:
        older = self.same_patient(cast.study(self.cast.central, number=3), days=900)
        cast.study(self.cast.central, number=4)
        page = self.client.get(reverse("study", args=[self.study.study_instance_uid]))
        assert page.context["priors"] == [self.prior, older]
        self.assertContains(page, "2 prior studies")

    def test_a_study_without_has_no_list(self) -> None:
        page = self.client.get(reverse("study", args=[self.prior.study_instance_uid]))
        self.assertNotContains(page, 'id="priors"')

    def test_its_images_name_the_patient_and_say_how_much_earlier(self) -> None:
        answer = self.get("study-prior-images", self.prior)
        self.assertContains(answer, f'data-patient="{self.study.patient_id}"')
        self.assertContains(answer, "2025-01-25, 13 months earlier")
        event = AuditEvent.objects.latest("pk")
        assert (event.verb, event.study_id) == ("study.opened", self.prior.pk)

    def test_its_report_is_read_beside(self) -> None:
        self.assertContains(self.get("study-prior", self.prior), "Nothing has been written yet.")

    def test_nobody_else_is_a_prior(self) -> None:
        stranger = cast.study(self.cast.central, number=5)
        stranger.started_at = cast.TAKEN - timedelta(days=30)
        stranger.save()
        elsewhere = self.same_patient(cast.study(self.cast.harbour, number=6), days=40)
        later = self.same_patient(cast.study(self.cast.central, number=7), days=-40)
        for other in (stranger, elsewhere, later, self.study):
            for name in ("study-prior-images", "study-prior"):
                assert self.get(name, other).status_code == 404, (name, other)

    def test_words_for_the_time_between(self) -> None:
        for days, words in (
            (0.5, "0 days"),
            (1, "1 day"),
            (89, "89 days"),
            (100, "3 months"),
            (800, "2 years"),
        ):
            prior = self.same_patient(self.prior, days=days)
            assert f", {words} earlier" in panels.earlier(self.study, prior), days

    def test_the_next_study_of_the_list_is_fetched_ahead(self) -> None:
        page = self.client.get(reverse("study", args=[self.study.study_instance_uid]))
        following = page.context["page"]["next_url"]
        (source,) = page.context["page"]["next_images"]
        assert source["base"].startswith(following.split("?")[0])

    def get(self, name: str, prior: Study) -> Any:
        return self.client.get(reverse(name, args=[self.study.study_instance_uid, prior.study_instance_uid]))
