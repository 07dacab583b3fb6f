"""`manage.py registermodel [PATH] [--activate]`: make a model bundle known, and let it draft."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from review.exceptions import InvalidInput
from review.services import registry


class Command(BaseCommand):
    """The same bundle again is the same version. Both acts are recorded in the audit trail."""

    help = "Register a model bundle as a candidate; with --activate it drafts from now on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "path", nargs="?", metavar="PATH", type=Path, help="folder of the bundle (default: MAIRA_BUNDLE)"
        )
        parser.add_argument("--activate", action="store_true", help="the version before retires")

    def handle(self, *args: Any, **options: Any) -> None:
        bundle = Path(options["path"] or settings.BUNDLE).resolve()
        try:
            version = registry.register(bundle, by=None)
        except InvalidInput as error:
            raise CommandError(str(error)) from error
        if options["activate"]:
            version = registry.activate(version, by=None)
        self.stdout.write(f"{version.digest} {version.state} {bundle}")
