"""One study: the reading page, its history, its draft, who reads it."""

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from review.forms import AssignForm, SecondsForm, WorklistForm
from review.models.people import Capability
from review.models.reports import Report
from review.models.studies import Study
from review.selectors import people, reports, studies, worklist
from review.services import drafts as draft_service
from review.services import reports as report_service
from review.services import studies as study_service
from review.views import critical, events, panels, reauthentication
from review.views.doors import Request, door, study_or_404, valid
from review.views.worklist import filters_of, study_query

MOST_PRIORS = 12


def keys() -> list[tuple[str, str]]:
    return [
        ("N", _("next study")),
        ("H", _("outlines on or off")),
        ("P", _("peek: the other way while held")),
        ("O", _("outlines filled or not")),
        ("I", _("invert")),
        ("F", _("fit the whole image")),
        ("1", _("one image pixel on one screen pixel")),
        ("R", _("reset to the first look")),
        ("+ / -", _("larger / smaller")),
        (", / .", _("turn left / right")),
        ("Y", _("flip left to right, with a standing mark")),
        ("2", _("one image, or all")),
        ("3", _("the newest prior beside, or not")),
        ("L", _("link zoom, place and window of the two, or not")),
        ("W", _("next window")),
        ("← ↑ ↓ →", _("move the image")),
        ("Shift+← ↑ ↓ →", _("window: right is wider, down is brighter")),
        ("D / A", _("length / angle: click each point, or drag a length")),
        ("T", _("cardiothoracic ratio; each end can be moved")),
        ("Q", _("value under the pointer")),
        ("M", _("magnifier while held")),
        ("C", _("correct an outline")),
        ("B / X / G / V", _("brush, eraser, polygon, move, while correcting")),
        ("[ / ]", _("smaller or larger brush")),
        ("Ctrl+Z / Ctrl+Y", _("undo, redo")),
        ("Ctrl+S", _("save the outline")),
        ("E", _("go to the findings")),
        (".name", _("in the report, with a blank: the macro of that name")),
        ("Tab / 1 – 9", _("in the report: next field, choice in a field")),
        ("Enter / F2 / Delete", _("on a sentence of the draft: accept, edit, reject")),
        ("1 – 8", _("on a sentence of the draft: reject for this reason, or name it")),
        ("Esc", _("leave the text; put out the light")),
        ("Ctrl+Enter", _("sign")),
        (_("drag"), _("window: right is wider, down is brighter")),
        (_("Shift+drag"), _("move the image")),
        (_("wheel"), _("zoom at the pointer")),
    ]


@door(Capability.READ)
@require_safe
def reading(request: Request, study_instance_uid: str) -> HttpResponse:
    """The reading page. Opening it is recorded."""
    study = study_or_404(request.user, study_instance_uid)
    study_service.note_opened(study, by=request.user)
    return page(request, study)


def page(request: Request, study: Study, *, status: int = 200, **more: Any) -> HttpResponse:
    """The reading page of a study, also for an act on it that was refused (`more` then says why)."""
    report = reports.of(study)
    revision = reports.current_revision(report)
    images = list(studies.images_of(study))
    shown = [panels.image(study, image) for image in images]
    following = next_study(request, study)
    address = next_url(request, following)
    about = draft_context(request, study, report)
    can_correct = about["can_write"] and not about["is_signed"]
    context = {
        **critical.panel(study, request.user),
        **about,
        "images": shown,
        "first_files": panels.first_files(shown),
        "raw_name": panels.raw_name(images),
        "image_after_signing": worklist.is_changed(study),
        "age": panels.age(study),
        "report": report,
        "revision": revision,
        "can_finalise": people.can(request.user, Capability.FINALISE, study.site),
        "meanings": _meanings(request, study),
        "needs_password": reauthentication.needs_password(request),
        "next_url": address,
        "priors": list(studies.priors_of(study, request.user).select_related("entry")[:MOST_PRIORS]),
        "page_keys": keys(),
        "page": {
            "masks_url": reverse("study-masks", args=[study.study_instance_uid]),
            "close_url": reverse("study-close", args=[study.study_instance_uid]),
            "next_url": address,
            "next_images": panels.sources(following) if following else [],
            "outlines": panels.outlines(study, request.user) if can_correct else None,
            "report": panels.editor(study, report, revision, user=request.user, now=timezone.now()),
        },
        **_signed(report),
        **more,
    }
    return render(request, "review/study.html", context, status=status)


def draft_context(request: Request, study: Study, report: Report | None) -> dict[str, Any]:
    """What the draft panel needs, alone or on the page."""
    return {
        "study": study,
        "draft": panels.draft(study, request.user),
        "can_write": people.can(request.user, Capability.WRITE, study.site),
        "is_signed": report is not None and report.is_signed(),
    }


