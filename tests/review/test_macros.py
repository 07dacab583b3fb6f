"""Macros: one's own and a site's, who may keep which, and what the reading page is given."""

from django.test import TestCase
from django.urls import reverse

from review.models.macros import Macro
from tests.review import cast


class MacroTests(TestCase):
    def setUp(self) -> None:
        self.people = cast.make()
        self.study = cast.study(self.people.central)
        self.client.force_login(self.people.ruth)

    def keep(self, name: str, text: str, site: str = "") -> int:
        return self.client.post(reverse("macros"), {"name": name, "text": text, "site": site}).status_code

    def given(self) -> dict[str, str]:
        page = self.client.get(reverse("study", args=[self.study.study_instance_uid]))
        texts: dict[str, str] = page.context["page"]["report"]["macros"]
        return texts

    def test_ones_own_goes_before_the_sites(self) -> None:
        assert self.keep("clear", "Lungs clear.", "central") == 302
        assert self.given() == {"clear": "Lungs clear."}
        assert self.keep("clear", "Both lungs [are|remain] clear.") == 302
        assert self.given() == {"clear": "Both lungs [are|remain] clear."}
        self.client.force_login(self.people.omar)
        assert self.given() == {"clear": "Lungs clear."}

    def test_the_same_name_again_changes_the_text(self) -> None:
        self.keep("clear", "Old.")
        self.keep("clear", "New.")
        assert list(Macro.objects.values_list("text", flat=True)) == ["New."]

    def test_a_trainee_keeps_no_macro_of_the_site(self) -> None:
        self.client.force_login(self.people.tomo)
        assert self.keep("clear", "Clear.", "central") == 422
        assert self.keep("clear", "Clear.") == 302

    def test_a_name_with_blanks_is_refused_and_the_text_is_still_there(self) -> None:
        answer = self.client.post(reverse("macros"), {"name": "two words", "text": "Kept text.", "site": ""})
        self.assertContains(answer, "Kept text.", status_code=422)

    def test_nobody_takes_away_what_is_not_theirs(self) -> None:
        self.keep("mine", "Mine.")
        self.keep("site", "Site.", "central")
        mine, of_site = Macro.objects.get(name="mine"), Macro.objects.get(name="site")
        self.client.force_login(self.people.tomo)
        assert self.client.post(reverse("macro-drop", args=[mine.pk])).status_code == 404
        assert self.client.post(reverse("macro-drop", args=[of_site.pk])).status_code == 403
        self.client.force_login(self.people.ruth)
        assert self.client.post(reverse("macro-drop", args=[of_site.pk])).status_code == 302
        assert list(Macro.objects.all()) == [mine]

    def test_who_does_not_write_has_no_macros(self) -> None:
        self.client.force_login(self.people.ada)
        assert self.client.get(reverse("macros")).status_code == 403
