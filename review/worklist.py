"""The writer of the worklist: one row per study, refreshed in the transaction that changed what it sums
up."""

import unicodedata

from django.db import transaction
from django.db.models import Max

from review.models.drafts import Draft
from review.models.patients import Site
from review.models.reports import Report, Signature
from review.models.states import JobStatus, ReportStatus
from review.models.studies import Image, Priority, Study
from review.models.worklist import WorklistEntry, WorklistStatus


def search_key(text: str) -> str:
    """The normalised form that is searched by prefix: NFKC, case folded, DICOM's `^` and runs of space as
    one space."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("^", " ")
    return " ".join(folded.split())


def newest_draft(study: Study) -> Draft | None:
    """The newest that is ready for the study as it is now, whatever was asked for since; else the newest."""
    known = study.drafts.exclude(status=JobStatus.CANCELLED).order_by("-pk")
    ready = known.filter(status=JobStatus.READY, input_digest=study.input_digest)
    return ready.first() or known.first()


def _image_after_signing(study: Study, report: Report) -> bool:
    """Whether an image came that nobody has signed on, as text or as addendum."""
    signed_at = Signature.objects.filter(report=report).aggregate(last=Max("signed_at"))["last"]
    return Image.objects.filter(series__study=study, received_at__gt=signed_at).exists()


def _status(study: Study, report: Report | None, draft: Draft | None) -> WorklistStatus:
    if report is not None and report.is_signed():
        return WorklistStatus.CHANGED if _image_after_signing(study, report) else WorklistStatus.SIGNED
    if report is not None and report.status == ReportStatus.PRELIMINARY:
        return WorklistStatus.PRELIMINARY
    if report is not None and report.revision_number > 0:
        return WorklistStatus.READING
    if study.site.stage == Site.Stage.SILENT:
        return WorklistStatus.WITHHELD
    if draft is None or draft.status in {JobStatus.QUEUED, JobStatus.RUNNING}:
        return WorklistStatus.PREPARING
    if draft.status == JobStatus.FAILED:
        return WorklistStatus.FAILED
    return WorklistStatus.WITHHELD if draft.withheld_reason else WorklistStatus.READY


@transaction.atomic
def refresh(study: Study) -> WorklistEntry:
    """Write the row of this study anew from the rows it sums up, read again under the row's lock.

    Two who refresh at once wait for each other, so the last to commit has seen what the other did. Record
    audit events before refreshing, never after: everyone then takes the chain's lock first, this one second.
    """
    WorklistEntry.objects.select_for_update().filter(study=study).first()
    study = Study.objects.select_related("site", "patient", "order", "assignee").get(pk=study.pk)
    report = Report.objects.filter(study=study).first()
    draft = newest_draft(study)
    status = _status(study, report, draft)
    signature = Signature.objects.filter(report=report, revision__isnull=False).order_by("-pk").first()
    patient, order = study.patient, study.order
    views = Image.objects.filter(series__study=study).order_by("pk").values_list("view_position", flat=True)
    entry, _created = WorklistEntry.objects.update_or_create(
        study=study,
        defaults={
            "site": study.site,
            "status": status,
            "is_open": status != WorklistStatus.SIGNED,
            "stale": draft is not None
            and draft.input_digest != study.input_digest
            and study.site.stage != Site.Stage.SILENT,
            "priority": order.priority if order else Priority.ROUTINE,
            "patient_name": patient.display_name(),
            "name_doubtful": patient.name_doubtful,
            "patient_identifier": patient.patient_id,
            "patient_birth_date": patient.birth_date,
            "patient_sex": patient.sex,
            "accession_number": order.accession_number if order else "",
            "study_description": study.study_description,
            "views": ", ".join(view or "?" for view in views)[:64],
            "started_at": study.started_at or study.received_at,
            "received_at": study.received_at,
            "signed_at": signature.signed_at if signature and report and report.is_signed() else None,
            "assignee": study.assignee,
            "alphabetic_key": search_key(patient.name_alphabetic),
            "ideographic_key": search_key(patient.name_ideographic),
            "phonetic_key": search_key(patient.name_phonetic),
            "identifier_key": search_key(patient.patient_id),
            "accession_key": search_key(order.accession_number) if order else "",
        },
    )
    return entry
