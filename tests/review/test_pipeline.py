"""From bytes to a ready draft through the real sandbox and storage; only the drafter is a fake."""

import hashlib
import io
import tempfile
import zipfile
from datetime import timedelta
from pathlib import Path
from unittest import mock
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import TestCase, override_settings
from django.utils import timezone
from pydicom import Dataset, dcmwrite
from pydicom import config as pydicom_config

from inference import contract
from inference.objects import dx
from inference.phantom import study as phantoms
from review import exceptions, storage
from review.models.audit import AuditEvent, Verb
from review.models.drafts import Draft, Explanation, Mask, Support
from review.models.patients import Site
from review.models.people import Membership, Role
from review.models.registry import ModelVersion
from review.models.reports import Signature
from review.models.states import ArrivalStatus, JobStatus, ModelState
from review.models.studies import Arrival, Image, Study
from review.models.worklist import WorklistEntry
from review.pipeline import drafting, explaining, ingest, sweeper
from review.selectors import arrivals as arrivals_selector
from review.services import accounts, registry, reports, studies
from tests.review import cast, fakes


def phantom(index: int = 0) -> Dataset:
    study = phantoms.generate(7, index, size=256)
    return dx.build(study, study.images[0])


def with_values(site: Site, **values: object) -> Site:
    for name, value in values.items():
        setattr(site, name, value)
    return site


def dicom_bytes(dataset: Dataset) -> bytes:
    out = io.BytesIO()
    dcmwrite(out, dataset, enforce_file_format=True)
    return out.getvalue()


@override_settings(DRAFTER="tests.review.fakes.load")
class PipelineCase(TestCase):
    def setUp(self) -> None:
        self.cast = cast.make()
        fakes.calls.clear()
        fakes.explained.clear()
        fakes.failures.clear()
        drafting.load.cache_clear()

    def bundle(self) -> ModelVersion:
        folder = Path(self.enterContext(_folder()))
        (folder / "config.json").write_text("{}")
        return registry.activate(registry.register(folder, by=None), by=None)

    def receive(self, content: bytes, name: str = "a.dcm", site=None, by=None) -> list[Arrival]:
        site = site or self.cast.central
        delivery = studies.Delivery(site, uuid4(), Arrival.Origin.UPLOAD, by or self.cast.tessa)
        arrivals = studies.receive(io.BytesIO(content), name, delivery)
        for arrival in arrivals:
            ingest.run(arrival.pk)
            arrival.refresh_from_db()
        return arrivals

    def receive_dataset(self, dataset: Dataset, **options) -> Arrival:
        return self.receive(dicom_bytes(dataset), **options)[0]


def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="bundle-")


