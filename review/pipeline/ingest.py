"""The worker's half of receiving a file: read it in a sandbox, decide what it is, file it, ask for a
draft."""

import logging
import re
import tempfile
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from inference.imaging.dicom import ImageHeader, Refusal
from inference.imaging.pixels import PIPELINE_VERSION
from inference.imaging.sandbox import Sandbox
from review import audit, queue, storage, worklist
from review.models.audit import Verb
from review.models.patients import Patient
from review.models.states import ArrivalStatus
from review.models.studies import Arrival, Image, Order, Priority, Series, Study
from review.pipeline import drafting, headers

logger = logging.getLogger(__name__)

_PRIORITIES = {"STAT": Priority.STAT, "HIGH": Priority.HIGH}


IDENTIFIER_LENGTH = 64
"""DICOM's limit for LO and UI values (PS3.5 6.2), and ours."""


_UID = re.compile(r"[0-9A-Za-z._-]{1,64}")
"""PS3.5 9.1 allows digits and dots; a few scanners add letters, which harm nothing."""


class Quarantine(Exception):
    """A file that is readable but must not be filed before a person has decided."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.claimed: dict[str, str] = {}


@lru_cache(maxsize=1)
def _sandbox() -> Sandbox:
    return Sandbox(settings.SANDBOX_MEMORY_BYTES, settings.SANDBOX_SECONDS)


def run(arrival_id: int) -> None:
    """Take one arrival to its end: accepted, duplicate, quarantined or refused. Safe to run twice."""
    claimed = queue.claim(Arrival, arrival_id)
    if claimed is None:
        return
    arrival, lease = claimed
    try:
        with queue.heartbeat(lease), tempfile.TemporaryDirectory(prefix="arrival-") as folder:
            reason = _file_or_reason(arrival, lease, Path(folder))
            if reason is not None:
                _turn_away(arrival, lease, reason)
    except queue.LeaseLost:
        logger.info("arrival %s was taken over", arrival.pk)
    except Exception as error:  # noqa: BLE001 - the task boundary: whatever went wrong ends on the row
        logger.error("arrival %s: %s", arrival.pk, queue.where(error))
        _try_again_or_fail(arrival, lease, error)


def _file_or_reason(arrival: Arrival, lease: queue.Lease, folder: Path) -> Refusal | Quarantine | None:
    try:
        with storage.local_original(arrival.content_sha256) as original:
            header, _display = _sandbox().prepare(original, folder / "derivatives")
        storage.keep_derivatives(
            folder / "derivatives", pipeline_version=PIPELINE_VERSION, content_sha256=arrival.content_sha256
        )
        try:
            _file(arrival, lease, header)
        except Quarantine as reason:
            reason.claimed = headers.claimed(header)
            raise
    except (Refusal, Quarantine) as reason:
        return reason
    return None


@transaction.atomic
def _turn_away(arrival: Arrival, lease: queue.Lease, reason: Refusal | Quarantine) -> None:
    quarantined = isinstance(reason, Quarantine)
    queue.finish(
        lease,
        ArrivalStatus.QUARANTINED if quarantined else ArrivalStatus.REFUSED,
        reason_code=reason.code,
        reason=str(reason.message),
        claimed=reason.claimed if isinstance(reason, Quarantine) else None,
    )
    audit.record(
        Verb.FILE_QUARANTINED if quarantined else Verb.FILE_REFUSED,
        by=arrival.handed_in_by,
        site=arrival.site,
        data={"arrival": arrival.pk, "reason": reason.code, "sha256": arrival.content_sha256},
    )


_PASSING = (OSError, IntegrityError, OperationalError)
"""Storage or database trouble, or one SOP instance sent under two studies at once: another try may do."""


def _try_again_or_fail(arrival: Arrival, lease: queue.Lease, error: Exception) -> None:
    try:
        if isinstance(error, _PASSING) and arrival.attempts < settings.MAX_ATTEMPTS:
            queue.give_back(lease)
        else:
            _fail(arrival, lease, type(error).__name__)
    except (queue.LeaseLost, OperationalError):
        # Somebody else has it, or the database is away: the lease runs out and the sweeper puts it back.
        logger.warning("arrival %s is left to the sweeper", arrival.pk)


@transaction.atomic
def _fail(arrival: Arrival, lease: queue.Lease, kind: str) -> None:
    reason = f"Reading this file failed in a way we did not foresee ({kind}). It is kept and can be retried."
    queue.finish(lease, ArrivalStatus.FAILED, reason_code="unexpected", reason=reason)
    audit.record(
        Verb.FILE_REFUSED,
        by=arrival.handed_in_by,
        site=arrival.site,
        data={"arrival": arrival.pk, "reason": "unexpected", "sha256": arrival.content_sha256},
    )


@transaction.atomic
def _file(arrival: Arrival, lease: queue.Lease, header: ImageHeader) -> None:
    """Store the image with its study, or recognise it, in one transaction with its audit events."""
    with connection.cursor() as cursor:
        # Images of one new study arrive together: the first makes the study, the others wait and find it.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [header.study_instance_uid])
    uid = header.sop_instance_uid
    existing = Image.objects.select_related("series__study").filter(sop_instance_uid=uid).first()
    if existing is not None:
        _require_same_site(arrival, existing.series.study)
        if existing.content_sha256 == arrival.content_sha256:
            _duplicate(arrival, lease, existing)
            return
        uid = _uid_for_other_content(arrival)
        twin = Image.objects.select_related("series__study").filter(sop_instance_uid=uid).first()
        if twin is not None:
            _require_same_site(arrival, twin.series.study)
            _duplicate(arrival, lease, twin)
            return
    _require_identifiers_fit(header)
    study = _study(arrival, header)
    image = _image(arrival, header, study, uid)
    queue.finish(lease, ArrivalStatus.ACCEPTED, image=image, reason_code="", reason="")
    audit.record(
        Verb.IMAGE_ADDED,
        by=arrival.handed_in_by,
        study=study,
        data={"image": image.pk, "arrival": arrival.pk, "sha256": image.content_sha256},
    )
    had_draft = study.drafts.exists()
    drafting.note_input(study)
    drafting.enqueue(study, by=None, reason="late-image" if had_draft else "arrival")
    worklist.refresh(study)


def _accepted(arrival: Arrival, reason: str) -> bool:
    """Whether a person decided to file this in spite of the reason."""
    return reason in arrival.override.split(",")


def _require_same_site(arrival: Arrival, study: Study) -> None:
    """What another site has is not told, beyond that it is another's."""
    if study.site_id != arrival.site_id:
        raise Quarantine(
            "other-site",
            "This study belongs to another site. Discard the file here and send it to its own site.",
        )


