import io
import tempfile
from pathlib import Path
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.test import TestCase, override_settings

from review.management import demo
from review.models.patients import Site
from review.models.people import Capability, Membership, User
from review.models.registry import ModelVersion
from review.models.states import ModelState
from review.models.studies import Arrival
from review.selectors import people


class LoadDemoTests(TestCase):
    def setUp(self) -> None:
        bundle = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (bundle / "config.json").write_text("{}")
        self.enterContext(override_settings(BUNDLE=bundle, DEMO=True))
        self.enterContext(mock.patch.object(demo, "SIZE", 64))

    def load(self) -> str:
        out = io.StringIO()
        call_command("loaddemo", verbosity=0, stdout=out)
        return out.getvalue()

    def test_it_loads_a_hospital_once(self) -> None:
        assert "30 studies" in self.load()
        counts = [model.objects.count() for model in (Site, User, Membership, Arrival, ModelVersion)]
        assert counts[:2] == [2, 7]
        assert Arrival.objects.filter(site__code="central").count() == 24
        assert ModelVersion.objects.get().state == ModelState.ACTIVE
        assert "0 studies" in self.load()
        assert counts == [model.objects.count() for model in (Site, User, Membership, Arrival, ModelVersion)]

    def test_people_come_in_with_the_password_of_the_demo(self) -> None:
        with mock.patch.object(demo, "STUDIES", {}):
            self.load()
        for name in demo.ACCOUNTS:
            user = User.objects.get(username=name)
            assert user.check_password(f"demo-{name}")
            assert user.printed_name
        harbour = Site.objects.get(code="harbour")
        can_read = [
            name
            for name in demo.ACCOUNTS
            if people.can(User.objects.get(username=name), Capability.READ, harbour)
        ]
        assert can_read == ["radiologist", "qa"]

    def test_what_people_changed_stays(self) -> None:
        with mock.patch.object(demo, "STUDIES", {}):
            self.load()
            user = User.objects.get(username="trainee")
            user.set_password("something else")
            user.save(update_fields=["password"])
            user.memberships.all().delete()
            self.load()
        user.refresh_from_db()
        assert user.check_password("something else")
        assert user.memberships.count() == 0

    def test_without_weights_it_says_so_and_goes_on(self) -> None:
        with override_settings(BUNDLE=Path("/nowhere")), mock.patch.object(demo, "STUDIES", {"central": 1}):
            assert "no model" in self.load()
        assert Arrival.objects.count() == 1

    def test_it_is_refused_elsewhere(self) -> None:
        with override_settings(DEMO=False), pytest.raises(CommandError, match="public passwords"):
            self.load()
        assert User.objects.count() == 0
