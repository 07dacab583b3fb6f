"""Platform administration: accounts and sites, nothing clinical, and rights only through the service."""

import json

from django.test import Client, TestCase

from review import admin
from review.models.audit import AuditEvent, Verb
from review.models.people import ApiToken, Membership, Role, User
from review.models.worklist import WorklistEntry
from review.services import accounts
from tests.review import cast


class AdminTests(TestCase):
    def setUp(self) -> None:
        self.cast = cast.make()
        self.root = Client()
        self.root.force_login(self.cast.root)

    def test_only_accounts_and_sites_are_here(self) -> None:
        names = {model.__name__ for model in admin.site._registry}
        assert names == {"User", "Site", "Membership", "ApiToken"}
        for path in ("", "review/user/", "review/site/", "review/membership/", "review/apitoken/"):
            assert self.root.get(f"/admin/{path}").status_code == 200, path
        user = f"/admin/review/user/{self.cast.ruth.pk}/change/"
        assert self.root.get(user).status_code == 200
        assert self.root.get("/admin/review/study/").status_code == 404

    def test_it_opens_for_staff_by_the_application_door_only(self) -> None:
        assert Client().get("/admin/", follow=True).redirect_chain[-1][0].startswith("/accounts/login/")
        ruth = Client()
        ruth.force_login(self.cast.ruth)
        assert ruth.get("/admin/", follow=True).status_code == 403

    def test_giving_and_taking_a_role_is_recorded_with_who_did_it(self) -> None:
        given = {"user": self.cast.petra.pk, "site": self.cast.central.pk, "role": Role.RADIOLOGIST}
        self.root.post("/admin/review/membership/add/", given)
        membership = Membership.objects.get(**given)
        change = self.root.post(f"/admin/review/membership/{membership.pk}/change/", given)
        assert change.status_code == 403
        self.root.post(f"/admin/review/membership/{membership.pk}/delete/", {"post": "yes"})
        assert not Membership.objects.filter(pk=membership.pk).exists()
        events = AuditEvent.objects.filter(verb=Verb.MEMBERSHIP_CHANGED)
        assert [event.actor_id for event in events] == [self.cast.root.pk] * 2

    def test_taking_many_roles_is_recorded_for_each(self) -> None:
        chosen = list(Membership.objects.filter(user__in=[self.cast.ruth, self.cast.omar]))
        data = {"action": "delete_selected", "_selected_action": [one.pk for one in chosen], "post": "yes"}
        self.root.post("/admin/review/membership/", data)
        assert AuditEvent.objects.filter(verb=Verb.MEMBERSHIP_CHANGED).count() == 2

    def test_a_token_is_revoked_and_that_is_recorded(self) -> None:
        token = accounts.create_token(self.cast.ruth, by=None)
        row = ApiToken.objects.get()
        for _press in range(2):
            self.root.post("/admin/review/apitoken/", {"action": "revoke", "_selected_action": [row.pk]})
        assert accounts.user_of_token(token) is None
        assert AuditEvent.objects.filter(verb=Verb.TOKEN_REVOKED).count() == 1
        assert self.root.get("/admin/review/apitoken/add/").status_code == 403

    def change_site(self, **changes: str) -> int:
        site = self.cast.central
        names = ("name", "time_zone", "language", "stage")
        data = {name: getattr(site, name) for name in names} | changes
        status = self.root.post(f"/admin/review/site/{site.pk}/change/", data).status_code
        site.refresh_from_db()
        return status

    def test_a_site_takes_only_zones_and_languages_that_exist(self) -> None:
        for changes in ({"time_zone": "Asia/Atlantis"}, {"language": "tlh"}):
            assert self.change_site(**changes) == 200
        assert (self.cast.central.time_zone, self.cast.central.language) == ("UTC", "en")
        assert self.change_site(time_zone="Asia/Tokyo", language="ja") == 302
        assert (self.cast.central.time_zone, self.cast.central.language) == ("Asia/Tokyo", "ja")

    def test_what_changes_at_a_site_is_recorded(self) -> None:
        assert self.change_site(name="Central") == 302
        assert not AuditEvent.objects.filter(verb=Verb.SITE_CHANGED).exists()
        assert self.change_site(name="Central", stage="silent") == 302
        event = AuditEvent.objects.get(verb=Verb.SITE_CHANGED)
        assert (event.actor_id, event.site_id) == (self.cast.root.pk, self.cast.central.pk)
        data = json.loads(bytes(event.canonical))["data"]
        assert data == {"changes": {"stage": ["review", "silent"]}}

    def test_what_changes_what_an_account_opens_is_recorded(self) -> None:
        omar = self.cast.omar
        data = {"username": "omar", "printed_name": "Dr Omar", "language": "ja", "is_active": "on"}
        path = f"/admin/review/user/{omar.pk}/change/"
        assert self.root.post(path, data).status_code == 302
        assert not AuditEvent.objects.filter(verb=Verb.ACCOUNT_CHANGED).exists()
        del data["is_active"]
        assert self.root.post(path, data | {"is_staff": "on"}).status_code == 302
        event = AuditEvent.objects.get(verb=Verb.ACCOUNT_CHANGED)
        assert event.actor_id == self.cast.root.pk
        changes = {"is_active": [True, False], "is_staff": [False, True]}
        assert json.loads(bytes(event.canonical))["data"] == {"user": omar.pk, "changes": changes}

    def test_another_password_is_recorded_with_who_gave_it(self) -> None:
        ruth = self.cast.ruth
        path = f"/admin/review/user/{ruth.pk}/password/"
        new = {"usable_password": "true", "password1": "a long new secret", "password2": "a long new secret"}
        assert self.root.post(path, new | {"password2": "another"}).status_code == 200
        assert not AuditEvent.objects.filter(verb=Verb.ACCOUNT_CHANGED).exists()
        assert self.root.post(path, new).status_code == 302
        ruth.refresh_from_db()
        assert ruth.check_password("a long new secret")
        event = AuditEvent.objects.get(verb=Verb.ACCOUNT_CHANGED)
        assert event.actor_id == self.cast.root.pk
        data = json.loads(bytes(event.canonical))["data"]
        assert data == {"user": ruth.pk, "credentials": "password_changed"}

    def test_a_new_name_under_signatures_is_recorded(self) -> None:
        data = {"username": "omar", "printed_name": "Dr Ruth", "language": "en", "is_active": "on"}
        assert self.root.post(f"/admin/review/user/{self.cast.omar.pk}/change/", data).status_code == 302
        event = AuditEvent.objects.get(verb=Verb.ACCOUNT_CHANGED)
        changes = json.loads(bytes(event.canonical))["data"]["changes"]
        assert changes == {"printed_name": ["Dr Omar", "Dr Ruth"]}

    def test_a_site_that_falls_silent_hides_its_drafts_in_the_list_at_once(self) -> None:
        study = cast.study(self.cast.central)
        cast.draft(study)
        assert self.change_site(name="Central", stage="silent") == 302
        assert WorklistEntry.objects.get(study=study).status == "withheld"
        assert self.change_site(name="Central", stage="review") == 302
        assert WorklistEntry.objects.get(study=study).status == "ready"

    def test_accounts_are_made_and_never_deleted(self) -> None:
        secret = "a long enough passphrase"
        made = {"username": "new", "printed_name": "Dr New", "language": "en"}
        self.root.post("/admin/review/user/add/", made | {"password1": secret, "password2": secret})
        user = User.objects.get(username="new")
        assert user.check_password(secret)
        assert self.root.get(f"/admin/review/user/{user.pk}/delete/").status_code == 403
        assert self.root.get(f"/admin/review/site/{self.cast.central.pk}/delete/").status_code == 403
