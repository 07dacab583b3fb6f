"""Writing and signing: what the editor of the reading page talks to."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inference.text import normal
from review.exceptions import InvalidInput, NotAllowed, ReviewError
from review.forms import AddendumForm, JudgeForm, LockForm, LookForm, SaveForm, SignForm, TextForm
from review.models.people import Capability
from review.models.reports import Signature
from review.selectors import checks, reports
from review.services import judgements, letters
from review.services import reports as report_service
from review.views import concerns, panels, reauthentication, studies
from review.views.doors import Request, door, study_or_404, valid, wants_json


def _json(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise InvalidInput(_("The body is not JSON.")) from error
    if not isinstance(body, dict):
        raise InvalidInput(_("The body is not a JSON object."))
    return body


@door(Capability.READ)
@require_POST
def save(request: Request, study_instance_uid: str) -> JsonResponse:
    """Save a revision from JSON. The page names its user: another may have signed in since."""
    study = study_or_404(request.user, study_instance_uid)
    if request.headers.get("X-Review-User", str(request.user.pk)) != str(request.user.pk):
        raise NotAllowed(_("Another person has signed in to this browser meanwhile."))
    text = report_service.Text(**valid(SaveForm(_json(request))))
    revision = report_service.save(study, by=request.user, text=text)
    return JsonResponse(
        {
            "revision": revision.number,
            "sha256": revision.sha256,
            "saved_at": revision.created_at.isoformat(),
        }
    )


@door(Capability.READ)
@require_safe
def state(request: Request, study_instance_uid: str) -> HttpResponse:
    """The status of the report in a word."""
    study = study_or_404(request.user, study_instance_uid)
    report = reports.of(study)
    context = {"study": study, "report": report, "is_signed": report is not None and report.is_signed()}
    return render(request, "review/_report_state.html", context)


_LOCK_ACTS = {
    "hold": report_service.lock,
    "release": report_service.release,
    "take-over": report_service.take_over,
}


@door(Capability.READ)
@require_http_methods(["GET", "HEAD", "POST"])
def lock(request: Request, study_instance_uid: str) -> JsonResponse:
    """Who is writing, and the newest text where the page has an older one; a POST holds, releases or takes
    over."""
    study = study_or_404(request.user, study_instance_uid)
    report = reports.of(study)
    if request.method == "POST":
        given = valid(LockForm(request.POST))
        report = _LOCK_ACTS[given["action"]](study, by=request.user)
    else:
        given = valid(LookForm(request.GET))
    return JsonResponse(
        panels.lock(report, request.user, timezone.now()) | panels.newer(report, given["based_on"])
    )


@door(Capability.READ)
@require_POST
def check(request: Request, study_instance_uid: str) -> JsonResponse:
    """What is to be asked about a text, and what it and the outlines do not share. Nothing is kept."""
    study = study_or_404(request.user, study_instance_uid)
    given = valid(TextForm(_json(request)))
    text = {name: normal.normalise(given[name]) for name in ("findings", "impression")}
    return JsonResponse(concerns.describe(checks.of_text(study, request.user, **text)))


@door(Capability.READ)
@require_POST
def judge(request: Request, study_instance_uid: str) -> JsonResponse:
    """Accept, edit or reject a sentence of the draft, with a reason or with one that is guessed."""
    study = study_or_404(request.user, study_instance_uid)
    body = _json(request)
    given = valid(JudgeForm(body))
    reason = None if body.get("reason") is None else given["reason"]
    kept = judgements.judge(
        study,
        given["sentence"],
        by=request.user,
        decision=given["decision"],
        reason=reason,
        written=normal.normalise(given["written"]),
    )
    return JsonResponse({"decision": kept.decision, "reason": kept.reason})


@sensitive_post_parameters("password")
@door(Capability.READ)
@require_POST
def sign(request: Request, study_instance_uid: str) -> HttpResponse:
    """Sign exactly the revision on screen, with the password again."""
    study = study_or_404(request.user, study_instance_uid)
    given = valid(SignForm(request.POST))
    reauthentication.require(request, given["password"])
    signature = report_service.sign(
        study,
        by=request.user,
        revision_number=given["revision"],
        sha256=given["sha256"],
        input_digest=given["input_digest"],
        meaning=Signature.Meaning(given["meaning"]),
        decided=given["decided"],
    )
    if not wants_json(request):
        return redirect("study", study_instance_uid)
    return JsonResponse(
        {
            "status": signature.resulting_status,
            "content_sha256": signature.content_sha256,
            "next": reverse("study", args=[study_instance_uid]),
        }
    )


@door(Capability.READ)
@require_safe
def letter(request: Request, study_instance_uid: str, signature_id: int) -> HttpResponse:
    """The report as a PDF, as it stood at one signature: the same bytes each time."""
    study = study_or_404(request.user, study_instance_uid)
    signature = get_object_or_404(
        Signature.objects.select_related("report__study__site", "report__study__order"),
        pk=signature_id,
        report__study=study,
    )
    kept = letters.open_letter(signature, by=request.user)
    response = HttpResponse(bytes(kept.content), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="report-{study.pk}-{signature.pk}.pdf"'
    patch_cache_control(response, private=True, no_cache=True)
    return response


@sensitive_post_parameters("password")
@door(Capability.READ)
@require_POST
def addenda(request: Request, study_instance_uid: str) -> HttpResponse:
    """Add a signed addendum. A refusal shows the page again with the text that was typed."""
    study = study_or_404(request.user, study_instance_uid)
    try:
        given = valid(AddendumForm(request.POST))
        reauthentication.require(request, given["password"])
        report_service.add_addendum(study, by=request.user, text=given["text"])
    except ReviewError as error:
        if wants_json(request):
            raise
        return studies.page(
            request,
            study,
            status=error.status,
            addendum_error=error.message,
            addendum_text=request.POST.get("text", ""),
        )
    messages.success(request, _("The addendum is signed."))
    if wants_json(request):
        return JsonResponse({"next": reverse("study", args=[study_instance_uid])})
    return redirect("study", study_instance_uid)