class ReceiveTests(PipelineCase):
    def test_a_radiograph_becomes_a_study_with_derivatives_and_a_draft_in_the_queue(self) -> None:
        self.bundle()
        dataset = phantom()
        arrival = self.receive_dataset(dataset)
        assert arrival.status == ArrivalStatus.ACCEPTED, arrival.reason
        image = Image.objects.get(sop_instance_uid=dataset.SOPInstanceUID)
        for name in storage.DERIVATIVES:
            stored = storage.derivative_name(image.pipeline_version, image.content_sha256, name)
            assert default_storage.exists(stored)
        study = Study.objects.get(study_instance_uid=dataset.StudyInstanceUID)
        assert study.patient.issuer == f"{dataset.IssuerOfPatientID}@central"
        assert study.drafts.get().status == JobStatus.QUEUED
        assert WorklistEntry.objects.get(study=study).status == "preparing"
        verbs = set(AuditEvent.objects.values_list("verb", flat=True))
        assert {Verb.FILE_RECEIVED, Verb.STUDY_CREATED, Verb.IMAGE_ADDED, Verb.DRAFT_REQUESTED} <= verbs

    def decide(self, arrival: Arrival, accept: bool, note: str) -> None:
        decision = studies.Decision(accept, arrival.reason_code, note)
        studies.resolve(arrival, decision, by=self.cast.tessa)

    def test_the_same_instance_twice_is_one_image_and_one_draft(self) -> None:
        self.bundle()
        first, second = self.receive_dataset(phantom()), self.receive_dataset(phantom())
        assert (first.status, second.status) == (ArrivalStatus.ACCEPTED, ArrivalStatus.DUPLICATE)
        assert second.image == first.image
        assert Image.objects.count() == Draft.objects.count() == 1

    def test_the_same_uid_with_other_content_waits_for_a_person(self) -> None:
        self.bundle()
        self.receive_dataset(phantom())
        changed = phantom()
        changed.StudyDescription = "Chest, again"
        arrival = self.receive_dataset(changed)
        assert (arrival.status, arrival.reason_code) == (ArrivalStatus.QUARANTINED, "other-content")
        self.decide(arrival, True, "A repeat exposure.")
        ingest.run(arrival.pk)
        arrival.refresh_from_db()
        assert arrival.status == ArrivalStatus.ACCEPTED
        assert arrival.image.sop_instance_uid != changed.SOPInstanceUID
        assert Study.objects.count() == 1
        assert Image.objects.count() == 2

    def test_a_patient_mismatch_waits_and_can_be_discarded(self) -> None:
        self.bundle()
        self.receive_dataset(phantom())
        changed = phantom()
        changed.SOPInstanceUID = changed.file_meta.MediaStorageSOPInstanceUID = "2.25.77"
        changed.PatientID = "SOMEONE-ELSE"
        arrival = self.receive_dataset(changed)
        assert (arrival.status, arrival.reason_code) == (ArrivalStatus.QUARANTINED, "patient-mismatch")
        with pytest.raises(exceptions.InvalidInput):
            self.decide(arrival, False, " ")
        self.decide(arrival, False, "Wrong wristband.")
        assert arrival.status == ArrivalStatus.DISCARDED
        with pytest.raises(exceptions.IllegalMove):
            self.decide(arrival, False, "Again.")

    def test_the_same_patient_id_with_another_birth_date_waits(self) -> None:
        self.receive_dataset(phantom(0))
        other = phantom(1)
        known = phantom(0)
        other.PatientID, other.PatientName, other.PatientSex = (
            known.PatientID,
            known.PatientName,
            known.PatientSex,
        )
        other.PatientBirthDate = "19010101"
        arrival = self.receive_dataset(other)
        assert arrival.reason_code == "patient-mismatch"
        assert "birth date" in arrival.reason

    def test_another_hospitals_issuer_shows_nothing_of_its_patients(self) -> None:
        """A file that names Central's issuer, handed in at the harbour, is not of Central's patient."""
        own = phantom(0)
        own.IssuerOfPatientID = "CENTRAL"
        central = self.receive_dataset(own).image.series.study.patient
        foreign = phantom(1)
        foreign.IssuerOfPatientID, foreign.PatientID, foreign.PatientName = "CENTRAL", own.PatientID, ""
        membership = Membership(user=self.cast.tessa, site=self.cast.harbour, role=Role.TECHNOLOGIST)
        membership.save()
        arrival = self.receive_dataset(foreign, site=self.cast.harbour)
        assert arrival.status == ArrivalStatus.ACCEPTED
        patient = arrival.image.series.study.patient
        assert (central.issuer, patient.issuer) == ("CENTRAL", "CENTRAL@harbour")
        assert patient.display_name() == ""

    def test_an_accession_number_of_another_patient_is_stopped(self) -> None:
        self.receive_dataset(phantom(0))
        other = phantom(1)
        other.AccessionNumber = phantom(0).AccessionNumber
        arrival = self.receive_dataset(other)
        assert (arrival.status, arrival.reason_code) == (ArrivalStatus.QUARANTINED, "order-mismatch")
        known = arrivals_selector.known(arrival)
        assert known is not None
        assert known["patient_id"] == phantom(0).PatientID != arrival.claimed["patient_id"]
        self.decide(arrival, True, "The ward mistyped it.")
        ingest.run(arrival.pk)
        arrival.refresh_from_db()
        assert arrival.status == ArrivalStatus.ACCEPTED
        assert arrival.image.series.study.order is None

    def test_a_blank_order_is_filled_in_by_a_later_image_and_drafted_on(self) -> None:
        self.bundle()
        first = phantom()
        indication, first.ReasonForTheRequestedProcedure = first.ReasonForTheRequestedProcedure, ""
        for item in first.get("RequestAttributesSequence", []):
            item.ReasonForTheRequestedProcedure = ""
        study = self.receive_dataset(first).image.series.study
        assert study.order.indication == ""
        late = phantom()
        late.SOPInstanceUID = late.file_meta.MediaStorageSOPInstanceUID = "2.25.79"
        self.receive_dataset(late)
        study.refresh_from_db()
        study.order.refresh_from_db()
        assert study.order.indication == indication
        assert study.input_digest == drafting.input_digest(study)

    def test_a_decision_is_about_the_reason_that_was_on_the_screen(self) -> None:
        self.receive_dataset(phantom(0))
        other = phantom(1)
        other.AccessionNumber = phantom(0).AccessionNumber
        arrival = self.receive_dataset(other)
        with pytest.raises(exceptions.IllegalMove):
            studies.resolve(arrival, studies.Decision(True, "patient-mismatch", "Sure."), by=self.cast.tessa)

    def test_another_language_of_the_site_makes_no_draft_stale_and_stops_none(self) -> None:
        self.bundle()
        study = self.receive_dataset(phantom()).image.series.study
        accounts.save_site(with_values(study.site, language="ja"), by=self.cast.root)
        drafting.run(study.drafts.get().pk)
        assert study.drafts.get().status == JobStatus.READY
        assert not study.drafts.get().is_stale()

    def test_an_image_after_signing_comes_back_to_the_readers(self) -> None:
        study = self.receive_dataset(phantom()).image.series.study
        revision = reports.save(study, by=self.cast.ruth, text=reports.Text("Clear.", "Normal.", 0))
        reports.sign(
            study,
            by=self.cast.ruth,
            revision_number=1,
            sha256=revision.sha256,
            input_digest=study.input_digest,
            meaning=Signature.Meaning.AUTHOR,
        )
        assert not WorklistEntry.objects.get(study=study).is_open
        late = phantom()
        late.SOPInstanceUID = late.file_meta.MediaStorageSOPInstanceUID = "2.25.81"
        self.receive_dataset(late)
        entry = WorklistEntry.objects.get(study=study)
        assert (entry.status, entry.is_open) == ("changed", True)
        reports.add_addendum(study, by=self.cast.ruth, text="The second image is clear too.")
        entry.refresh_from_db()
        assert (entry.status, entry.is_open) == ("signed", False)

    def test_a_file_that_was_given_up_and_read_again_tells_of_no_failure(self) -> None:
        (arrival,) = studies.receive(
            io.BytesIO(dicom_bytes(phantom())),
            "a.dcm",
            studies.Delivery(self.cast.central, uuid4(), Arrival.Origin.UPLOAD, self.cast.tessa),
        )
        Arrival.objects.filter(pk=arrival.pk).update(status=ArrivalStatus.RUNNING)
        failed = {"status": ArrivalStatus.FAILED, "failure_code": "worker-lost", "failure_message": "Lost."}
        Arrival.objects.filter(pk=arrival.pk).update(**failed)
        arrival.refresh_from_db()
        studies.retry(arrival, by=self.cast.tessa)
        ingest.run(arrival.pk)
        arrival.refresh_from_db()
        assert (arrival.status, arrival.failure_message) == (ArrivalStatus.ACCEPTED, "")

    def test_a_broken_archive_tells_what_it_gave_before(self) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("one.dcm", dicom_bytes(phantom(0)))
            archive.writestr("two.dcm", b"0123456789" * 200)
        content = bytearray(out.getvalue())
        content[content.rindex(b"0123456789")] ^= 0xFF
        first, second = self.receive(bytes(content), name="disc.zip")
        assert (first.filename, first.status) == ("disc.zip/one.dcm", ArrivalStatus.ACCEPTED)
        assert (second.filename, second.reason_code) == ("disc.zip/two.dcm", "bad-archive")

    def test_a_late_image_makes_the_draft_stale_and_asks_for_a_new_one(self) -> None:
        self.bundle()
        self.receive_dataset(phantom())
        old = Draft.objects.get()
        drafting.run(old.pk)
        late = phantom()
        late.SOPInstanceUID = late.file_meta.MediaStorageSOPInstanceUID = "2.25.78"
        self.receive_dataset(late)
        old.refresh_from_db()
        assert (old.status, old.is_stale()) == (JobStatus.READY, True)
        new = Draft.objects.exclude(pk=old.pk).get()
        assert (new.status, new.reason) == (JobStatus.QUEUED, "late-image")
        drafting.run(new.pk)
        assert new.sentences.get().text.startswith("2 views")

    def test_what_is_no_radiograph_is_refused_with_a_reason(self) -> None:
        arrival = self.receive(b"hello, I am a letter", name="letter.txt")[0]
        assert arrival.status == ArrivalStatus.REFUSED
        assert arrival.reason_code
        assert arrival.reason

    def test_an_empty_file_and_a_huge_one_are_refused_at_the_door(self) -> None:
        assert self.receive(b"")[0].reason_code == "empty-file"
        with override_settings(UPLOAD_MAX_BYTES=10):
            assert self.receive(b"x" * 11)[0].reason_code == "too-large"

    def test_a_zip_is_taken_in_file_by_file(self) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("../../etc/one.dcm", dicom_bytes(phantom(0)))
            archive.writestr("folder/readme.txt", "no radiograph")
        arrivals = self.receive(out.getvalue(), name="disc.zip")
        assert [arrival.status for arrival in arrivals] == [ArrivalStatus.ACCEPTED, ArrivalStatus.REFUSED]
        assert arrivals[0].filename == "disc.zip/one.dcm"

    def test_a_zip_that_unpacks_to_too_much_stops_there(self) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(3):
                archive.writestr(f"{number}.bin", b"0" * 1000)
        with override_settings(ARCHIVE_MAX_BYTES=1500):
            arrivals = self.receive(out.getvalue(), name="bomb.zip")
        assert [arrival.reason_code for arrival in arrivals][-1] == "archive-too-large"

    def test_a_study_of_another_site_waits(self) -> None:
        self.receive_dataset(phantom())
        changed = phantom()
        changed.SOPInstanceUID = changed.file_meta.MediaStorageSOPInstanceUID = "2.25.79"
        arrival = self.receive_dataset(changed, site=self.cast.harbour, by=self.cast.petra)
        assert arrival.reason_code == "other-site"

    def test_a_damaged_zip_is_refused_with_a_reason(self) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.bin", bytes(range(256)) * 40)
        damaged = bytearray(out.getvalue())
        damaged[60] ^= 0xFF
        (arrival,) = self.receive(bytes(damaged), name="damaged.zip")
        assert arrival.reason_code == "bad-archive"

    def test_a_name_in_another_encoding_is_kept_as_a_label(self) -> None:
        (arrival,) = self.receive(
            b"no radiograph", name=b"\x8e\xca\x90^.dcm".decode("utf-8", "surrogateescape")
        )
        assert arrival.filename == "?ʐ^.dcm"

    def test_what_was_stored_in_part_is_stored_again(self) -> None:
        content = dicom_bytes(phantom())
        name = storage.original_name(hashlib.sha256(content).hexdigest())
        default_storage.save(name, ContentFile(content[:100]))
        assert self.receive(content)[0].status == ArrivalStatus.ACCEPTED

    def test_a_stored_file_that_was_changed_is_not_read_and_is_given_up(self) -> None:
        delivery = studies.Delivery(self.cast.central, uuid4(), Arrival.Origin.UPLOAD, self.cast.tessa)
        (arrival,) = studies.receive(io.BytesIO(dicom_bytes(phantom())), "a.dcm", delivery)
        path = Path(default_storage.path(storage.original_name(arrival.content_sha256)))
        path.write_bytes(path.read_bytes()[:-1] + b"!")
        for _attempt in range(3):
            ingest.run(arrival.pk)
        arrival.refresh_from_db()
        assert (arrival.status, arrival.attempts) == (ArrivalStatus.FAILED, 3)
        default_storage.delete(storage.original_name(arrival.content_sha256))
        self.receive_dataset(phantom())
        studies.retry(arrival, by=self.cast.tessa)
        ingest.run(arrival.pk)
        arrival.refresh_from_db()
        assert arrival.status == ArrivalStatus.DUPLICATE

    def test_what_another_site_has_is_not_told(self) -> None:
        self.receive_dataset(phantom())
        arrival = self.receive_dataset(phantom(), site=self.cast.harbour, by=self.cast.petra)
        assert (arrival.status, arrival.reason_code) == (ArrivalStatus.QUARANTINED, "other-site")
        assert arrival.image is None

    def test_a_file_that_contradicts_twice_can_be_accepted_twice(self) -> None:
        self.receive_dataset(phantom())
        changed = phantom()
        changed.PatientID = "SOMEONE-ELSE"
        arrival = self.receive_dataset(changed)
        for reason in ("other-content", "patient-mismatch"):
            assert arrival.reason_code == reason
            self.decide(arrival, True, "Asked the ward.")
            ingest.run(arrival.pk)
            arrival.refresh_from_db()
        assert arrival.status == ArrivalStatus.ACCEPTED

    def test_identifiers_that_cannot_be_kept_whole_are_refused(self) -> None:
        dataset = phantom()
        with pydicom_config.disable_value_validation():
            dataset.PatientID = "X" * 70
            content = dicom_bytes(dataset)
        assert self.receive(content)[0].reason_code == "bad-identifier"

    def test_impossible_times_are_no_times(self) -> None:
        dataset = phantom()
        dataset.StudyDate, dataset.TimezoneOffsetFromUTC = "00010101", "+1400"
        assert self.receive_dataset(dataset).status == ArrivalStatus.ACCEPTED
        assert Study.objects.get().started_at is None

    def test_a_stranger_may_not_hand_in(self) -> None:
        with pytest.raises(exceptions.NotAllowed):
            self.receive(b"x", by=self.cast.petra)
        with pytest.raises(exceptions.NotAllowed):
            self.receive(b"x", by=self.cast.root)


