from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from review.models.people import User
from review.models.reports import Report, Revision
from review.models.studies import Study
from review.selectors import studies


def visible_to(user: User | AnonymousUser) -> QuerySet[Report]:
    return Report.objects.filter(study__in=studies.visible_to(user)).select_related("study", "locked_by")


def of(study: Study) -> Report | None:
    return Report.objects.filter(study=study).select_related("locked_by").first()


def current_revision(report: Report | None) -> Revision | None:
    """The newest saved text, or None before anything was saved."""
    if report is None or report.revision_number == 0:
        return None
    return Revision.objects.select_related("author", "draft").get(
        report=report, number=report.revision_number
    )
