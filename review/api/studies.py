"""Studies: the worklist, one study, its draft, its masks, its history."""

from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from review.api import outputs
from review.api.base import Door, study_or_404, user_of, valid
from review.api.inputs import MaskInput, WorklistQuery
from review.models.patients import Site
from review.models.people import Capability
from review.models.studies import Priority
from review.selectors import audit, drafts, masks, people, studies, worklist
from review.services import drafts as draft_service
from review.services import masks as mask_service
from review.services import studies as study_service

REFUSALS = dict.fromkeys((401, 403, 404), outputs.ErrorOutput)


class Worklist(Door):
    """The studies of one's sites."""

    @extend_schema(
        parameters=[WorklistQuery],
        responses={200: outputs.WorklistPage, **REFUSALS, 422: outputs.ErrorOutput},
        operation_id="studies_list",
    )
    def get(self, request: Request) -> Response:
        query = valid(WorklistQuery(data=request.query_params))
        page = worklist.page(user_of(request), _filters(request, query), query["cursor"])
        return Response(outputs.WorklistPage(page).data)


def _filters(request: Request, query: dict[str, Any]) -> worklist.Filters:
    priority = query.get("priority")
    return worklist.Filters(
        status=query["status"],
        priority=Priority[priority.upper()].value if priority else None,
        site=query["site"],
        assigned_to=user_of(request) if query.get("assignee") else None,
        search=query["search"],
        day=query.get("day"),
        zone=ZoneInfo("UTC"),
        sort=query["sort"],
    )


class Detail(Door):
    """One study. Reading it is recorded."""

    @extend_schema(responses={200: outputs.StudyOutput, **REFUSALS}, operation_id="study")
    def get(self, request: Request, study_instance_uid: str) -> Response:
        study = study_or_404(request, study_instance_uid)
        study_service.note_opened(study, by=user_of(request))
        context = {"images": studies.images_of(study)}
        return Response(outputs.StudyOutput(study, context=context).data)


class Draft(Door):
    """What the model said. At a silent site there is nothing here. Reading it is recorded."""

    @extend_schema(responses={200: outputs.DraftOutput, **REFUSALS}, operation_id="draft")
    def get(self, request: Request, study_instance_uid: str) -> Response:
        """The newest draft that is ready, which may be stale; while none is, the one in the making."""
        study, user = study_or_404(request, study_instance_uid), user_of(request)
        study_service.note_opened(study, by=user)
        draft = drafts.newest_ready(study, user) or drafts.newest(study, user)
        if draft is None:
            raise Http404
        return Response(outputs.DraftOutput(draft).data)

    @extend_schema(
        request=None,
        responses={202: outputs.DraftOutput, **REFUSALS, 409: outputs.ErrorOutput},
        operation_id="draft_request",
    )
    def post(self, request: Request, study_instance_uid: str) -> Response:
        """Ask for a draft of the study as it is now. The same input gives the same draft."""
        study = study_or_404(request, study_instance_uid)
        if study.site.stage == Site.Stage.SILENT:
            raise Http404
        draft = draft_service.request(study, by=user_of(request))
        return Response(outputs.DraftOutput(draft).data, status=202)


class Masks(Door):
    """The outlines of the newest ready draft and of people. Reading them is recorded."""

    @extend_schema(responses={200: outputs.MasksOutput, **REFUSALS}, operation_id="masks")
    def get(self, request: Request, study_instance_uid: str) -> Response:
        study = study_or_404(request, study_instance_uid)
        study_service.note_opened(study, by=user_of(request))
        draft = drafts.newest_ready(study, user_of(request))
        found = masks.outlines(study, user_of(request))
        told = {"draft": draft.pk if draft else None, "masks": [one.mask for one in found]}
        context = {"standing": {one.mask.pk for one in found if one.stands}}
        return Response(outputs.MasksOutput(told, context=context).data)

    @extend_schema(
        request=MaskInput,
        responses={
            201: outputs.MaskOutput,
            **REFUSALS,
            **dict.fromkeys((409, 422, 423), outputs.ErrorOutput),
        },
        operation_id="mask_correct",
    )
    def post(self, request: Request, study_instance_uid: str) -> Response:
        """Correct an outline, or add one that was missed. The model's stays as it was.

        Another person's outline came meanwhile: 409, with its id in `errors.current`.
        """
        study = study_or_404(request, study_instance_uid)
        given = valid(MaskInput(data=request.data))
        outlined = mask_service.Outlined(**{**given, "size": (given["size"][0], given["size"][1])})
        made = mask_service.correct(study, by=user_of(request), outlined=outlined)
        return Response(outputs.MaskOutput(made).data, status=201)


class Audit(Door):
    """Who did what when. For those who audit the site; looking is recorded too."""

    @extend_schema(responses={200: outputs.HistoryOutput, **REFUSALS}, operation_id="audit")
    def get(self, request: Request, study_instance_uid: str) -> Response:
        study, user = study_or_404(request, study_instance_uid), user_of(request)
        people.require(user, Capability.AUDIT, study.site)
        study_service.note_history_viewed(study, by=user)
        return Response(outputs.HistoryOutput({"events": audit.history(study)}).data)