class DraftingTests(PipelineCase):
    def make_study(self) -> Study:
        self.bundle()
        self.receive_dataset(phantom())
        return Study.objects.get()

    def test_it_stores_masks_sentences_and_evidence(self) -> None:
        study = self.make_study()
        draft = study.drafts.get()
        drafting.run(draft.pk)
        draft.refresh_from_db()
        assert draft.status == JobStatus.READY
        mask = Mask.objects.get(draft=draft)
        assert draft.sentences.get().evidence.get().mask == mask
        assert (mask.content.rows, mask.content.columns) == (256, 256)
        assert WorklistEntry.objects.get(study=study).status == "ready"
        assert fakes.calls[0].indication == study.order.indication

    def test_a_second_run_does_nothing(self) -> None:
        draft = self.make_study().drafts.get()
        drafting.run(draft.pk)
        drafting.run(draft.pk)
        assert len(fakes.calls) == 1
        drafting.run(999_999)

    def test_a_passing_failure_is_tried_again_and_then_given_up(self) -> None:
        draft = self.make_study().drafts.get()
        for _attempt in range(3):
            fakes.failures.append(contract.InferenceError("busy", "device busy", permanent=False))
            drafting.run(draft.pk)
        draft.refresh_from_db()
        assert (draft.status, draft.failure_code, draft.attempts) == (JobStatus.FAILED, "busy", 3)

    def test_a_lasting_failure_is_stored_at_once_and_can_be_asked_for_again(self) -> None:
        study = self.make_study()
        draft = study.drafts.get()
        fakes.failures.append(contract.InferenceError("too-odd", "cannot", permanent=True))
        drafting.run(draft.pk)
        draft.refresh_from_db()
        assert (draft.status, draft.failure_code) == (JobStatus.FAILED, "too-odd")
        assert WorklistEntry.objects.get(study=study).status == "failed"
        drafting.enqueue(study, by=self.cast.ruth, reason="request")
        drafting.run(draft.pk)
        draft.refresh_from_db()
        assert draft.status == JobStatus.READY

    def test_a_bundle_that_changed_under_its_digest_is_not_used(self) -> None:
        draft = self.make_study().drafts.get()
        Path(draft.model_version.location, "config.json").write_text('{"other": 1}')
        drafting.run(draft.pk)
        draft.refresh_from_db()
        assert draft.failure_code == "bundle-changed"


