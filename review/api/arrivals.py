"""Handing in files, and what became of them."""

from uuid import uuid4

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from review.api import outputs
from review.api.base import Door, user_of, valid
from review.api.inputs import ArrivalInput, ArrivalQuery
from review.models.people import Capability
from review.models.studies import Arrival
from review.selectors import arrivals, people
from review.services import studies

PAGE_SIZE = 100
REFUSALS = dict.fromkeys((401, 403, 422), outputs.ErrorOutput)


class Arrivals(Door):
    """Files handed in at one's sites."""

    capability = Capability.IMPORT
    parser_classes = (MultiPartParser,)

    @extend_schema(
        parameters=[ArrivalQuery],
        responses={200: outputs.ArrivalPage, **REFUSALS},
        operation_id="arrivals_list",
    )
    def get(self, request: Request) -> Response:
        """Newest first, a hundred at a time."""
        query = valid(ArrivalQuery(data=request.query_params))
        rows = arrivals.visible_to(user_of(request))
        if "batch" in query:
            rows = rows.filter(batch=query["batch"])
        if "before" in query:
            rows = rows.filter(pk__lt=query["before"])
        page = list(rows[: PAGE_SIZE + 1])
        more = len(page) > PAGE_SIZE
        page = page[:PAGE_SIZE]
        found = {"results": page, "next_before": page[-1].pk if more else None}
        return Response(outputs.ArrivalPage(found).data)

    @extend_schema(
        request={"multipart/form-data": ArrivalInput},
        responses={201: outputs.ArrivalPage, **REFUSALS},
        operation_id="arrivals_create",
    )
    def post(self, request: Request) -> Response:
        """Hand in files. Each gets an arrival at once; a worker decides what it is."""
        given = valid(ArrivalInput(data=request.data))
        site = people.sites_with(user_of(request), Capability.IMPORT).filter(code=given["site"]).first()
        if site is None:
            raise ValidationError({"site": ["You hand in at no site of this code."]})
        batch = given.get("batch") or uuid4()
        delivery = studies.Delivery(site, batch, Arrival.Origin.API, user_of(request))
        received = [
            arrival for file in given["file"] for arrival in studies.receive(file.file, file.name, delivery)
        ]
        return Response(outputs.ArrivalPage({"results": received, "next_before": None}).data, status=201)
