"""What leaves as a feedback dataset, from real rows and derivatives; only the drafter is a fake."""

import hashlib
import io
import tempfile
import zipfile
from pathlib import Path
from unittest import mock

import pytest
from django.core.files.storage import default_storage
from django.db import connections

from inference.feedback import reader
from inference.feedback.schema import FeedbackError, StudyRecord
from review import exceptions
from review.models.audit import AuditEvent, Verb
from review.models.feedback import FeedbackDataset
from review.models.people import User
from review.models.reports import Report, Signature
from review.models.states import JobStatus
from review.models.studies import Study
from review.pipeline import datasets, drafting
from review.services import feedback, reports
from tests.review import cast
from tests.review.test_pipeline import PipelineCase, phantom


class DatasetCase(PipelineCase):
    """Studies 0, 1, ... with their drafts, at central."""

    def setUp(self) -> None:
        super().setUp()
        self.bundle()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def study(self, index: int = 0) -> Study:
        arrival = self.receive_dataset(phantom(index))
        study = Study.objects.get(series__images=arrival.image)
        for draft in study.drafts.all():
            drafting.run(draft.pk)
        return study

    def sign(
        self,
        study: Study,
        findings: str,
        impression: str = "Normal.",
        by: User | None = None,
        *,
        sees_draft: bool = True,
    ) -> Signature:
        by = by or self.cast.ruth
        report = Report.objects.filter(study=study).first()
        based_on = report.revision_number if report else 0
        ready = study.drafts.filter(status="ready").values_list("pk", flat=True).first()
        shown = ready if sees_draft else None
        text = reports.Text(findings, impression, based_on, shown)
        revision = reports.save(study, by=by, text=text)
        return reports.sign(
            study,
            by=by,
            revision_number=revision.number,
            sha256=revision.sha256,
            input_digest=study.input_digest,
            meaning=Signature.Meaning.AUTHOR,
        )

    def built(self, name: str = "set") -> reader.Dataset:
        written = datasets.build([self.cast.central], self.folder / name)
        dataset = reader.read(written.folder)
        reader.verify(dataset)
        return dataset

    def records(self, name: str = "set") -> list[StudyRecord]:
        return list(self.built(name).studies())


