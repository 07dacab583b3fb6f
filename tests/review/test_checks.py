import os
import tempfile
from pathlib import Path
from unittest import mock

from django.conf import settings
from django.core import checks as django_checks
from django.db import connections, transaction
from django.test import TestCase, override_settings

from review import audit, checks
from review.management import demo
from review.models.audit import Verb
from review.models.people import User


def ids(messages: list[django_checks.CheckMessage]) -> list[str | None]:
    return [message.id for message in messages]


class CheckTests(TestCase):
    databases = frozenset({"default", "owner"})

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def storages(self, location: Path) -> dict[str, dict[str, object]]:
        return {
            **settings.STORAGES,
            "default": {**settings.STORAGES["default"], "OPTIONS": {"location": location}},
        }

    def test_they_are_registered(self) -> None:
        registered = {check.__name__ for check in django_checks.registry.registry.get_checks()}
        assert {"bundle_is_there", "storage_is_writable"} <= registered

    def test_a_drafter_that_is_not_there_is_an_error(self) -> None:
        assert ids(checks.drafter_is_there(None)) == []
        for name in ("nope", "nowhere.at.all", ""):
            with self.settings(DRAFTER=name):
                assert ids(checks.drafter_is_there(None)) == ["review.E001"], name

    def test_a_login_that_may_rewrite_the_trail_is_an_error(self) -> None:
        assert ids(checks.application_cannot_rewrite(None, databases=["default"])) == []
        with mock.patch.object(checks, "connection", connections["owner"]):
            found = checks.application_cannot_rewrite(None, databases=["default"])
        assert ids(found) == ["review.E005"]

    def test_a_missing_bundle_is_warned_of(self) -> None:
        with override_settings(BUNDLE=self.folder):
            assert ids(checks.bundle_is_there(None)) == ["review.W001"]
            (self.folder / "config.json").write_text("{}")
            assert checks.bundle_is_there(None) == []

    def test_a_storage_that_cannot_be_made_is_an_error(self) -> None:
        (self.folder / "file").write_text("in the way")
        with override_settings(STORAGES=self.storages(self.folder / "file" / "media")):
            assert ids(checks.storage_is_writable(None)) == ["review.E002"]
        with override_settings(STORAGES=self.storages(self.folder / "not" / "yet")):
            assert checks.storage_is_writable(None) == []

    def test_a_storage_that_is_read_only_is_an_error(self) -> None:
        storages = self.storages(self.folder / "media")
        # Root may write anywhere: the answer of the system is made up.
        with override_settings(STORAGES=storages), mock.patch.object(os, "access", return_value=False):
            assert ids(checks.storage_is_writable(None)) == ["review.E002"]

    def test_a_lost_audit_key_is_an_error_once_events_exist(self) -> None:
        with override_settings(AUDIT_KEY_FILE=self.folder / "audit.pem"):
            assert checks.audit_key_is_there(None, databases=["default"]) == []
            with transaction.atomic():
                audit.record(Verb.SIGN_IN_FAILED, by=None)
            assert checks.audit_key_is_there(None, databases=["default"]) == []
            (self.folder / "audit.pem").unlink()
            assert ids(checks.audit_key_is_there(None, databases=["default"])) == ["review.E003"]
            assert checks.audit_key_is_there(None) == []

    def test_public_passwords_are_an_error_outside_the_demo(self) -> None:
        with mock.patch.object(demo, "STUDIES", {}):
            demo.load_accounts(demo.load_sites())
        assert checks.no_public_passwords(None, databases=["default"]) == []
        with override_settings(DEMO=False):
            assert checks.no_public_passwords(None) == []
            (error,) = checks.no_public_passwords(None, databases=["default"])
            assert error.id == "review.E004"
            assert "admin, admin2, qa, radiologist" in error.msg
            User.objects.exclude(username="qa").update(is_active=False)
            changed = User.objects.get(username="qa")
            changed.set_password("a passphrase of one's own")
            changed.save(update_fields=["password"])
            assert checks.no_public_passwords(None, databases=["default"]) == []
