"""`manage.py verifyaudit`: whether every link of the audit trail holds (docs/audit.md)."""

from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from review.selectors import audit
from review.services import trail


class Command(BaseCommand):
    """Exit code 1 when a link does not hold. That it was looked at is itself recorded, after the look."""

    help = "Check every audit event and checkpoint; name the first broken link."

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--checkpoints",
            metavar="DIR",
            type=Path,
            help="compare with checkpoints that left the host (else with those in AUDIT_CHECKPOINT_DIR)",
        )
        which.add_argument("--database-only", action="store_true", help="compare with no checkpoint files")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path | None = options["checkpoints"]
        if folder is not None and not folder.is_dir():
            raise CommandError(f"{folder} is no folder.")
        kept = Path(settings.AUDIT_CHECKPOINT_DIR)
        if folder is None and kept.is_dir() and not options["database_only"]:
            folder = kept
        counts: Counter[str] = Counter()
        try:
            breaks = audit.verify(counts, checkpoints=folder)
            first = next(breaks, None)
            more = sum(1 for _one in breaks)
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        looked = ", ".join(f"{counts[name]} {name}" for name in ("events", "chains", "checkpoints"))
        trail.note_verified(counts, breaks=0 if first is None else more + 1)
        if first is not None:
            self.stderr.write(f"broken: {first}")
            if more:
                self.stderr.write(f"and {more} more broken links after it")
            raise CommandError(f"the audit trail does not hold ({looked})", returncode=1)
        self.stdout.write(f"ok: {looked}")
