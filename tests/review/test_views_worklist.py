"""The worklist door: filters, search, paging, and the ladder of who may come in."""

from django.test import TestCase
from django.urls import reverse

from review import worklist
from review.models.patients import Patient
from review.models.reports import Signature
from review.services import reports, studies
from tests.review import cast

URL = "/studies/"
AUTHOR = Signature.Meaning.AUTHOR


class WorklistTests(TestCase):
    def setUp(self) -> None:
        self.people = cast.make()
        self.study = cast.study(self.people.central, number=1, name="YAMADA^TARO")
        cast.draft(self.study)
        self.other = cast.study(self.people.harbour, number=2, name="NOVAK^EVA")
        self.client.force_login(self.people.ruth)

    def test_it_works(self) -> None:
        response = self.client.get(URL)
        self.assertContains(response, "YAMADA, TARO")
        self.assertContains(response, reverse("study", args=[self.study.study_instance_uid]))
        self.assertContains(response, "draft ready")

    def test_a_colleague_sees_the_same(self) -> None:
        self.client.force_login(self.people.omar)
        self.assertContains(self.client.get(URL), "YAMADA, TARO")

    def test_a_stranger_sees_only_their_site(self) -> None:
        self.client.force_login(self.people.petra)
        response = self.client.get(URL)
        self.assertNotContains(response, "YAMADA")
        self.assertContains(response, "NOVAK, EVA")

    def test_people_without_patients_are_sent_to_their_own_place(self) -> None:
        for name, place in (("tessa", "/arrivals/"), ("nils", "/feedback/")):
            self.client.force_login(getattr(self.people, name))
            self.assertRedirects(self.client.get(URL, follow=True), place)

    def test_platform_administration_gives_no_patients(self) -> None:
        self.client.force_login(self.people.root)
        response = self.client.get(URL, follow=True)
        self.assertNotContains(response, "YAMADA")
        self.assertContains(response, "You have no role yet")

    def test_anonymous_is_sent_to_sign_in(self) -> None:
        self.client.logout()
        self.assertRedirects(self.client.get(URL), "/accounts/login/?next=/studies/")

    def test_a_script_without_a_session_gets_401(self) -> None:
        self.client.logout()
        response = self.client.get(URL, headers={"HX-Request": "true"})
        assert response.status_code == 401
        assert response.json()["code"] == "sign-in-first"

    def test_it_rejects_post(self) -> None:
        assert self.client.post(URL).status_code == 405

    def test_nonsense_is_422(self) -> None:
        for query in (
            "sort=alphabet",
            "status=lost",
            "priority=9",
            "day=yesterday",
            "cursor=%25%25",
            "site=moon",
        ):
            with self.subTest(query):
                assert self.client.get(f"{URL}?{query}").status_code == 422

    def test_it_filters(self) -> None:
        for query, is_there in (
            ("status=ready", True),
            ("status=signed", False),
            ("status=all", True),
            ("priority=3", True),
            ("priority=1", False),
            ("assignee=me", False),
            ("site=central", True),
            ("day=2026-03-01", True),
            ("day=2026-03-02", False),
            ("sort=newest", True),
            ("sort=received", True),
        ):
            with self.subTest(query):
                found = "YAMADA" in self.client.get(f"{URL}?{query}").content.decode()
                assert found == is_there

    def test_it_searches_by_name_identifier_and_accession(self) -> None:
        for words, is_there in (
            ("yamada", True),
            ("YAMADA taro", True),
            ("p00001", True),
            ("central-1", True),
            ("amada", False),
            ("nobody", False),
        ):
            with self.subTest(words):
                found = "YAMADA" in self.client.get(URL, {"q": words}).content.decode()
                assert found == is_there

    def test_a_name_that_could_not_be_read_for_sure_is_marked(self) -> None:
        self.assertNotContains(self.client.get(URL), 'class="doubtful"')
        Patient.objects.filter(studies=self.study).update(name_doubtful=True)
        worklist.refresh(self.study)
        self.assertContains(self.client.get(URL), 'class="doubtful"')

    def test_what_is_mine_is_found(self) -> None:
        studies.assign(self.study, by=self.people.ruth, to=self.people.ruth, was=None)
        self.assertContains(self.client.get(f"{URL}?assignee=me"), "YAMADA")

    def test_signed_studies_leave_the_open_list(self) -> None:
        revision = reports.save(self.study, by=self.people.ruth, text=reports.Text("Clear.", "Normal.", 0))
        reports.sign(
            self.study,
            by=self.people.ruth,
            revision_number=1,
            sha256=revision.sha256,
            input_digest=self.study.input_digest,
            meaning=AUTHOR,
        )
        self.assertNotContains(self.client.get(URL), "YAMADA")
        self.assertContains(self.client.get(f"{URL}?status=signed"), "YAMADA")

    def test_pages_follow_each_other_without_a_gap(self) -> None:
        for number in range(10, 70):
            cast.study(self.people.central, number=number, name=f"NUMBER^N{number}")
        seen: list[str] = []
        url = URL
        for _page in range(3):
            response = self.client.get(url)
            seen += [entry.patient_identifier for entry in response.context["page"].entries]
            if not response.context["page"].next_cursor:
                break
            url = f"{URL}?{response.context['next_query']}"
        assert len(seen) == 61
        assert len(set(seen)) == 61

    def test_the_live_part_is_the_table_alone(self) -> None:
        response = self.client.get(URL, headers={"HX-Request": "true"})
        self.assertNotContains(response, "<html")
        self.assertContains(response, 'id="worklist-rows"')

    def test_the_search_does_not_travel_to_the_reading_page(self) -> None:
        response = self.client.get(URL, {"q": "yamada", "sort": "newest"})
        assert response.context["study_query"] == "?sort=newest"

    def test_a_study_is_found_by_accession(self) -> None:
        response = self.client.get(URL, {"accession": "central-1"})
        self.assertRedirects(response, reverse("study", args=[self.study.study_instance_uid]))

    def test_an_accession_of_another_site_is_404(self) -> None:
        assert self.client.get(URL, {"accession": "harbour-2"}).status_code == 404

    def test_the_number_of_queries_does_not_grow_with_the_rows(self) -> None:
        self.client.get(URL)
        with self.assertNumQueries(7):
            self.client.get(URL)
        for number in range(10, 30):
            cast.study(self.people.central, number=number)
        with self.assertNumQueries(7):
            self.client.get(URL)
