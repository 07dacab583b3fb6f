"""Critical results a user may see: those of the studies they may see."""

from django.db.models import F, QuerySet

from review.models.critical import CriticalResult
from review.models.people import User
from review.models.studies import Study
from review.selectors import studies


def visible_to(user: User) -> QuerySet[CriticalResult]:
    return (
        CriticalResult.objects.filter(study__in=studies.visible_to(user))
        .select_related("study__site", "study__patient", "study__order", "raised_by")
        .prefetch_related("communications__told_by")
    )


def of_study(study: Study, user: User) -> QuerySet[CriticalResult]:
    return visible_to(user).filter(study=study).order_by("pk")


def listed(user: User) -> QuerySet[CriticalResult]:
    """Open ones by when they are due, then those acknowledged, newest first."""
    return visible_to(user).order_by(F("acknowledged_at").desc(nulls_first=True), "due_at", "pk")
