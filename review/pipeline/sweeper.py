"""What makes the whole thing whole: rows whose worker died go back in the queue, rows nobody heard of are
told again."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from review import audit, queue, worklist
from review.models.audit import AuditCheckpoint, Verb
from review.models.drafts import Draft, Explanation
from review.models.feedback import FeedbackDataset
from review.models.jobs import Leased
from review.models.states import JobStatus
from review.models.studies import Arrival, Study
from review.pipeline import drafting, escalation

logger = logging.getLogger(__name__)

BATCH = 200
"""Rows told again in one sweep, oldest first: a long backlog must not flood the broker with repeats."""
RENUDGE_AFTER = timedelta(seconds=20)
RENUDGE_AFTER_WHILE_BUSY = timedelta(minutes=5)
"""While workers work on rows of a kind, its backlog is most likely waiting its turn, not forgotten."""
CHECKPOINT_EVERY = timedelta(minutes=5)


def run() -> dict[str, int]:
    """One sweep. Returns how many rows were requeued, failed, nudged, and how many drafts were asked for."""
    now = timezone.now()
    counts = {"requeued": 0, "failed": 0, "nudged": 0, "requested": 0, "escalated": 0, "checkpoints": 0}
    for model in queue.TASKS:
        requeued, failed = _reclaim(model, now)
        counts["requeued"] += requeued
        counts["failed"] += failed
        counts["nudged"] += _nudge_again(model, now)
    counts["requested"] = _request_missing()
    counts["escalated"] = escalation.escalate_overdue(now)
    newest = AuditCheckpoint.objects.order_by("-number").first()
    if newest is None or newest.created_at < now - CHECKPOINT_EVERY:
        counts["checkpoints"] = int(audit.checkpoint() is not None)
    return counts


def reclaim_arrivals() -> None:
    """Put arrivals of lost workers back in the queue, for who reads them without a worker."""
    _reclaim(Arrival, timezone.now())


def _reclaim(model: type[Leased], now: datetime) -> tuple[int, int]:
    lost = Q(status=JobStatus.RUNNING, lease_until__lt=now)
    manager = model.objects  # type: ignore[attr-defined]
    requeued = manager.filter(lost, attempts__lt=settings.MAX_ATTEMPTS).update(
        status=JobStatus.QUEUED, lease_owner=None, lease_until=None, nudged_at=None
    )
    failed = 0
    for pk in manager.filter(lost, attempts__gte=settings.MAX_ATTEMPTS).values_list("pk", flat=True):
        failed += _give_up(model, pk, now)
    if requeued or failed:
        logger.warning("%s: %s taken back from lost workers, %s given up", model.__name__, requeued, failed)
    return requeued, failed


@transaction.atomic
def _give_up(model: type[Leased], pk: int, now: datetime) -> int:
    row = model.objects.select_for_update().get(pk=pk)  # type: ignore[attr-defined]
    if row.status != JobStatus.RUNNING or row.lease_until >= now:
        return 0
    message = f"The worker was lost {row.attempts} times on this."
    model.objects.filter(pk=pk).update(  # type: ignore[attr-defined]
        status=JobStatus.FAILED,
        lease_owner=None,
        lease_until=None,
        finished_at=now,
        failure_code="worker-lost",
        failure_message=message,
    )
    if isinstance(row, Draft):
        audit.record(Verb.DRAFT_FAILED, by=None, study=row.study, data={"draft": pk, "code": "worker-lost"})
        worklist.refresh(row.study)
    elif isinstance(row, Explanation):
        data = {"draft": row.draft_id, "code": "worker-lost"}
        audit.record(Verb.EVIDENCE_FAILED, by=None, study=row.draft.study, data=data)
    elif isinstance(row, Arrival):
        Arrival.objects.filter(pk=pk).update(reason_code="worker-lost", reason=message)
        audit.record(Verb.FILE_REFUSED, by=None, site=row.site, data={"arrival": pk, "reason": "worker-lost"})
    elif isinstance(row, FeedbackDataset):
        audit.record(Verb.DATASET_FAILED, by=None, site=row.site, data={"dataset": pk, "code": "worker-lost"})
    return 1


@transaction.atomic
def _nudge_again(model: type[Leased], now: datetime) -> int:
    manager = model.objects  # type: ignore[attr-defined]
    busy = manager.filter(status=JobStatus.RUNNING, lease_until__gt=now).exists()
    after = RENUDGE_AFTER_WHILE_BUSY if busy else RENUDGE_AFTER
    unheard = Q(nudged_at__isnull=True) | Q(nudged_at__lt=now - after)
    rows = list(manager.filter(unheard, status=JobStatus.QUEUED).order_by(F("queued_at"))[:BATCH])
    manager.filter(pk__in=[row.pk for row in rows]).update(nudged_at=now)
    for row in rows:
        queue.nudge(row)
    return len(rows)


def _request_missing() -> int:
    """Studies that arrived while no model was active get their draft once one is."""
    model = drafting.active_model()
    if model is None:
        return 0
    missing = Study.objects.filter(entry__is_open=True).exclude(drafts__model_version=model)
    requested = 0
    for pk in missing.values_list("pk", flat=True)[:BATCH]:
        with transaction.atomic():
            study = Study.objects.select_for_update(of=("self",)).get(pk=pk)
            drafting.enqueue(study, by=None, reason="model")
            worklist.refresh(study)
        requested += 1
    return requested
