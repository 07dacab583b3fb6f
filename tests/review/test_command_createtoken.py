import io

import pytest
from django.core.management import CommandError, call_command
from django.test import TestCase

from review.models.audit import AuditEvent, Verb
from review.models.people import ApiToken
from review.services import accounts
from tests.review import cast


class CreateTokenTests(TestCase):
    def test_it_prints_a_token_that_opens_the_door_once_and_keeps_its_digest(self) -> None:
        ruth = cast.make().ruth
        out = io.StringIO()
        call_command("createtoken", "ruth", stdout=out)
        token = out.getvalue().strip()
        assert accounts.user_of_token(token) == ruth
        assert token not in ApiToken.objects.get().digest
        event = AuditEvent.objects.get(verb=Verb.TOKEN_CREATED)
        assert (event.chain, event.actor_id) == ("system", None)

    def test_who_made_it_is_recorded_and_not_whose_it_is(self) -> None:
        people = cast.make()
        accounts.create_token(people.ruth, by=people.root)
        assert AuditEvent.objects.get(verb=Verb.TOKEN_CREATED).actor_id == people.root.pk

    def test_an_unknown_or_inactive_account_gets_none(self) -> None:
        people = cast.make()
        people.omar.is_active = False
        people.omar.save(update_fields=["is_active"])
        for name in ("nobody", "omar"):
            with pytest.raises(CommandError, match="no active account"):
                call_command("createtoken", name)