class ExplainingTests(PipelineCase):
    """The second task: the draft is ready before it and stays as it is, whatever becomes of it."""

    def setUp(self) -> None:
        super().setUp()
        self.bundle()
        self.receive_dataset(phantom())
        self.study = Study.objects.get()
        drafting.run(self.study.drafts.get().pk)
        self.draft = self.study.drafts.get()
        self.explanation = Explanation.objects.get(draft=self.draft)

    def told(self, verb: Verb) -> int:
        return AuditEvent.objects.filter(study_id=self.study.pk, verb=verb).count()

    def again(self) -> None:
        explaining.run(self.explanation.pk)
        self.explanation.refresh_from_db()

    def test_a_ready_draft_asks_for_its_evidence_and_is_ready_without(self) -> None:
        assert (self.draft.status, self.explanation.status) == (JobStatus.READY, JobStatus.QUEUED)
        assert Support.objects.count() == 0

    def test_the_broker_is_told_after_the_draft_is_stored(self) -> None:
        self.receive_dataset(phantom(1))
        other = Draft.objects.exclude(pk=self.draft.pk).get()
        with mock.patch("review.queue._send") as send, self.captureOnCommitCallbacks(execute=True):
            drafting.run(other.pk)
        send.assert_called_once_with(Explanation, other.explanation.pk)

    def test_it_stores_what_each_mask_does_to_each_sentence_with_one_event(self) -> None:
        self.again()
        assert self.explanation.status == JobStatus.READY
        (support,) = Support.objects.all()
        assert (support.sentence, support.mask) == (self.draft.sentences.get(), self.draft.masks.get())
        assert support.nats == 0.5
        assert self.told(Verb.EVIDENCE_MEASURED) == 1

    def test_the_drafter_is_given_the_draft_as_it_gave_it(self) -> None:
        self.again()
        (given,) = fakes.explained
        assert given == fakes.load(Path()).draft(fakes.calls[0]).sentences

    def test_a_second_run_does_nothing(self) -> None:
        self.again()
        self.again()
        assert len(fakes.explained) == Support.objects.count() == self.told(Verb.EVIDENCE_MEASURED) == 1
        explaining.run(999_999)

    def test_a_passing_failure_is_tried_again_and_then_given_up_and_the_draft_stays(self) -> None:
        for _attempt in range(3):
            fakes.failures.append(contract.InferenceError("busy", "device busy", permanent=False))
            self.again()
        assert (self.explanation.status, self.explanation.failure_code) == (JobStatus.FAILED, "busy")
        self.draft.refresh_from_db()
        assert self.draft.status == JobStatus.READY
        assert WorklistEntry.objects.get(study=self.study).status == "ready"
        assert self.told(Verb.EVIDENCE_FAILED) == 1

    def test_an_error_nobody_expected_ends_on_the_row(self) -> None:
        fakes.failures.append(KeyError("patient"))
        self.again()
        assert (self.explanation.status, self.explanation.attempts) == (JobStatus.QUEUED, 1)

    def test_a_study_that_changed_since_is_not_explained(self) -> None:
        Study.objects.update(patient_age_years=99)
        self.again()
        assert self.explanation.failure_code == "superseded"
        assert fakes.explained == []

    def test_a_worker_that_lost_its_lease_stores_nothing(self) -> None:
        """While it works, the sweeper takes the row back and another worker takes it."""

        def taken_over(*_: object) -> tuple[contract.Support, ...]:
            Explanation.objects.update(lease_owner=uuid4())
            uid = Image.objects.get().sop_instance_uid
            return (contract.Support(0, "heart", uid, 1.0),)

        with mock.patch.object(fakes.FakeDrafter, "explain", taken_over):
            self.again()
        assert self.explanation.status == JobStatus.RUNNING
        assert Support.objects.count() == self.told(Verb.EVIDENCE_MEASURED) == 0

    def test_the_sweeper_puts_a_killed_workers_row_back_and_gives_up_in_the_end(self) -> None:
        rows = Explanation.objects.filter(pk=self.explanation.pk)
        past = timezone.now() - timedelta(minutes=5)
        rows.update(status=JobStatus.RUNNING, lease_until=past, attempts=1)
        assert sweeper.run()["requeued"] == 1
        self.again()
        assert (self.explanation.status, self.explanation.attempts) == (JobStatus.READY, 2)

    def test_a_row_whose_worker_is_killed_every_time_is_given_up(self) -> None:
        past = timezone.now() - timedelta(minutes=5)
        Explanation.objects.update(status=JobStatus.RUNNING, lease_until=past, attempts=3)
        assert sweeper.run()["failed"] == 1
        self.explanation.refresh_from_db()
        assert (self.explanation.status, self.explanation.failure_code) == (JobStatus.FAILED, "worker-lost")
        assert self.told(Verb.EVIDENCE_FAILED) == 1


