"""The pytest plugin that gives the tests a PostgreSQL: the embedded one, or the one DATABASE_URL names."""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from psycopg import sql

from maira_web import embedded, messages
from tests import components

DROP_TRIES = 40
STACK = pytest.StashKey[ExitStack]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start the server before anything connects; every xdist worker is a user of the same one."""
    stack = config.stash[STACK] = ExitStack()
    if config.option.collectonly:
        return
    if settings.EMBEDDED_DATABASE:
        stack.enter_context(embedded.server(settings.SERVER_VAR))
    if not hasattr(config, "workerinput"):
        _drop_leftovers()
        messages.compile_all()
    stack.callback(shutil.rmtree, settings.VAR, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[STACK].close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one loud line what to install where tests were left out for want of it."""
    skipped = "\n".join(str(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
    packages = sorted(set(re.findall(rf"{re.escape(components.MARK)} (\S+?)[')]", skipped)))
    if packages:
        line = f"TESTS WERE SKIPPED. To run them install: {' '.join(packages)}"
        terminalreporter.write_line(line, red=True, bold=True)


def _server() -> psycopg.Connection[tuple[object, ...]]:
    """A connection to the server as the owner, beside the databases of the tests."""
    owner = settings.DATABASES["owner"]
    return psycopg.connect(
        host=owner["HOST"],
        port=owner["PORT"] or None,
        user=owner["USER"],
        password=owner["PASSWORD"],
        dbname="postgres",
        autocommit=True,
    )


def _drop_leftovers() -> None:
    """Drop the databases and files of runs that were killed."""
    with closing(_server()) as server:
        for (name,) in server.execute(r"SELECT datname FROM pg_database WHERE datname LIKE 'test\_maira\_%'"):
            found = re.fullmatch(r"test_maira_(\d+).*", str(name))
            if found and not _alive(int(found[1])):
                server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(str(name))))
    runs = settings.SERVER_VAR / "runs"
    for folder in runs.iterdir() if runs.is_dir() else []:
        found = re.fullmatch(r"(\d+).*", folder.name)
        if found and not _alive(int(found[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@pytest.fixture(scope="session")
def template_database(django_db_setup: None) -> Iterator[str]:
    """A migrated copy of the tests' database that nobody connects to, to make new ones from in no time."""
    original = settings.DATABASES["owner"]["NAME"]
    name = f"{original}_template"
    for connection in connections.all():
        connection.close()
    with closing(_server()) as server:
        _copy(server, original, name)
        yield name
        _drop(server, name)


@pytest.fixture
def committed_db(template_database: str, django_db_blocker: object) -> Iterator[None]:
    """A fresh database for one test whose transactions really commit (races, threads, live servers).

    Append-only tables cannot be emptied again, not even by their owner: the database is thrown away instead.
    """
    name = template_database.replace("_template", "_committed")
    aliases = [connections["default"], connections["owner"]]
    original = aliases[0].settings_dict["NAME"]
    with closing(_server()) as server:
        _drop(server, name)
        _copy(server, template_database, name)
        for connection in aliases:
            connection.close()
            connection.settings_dict["NAME"] = name
        with django_db_blocker.unblock():  # type: ignore[attr-defined]  # pytest-django gives it no public type
            yield
        for connection in aliases:
            connection.close()
            connection.settings_dict["NAME"] = original
        _drop(server, name)


def _copy(server: psycopg.Connection[tuple[object, ...]], template: str, name: str) -> None:
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    server.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))


def _drop(server: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    """The server's own vacuum may be at work in it, which only a superuser ends: it is done in a moment."""
    for tries_left in reversed(range(DROP_TRIES)):
        try:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            return
        except psycopg.errors.InsufficientPrivilege:
            if not tries_left:
                raise
            time.sleep(0.25)
