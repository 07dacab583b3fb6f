"""Addresses of the API that are none."""

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from review.api.base import Door


@extend_schema(exclude=True)
class Nothing(Door):
    """404 in the API's own words, whatever the method, and for whoever asks."""

    authentication_classes = ()
    permission_classes = ()

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        raise Http404

    def get(self, request: Request, rest: str = "") -> Response:
        raise Http404
