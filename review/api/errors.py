"""The one error body of the API: {"code", "message", "errors", "status"}, whatever went wrong."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from review.exceptions import ReviewError

CODES: dict[type[exceptions.APIException], str] = {
    exceptions.ParseError: "parse-error",
    exceptions.AuthenticationFailed: "authentication-failed",
    exceptions.NotAuthenticated: "not-authenticated",
    exceptions.PermissionDenied: "not-allowed",
    exceptions.NotFound: "not-found",
    exceptions.MethodNotAllowed: "method-not-allowed",
    exceptions.NotAcceptable: "not-acceptable",
    exceptions.UnsupportedMediaType: "unsupported-media-type",
    exceptions.Throttled: "throttled",
}


def body(code: str, message: str, status: int, errors: Any = None) -> dict[str, Any]:
    return {"code": code, "message": message, "errors": errors or {}, "status": status}


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. None lets an error of ours rise: it is logged, and no detail leaves."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, ReviewError):
        found = body(error.code, str(error.message), error.status, error.errors)
    elif isinstance(error, exceptions.ValidationError):
        found = body("invalid-input", "The input is not valid.", 422, error.detail)
    elif isinstance(error, exceptions.APIException):
        found = body(CODES.get(type(error), "refused"), str(error.detail), error.status_code)
    else:
        return None
    set_rollback()
    return Response(found, status=found["status"], headers=_headers(error))


def _headers(error: Exception) -> dict[str, str]:
    challenge = getattr(error, "auth_header", None)
    return {"WWW-Authenticate": challenge} if challenge else {}
