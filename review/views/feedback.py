"""Feedback datasets: what was exported, building another, downloading."""

from pathlib import PurePosixPath

from django.core.files.storage import default_storage
from django.http import FileResponse, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from review.forms import DatasetForm
from review.models.people import Capability
from review.models.states import JobStatus
from review.selectors import feedback, people
from review.services import feedback as feedback_service
from review.views.doors import Request, door, valid


@door(Capability.EXPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def listing(request: Request) -> HttpResponse:
    """The datasets of the person's sites; a POST asks for another."""
    sites = people.sites_with(request.user, Capability.EXPORT).order_by("name")
    if request.method == "POST":
        feedback_service.request(valid(DatasetForm(request.POST, sites=sites))["site"], by=request.user)
        return redirect("feedback")
    datasets = list(feedback.visible_to(request.user))
    pending = {JobStatus.QUEUED, JobStatus.RUNNING}
    context = {
        "sites": sites,
        "datasets": datasets,
        "is_building": any(dataset.status in pending for dataset in datasets),
    }
    return render(request, "review/_feedback_rows.html" if request.htmx else "review/feedback.html", context)


@door(Capability.EXPORT)
@require_safe
def download(request: Request, dataset_id: int) -> FileResponse:
    """The archive of a ready dataset. Taking it is recorded."""
    ready = feedback.visible_to(request.user).filter(status=JobStatus.READY)
    dataset = get_object_or_404(ready, pk=dataset_id)
    archive = default_storage.open(dataset.storage_name)
    feedback_service.note_downloaded(dataset, by=request.user)
    suffix = "".join(PurePosixPath(dataset.storage_name).suffixes)
    name = f"feedback-{dataset.site.code}-{dataset.number:04d}{suffix}"
    return FileResponse(archive, as_attachment=True, filename=name)
