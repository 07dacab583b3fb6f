"""`manage.py loaddemo`: the demo hospital of `make run`."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from review.management import demo


class Command(BaseCommand):
    """Refused where DEMO is not set: its passwords are public. Loading it again adds nothing."""

    help = "Load the demo hospital: sites, accounts with public passwords, phantom studies and the model."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The demo hospital has public passwords: it is loaded only where DEMO is set.")
        sites = demo.load_sites()
        demo.load_accounts(sites)
        self.stdout.write(demo.load_model())
        missing = demo.missing_studies(sites)
        quiet = options["verbosity"] < 1 or not sys.stderr.isatty()
        handed_in = 0
        for site, index in tqdm(missing, desc="phantoms", unit="study", disable=quiet, file=sys.stderr):
            handed_in += demo.hand_in(site, index)
        priors = handed_in - len(missing)
        self.stdout.write(
            f"demo hospital: {len(missing)} studies and {priors} priors handed in,"
            f" {len(demo.ACCOUNTS)} accounts"
        )