class BuildTests(DatasetCase):
    def test_only_signed_reports_leave(self) -> None:
        unread, written, preliminary, signed = (self.study(index) for index in range(4))
        reports.save(written, by=self.cast.ruth, text=reports.Text("Half way.", "", 0))
        self.sign(preliminary, "A trainee's reading.", by=self.cast.tomo)
        self.sign(signed, "All is clear.")
        error = self.study(4)
        self.sign(error, "Signed on the wrong patient.")
        Report.objects.filter(study=error).update(status="entered-in-error")
        records = self.records()
        assert [record.final.findings for record in records] == ["All is clear."]
        assert unread.pk

    def test_it_holds_what_was_said_and_what_was_signed(self) -> None:
        study = self.study()
        said = drafting_text(study)
        self.sign(study, f"{said} A rib is broken.")
        reports.add_addendum(study, by=self.cast.omar, text="Told to the ward.")
        dataset = self.built()
        record = next(dataset.studies())
        assert record.status == "appended"
        assert record.draft is not None
        assert (record.draft.findings, record.draft.shown) == (said, True)
        assert record.draft.model_version == study.drafts.get().model_version.digest
        assert [one.edit for one in record.draft.sentences] == ["unchanged"]
        assert [one.edit for one in record.final.sentences] == ["unchanged", "added", "added"]
        assert record.ai_seen_first is True
        assert [one.text for one in record.addenda] == ["Told to the ward."]
        assert record.addenda[0].reader != record.signatures[0].reader
        mask = next(dataset.masks())
        assert (mask.structure, mask.source, mask.size) == ("heart", "ai", (256, 256))
        assert record.draft.sentences[0].evidence[0].image == record.images[0].image == mask.image
        assert dataset.image(record.images[0]).shape == (256, 256)

    def test_the_same_rows_are_the_same_bytes(self) -> None:
        for index in range(3):
            self.sign(self.study(index), f"Report {index}.")
        hashes = [
            {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.*")}
            for folder in (self.built("one").folder, self.built("two").folder)
        ]
        assert hashes[0] == hashes[1]
        assert len(hashes[0]) == 3 + 6

    def test_no_name_number_or_date_of_a_patient_is_in_any_byte(self) -> None:
        study = self.study()
        self.sign(study, "All is clear.")
        secrets = [
            study.study_instance_uid,
            study.patient.patient_id,
            study.patient.name_alphabetic.split("^")[0],
            study.order.accession_number,
            study.study_date_raw,
            self.cast.ruth.printed_name,
            self.cast.ruth.username,
            study.series.get().images.get().sop_instance_uid,
        ]
        folder = self.built().folder
        everything = b"".join(path.read_bytes() for path in folder.rglob("*.*"))
        for secret in secrets:
            assert secret
            assert secret.encode() not in everything, secret

    def test_a_report_that_names_its_patient_stays_and_is_counted(self) -> None:
        study, other = self.study(0), self.study(1)
        family = study.patient.name_alphabetic.split("^")[0]
        self.sign(study, f"Known to {family.lower()}'s family doctor.")
        self.sign(other, "All is clear.")
        dataset = self.built()
        assert dataset.manifest.left_out == {"patient-name-in-text": 1}
        assert dataset.manifest.counts["studies"] == 1

    def test_a_draft_nobody_saw_is_marked_so(self) -> None:
        self.cast.central.stage = "silent"
        self.cast.central.save(update_fields=["stage"])
        self.sign(self.study(), "All is clear.", sees_draft=False)
        record = self.records()[0]
        assert record.draft is not None
        assert (record.draft.shown, record.ai_seen_first) == (False, False)

    def test_a_draft_made_after_the_signature_changes_nothing(self) -> None:
        study = self.study()
        self.sign(study, "All is clear.")
        before = self.records("before")
        late = phantom()
        late.SOPInstanceUID = late.file_meta.MediaStorageSOPInstanceUID = "2.25.80"
        self.receive_dataset(late)
        drafting.run(study.drafts.order_by("-pk").first().pk)
        after = self.records("after")
        assert before[0].draft == after[0].draft

    def test_the_key_is_made_once_and_kept_to_its_owner(self) -> None:
        one, two = datasets.pseudonyms(), datasets.pseudonyms()
        assert one.name("study", "1.2") == two.name("study", "1.2")


@pytest.mark.usefixtures("committed_db")
def test_a_text_that_is_no_longer_what_was_signed_stays(tmp_path: Path) -> None:
    people = cast.make()
    study = cast.study(people.central)
    revision = reports.save(study, by=people.ruth, text=reports.Text("All is clear.", "Normal.", 0))
    reports.sign(
        study,
        by=people.ruth,
        revision_number=1,
        sha256=revision.sha256,
        input_digest=study.input_digest,
        meaning=Signature.Meaning.AUTHOR,
    )
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE review_revision DISABLE TRIGGER USER")
        cursor.execute("UPDATE review_revision SET findings = 'All is lost.'")
    written = datasets.build([people.central], tmp_path / "set")
    assert written.left_out == {"signature-does-not-match": 1}


def drafting_text(study: Study) -> str:
    return study.drafts.get().sentences.get().text


class RunTests(DatasetCase):
    def ready(self) -> FeedbackDataset:
        dataset = feedback.request(self.cast.central, by=self.cast.nils)
        datasets.run(dataset.pk)
        dataset.refresh_from_db()
        assert dataset.status == JobStatus.READY, dataset.failure_message
        return dataset

    def test_the_archive_in_storage_is_the_dataset(self) -> None:
        self.sign(self.study(), "All is clear.")
        dataset = self.ready()
        with default_storage.open(dataset.storage_name) as stream:
            content = stream.read()
        assert (dataset.size, dataset.study_count, dataset.schema_version) == (len(content), 1, "1")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert hashlib.sha256(archive.read("manifest.json")).hexdigest() == dataset.manifest_sha256
            archive.extractall(self.folder / "out")
        reader.verify(reader.read(self.folder / "out"))
        event = AuditEvent.objects.get(verb=Verb.DATASET_READY)
        assert dataset.manifest_sha256 in bytes(event.canonical).decode()

    def test_two_datasets_of_the_same_reports_are_the_same_bytes(self) -> None:
        self.sign(self.study(), "All is clear.")
        one, two = self.ready(), self.ready()
        assert (one.number, two.number) == (1, 2)
        contents = []
        for dataset in (one, two):
            with default_storage.open(dataset.storage_name) as stream:
                contents.append(stream.read())
        assert contents[0] == contents[1]

    def test_nothing_signed_is_an_empty_dataset(self) -> None:
        assert self.ready().study_count == 0

    def test_a_second_run_does_nothing(self) -> None:
        dataset = self.ready()
        datasets.run(dataset.pk)
        assert AuditEvent.objects.filter(verb=Verb.DATASET_READY).count() == 1

    def test_a_full_disk_is_tried_again_and_then_stored(self) -> None:
        dataset = feedback.request(self.cast.central, by=self.cast.nils)
        with mock.patch.object(datasets, "build", side_effect=OSError(28, "No space left")):
            for _attempt in range(3):
                datasets.run(dataset.pk)
        dataset.refresh_from_db()
        assert (dataset.status, dataset.failure_code, dataset.attempts) == ("failed", "worker-trouble", 3)
        assert AuditEvent.objects.filter(verb=Verb.DATASET_FAILED).count() == 1

    def test_a_format_error_is_stored_at_once(self) -> None:
        dataset = feedback.request(self.cast.central, by=self.cast.nils)
        with mock.patch.object(datasets, "build", side_effect=FeedbackError("odd")):
            datasets.run(dataset.pk)
        dataset.refresh_from_db()
        assert (dataset.status, dataset.failure_code, dataset.failure_message) == (
            "failed",
            "not-written",
            "odd",
        )

    def test_a_lost_lease_leaves_no_archive(self) -> None:
        dataset = feedback.request(self.cast.central, by=self.cast.nils)
        build = datasets.build

        def stolen(*args):
            FeedbackDataset.objects.update(lease_owner="00000000-0000-0000-0000-000000000000")
            return build(*args)

        with mock.patch.object(datasets, "build", stolen):
            datasets.run(dataset.pk)
        dataset.refresh_from_db()
        assert dataset.status == JobStatus.RUNNING
        assert default_storage.listdir(f"feedback/{dataset.pk}")[1] == []

    def test_only_who_may_export_asks(self) -> None:
        for person in (self.cast.ruth, self.cast.petra, self.cast.tessa, self.cast.root):
            with pytest.raises(exceptions.NotAllowed):
                feedback.request(self.cast.central, by=person)
