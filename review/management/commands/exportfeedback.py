"""`manage.py exportfeedback --output DIR`: signed reports as a feedback dataset (docs/feedback.md)."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from inference.feedback.schema import FeedbackError
from review.management import sites
from review.services import feedback


class Command(BaseCommand):
    help = "Write everything signed so far, de-identified, as a feedback dataset into a new folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--output", required=True, metavar="DIR", type=Path, help="new, or an empty folder"
        )
        parser.add_argument("--site", metavar="S", help="code of one site (default: every site)")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = sites.all_or_one(options["site"])
        folder: Path = options["output"].absolute()
        try:
            written = feedback.export(chosen, folder)
        except (FeedbackError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{written.studies} studies in {folder}")
        for reason, count in written.left_out.items():
            self.stdout.write(f"left out: {count} ({reason})")
        self.stdout.write(f"manifest.json: {written.manifest_sha256}")
