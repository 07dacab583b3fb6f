"""`manage.py createtoken USERNAME`: a bearer token of the API, printed once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from review.models.people import User
from review.services import accounts


class Command(BaseCommand):
    help = "Make an API token for an account and print it: the only time it can be seen."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", metavar="USERNAME")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active account named {options['username']!r}.")
        self.stdout.write(accounts.create_token(user, by=None))