class LateInputTests(PipelineCase):
    def test_a_draft_whose_study_changed_under_it_is_given_up_for_the_newer_one(self) -> None:
        self.bundle()
        self.receive_dataset(phantom())
        draft = Draft.objects.get()
        Study.objects.update(input_digest="b" * 64)
        Draft.objects.filter(pk=draft.pk).update(input_digest="b" * 64)
        drafting.run(draft.pk)
        draft.refresh_from_db()
        assert (draft.status, draft.failure_code) == (JobStatus.FAILED, "superseded")


class SweeperTests(PipelineCase):
    def test_a_lost_worker_loses_nothing(self) -> None:
        self.bundle()
        self.receive_dataset(phantom())
        draft = Draft.objects.get()
        past = timezone.now() - timedelta(minutes=5)
        Draft.objects.filter(pk=draft.pk).update(status=JobStatus.RUNNING, lease_until=past, attempts=1)
        assert sweeper.run()["requeued"] == 1
        draft.refresh_from_db()
        assert draft.status == JobStatus.QUEUED
        Draft.objects.filter(pk=draft.pk).update(status=JobStatus.RUNNING, lease_until=past, attempts=3)
        assert sweeper.run()["failed"] == 1
        draft.refresh_from_db()
        assert (draft.status, draft.failure_code) == (JobStatus.FAILED, "worker-lost")

    def test_a_row_the_broker_forgot_is_told_again(self) -> None:
        self.bundle()
        self.receive_dataset(phantom())
        assert sweeper.run()["nudged"] == 0
        Draft.objects.update(nudged_at=timezone.now() - timedelta(minutes=1))
        assert sweeper.run()["nudged"] == 1

    def test_studies_that_came_before_the_model_get_their_draft(self) -> None:
        self.receive_dataset(phantom())
        assert Draft.objects.count() == 0
        self.bundle()
        assert sweeper.run()["requested"] == 1
        assert Draft.objects.get().reason == "model"


class RegistryTests(PipelineCase):
    def test_activating_a_model_retires_the_one_before(self) -> None:
        first = self.bundle()
        folder = Path(self.enterContext(_folder()))
        (folder / "config.json").write_text('{"n": 2}')
        registry.activate(registry.register(folder, by=None), by=None)
        first.refresh_from_db()
        assert first.state == ModelState.RETIRED