def _require_identifiers_fit(header: ImageHeader) -> None:
    """Identifiers are never cut or cleaned: two that differ could become one."""
    for name in ("study_instance_uid", "series_instance_uid", "sop_instance_uid"):
        if not _UID.fullmatch(getattr(header, name)):
            raise Refusal(
                "bad-identifier",
                f"{name.replace('_', ' ').capitalize()} is no UID (digits and dots, at most 64). Correct it "
                "at the source and send the image again.",
            )
    for name in ("patient_id", "issuer_of_patient_id", "accession_number", "sop_class_uid"):
        if len(getattr(header, name)) > IDENTIFIER_LENGTH:
            raise Refusal(
                "bad-identifier",
                f"{name.replace('_', ' ').capitalize()} is longer than the {IDENTIFIER_LENGTH} characters "
                "DICOM allows. Correct it at the source and send the image again.",
            )


def _duplicate(arrival: Arrival, lease: queue.Lease, image: Image) -> None:
    queue.finish(lease, ArrivalStatus.DUPLICATE, image=image, reason_code="duplicate", reason="")
    audit.record(
        Verb.FILE_DUPLICATE,
        by=arrival.handed_in_by,
        study=image.series.study,
        data={"image": image.pk, "arrival": arrival.pk},
    )


def _uid_for_other_content(arrival: Arrival) -> str:
    """The same SOP Instance UID came with other bytes.

    A person may keep it, as a new image under a UID of its own.
    """
    if not _accepted(arrival, "other-content"):
        raise Quarantine(
            "other-content",
            "An image with the same SOP Instance UID is already here with other content. Discard this file, "
            "or keep it as a further image under a new UID.",
        )
    return headers.uid_from_digest(arrival.content_sha256)


def _patient(arrival: Arrival, header: ImageHeader) -> Patient:
    identifier = header.patient_id or headers.stand_in_patient_id(header.study_instance_uid)
    patient, created = Patient.objects.get_or_create(
        issuer=headers.issuer_for(arrival.site, header),
        patient_id=identifier,
        defaults={
            "name_alphabetic": header.patient_name[:256],
            "name_ideographic": header.patient_name_ideographic[:256],
            "name_phonetic": header.patient_name_phonetic[:256],
            "name_doubtful": header.charset_doubtful,
            "birth_date_raw": header.patient_birth_date[:32],
            "birth_date": headers.parse_date(header.patient_birth_date),
            "sex": headers.parse_sex(header.patient_sex),
        },
    )
    if not created and not _accepted(arrival, "patient-mismatch"):
        difference = headers.patient_difference(patient, header)
        if difference:
            raise Quarantine(
                "patient-mismatch",
                f"The {difference} in this file is not that of the patient known here under the same ID. "
                "Check the wristband and the order: accept it if it is the same person, else discard it.",
            )
    return patient


