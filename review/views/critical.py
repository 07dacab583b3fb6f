"""Critical results: raising one on the reading page, recording who was told, the list of those still open."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from review.forms import CommunicationForm, CriticalForm
from review.models.critical import Communication, CriticalResult
from review.models.people import Capability, User
from review.models.studies import Study
from review.selectors import critical as selectors
from review.selectors import people
from review.services import critical
from review.views.doors import Request, door, study_or_404, valid

MOST = 100


@door(Capability.READ)
@require_safe
def listing(request: Request) -> HttpResponse:
    """Every open critical result, by when it is due, and those acknowledged last."""
    context = {"results": list(selectors.listed(request.user)[:MOST]), "now": timezone.now()}
    return render(request, "review/critical.html", context)


@door(Capability.READ)
@require_http_methods(["GET", "HEAD", "POST"])
def of_study(request: Request, study_instance_uid: str) -> HttpResponse:
    """The panel of a study; a POST raises a result."""
    study = study_or_404(request.user, study_instance_uid)
    if request.method == "POST":
        given = valid(CriticalForm(request.POST))
        critical.raise_result(
            study,
            by=request.user,
            finding=given["finding"],
            urgency=CriticalResult.Urgency(given["urgency"]),
        )
        if not request.htmx:
            return redirect("study", study_instance_uid)
    return render(request, "review/_critical.html", {"study": study, **panel(study, request.user)})


def panel(study: Study, user: User) -> dict[str, Any]:
    """What the panel of a study shows."""
    return {
        "critical_results": list(selectors.of_study(study, user)),
        "now": timezone.now(),
        "can_write": people.can(user, Capability.WRITE, study.site),
        "urgencies": CriticalResult.Urgency.choices,
        "methods": Communication.Method.choices,
    }


@door(Capability.READ)
@require_POST
def communicate(request: Request, study_instance_uid: str, result_id: int) -> HttpResponse:
    """Record that somebody was told."""
    study = study_or_404(request.user, study_instance_uid)
    result = get_object_or_404(selectors.of_study(study, request.user), pk=result_id)
    given = valid(CommunicationForm(request.POST))
    critical.communicate(
        result,
        by=request.user,
        told=given["told"],
        told_at=given["told_at"] or timezone.now(),
        method=Communication.Method(given["method"]),
        read_back=given["read_back"],
        note=given["note"],
    )
    return redirect("study-critical" if request.htmx else "study", study_instance_uid)
