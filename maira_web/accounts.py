"""How people come in: administrators make the accounts, nobody signs up; coming and going is recorded."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from review.models.people import User
from review.services import accounts


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """allauth's door, closed to strangers, to programs, and elsewhere to the people of the demo."""

    error_messages = {  # noqa: RUF012 - allauth's own is a plain dict too
        **DefaultAccountAdapter.error_messages,
        "service_account": _("This account signs in by token only."),
        "public_password": _("This account still has its public demo password. Have it changed first."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """The password is asked first: why someone is refused is told to who knows it, and to nobody else."""
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        if isinstance(user, User) and (reason := _reason_against(user, credentials.get("password", ""))):
            accounts.note_sign_in_failed()
            raise self.validation_error(reason)
        return user

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        super().login(request, user)
        if isinstance(user, User):
            accounts.note_signed_in(user)

    def post_login(self, request: HttpRequest, user: AbstractBaseUser, **options: Any) -> HttpResponse:
        """The pages are in the account's language from here on; the switch in the header changes that."""
        response: HttpResponse = super().post_login(request, user, **options)
        if isinstance(user, User) and user.language in dict(settings.LANGUAGES):
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                user.language,
                max_age=settings.LANGUAGE_COOKIE_AGE,
                path=settings.LANGUAGE_COOKIE_PATH,
                domain=settings.LANGUAGE_COOKIE_DOMAIN,
                secure=settings.LANGUAGE_COOKIE_SECURE,
                httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
                samesite=settings.LANGUAGE_COOKIE_SAMESITE,
            )
        return response

    def logout(self, request: HttpRequest) -> None:
        user = request.user
        super().logout(request)
        if isinstance(user, User):
            accounts.note_signed_out(user)

    def send_notification_mail(
        self,
        template_prefix: str,
        user: AbstractBaseUser,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """allauth tells of every new password or second factor here: the trail hears of it, mail or not."""
        if isinstance(user, User):
            accounts.note_credentials_changed(user, by=user, what=template_prefix.rpartition("/")[2])
        super().send_notification_mail(template_prefix, user, context, email)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Who is signed in was asked for the password again, at signing say."""
        super().authentication_failed(request, **credentials)
        if isinstance(request.user, User):
            accounts.note_reauthentication_failed(request.user)
        else:
            accounts.note_sign_in_failed()


def _reason_against(user: User, password: str) -> str:
    if user.is_service:
        return "service_account"
    if not settings.DEMO and password == accounts.public_password(user.username):
        return "public_password"
    return ""
