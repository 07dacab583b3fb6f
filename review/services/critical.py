"""Raising critical results and recording who was told. Open until somebody who was told has read it back."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from review import audit
from review.exceptions import IllegalMove, InvalidInput
from review.models.audit import Verb
from review.models.critical import Communication, CriticalResult
from review.models.people import Capability, User
from review.models.studies import Study
from review.selectors import people

_CLOCKS_DIFFER = timedelta(minutes=2)


@transaction.atomic
def raise_result(study: Study, *, by: User, finding: str, urgency: CriticalResult.Urgency) -> CriticalResult:
    """Say that something in a study must be told. Records `critical.raised`, without the finding."""
    people.require(by, Capability.WRITE, study.site)
    now = timezone.now()
    result = CriticalResult.objects.create(
        study=study,
        finding=finding,
        urgency=urgency,
        raised_by=by,
        raised_at=now,
        due_at=now + CriticalResult.LIMITS[urgency],
    )
    audit.record(
        Verb.CRITICAL_RAISED, by=by, study=study, data={"critical_result": result.pk, "urgency": int(urgency)}
    )
    return result


@transaction.atomic
def communicate(  # noqa: PLR0913 - the six things a record of it needs
    result: CriticalResult,
    *,
    by: User,
    told: str,
    told_at: datetime,
    method: Communication.Method,
    read_back: bool,
    note: str = "",
) -> Communication:
    """Record that somebody was told, or could not be. A read-back closes the result.

    Records `critical.communicated`.

    Raises
    ------
    IllegalMove
        When it has been acknowledged already.
    InvalidInput
        When the time lies in the future or before the result was raised.
    """
    result = CriticalResult.objects.select_for_update().select_related("study__site").get(pk=result.pk)
    people.require(by, Capability.WRITE, result.study.site)
    if result.acknowledged_at is not None:
        raise IllegalMove(_("This result has been acknowledged already."))
    now = timezone.now()
    if told_at > now + _CLOCKS_DIFFER or told_at < result.raised_at - _CLOCKS_DIFFER:
        raise InvalidInput(_("The time must lie between the raising of the result and now."))
    made = Communication.objects.create(
        critical_result=result,
        told_by=by,
        told=told,
        told_at=told_at,
        method=method,
        read_back=read_back,
        note=note,
        created_at=now,
    )
    if read_back:
        result.acknowledged_at = now
        result.save(update_fields=["acknowledged_at"])
    audit.record(
        Verb.CRITICAL_COMMUNICATED,
        by=by,
        study=result.study,
        data={"critical_result": result.pk, "method": str(method), "read_back": read_back},
    )
    return made
