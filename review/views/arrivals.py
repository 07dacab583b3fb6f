"""Handing in files, what became of them, and deciding about those that were stopped."""

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from review.exceptions import InvalidInput
from review.forms import ResolveForm, UploadForm
from review.models.people import Capability
from review.models.states import ArrivalStatus
from review.models.studies import Arrival
from review.selectors import arrivals, people
from review.services import studies
from review.templatetags import reasons
from review.views import vocabulary
from review.views.doors import Request, door, valid, wants_json

NEWEST = 50


@door(Capability.IMPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def listing(request: Request) -> HttpResponse:
    """The arrivals page; a POST hands in one file; JSON asks what became of a batch."""
    if request.method == "POST":
        return _receive(request)
    if wants_json(request):
        return _batch(request)
    visible = arrivals.visible_to(request.user)
    context = {
        "sites": people.sites_with(request.user, Capability.IMPORT).order_by("name"),
        "quarantined": _compared(visible.filter(status=ArrivalStatus.QUARANTINED)),
        "newest": _with_studies(request, list(visible[:NEWEST])),
        "upload_config": {"url": reverse("arrivals")},
    }
    template = "review/arrivals.html"
    if request.htmx:
        is_quarantine = request.GET.get("part") == "quarantine"
        template = "review/_quarantine.html" if is_quarantine else "review/_arrivals.html"
    return render(request, template, context)


def _compared(quarantined: QuerySet[Arrival]) -> list[Arrival]:
    """Give each stopped file the rows to decide by: what it says beside what is known here."""
    rows = list(quarantined[:NEWEST])
    for row in rows:
        claimed, known = row.claimed or {}, arrivals.known(row) or {}
        row.comparison = [  # type: ignore[attr-defined]
            {
                "name": name,
                "file": claimed.get(key, ""),
                "here": known.get(key, ""),
                "differs": bool(claimed.get(key) and known.get(key) and claimed[key] != known[key]),
            }
            for key, name in vocabulary.CLAIMED.items()
            if claimed.get(key) or known.get(key)
        ]
    return rows


def _receive(request: Request) -> HttpResponse:
    sites = people.sites_with(request.user, Capability.IMPORT)
    given = valid(UploadForm(request.POST, request.FILES, sites=sites))
    delivery = studies.Delivery(
        site=given["site"], batch=given["batch"] or uuid4(), origin=Arrival.Origin.UPLOAD, by=request.user
    )
    name = given["path"] or given["file"].name
    received = studies.receive(given["file"].file, name, delivery)
    if not wants_json(request):
        messages.success(request, _("%(count)d files are received.") % {"count": len(received)})
        return redirect("arrivals")
    return JsonResponse(
        {"arrivals": [_describe(arrival) for arrival in _with_studies(request, received)]}, status=201
    )


def _batch(request: Request) -> JsonResponse:
    try:
        batch = UUID(request.GET.get("batch", ""))
    except ValueError as error:
        raise InvalidInput(_("Name the batch.")) from error
    rows = arrivals.visible_to(request.user).filter(batch=batch)
    return JsonResponse({"arrivals": [_describe(arrival) for arrival in _with_studies(request, list(rows))]})


def _with_studies(request: Request, rows: list[Arrival]) -> list[Arrival]:
    """Give each row the address of its study, where this person may open it."""
    readable = set(people.sites_with(request.user, Capability.READ).values_list("pk", flat=True))
    for row in rows:
        study = row.image.series.study if row.image else None
        may_open = study is not None and study.site_id in readable
        row.study_url = reverse("study", args=[study.study_instance_uid]) if study and may_open else ""  # type: ignore[attr-defined]
    return rows


def _describe(arrival: Arrival) -> dict[str, Any]:
    return {
        "id": arrival.pk,
        "filename": arrival.filename,
        "size": arrival.size,
        "status": arrival.status,
        "status_name": arrival.get_status_display(),
        "reason": reasons.reason(arrival),
        "study_url": arrival.study_url,  # type: ignore[attr-defined]
    }


@door(Capability.IMPORT)
@require_POST
def retry(request: Request, arrival_id: int) -> HttpResponseRedirect:
    """Read a refused or failed file again, after a fix here."""
    studies.retry(get_object_or_404(arrivals.visible_to(request.user), pk=arrival_id), by=request.user)
    return redirect("arrivals")


@door(Capability.IMPORT)
@require_POST
def resolve(request: Request, arrival_id: int) -> HttpResponseRedirect:
    """File a stopped arrival anyway, or discard it."""
    arrival = get_object_or_404(arrivals.visible_to(request.user), pk=arrival_id)
    given = valid(ResolveForm(request.POST))
    decision = studies.Decision(given["decision"] == "accept", given["reason_code"], given["note"])
    studies.resolve(arrival, decision, by=request.user)
    return redirect("arrivals")
