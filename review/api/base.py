"""What every door of the API does the same way."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from django.shortcuts import get_object_or_404
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from review.api import errors
from review.api.authentication import BearerAuthentication
from review.exceptions import NotAllowed
from review.models.people import Capability, User
from review.models.studies import Study
from review.selectors import people, studies

Input = TypeVar("Input", bound="Serializer[Any]")


class Door(APIView):
    """A view for those who have `capability` at some site; the selector narrows what they see."""

    authentication_classes: Sequence[type[BaseAuthentication]] = (BearerAuthentication, SessionAuthentication)
    permission_classes: Sequence[Any] = (IsAuthenticated,)
    renderer_classes = (JSONRenderer,)
    capability: ClassVar[Capability] = Capability.READ

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.capability not in people.capabilities(user_of(request)):
            raise NotAllowed

    def get_exception_handler(self) -> Callable[..., Any]:
        return errors.handle


def user_of(request: Request) -> User:
    assert isinstance(request.user, User), "permission_classes let nobody else in"
    return request.user


def study_or_404(request: Request, study_instance_uid: str) -> Study:
    """The study if this user may see it; otherwise it does not exist."""
    return get_object_or_404(studies.visible_to(user_of(request)), study_instance_uid=study_instance_uid)


def valid(serializer: "Serializer[Any]") -> dict[str, Any]:
    """The validated data; what is wrong becomes 422."""
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data
