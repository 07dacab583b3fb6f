"""The password again, at the moment of signing, by allauth's own means and limits."""

from allauth.account.forms import ReauthenticateForm
from allauth.account.internal.flows import reauthentication
from allauth.core import ratelimit

from review.exceptions import ReauthenticationFailed
from review.views.doors import Request


def needs_password(request: Request) -> bool:
    """False only for people who have none (an identity provider or a passkey vouches for them)."""
    return bool(request.user.has_usable_password())


def require(request: Request, password: str) -> None:
    """A wrong password is recorded by `maira_web.accounts`; one that came too often was not looked at.

    Raises
    ------
    ReauthenticationFailed
        When the password is not right, was tried too often, or, for people without one, the last
        re-authentication is too long ago.
    """
    if not needs_password(request):
        if not reauthentication.did_recently_reauthenticate(request):
            raise ReauthenticationFailed
        return
    if not ratelimit.consume(request, action="reauthenticate", user=request.user):
        raise ReauthenticationFailed
    form = ReauthenticateForm(user=request.user, data={"password": password})
    if not form.is_valid():
        raise ReauthenticationFailed
    reauthentication.reauthenticate_by_password(request)
