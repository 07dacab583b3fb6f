import io
import tempfile
from pathlib import Path
from typing import BinaryIO
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.test import TestCase, override_settings

from inference.phantom import study as phantom
from review.management import demo
from review.models.patients import Site
from review.models.people import Capability, Membership, User
from review.models.registry import ModelVersion
from review.models.states import ModelState
from review.models.studies import Arrival
from review.selectors import people
from review.services import studies


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
        current = [name for name in self.names("central") if "-prior-" not in name]
        assert len({name.rsplit("-", 1)[0] for name in current}) == 24
        assert ModelVersion.objects.get().state == ModelState.ACTIVE
        assert "0 studies" in self.load()
        assert counts == [model.objects.count() for model in (Site, User, Membership, Arrival, ModelVersion)]

    def test_a_prior_is_handed_in_before_the_study_of_the_same_patient(self) -> None:
        self.load()
        for code in ("central", "harbour"):
            names = self.names(code)
            priors = [name for name in names if "-prior-" in name]
            assert priors
            for name in priors:
                current = name.replace("-prior-1", "-1").replace("-prior-2", "-1")
                assert names.index(name) < names.index(current)

    def test_what_was_killed_on_the_way_is_handed_in_whole_the_next_time(self) -> None:
        """Of a study with a prior the last file fails: none of its files counts as handed in."""
        receive, index = studies.receive, self.index_with_prior()

        def killed(stream: BinaryIO, filename: str, delivery: studies.Delivery) -> list[Arrival]:
            if filename.startswith(f"phantom-{demo.SEED}-{index:05d}") and "-prior-" not in filename:
                raise KeyboardInterrupt
            return receive(stream, filename, delivery)

        with mock.patch.object(studies, "receive", killed), pytest.raises(KeyboardInterrupt):
            self.load()
        assert not [name for name in self.names("central") if f"-{index:05d}-" in name]
        self.load()
        whole = self.names("central") + self.names("harbour")
        assert len(whole) == len(set(whole))
        assert f"phantom-{demo.SEED}-{index:05d}-prior-1.dcm" in whole
        assert f"phantom-{demo.SEED}-{index:05d}-1.dcm" in whole

    def index_with_prior(self) -> int:
        return next(i for i in range(1, 24) if phantom.generate(demo.SEED, i, size=32).prior is not None)

    def names(self, site: str) -> list[str]:
        """Of the files handed in, in their order."""
        return list(Arrival.objects.filter(site__code=site).order_by("pk").values_list("filename", flat=True))

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
        assert Arrival.objects.exists()

    def test_it_is_refused_elsewhere(self) -> None:
        with override_settings(DEMO=False), pytest.raises(CommandError, match="public passwords"):
            self.load()
        assert User.objects.count() == 0
