"""Acts of and about accounts: signing in and out, memberships, tokens."""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from review import audit, worklist
from review.models.audit import Verb
from review.models.patients import Site
from review.models.people import ApiToken, Membership, Role, User
from review.models.studies import Study

TOKEN_PREFIX = "maira_"  # noqa: S105 (a public prefix, so that scanners recognise a leaked token)


@transaction.atomic
def note_signed_in(user: User) -> None:
    audit.record(Verb.SIGNED_IN, by=user)


@transaction.atomic
def note_signed_out(user: User) -> None:
    audit.record(Verb.SIGNED_OUT, by=user)


@transaction.atomic
def note_sign_in_failed() -> None:
    """The name that was tried is not recorded: people type passwords into the wrong field."""
    audit.record(Verb.SIGN_IN_FAILED, by=None)


@transaction.atomic
def note_reauthentication_failed(user: User) -> None:
    """Someone at this person's open page did not know the password. Records `user.sign-in-failed` by them."""
    audit.record(Verb.SIGN_IN_FAILED, by=user)


@transaction.atomic
def note_credentials_changed(user: User, *, by: User, what: str) -> None:
    """A password or a second factor is another one now: whoever holds it can sign as this person.

    Records `user.account-changed`; `what` is a word such as `password_changed` or `totp_activated`.
    """
    audit.record(Verb.ACCOUNT_CHANGED, by=by, data={"user": user.pk, "credentials": what})


def public_password(username: str) -> str:
    """The password of an account of the demo hospital. Everyone knows it: elsewhere it opens nothing."""
    return f"demo-{username}"


@transaction.atomic
def save_site(site: Site, *, by: User) -> None:
    """Store a site. Records `site.changed` when that changes what people see or how times are shown.

    A new stage shows or hides drafts at once: the open rows of the worklist are written anew.
    """
    before = Site.objects.select_for_update().filter(pk=site.pk).first()
    site.save()
    changes = _changes(before, site, ("stage", "time_zone", "language"))
    if changes:
        audit.record(Verb.SITE_CHANGED, by=by, site=site, data={"changes": changes})
    if "stage" in changes:
        for study in Study.objects.filter(site=site, entry__is_open=True).order_by("pk").iterator():
            worklist.refresh(study)


@transaction.atomic
def save_account(user: User, *, by: User) -> None:
    """Store an account. Records `user.account-changed` when it is new, or when that changes what it opens or
    the name it signs with.
    """
    before = User.objects.select_for_update().filter(pk=user.pk).first()
    user.save()
    watched = ("username", "printed_name", "is_active", "is_staff", "is_superuser", "is_service")
    changes: dict[str, Any] = _changes(before, user, watched) if before else {"created": user.username}
    if changes:
        audit.record(Verb.ACCOUNT_CHANGED, by=by, data={"user": user.pk, "changes": changes})


def _changes(before: Model | None, after: Model, names: Sequence[str]) -> dict[str, list[Any]]:
    """Old and new value by name; nothing for a new row."""
    if before is None:
        return {}
    pairs = {name: [getattr(before, name), getattr(after, name)] for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


@transaction.atomic
def grant(user: User, *, site: Site, role: Role, by: User | None) -> Membership:
    """Give a role at a site. Records `user.membership-changed`."""
    membership, created = Membership.objects.get_or_create(user=user, site=site, role=role)
    if created:
        audit.record(
            Verb.MEMBERSHIP_CHANGED,
            by=by,
            site=site,
            data={"user": user.pk, "role": str(role), "granted": True},
        )
    return membership


@transaction.atomic
def revoke(membership: Membership, *, by: User | None) -> None:
    """Take a role away. Records `user.membership-changed`."""
    data = {"user": membership.user_id, "role": membership.role, "granted": False}
    site = membership.site
    membership.delete()
    audit.record(Verb.MEMBERSHIP_CHANGED, by=by, site=site, data=data)


@transaction.atomic
def create_token(user: User, *, by: User | None) -> str:
    """Make an API token and return it: the only time it can be seen. Records `user.token-created`.

    `by` is None only for an operator at the command line, of whom no more is known.
    """
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    row = ApiToken.objects.create(user=user, digest=token_digest(token))
    audit.record(Verb.TOKEN_CREATED, by=by, data={"token": row.pk, "user": user.pk})
    return token


@transaction.atomic
def revoke_token(token: ApiToken, *, by: User) -> None:
    """Close a token for good; once is enough. Records `user.token-revoked`."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit.record(Verb.TOKEN_REVOKED, by=by, data={"token": token.pk, "user": token.user_id})


def token_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def user_of_token(token: str) -> User | None:
    """The active user a token belongs to, or None. Notes when it was last used, at most once a minute."""
    row = ApiToken.objects.select_related("user").filter(digest=token_digest(token), revoked_at=None).first()
    if row is None or not row.user.is_active:
        return None
    now = timezone.now()
    if row.last_used_at is None or (now - row.last_used_at).total_seconds() > 60:
        ApiToken.objects.filter(pk=row.pk).update(last_used_at=now)
    return row.user