def _meanings(request: Request, study: Study) -> list[tuple[str, str]]:
    if not people.can(request.user, Capability.WRITE, study.site):
        return []
    allowed = report_service.meanings_for(people.role_at(request.user, study.site))
    return [(meaning.value, str(meaning.label)) for meaning in allowed]


def _signed(report: Report | None) -> dict[str, Any]:
    """Signatures under the text that is shown, and those on earlier texts, which say nothing of this one."""
    if report is None:
        return {"signatures": [], "earlier_signatures": [], "addenda": []}
    on_text = report.signatures.filter(revision__isnull=False).select_related("revision").order_by("pk")
    return {
        "signatures": list(on_text.filter(revision__number=report.revision_number)),
        "earlier_signatures": list(on_text.exclude(revision__number=report.revision_number)),
        "addenda": list(report.addenda.select_related("signature")),
    }


def next_study(request: Request, study: Study) -> Study | None:
    """The next study of the list the reader came from; None when there is none."""
    sites = list(people.sites_with(request.user, Capability.READ).order_by("name"))
    filters = filters_of(WorklistForm(request.GET or None, sites=sites), request.user, sites)
    entry = worklist.visible_to(request.user).filter(study=study).first()
    following = worklist.next_study(request.user, filters, entry) if entry else None
    return following.study if following else None


def next_url(request: Request, following: Study | None) -> str:
    if following is None:
        return ""
    return reverse("study", args=[following.study_instance_uid]) + study_query(request.GET)


def _prior_or_404(request: Request, study_instance_uid: str, prior_uid: str) -> tuple[Study, Study]:
    """A study and one of its priors, which is of the same patient; a look at it is recorded as opened."""
    study = study_or_404(request.user, study_instance_uid)
    prior = get_object_or_404(studies.priors_of(study, request.user), study_instance_uid=prior_uid)
    study_service.note_opened(prior, by=request.user)
    return study, prior


@door(Capability.READ)
@require_safe
def prior_report(request: Request, study_instance_uid: str, prior_uid: str) -> HttpResponse:
    """The report of a prior as it stands, to be read beside the one being written."""
    _study, prior = _prior_or_404(request, study_instance_uid, prior_uid)
    report = reports.of(prior)
    context = {"study": prior, "revision": reports.current_revision(report), **_signed(report)}
    return render(request, "review/_prior_report.html", context)


@door(Capability.READ)
@require_safe
def prior_images(request: Request, study_instance_uid: str, prior_uid: str) -> HttpResponse:
    """The images of a prior as viewports, to be put beside those of the study."""
    study, prior = _prior_or_404(request, study_instance_uid, prior_uid)
    context = {
        "study": prior,
        "images": [panels.image(prior, image) for image in studies.images_of(prior)],
        "age": panels.age(prior),
        "prior_mark": panels.earlier(study, prior),
    }
    return render(request, "review/_prior_images.html", context)


@door(Capability.READ)
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: Request, study_instance_uid: str) -> HttpResponse:
    """The draft panel; a POST asks for a draft first."""
    study = study_or_404(request.user, study_instance_uid)
    if request.method == "POST":
        draft_service.request(study, by=request.user)
        if not request.htmx:
            return redirect("study", study_instance_uid)
    return render(request, "review/_draft.html", draft_context(request, study, reports.of(study)))


@door(Capability.READ)
@require_POST
def assign(request: Request, study_instance_uid: str) -> HttpResponseRedirect:
    """Take a study or give it back."""
    study = study_or_404(request.user, study_instance_uid)
    given = valid(AssignForm(request.POST))
    to = request.user if given["to"] == "me" else None
    study_service.assign(study, by=request.user, to=to, was=given["was"])
    return redirect(reverse("study", args=[study_instance_uid]) + study_query(request.GET))


@door(Capability.READ)
@require_POST
def close(request: Request, study_instance_uid: str) -> HttpResponse:
    """The page was left."""
    study = study_or_404(request.user, study_instance_uid)
    seconds = valid(SecondsForm(request.POST))["seconds"]
    study_service.note_closed(study, by=request.user, seconds=seconds)
    return HttpResponse(status=204)


@door(Capability.READ)
@require_safe
def history(request: Request, study_instance_uid: str) -> HttpResponse:
    """Who did what when, with the differences. Looking is recorded too."""
    study = study_or_404(request.user, study_instance_uid)
    study_service.note_history_viewed(study, by=request.user)
    report = reports.of(study)
    context = {
        "study": study,
        "events": events.of_study(study, report),
        "comparison": events.comparison(report),
    }
    return render(request, "review/history.html", context)
