"""Building a feedback dataset: every signed report of a site, de-identified, in flat memory."""

import json
import logging
import os
import secrets
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import OperationalError, transaction

from inference.feedback import sources
from inference.feedback.privacy import Identity, Pseudonyms
from inference.feedback.schema import FeedbackError
from inference.feedback.writer import Scope, Writer, Written
from inference.text import normal
from review import audit, queue, storage
from review.models.audit import Verb
from review.models.drafts import Draft, Mask
from review.models.feedback import FeedbackDataset
from review.models.patients import Site
from review.models.reports import Report, Revision, Signature
from review.models.states import SIGNED_STATUSES, JobStatus
from review.models.studies import Image, Study
from review.pipeline.headers import parse_date
from review.selectors import drafts as drafts_selector
from review.selectors import feedback

logger = logging.getLogger(__name__)

KEY_BYTES = 32
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_ZIP_MODE = 0o100644 << 16


def run(dataset_id: int) -> None:
    """Build one dataset into storage. Safe to run twice; a passing failure goes back in the queue."""
    claimed = queue.claim(FeedbackDataset, dataset_id)
    if claimed is None:
        return
    dataset, lease = claimed
    try:
        with queue.heartbeat(lease), tempfile.TemporaryDirectory(prefix="feedback-") as folder:
            _drop_archives_of(dataset)
            written = build([dataset.site], Path(folder, "dataset"))
            name = _keep(written, Path(folder, "dataset.zip"), f"feedback/{dataset.pk}/{lease.owner}.zip")
            _finish(dataset, lease, written, name)
    except queue.LeaseLost:
        logger.info("feedback dataset %s was taken over", dataset.pk)
    except FeedbackError as error:
        _fail_quietly(dataset, lease, "not-written", str(error), permanent=True)
    except (OSError, MemoryError) as error:
        logger.warning("feedback dataset %s: %s", dataset.pk, queue.where(error))
        _fail_quietly(dataset, lease, "worker-trouble", type(error).__name__, permanent=False)
    except Exception as error:  # noqa: BLE001 - the task boundary: whatever went wrong ends on the row
        logger.error("feedback dataset %s: %s", dataset.pk, queue.where(error))
        _fail_quietly(dataset, lease, "unexpected", type(error).__name__, permanent=False)


def build(
    sites: Sequence[Site], folder: Path, *, announce: Callable[[Written], None] | None = None
) -> Written:
    """Write everything signed at these sites as a dataset into a new folder. Same rows, same bytes.

    `announce` is told of the dataset while it still has no name a reader would find; what it raises keeps
    the folder from appearing.

    Raises
    ------
    FeedbackError
        When the folder holds anything already, or the key of the pseudonyms is lost.
    """
    names = pseudonyms()
    scope = Scope(tuple(site.code for site in sites), tuple(status.value for status in SIGNED_STATUSES))
    with Writer(folder, names=names, scope=scope, announce=announce) as writer:
        for study_id in _in_order(sites, names):
            _add(writer, study_id)
    assert writer.written is not None
    return writer.written


def pseudonyms() -> Pseudonyms:
    """Under the key kept beside the audit key, made on first use.

    Another key would give everyone a new name, and patients of the training split could be tested on.

    Raises
    ------
    FeedbackError
        When the key is missing although datasets were made with one.
    """
    path = Path(settings.AUDIT_KEY_FILE).with_name("pseudonyms")
    if not path.exists():
        if feedback.any_was_made():
            raise FeedbackError(f"the key of the pseudonyms is missing from {path.parent}: restore that file")
        _make_key(path)
    return Pseudonyms(path.read_bytes())


