"""Who comes in by the pages, in which language, and what a refusal leaves behind."""

import json

from django.core.cache import cache
from django.test import Client, TestCase, override_settings

from review.models.audit import AuditEvent, Verb
from review.models.people import User
from review.services import accounts, reports
from tests.review import cast


class SignInTests(TestCase):
    def setUp(self) -> None:
        cache.clear()  # counts of failed sign-ins

    def come(self, user: User, password: str = cast.PASSWORD):
        return self.client.post("/accounts/login/", {"login": user.username, "password": password})

    def is_in(self) -> bool:
        return "_auth_user_id" in self.client.session

    def test_the_pages_are_in_the_language_of_the_account(self) -> None:
        aya = cast.user("aya", language="ja")
        self.assertRedirects(self.come(aya), "/studies/", fetch_redirect_response=False)
        assert self.client.cookies["django_language"].value == "ja"
        self.assertContains(self.client.get("/accounts/logout/"), 'lang="ja"')

    def test_a_language_nobody_speaks_here_changes_nothing(self) -> None:
        self.come(cast.user("kor", language="tlh"))
        assert self.is_in()
        assert "django_language" not in self.client.cookies

    def test_a_service_account_has_its_token_only(self) -> None:
        robot = cast.user("robot", is_service=True)
        self.assertContains(self.come(robot), "signs in by token only")
        assert not self.is_in()
        assert accounts.user_of_token(accounts.create_token(robot, by=None)) == robot

    def test_why_is_told_only_to_who_knows_the_password(self) -> None:
        robot = cast.user("robot", is_service=True)
        self.assertNotContains(self.come(robot, "a guess"), "token only")

    def test_the_people_of_the_demo_stay_out_elsewhere(self) -> None:
        trainee = cast.user("trainee")
        trainee.set_password("demo-trainee")
        trainee.save(update_fields=["password"])
        with override_settings(DEMO=False):
            self.assertContains(self.come(trainee, "demo-trainee"), "public demo password")
            assert not self.is_in()
            assert AuditEvent.objects.filter(verb=Verb.SIGN_IN_FAILED).count() == 1
        self.come(trainee, "demo-trainee")
        assert self.is_in()

    def test_the_people_of_the_demo_with_passwords_of_their_own_come_in(self) -> None:
        with override_settings(DEMO=False):
            self.come(cast.user("trainee"))
        assert self.is_in()


class CredentialTests(TestCase):
    def test_a_new_password_of_ones_own_is_recorded(self) -> None:
        cache.clear()
        ruth = cast.user("ruth")
        client = Client()
        client.force_login(ruth)
        client.post("/accounts/reauthenticate/", {"password": cast.PASSWORD})
        data = {
            "oldpassword": cast.PASSWORD,
            "password1": "a long new secret",
            "password2": "a long new secret",
        }
        assert client.post("/accounts/password/change/", data).status_code == 302
        event = AuditEvent.objects.get(verb=Verb.ACCOUNT_CHANGED)
        assert event.actor_id == ruth.pk
        assert json.loads(bytes(event.canonical))["data"]["credentials"] == "password_changed"


class ReauthenticationTests(TestCase):
    def test_a_wrong_password_is_recorded_by_the_one_who_is_signed_in(self) -> None:
        cache.clear()
        ruth = cast.user("ruth")
        client = Client()
        client.force_login(ruth)
        client.post("/accounts/reauthenticate/", {"password": "a guess"})
        event = AuditEvent.objects.get(verb=Verb.SIGN_IN_FAILED)
        assert (event.actor_id, event.chain) == (ruth.pk, f"user:{ruth.pk}")

    def test_each_wrong_password_at_signing_is_recorded_by_the_one_who_is_signed_in(self) -> None:
        cache.clear()
        people = cast.make()
        study = cast.study(people.central)
        text = reports.Text("The lungs are clear.", "Normal.", 0)
        revision = reports.save(study, by=people.ruth, text=text)
        client = Client()
        client.force_login(people.ruth)
        data = {
            "revision": 1,
            "sha256": revision.sha256,
            "input_digest": study.input_digest,
            "meaning": "author",
            "password": "a guess",
        }
        for _try in range(3):
            response = client.post(f"/studies/{study.study_instance_uid}/report/sign/", data)
            assert response.status_code == 403
        failed = AuditEvent.objects.filter(verb=Verb.SIGN_IN_FAILED, actor_id=people.ruth.pk)
        assert failed.count() == 3

    def test_a_wrong_password_at_the_door_is_recorded_by_nobody(self) -> None:
        cache.clear()
        ruth = cast.user("ruth")
        Client().post("/accounts/login/", {"login": ruth.username, "password": "a guess"})
        assert AuditEvent.objects.get(verb=Verb.SIGN_IN_FAILED).actor_id is None
