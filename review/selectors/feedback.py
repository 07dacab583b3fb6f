"""Feedback datasets a user may see, and what goes into one: signed reports with what the model said."""

import json
from collections.abc import Iterable

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from review.models.audit import AuditEvent, Verb
from review.models.drafts import Draft, Mask
from review.models.feedback import FeedbackDataset
from review.models.patients import Site
from review.models.people import Capability, User
from review.models.reports import Report, Signature
from review.models.states import SIGNED_STATUSES, JobStatus
from review.models.studies import Image, Study
from review.selectors import people


def visible_to(user: User | AnonymousUser) -> QuerySet[FeedbackDataset]:
    return (
        FeedbackDataset.objects.filter(site__in=people.sites_with(user, Capability.EXPORT))
        .select_related("site", "requested_by")
        .order_by("-pk")
    )


def any_was_made() -> bool:
    """Whether a dataset was ever finished here, for storage or by an operator: the trail knows for good."""
    made = (Verb.DATASET_READY, Verb.DATASET_DOWNLOADED)
    return (
        FeedbackDataset.objects.filter(status=JobStatus.READY).exists()
        or AuditEvent.objects.filter(verb__in=made).exists()
    )


def signed_studies(sites: Iterable[Site]) -> QuerySet[Study]:
    """Studies whose report is signed as final, amended, corrected or appended: nothing else ever leaves."""
    return Study.objects.filter(site__in=sites, report__status__in=SIGNED_STATUSES)


def signed_report(study_id: int) -> Report:
    """A signed report with its study, patient and order.

    Raises
    ------
    Report.DoesNotExist
        When it is not (or no longer) signed.
    """
    return Report.objects.select_related("study__site", "study__patient", "study__order").get(
        study=study_id, status__in=SIGNED_STATUSES
    )


def signatures_of(report: Report) -> list[Signature]:
    """All signatures, oldest first, with the revision or addendum each is on."""
    rows = report.signatures.select_related("revision__author", "addendum", "signer")
    return list(rows.order_by("pk"))


def draft_of(signature: Signature) -> Draft | None:
    """What the model had said when a text was signed: the draft on screen, else one that was ready unseen."""
    drafts = Draft.objects.select_related("model_version").prefetch_related(
        "sentences__evidence__mask__image"
    )
    if signature.revision is not None and signature.revision.draft_id is not None:
        return drafts.get(pk=signature.revision.draft_id)
    ready = drafts.filter(
        study=signature.report.study_id, status=JobStatus.READY, finished_at__lte=signature.signed_at
    )
    return ready.order_by("-pk").first()


def images_of(study: Study, signature: Signature) -> list[Image]:
    """The images that were there when a text was signed: the text says nothing of later ones."""
    return list(_seen(study, signature).order_by("instance_number", "pk"))


def _seen(study: Study, signature: Signature) -> QuerySet[Image]:
    shown = json.loads(bytes(signature.content))["images"]
    return Image.objects.filter(series__study=study, sop_instance_uid__in=shown)


def masks_of(study: Study, signature: Signature, draft: Draft | None) -> list[Mask]:
    """The draft's masks and every person's on those images, with contents, in the order they were made."""
    human = Mask.objects.filter(image__in=_seen(study, signature), source=Mask.Source.HUMAN)
    made = human if draft is None else human | Mask.objects.filter(draft=draft, source=Mask.Source.AI)
    return list(made.select_related("content", "image").order_by("pk"))
