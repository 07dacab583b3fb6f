"""Feedback datasets when something is missing, came too late, or nobody foresaw it."""

import shutil
from pathlib import Path
from unittest import mock

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.test import override_settings
from django.utils import timezone

from inference.feedback import writer
from inference.feedback.schema import FeedbackError
from review import audit, storage
from review.models.audit import AuditEvent, Verb
from review.models.feedback import FeedbackDataset
from review.models.states import JobStatus
from review.models.studies import Image, Study
from review.pipeline import datasets
from review.services import feedback
from tests.review.test_datasets import DatasetCase


class DamageTests(DatasetCase):
    def request(self) -> FeedbackDataset:
        return feedback.request(self.cast.central, by=self.cast.nils)

    def run_again(self, dataset: FeedbackDataset) -> FeedbackDataset:
        datasets.run(dataset.pk)
        dataset.refresh_from_db()
        return dataset

    def spoil(self, study: Study, name: str, content: bytes | None) -> None:
        image = Image.objects.get(series__study=study)
        stored = storage.derivative_name(image.pipeline_version, image.content_sha256, name)
        path = Path(default_storage.path(stored))
        before = path.read_bytes()
        self.addCleanup(path.write_bytes, before)
        path.unlink()
        if content is not None:
            path.write_bytes(content)

    def test_a_study_with_a_missing_or_broken_image_is_left_out_and_the_others_leave(self) -> None:
        missing, broken, whole = (self.study(index) for index in range(3))
        for study in (missing, broken, whole):
            self.sign(study, "All is clear.")
        self.spoil(missing, "full.bin", None)
        self.spoil(broken, "full.bin", b"torn")
        dataset = self.built()
        assert dataset.manifest.counts["studies"] == dataset.manifest.counts["images"] == 1
        assert dataset.manifest.left_out == {"image-missing": 1, "image-unreadable": 1}
        assert len(list((dataset.folder / "images").iterdir())) == 1

    def test_an_image_that_came_after_the_signature_is_not_what_the_text_is_of(self) -> None:
        study = self.study()
        self.sign(study, "All is clear.")
        image = Image.objects.get(series__study=study)
        image.pk, image.sop_instance_uid, image.received_at = None, "2.25.81", timezone.now()
        image.save(force_insert=True)
        assert len(self.records()[0].images) == 1

    def test_what_nobody_foresaw_ends_on_the_row(self) -> None:
        dataset = self.request()
        odd = mock.patch.object(datasets, "build", side_effect=ZeroDivisionError("Yamada"))
        with odd, self.assertLogs("review.pipeline.datasets") as logs:
            for _attempt in range(3):
                self.run_again(dataset)
        assert (dataset.status, dataset.failure_code) == (JobStatus.FAILED, "unexpected")
        assert dataset.failure_message == "ZeroDivisionError"
        assert "Yamada" not in "".join(logs.output)

    def test_a_lost_key_of_pseudonyms_is_not_made_again(self) -> None:
        audit.signing_key()
        (self.folder / "keys").mkdir()
        shutil.copy(settings.AUDIT_KEY_FILE, self.folder / "keys" / "audit.pem")
        with override_settings(AUDIT_KEY_FILE=self.folder / "keys" / "audit.pem"):
            assert self.run_again(self.request()).status == JobStatus.READY
            (self.folder / "keys" / "pseudonyms").unlink()
            dataset = self.run_again(self.request())
            assert (dataset.status, dataset.failure_code) == (JobStatus.FAILED, "not-written")
            assert "restore that file" in dataset.failure_message
            assert not (self.folder / "keys" / "pseudonyms").exists()

    def test_nothing_leaves_that_could_not_be_recorded(self) -> None:
        self.sign(self.study(), "All is clear.")
        deaf = mock.patch.object(feedback.audit, "record", side_effect=RuntimeError("deaf"))
        with deaf, pytest.raises(RuntimeError, match="deaf"):
            feedback.export([self.cast.central], self.folder / "out")
        assert list(self.folder.iterdir()) == []

    def test_the_record_is_there_before_the_folder(self) -> None:
        def stopped(part: Path, target: Path) -> None:
            assert AuditEvent.objects.filter(verb=Verb.DATASET_DOWNLOADED).count() == 1
            raise OSError(28, "No space left")

        with mock.patch.object(writer.Path, "rename", stopped), pytest.raises(OSError, match="No space"):
            feedback.export([self.cast.central], self.folder / "out")
        (self.folder / "mine").write_text("x")
        with pytest.raises(FeedbackError, match="not an empty folder"):
            feedback.export([self.cast.central], self.folder / "mine")
        assert AuditEvent.objects.filter(verb=Verb.DATASET_DOWNLOADED).count() == 1
