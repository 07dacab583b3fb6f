"""What is wrong with an installation beyond its settings' spelling. Registered by `review.apps`.

Models are asked for by name: this module is imported before they are.
"""

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connection
from django.utils.module_loading import import_string


def register_all() -> None:
    register(bundle_is_there, "review")
    register(drafter_is_there, "review")
    register(storage_is_writable, "review")
    register(audit_key_is_there, Tags.database)
    register(no_public_passwords, Tags.database)
    register(application_cannot_rewrite, Tags.database)


def bundle_is_there(app_configs: Sequence[Any] | None, **options: Any) -> list[CheckMessage]:
    """Reports can be written without a model; drafts cannot."""
    if (Path(settings.BUNDLE) / "config.json").is_file():
        return []
    hint = (
        "Train one (python -m inference.training.train_all), or set MAIRA_BUNDLE to the folder of one; then "
        "manage.py registermodel --activate."
    )
    return [Warning(f"There is no model bundle in {settings.BUNDLE}.", hint=hint, id="review.W001")]


def drafter_is_there(app_configs: Sequence[Any] | None, **options: Any) -> list[CheckMessage]:
    """By its module's place alone: importing it here would load the model's libraries."""
    module, _dot, name = settings.DRAFTER.rpartition(".")
    try:
        found = bool(module and name) and find_spec(module) is not None
    except ModuleNotFoundError:
        found = False
    if found:
        return []
    hint = "Set DRAFTER to the dotted path of a callable: a bundle's folder in, a drafter out."
    return [
        Error(f"DRAFTER names no module that is here: {settings.DRAFTER!r}.", hint=hint, id="review.E001")
    ]


def application_cannot_rewrite(
    app_configs: Sequence[Any] | None, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """The login of the application must not own what only grows: rights taken from it would mean nothing."""
    if not databases:
        return []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT has_table_privilege(current_user, 'review_auditevent', 'UPDATE')")
            may = bool(cursor.fetchone()[0])
    except DatabaseError:
        return []  # Before the first migration there is no such table.
    if not may:
        return []
    hint = "Let DATABASE_APP_URL name a login that owns nothing and is a member of maira_app."
    return [Error("The application's login may rewrite the audit trail.", hint=hint, id="review.E005")]


def storage_is_writable(app_configs: Sequence[Any] | None, **options: Any) -> list[CheckMessage]:
    """For files on this machine; a remote storage tells at /readyz."""
    location = settings.STORAGES["default"].get("OPTIONS", {}).get("location")
    if location is None:
        return []
    folder = Path(location)
    while not folder.exists():
        folder = folder.parent
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return []
    hint = "Give the account that runs MAIRA Web the right to write there, or set VAR to another folder."
    return [Error(f"Images cannot be stored in {location}.", hint=hint, id="review.E002")]


def audit_key_is_there(
    app_configs: Sequence[Any] | None, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """A trail sealed with a key that is gone can neither be continued nor verified."""
    if not databases or Path(settings.AUDIT_KEY_FILE).exists():
        return []
    try:
        sealed = apps.get_model("review", "AuditEvent").objects.exists()
    except DatabaseError:
        return []  # Before the first migration there is no trail.
    if not sealed:
        return []
    hint = "Restore the file from its backup, or set AUDIT_KEY_FILE to where it is now."
    message = f"The key of the audit trail, {settings.AUDIT_KEY_FILE}, is missing while events exist."
    return [Error(message, hint=hint, id="review.E003")]


def no_public_passwords(
    app_configs: Sequence[Any] | None, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """The people of the demo hospital are known by name and password: outside the demo they stay out."""
    if settings.DEMO or not databases:
        return []
    try:
        names = import_string("review.management.demo.accounts_with_public_password")()
    except DatabaseError:
        return []  # Before the first migration there is nobody.
    if not names:
        return []
    hint = "Give each another password (manage.py changepassword NAME) or deactivate it."
    message = f"Accounts of the demo still have their public passwords: {', '.join(names)}."
    return [Error(message, hint=hint, id="review.E004")]
