"""Who calls: a session of the pages, or a bearer token (`manage.py createtoken`)."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from review.models.people import User
from review.services import accounts


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer maira_...`; a revoked token and an inactive account are nobody's."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:
            raise AuthenticationFailed("The Authorization header is not: Bearer TOKEN.")
        user = accounts.user_of_token(words[1].decode("latin-1"))
        if user is None:
            raise AuthenticationFailed("This token is not valid, or no longer.")
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # ships no types
    """How the schema tells it."""

    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
