"""What every door of the pages does the same way: who may come in, what is here, how a refusal is told."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django.contrib.auth.views import redirect_to_login
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_htmx.middleware import HtmxDetails

from review.exceptions import InvalidInput, NotAllowed, ReviewError
from review.models.people import Capability, User
from review.models.studies import Study
from review.selectors import people, studies

P = ParamSpec("P")


class SignInFirst(ReviewError):
    code = "sign-in-first"
    status = 401
    message = _("The session has ended: sign in again.")


class Request(HttpRequest):
    """A request of someone signed in; `door` has seen to that."""

    user: User
    htmx: HtmxDetails


View = Callable[Concatenate[Request, P], HttpResponseBase]


def wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def error_body(error: ReviewError) -> dict[str, Any]:
    """The one JSON error body."""
    return {
        "code": error.code,
        "message": str(error.message),
        "errors": error.errors,
        "status": error.status,
    }


def refused(request: HttpRequest, error: ReviewError) -> HttpResponse:
    """A refusal as JSON or as a page, with its own status."""
    if wants_json(request):
        return JsonResponse(error_body(error), status=error.status)
    if getattr(request, "htmx", False):
        # A whole page inside a part of one helps nobody: the part stays, and the notice says why.
        told = {"HX-Reswap": "none", "HX-Trigger": json.dumps({"refused": str(error.message)})}
        return HttpResponse(status=error.status, headers=told)
    template = "403.html" if error.status == 403 else "refused.html"
    return render(request, template, {"message": error.message, "errors": error.errors}, status=error.status)


def door(*capabilities: Capability) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """A view for people signed in who have one of these capabilities at some site, or any role when none is
    named.

    A `ReviewError` from within becomes an answer here, and nowhere else. Scripts without a session get 401:
    they cannot use the sign-in page that others are sent to.
    """

    def decorate(view: View[P]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            try:
                if not isinstance(request.user, User):
                    return _sign_in_first(request)
                if capabilities and not people.capabilities(request.user) & set(capabilities):
                    raise NotAllowed
                return _kept_from_caches(view(cast(Request, request), *args, **kwargs))
            except ReviewError as error:
                return _kept_from_caches(refused(request, error))

        return guarded

    return decorate


def _kept_from_caches(response: HttpResponseBase) -> HttpResponseBase:
    """Pages name patients: no browser may show one again to whoever presses Back after a sign-out. What says
    for itself how long it may be kept (an image, under a name that changes with it) is left alone."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _sign_in_first(request: HttpRequest) -> HttpResponse:
    if wants_json(request) or cast(Request, request).htmx:
        return JsonResponse(error_body(SignInFirst()), status=401)
    # Whoever signs in again is sent on by GET: to where the form stood, not to what it was sent to.
    study_instance_uid = (
        request.resolver_match.kwargs.get("study_instance_uid") if request.resolver_match else None
    )
    if request.method in {"GET", "HEAD"}:
        return redirect_to_login(request.get_full_path())
    return redirect_to_login(reverse("study", args=[study_instance_uid]) if study_instance_uid else "/")


def study_or_404(user: User, study_instance_uid: str) -> Study:
    """The study if this user may see it; otherwise it does not exist."""
    return get_object_or_404(studies.visible_to(user), study_instance_uid=study_instance_uid)


def valid(form: Form) -> dict[str, Any]:
    """The cleaned data of a form.

    Raises
    ------
    InvalidInput
        With the errors by field.
    """
    if not form.is_valid():
        raise InvalidInput(errors={name: [str(error) for error in form.errors[name]] for name in form.errors})
    return form.cleaned_data
