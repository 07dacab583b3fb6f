import io

import pytest
from django.core.management import CommandError, call_command

from inference.feedback import reader
from review.models.audit import AuditEvent, Verb
from tests.review.test_datasets import DatasetCase


class ExportFeedbackTests(DatasetCase):
    def call(self, *args: str) -> str:
        out = io.StringIO()
        call_command("exportfeedback", *args, stdout=out)
        return out.getvalue()

    def test_it_writes_a_dataset_of_signed_reports_and_says_so(self) -> None:
        self.sign(self.study(0), "All is clear.")
        named = self.study(1)
        self.sign(named, f"See {named.patient.patient_id}.")
        self.study(2)
        folder = self.folder / "out"
        said = self.call("--output", str(folder))
        assert "1 studies in" in said
        assert "left out: 1 (patient-id-in-text)" in said
        dataset = reader.read(folder)
        reader.verify(dataset)
        assert dataset.manifest.sites == ("central", "harbour")
        assert AuditEvent.objects.filter(verb=Verb.DATASET_DOWNLOADED).count() == 2

    def test_one_site_is_one_site(self) -> None:
        self.sign(self.study(), "All is clear.")
        self.call("--output", str(self.folder / "out"), "--site", "harbour")
        assert reader.read(self.folder / "out").manifest.counts["studies"] == 0
        event = AuditEvent.objects.get(verb=Verb.DATASET_DOWNLOADED)
        assert event.site_id == self.cast.harbour.pk

    def test_it_writes_over_nothing(self) -> None:
        (self.folder / "mine").mkdir()
        (self.folder / "mine" / "precious").write_text("x")
        with pytest.raises(CommandError, match="not an empty folder"):
            self.call("--output", str(self.folder / "mine"))
        assert (self.folder / "mine" / "precious").read_text() == "x"

    def test_an_empty_folder_will_do(self) -> None:
        (self.folder / "mine").mkdir()
        self.call("--output", str(self.folder / "mine"))
        assert (self.folder / "mine" / "manifest.json").exists()
