"""The report of a study: its newest text, and saving another."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from review.api import outputs
from review.api.base import Door, study_or_404, user_of, valid
from review.api.inputs import ReportInput
from review.exceptions import RevisionConflict
from review.models.reports import Report as ReportRow
from review.models.states import ReportStatus
from review.selectors import reports
from review.services import reports as report_service
from review.services import studies as study_service

REFUSALS = dict.fromkeys((401, 403, 404), outputs.ErrorOutput)


class Report(Door):
    """What the radiologist writes. Signing is for the reading page, which asks a person for a password."""

    @extend_schema(responses={200: outputs.ReportOutput, **REFUSALS}, operation_id="report")
    def get(self, request: Request, study_instance_uid: str) -> Response:
        """The newest saved text; revision 0 before anything was saved. Reading it is recorded."""
        study = study_or_404(request, study_instance_uid)
        study_service.note_opened(study, by=user_of(request))
        return Response(outputs.ReportOutput(_described(reports.of(study))).data)

    @extend_schema(
        request=ReportInput,
        responses={
            200: outputs.RevisionOutput,
            **REFUSALS,
            **dict.fromkeys((409, 422, 423), outputs.ErrorOutput),
        },
        operation_id="report_save",
    )
    def put(self, request: Request, study_instance_uid: str) -> Response:
        """Save the next revision. Based on an older one: 409, with both texts in `errors`."""
        study = study_or_404(request, study_instance_uid)
        text = report_service.Text(**valid(ReportInput(data=request.data)))
        try:
            revision = report_service.save(study, by=user_of(request), text=text)
        except RevisionConflict as conflict:
            conflict.errors["yours"] = {"findings": text.findings, "impression": text.impression}
            raise
        return Response(outputs.RevisionOutput(report_service.describe_revision(revision)).data)


def _described(report: ReportRow | None) -> dict[str, Any]:
    text = report_service.describe_revision(reports.current_revision(report))
    if report is None:
        unwritten: dict[str, Any] = {
            "status": ReportStatus.REGISTERED,
            "ai_seen_first": None,
            "signatures": [],
            "addenda": [],
        }
        return text | unwritten
    return text | {
        "status": report.status,
        "ai_seen_first": report.ai_seen_first,
        "signatures": report.signatures.select_related("revision", "addendum").order_by("pk"),
        "addenda": report.addenda.all(),
    }
