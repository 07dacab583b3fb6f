"""The worklist page."""

from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from review.forms import WorklistForm
from review.models.patients import Site
from review.models.people import Capability, User
from review.selectors import people, studies, worklist
from review.views.doors import Request, door, valid

KEPT_ON_THE_WAY = ("status", "priority", "assignee", "site", "day", "sort")
"""Filters that go along to the reading page, so that "next" stays in the list; a search does not, for it
names patients."""


def keys() -> list[tuple[str, str]]:
    return [
        ("J / K", _("next / previous study")),
        ("Enter", _("open the study")),
        ("N", _("open the first study")),
        ("/", _("search")),
    ]


@door()
@require_safe
def listing(request: Request) -> HttpResponse:
    if Capability.READ not in people.capabilities(request.user):
        # Signing in leads here, and administrators and technologists work elsewhere.
        return HttpResponseRedirect("/")
    if accession_number := request.GET.get("accession", ""):
        return _by_accession(request, accession_number)
    sites = list(people.sites_with(request.user, Capability.READ).order_by("name"))
    form = WorklistForm(request.GET or None, sites=sites)
    filters = filters_of(form, request.user, sites)
    page = worklist.page(request.user, filters, request.GET.get("cursor", ""))
    context = {
        "form": form,
        "page": page,
        "sites": sites,
        "zone": sites[0].time_zone if len(sites) == 1 else _("each site's own zone"),
        "is_narrowed": filters != worklist.Filters(zone=filters.zone),
        "is_paged": "cursor" in request.GET,
        "first_query": _query(request.GET),
        "next_query": _query(request.GET, cursor=page.next_cursor),
        "study_query": study_query(request.GET),
        "page_keys": keys(),
    }
    template = "review/_worklist_rows.html" if request.htmx else "review/worklist.html"
    return render(request, template, context)


def filters_of(form: WorklistForm, user: User, sites: list[Site]) -> worklist.Filters:
    """The filters a form stands for; one never filled in means the open studies by urgency.

    Raises
    ------
    InvalidInput
        When a value is none of the choices.
    """
    zone = ZoneInfo(sites[0].time_zone) if sites else ZoneInfo("UTC")
    if not form.is_bound:
        return worklist.Filters(zone=zone)
    chosen = valid(form)
    return worklist.Filters(
        status=chosen["status"] or "open",
        priority=chosen["priority"],
        site=chosen["site"],
        assigned_to=user if chosen["assignee"] == "me" else None,
        search=chosen["q"],
        day=chosen["day"],
        zone=zone,
        sort=chosen["sort"] or "urgency",
    )


def study_query(query: QueryDict) -> str:
    """The part of a query that the reading page takes along, with its question mark, or nothing."""
    kept = QueryDict(mutable=True)
    for name in KEPT_ON_THE_WAY:
        if query.get(name):
            kept.appendlist(name, str(query[name]))
    return f"?{kept.urlencode()}" if kept else ""


def _query(query: QueryDict, **changes: str) -> str:
    changed = query.copy()
    changed.pop("cursor", None)
    for name, value in changes.items():
        changed[name] = value
    return changed.urlencode()


def _by_accession(request: Request, accession_number: str) -> HttpResponse:
    found = list(studies.with_accession(request.user, accession_number)[:2])
    if not found:
        raise Http404
    if len(found) == 1:
        return redirect("study", found[0].study_instance_uid)
    query = QueryDict(mutable=True)
    query.update({"q": accession_number, "status": "all"})
    return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")
