import io
import tempfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import TestCase, override_settings

from review.models.audit import AuditEvent, Verb
from review.models.registry import ModelVersion
from review.models.states import ModelState


class RegisterModelTests(TestCase):
    def setUp(self) -> None:
        self.bundle = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.bundle / "config.json").write_text("{}")

    def call(self, *args: str) -> str:
        out = io.StringIO()
        call_command("registermodel", *args, stdout=out)
        return out.getvalue()

    def test_it_is_a_candidate_until_it_is_activated(self) -> None:
        assert " candidate " in self.call(str(self.bundle))
        assert ModelVersion.objects.get().state == ModelState.CANDIDATE
        assert " active " in self.call(str(self.bundle), "--activate")
        version = ModelVersion.objects.get()
        assert (version.state, version.location) == (ModelState.ACTIVE, str(self.bundle.resolve()))
        for verb in (Verb.MODEL_REGISTERED, Verb.MODEL_ACTIVATED):
            assert AuditEvent.objects.filter(verb=verb).count() == 1

    def test_without_a_path_it_is_the_bundle_of_the_settings(self) -> None:
        with override_settings(BUNDLE=self.bundle):
            assert str(self.bundle.resolve()) in self.call("--activate")

    def test_a_folder_without_a_bundle_is_said(self) -> None:
        with pytest.raises(CommandError):
            self.call("/nowhere")
        assert not ModelVersion.objects.exists()
