"""The application's connection meets the same wall in the tests as in production."""

import pytest
from django.db import ProgrammingError, connection, connections, transaction
from django.test import TestCase

from maira_web import embedded


class ApplicationRoleTests(TestCase):
    databases = frozenset({"default", "owner"})

    def test_it_works_as_the_application_role(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            assert cursor.fetchone() == (embedded.APPLICATION,)

    def test_it_may_not_change_a_table(self):
        with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE django_session ADD COLUMN more text")

    def test_the_owner_is_somebody_else_in_the_same_database(self):
        with connections["owner"].cursor() as cursor:
            cursor.execute("SELECT current_user, current_database()")
            user, database = cursor.fetchone()
        assert user != embedded.APPLICATION
        assert database == connection.settings_dict["NAME"]
