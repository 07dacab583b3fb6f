"""Feedback datasets: asking for one, waiting for it, taking it."""

from django.core.files.storage import default_storage
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from review.api import outputs
from review.api.base import Door, user_of, valid
from review.api.inputs import DatasetInput
from review.models.people import Capability
from review.models.states import JobStatus
from review.selectors import feedback, people
from review.services import feedback as feedback_service

REFUSALS = dict.fromkeys((401, 403, 404), outputs.ErrorOutput)


class Datasets(Door):
    """The datasets of the sites one exports from."""

    capability = Capability.EXPORT

    @extend_schema(responses={200: outputs.DatasetList, **REFUSALS}, operation_id="feedback_list")
    def get(self, request: Request) -> Response:
        """Newest first."""
        found = {"results": feedback.visible_to(user_of(request))}
        return Response(outputs.DatasetList(found).data)

    @extend_schema(
        request=DatasetInput,
        responses={202: outputs.DatasetOutput, **REFUSALS, 422: outputs.ErrorOutput},
        operation_id="feedback_request",
    )
    def post(self, request: Request) -> Response:
        """Ask for a dataset of everything signed at a site so far."""
        code = valid(DatasetInput(data=request.data))["site"]
        site = people.sites_with(user_of(request), Capability.EXPORT).filter(code=code).first()
        if site is None:
            raise ValidationError({"site": ["You export from no site of this code."]})
        dataset = feedback_service.request(site, by=user_of(request))
        return Response(outputs.DatasetOutput(dataset).data, status=202)


class Dataset(Door):
    capability = Capability.EXPORT

    @extend_schema(responses={200: outputs.DatasetOutput, **REFUSALS}, operation_id="feedback_dataset")
    def get(self, request: Request, dataset_id: int) -> Response:
        """One dataset and its state."""
        dataset = get_object_or_404(feedback.visible_to(user_of(request)), pk=dataset_id)
        return Response(outputs.DatasetOutput(dataset).data)


class Download(Door):
    capability = Capability.EXPORT

    @extend_schema(
        responses={(200, "application/zip"): OpenApiTypes.BINARY, **REFUSALS},
        operation_id="feedback_download",
    )
    def get(self, request: Request, dataset_id: int) -> FileResponse:
        """The archive of a ready dataset. Taking it is recorded."""
        ready = feedback.visible_to(user_of(request)).filter(status=JobStatus.READY)
        dataset = get_object_or_404(ready, pk=dataset_id)
        archive = default_storage.open(dataset.storage_name)
        feedback_service.note_downloaded(dataset, by=user_of(request))
        name = f"feedback-{dataset.site.code}-{dataset.number:04d}.zip"
        return FileResponse(archive, as_attachment=True, filename=name, content_type="application/zip")