def _make_key(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{uuid4().hex}")
    fresh.touch(mode=0o600)
    fresh.write_bytes(secrets.token_bytes(KEY_BYTES))
    try:
        os.link(fresh, path)  # Atomic: of two processes that start together, one key wins.
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def _in_order(sites: Sequence[Site], names: Pseudonyms) -> list[int]:
    """Ids by pseudonym: the order of arrival would tell, within a day or so, when a study was made."""
    rows = feedback.signed_studies(sites).values_list("study_instance_uid", "pk")
    return [pk for _name, pk in sorted((names.name("study", uid), pk) for uid, pk in rows.iterator())]


def _add(writer: Writer, study_id: int) -> None:
    report = feedback.signed_report(study_id)
    signatures = feedback.signatures_of(report)
    signed = _signed_text(signatures)
    if signed is None:
        writer.leave_out("signature-does-not-match")
        return
    images = feedback.images_of(report.study, signed)
    with ExitStack() as stack:
        try:
            folders = [
                stack.enter_context(storage.local_derivatives(image.pipeline_version, image.content_sha256))
                for image in images
            ]
        except FileNotFoundError:
            logger.warning("study %s is left out: derivatives are missing", study_id)
            writer.leave_out("image-missing")
            return
        given = [_image(image, folder) for image, folder in zip(images, folders, strict=True)]
        writer.add(_study(report, signatures, signed, given))


def _signed_text(signatures: list[Signature]) -> Signature | None:
    """The signature that made the text final, if the text is still what was signed."""
    on_text = [
        row for row in signatures if row.revision is not None and row.resulting_status in SIGNED_STATUSES
    ]
    if not on_text:
        return None
    shown = json.loads(bytes(on_text[-1].content))["signed"]
    revision = on_text[-1].revision
    assert revision is not None
    same = (shown["findings"], shown["impression"]) == (revision.findings, revision.impression)
    digest = normal.report_sha256(revision.findings, revision.impression)
    return on_text[-1] if same and shown["sha256"] == revision.sha256 == digest else None


def _study(
    report: Report, signatures: list[Signature], signed: Signature, images: list[sources.SourceImage]
) -> sources.SourceStudy:
    study, revision = report.study, signed.revision
    assert revision is not None
    draft = feedback.draft_of(signed)
    return sources.SourceStudy(
        study_instance_uid=study.study_instance_uid,
        patient=f"{study.patient.issuer}\0{study.patient.patient_id}",
        identity=_identity(study, signatures),
        site=study.site.code,
        status=report.status,
        language=study.site.language,
        indication=study.order.indication if study.order else "",
        patient_sex=study.patient.sex,
        patient_age_years=study.patient_age_years,
        ai_seen_first=report.ai_seen_first,
        images=images,
        masks=[_mask(mask) for mask in feedback.masks_of(study, signed, draft)],
        draft=None if draft is None else _draft(draft, revision),
        findings=revision.findings,
        impression=revision.impression,
        signatures=[_signature(row) for row in signatures if row.revision is not None],
        addenda=[
            sources.SourceAddendum(row.addendum.number, row.addendum.text, _signature(row))
            for row in signatures
            if row.addendum is not None
        ],
    )


def _identity(study: Study, signatures: list[Signature]) -> Identity:
    patient, order = study.patient, study.order
    staff = {row.printed_name for row in signatures} | {order.referring_physician_name if order else ""}
    return Identity(
        names=(patient.name_alphabetic, patient.name_ideographic, patient.name_phonetic),
        staff_names=tuple(sorted(staff - {""})),
        patient_id=patient.patient_id,
        accession_number=order.accession_number if order else "",
        birth_date=_birth_date(patient.birth_date, patient.birth_date_raw),
        uids=(study.study_instance_uid,),
    )


def _birth_date(known: date | None, raw: str) -> date | None:
    return known or parse_date(raw)


def _image(image: Image, folder: Path) -> sources.SourceImage:
    spacing = image.pixel_spacing
    return sources.SourceImage(
        sop_instance_uid=image.sop_instance_uid,
        derivatives=folder,
        rows=image.rows,
        columns=image.columns,
        view_position=image.view_position,
        pixel_spacing=(float(spacing[0]), float(spacing[1])) if spacing else None,
        pixel_spacing_source=image.pixel_spacing_source,
        secondary_capture=image.secondary_capture,
        burned_in_annotation=image.header.get("burned_in_annotation", ""),
    )


def _mask(mask: Mask) -> sources.SourceMask:
    return sources.SourceMask(
        key=str(mask.pk),
        sop_instance_uid=mask.image.sop_instance_uid,
        structure=mask.structure,
        source=mask.source,
        author=str(mask.author_id or ""),
        supersedes=str(mask.supersedes_id or ""),
        trust=mask.trust,
        trusted=mask.trusted,
        size=(mask.content.rows, mask.content.columns),
        counts=mask.content.counts,
    )


def _draft(draft: Draft, revision: Revision) -> sources.SourceDraft:
    return sources.SourceDraft(
        model_version=draft.model_version.digest,
        language=draft.language,
        shown=revision.draft_id == draft.pk and not draft.withheld_reason,
        withheld_reason=draft.withheld_reason,
        findings=drafts_selector.text_of(draft, "findings"),
        impression=drafts_selector.text_of(draft, "impression"),
        sentences=tuple(
            sources.SourceSentence(
                position=row.position,
                section=row.section,
                text=row.text,
                finding=row.finding,
                side=row.side,
                certainty=row.certainty,
                confidence=row.confidence,
                evidence=tuple(
                    (cited.mask.image.sop_instance_uid, cited.mask.structure, cited.weight)
                    for cited in sorted(row.evidence.all(), key=lambda cited: cited.pk)
                ),
            )
            for row in draft.sentences.all()
        ),
    )


def _signature(row: Signature) -> sources.SourceSignature:
    return sources.SourceSignature(
        reader=str(row.signer_id),
        role=row.role,
        meaning=row.meaning,
        status=row.resulting_status,
        signed_at=row.signed_at,
    )


def _keep(written: Written, archive: Path, name: str) -> str:
    """Zip the folder, the same folder always to the same bytes, and store it."""
    files = sorted(path for path in written.folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(archive, "w", allowZip64=True) as out:
        for path in files:
            info = zipfile.ZipInfo(path.relative_to(written.folder).as_posix(), _ZIP_TIME)
            info.create_system, info.external_attr = 3, _ZIP_MODE
            info.compress_type = zipfile.ZIP_STORED if path.suffix == ".png" else zipfile.ZIP_DEFLATED
            with path.open("rb") as source, out.open(info, "w", force_zip64=True) as target:
                while chunk := source.read(storage.CHUNK):
                    target.write(chunk)
    with archive.open("rb") as stream:
        return default_storage.save(name, File(stream))


def _drop_archives_of(dataset: FeedbackDataset) -> None:
    """What an earlier try left that was killed after it had stored its archive."""
    folder = f"feedback/{dataset.pk}"
    try:
        _folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in files:
        default_storage.delete(f"{folder}/{name}")


def _finish(dataset: FeedbackDataset, lease: queue.Lease, written: Written, name: str) -> None:
    """Say that it is ready, in one transaction with the audit event; drop the archive if it is not ours."""
    try:
        with transaction.atomic():
            queue.finish(
                lease,
                JobStatus.READY,
                storage_name=name,
                manifest_sha256=written.manifest_sha256,
                study_count=written.studies,
                size=default_storage.size(name),
            )
            audit.record(Verb.DATASET_READY, by=None, site=dataset.site, data=described(dataset, written))
    except queue.LeaseLost:
        default_storage.delete(name)
        raise


def described(dataset: FeedbackDataset | None, written: Written) -> dict[str, object]:
    """A dataset in an audit event."""
    return {
        "dataset": dataset.pk if dataset else None,
        "manifest": written.manifest_sha256,
        "studies": written.studies,
        "left_out": written.left_out,
    }


def _fail_quietly(
    dataset: FeedbackDataset, lease: queue.Lease, code: str, message: str, *, permanent: bool
) -> None:
    try:
        _fail(dataset, lease, code, message, permanent=permanent)
    except (queue.LeaseLost, OperationalError):
        # Somebody else has it, or the database is away: the lease runs out and the sweeper puts it back.
        logger.warning("feedback dataset %s is left to the sweeper", dataset.pk)


@transaction.atomic
def _fail(dataset: FeedbackDataset, lease: queue.Lease, code: str, message: str, *, permanent: bool) -> None:
    logger.warning("feedback dataset %s failed: %s (attempt %s)", dataset.pk, code, dataset.attempts)
    if not permanent and dataset.attempts < settings.MAX_ATTEMPTS:
        queue.give_back(lease)
        return
    queue.finish(lease, JobStatus.FAILED, failure_code=code, failure_message=message)
    data = {"dataset": dataset.pk, "code": code}
    audit.record(Verb.DATASET_FAILED, by=None, site=dataset.site, data=data)
