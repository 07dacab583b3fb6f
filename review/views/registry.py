"""Which model drafts, and its card."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from review.models.people import Capability
from review.models.registry import ModelVersion
from review.models.states import ModelState
from review.views.doors import Request, door


@door(Capability.EXPORT)
@require_safe
def listing(request: Request) -> HttpResponse:
    """Every version, the active one first."""
    versions = sorted(
        ModelVersion.objects.all(),
        key=lambda version: (version.state != ModelState.ACTIVE, -version.registered_at.timestamp()),
    )
    return render(request, "review/models.html", {"versions": versions})