def _study(arrival: Arrival, header: ImageHeader) -> Study:
    study = (
        Study.objects.select_for_update(of=("self",))
        .select_related("site", "patient", "order")
        .filter(study_instance_uid=header.study_instance_uid)
        .first()
    )
    if study is None:
        return _new_study(arrival, header)
    _require_same_site(arrival, study)
    issuer = headers.issuer_for(arrival.site, header)
    identifier = header.patient_id or headers.stand_in_patient_id(header.study_instance_uid)
    same_patient = (study.patient.issuer, study.patient.patient_id) == (issuer, identifier)
    difference = "" if not same_patient else headers.patient_difference(study.patient, header)
    if (not same_patient or difference) and not _accepted(arrival, "patient-mismatch"):
        raise Quarantine(
            "patient-mismatch",
            f"The {difference or 'patient ID'} in this file is not that of the patient of the study it "
            "names. Check the wristband and the order: accept it if it is the same person, else discard it.",
        )
    if study.order is None:
        study.order = _order(arrival, header, study.patient)
        study.save(update_fields=["order"])
    elif study.order.accession_number == header.accession_number[:64]:
        _complete(study.order, header, besides=study)
    return study


def _new_study(arrival: Arrival, header: ImageHeader) -> Study:
    now = timezone.now()
    patient = _patient(arrival, header)
    study = Study.objects.create(
        site=arrival.site,
        patient=patient,
        order=_order(arrival, header, patient),
        study_instance_uid=header.study_instance_uid,
        study_date_raw=header.study_date[:32],
        study_time_raw=header.study_time[:32],
        started_at=headers.study_moment(header, arrival.site.time_zone),
        study_description=header.study_description[:256],
        patient_age_years=headers.age_years(header),
        received_at=now,
    )
    audit.record(Verb.STUDY_CREATED, by=arrival.handed_in_by, study=study, data={"arrival": arrival.pk})
    return study


def _order(arrival: Arrival, header: ImageHeader, patient: Patient) -> Order | None:
    """The order the file names, made or completed from it; None when it names none, or when a person decided
    to file it without the order of another patient."""
    if not header.accession_number:
        return None
    order, created = Order.objects.get_or_create(
        site=arrival.site,
        accession_number=header.accession_number[:64],
        defaults={
            "indication": header.reason_for_the_requested_procedure,
            "priority": _PRIORITIES.get(
                header.requested_procedure_priority.strip().upper(), Priority.ROUTINE
            ),
            "referring_physician_name": header.referring_physician_name[:256],
        },
    )
    if created:
        return order
    if order.studies.exclude(patient=patient).exists():
        if _accepted(arrival, "order-mismatch"):
            return None
        raise Quarantine(
            "order-mismatch",
            "The accession number in this file is that of another patient's order here. Check the order: "
            "accept the file to have it without that order, else discard it.",
        )
    _complete(order, header)
    return order


def _complete(order: Order, header: ImageHeader, *, besides: Study | None = None) -> None:
    """Fill in what an earlier file of the order left blank; its studies are drafted on that from now on.

    `besides` is the study the file belongs to, whose turn comes when its image is filed.
    """
    if order.indication or not header.reason_for_the_requested_procedure:
        return
    order.indication = header.reason_for_the_requested_procedure
    order.save(update_fields=["indication"])
    others = order.studies.exclude(pk__in=[besides.pk] if besides else [])
    for study in others.select_for_update(of=("self",)).order_by("pk"):
        if drafting.note_input(study):
            drafting.enqueue(study, by=None, reason="order")
            worklist.refresh(study)


def _image(arrival: Arrival, header: ImageHeader, study: Study, sop_instance_uid: str) -> Image:
    series, _created = Series.objects.get_or_create(
        series_instance_uid=header.series_instance_uid,
        defaults={
            "study": study,
            "series_number": header.series_number,
            "series_description": header.series_description[:256],
            "modality": header.modality[:16],
        },
    )
    if series.study_id != study.pk:
        raise Quarantine(
            "other-study",
            "The series of this file is already here as part of another study. Ask the sender to repair "
            "the UIDs.",
        )
    return Image.objects.create(
        series=series,
        sop_instance_uid=sop_instance_uid,
        sop_class_uid=header.sop_class_uid,
        content_sha256=arrival.content_sha256,
        pipeline_version=PIPELINE_VERSION,
        instance_number=header.instance_number,
        rows=header.rows,
        columns=header.columns,
        view_position=header.view_position[:16],
        image_laterality=header.image_laterality[:16],
        patient_orientation=str(header.patient_orientation)[:64],
        body_part_examined=header.body_part_examined[:64],
        photometric_interpretation=header.photometric_interpretation[:32],
        pixel_spacing=header.pixel_spacing,
        pixel_spacing_source=header.pixel_spacing_source,
        secondary_capture=header.secondary_capture,
        header=asdict(header),
        received_at=timezone.now(),
    )
