"""Critical results that nobody was told of in time."""

from datetime import datetime

from django.db import transaction

from review import audit
from review.models.audit import Verb
from review.models.critical import CriticalResult


def escalate_overdue(now: datetime) -> int:
    """Mark what is overdue and untold, once. Records `critical.escalated`. Returns how many."""
    overdue = CriticalResult.objects.filter(
        acknowledged_at__isnull=True, escalated_at__isnull=True, due_at__lt=now
    )
    return sum(_escalate(pk, now) for pk in list(overdue.values_list("pk", flat=True)))


@transaction.atomic
def _escalate(pk: int, now: datetime) -> int:
    result = CriticalResult.objects.select_for_update().select_related("study").get(pk=pk)
    if result.acknowledged_at is not None or result.escalated_at is not None:
        return 0
    result.escalated_at = now
    result.save(update_fields=["escalated_at"])
    audit.record(Verb.CRITICAL_ESCALATED, by=None, study=result.study, data={"critical_result": result.pk})
    return 1
