"""The embedded PostgreSQL: never two on one folder, taken over after a SIGKILL, stopped by the last."""

import os
import pwd
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from maira_web import embedded

ROOT = Path(__file__).resolve().parent.parent.parent
USER = """
import sys
from pathlib import Path
from maira_web import embedded
with embedded.server(Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.readline()
print("out", flush=True)
"""
PATHS = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join([str(ROOT), *site.getsitepackages()])}
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def var() -> Iterator[Path]:
    """A data folder that any account can reach (pytest's own is its user's alone)."""
    with tempfile.TemporaryDirectory(prefix="maira-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        stop_left_over(folder)


def stop_left_over(var: Path) -> None:
    if (var / "postgres").exists():
        with embedded.server(var):
            pass


def python_for(account: pwd.struct_passwd) -> str:
    """A Python that the account can run our code with, or nothing (ours may lie in root's home)."""
    for candidate in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        command = [candidate, "-c", "import psycopg, maira_web.embedded"]
        with suppress(OSError):
            options = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            if not subprocess.run(command, cwd=ROOT, env=PATHS, check=False, **options).returncode:
                return candidate
    return ""


def use(var: Path, python: str = sys.executable, **options: object) -> subprocess.Popen[str]:
    """A process that uses the server until it reads a line."""
    process = subprocess.Popen(
        [python, "-c", USER, str(var)],
        cwd=ROOT,
        env=PATHS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )
    assert process.stdout
    line = process.stdout.readline()
    assert line == "in\n", process.communicate()[1]
    return process


def leave(process: subprocess.Popen[str]) -> None:
    out, err = process.communicate("\n", timeout=60)
    assert out == "out\n", err


def postmaster(var: Path) -> int:
    return int((var / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])


def is_running(var: Path) -> bool:
    return (var / "postgres" / "data" / "postmaster.pid").exists()


def execute(var: Path, statement: str, role: str = embedded.OWNER) -> list[tuple[object, ...]]:
    with psycopg.connect(embedded.url(var, role)) as connection:
        cursor = connection.execute(statement)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []


def test_it_starts_keeps_what_was_written_and_stops(var):
    with embedded.server(var):
        execute(var, "CREATE TABLE kept AS SELECT 7 AS number")
        assert execute(var, "SHOW fsync") == [("on",)]
        assert execute(var, "SHOW listen_addresses") == [("",)]
    assert not is_running(var)
    with embedded.server(var):
        assert execute(var, "SELECT number FROM kept") == [(7,)]


def test_the_two_roles_are_neither_superusers(var):
    with embedded.server(var):
        rows = execute(var, "SELECT rolname FROM pg_roles WHERE rolsuper")
        assert rows == [(embedded.SUPERUSER,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            execute(var, "CREATE TABLE mine (number int)", role=embedded.APPLICATION)


def test_two_users_share_one_server_and_the_last_one_stops_it(var):
    with embedded.server(var):
        first = postmaster(var)
        other = use(var)
        assert postmaster(var) == first
        leave(other)
        assert postmaster(var) == first
    assert not is_running(var)


def test_many_at_once_start_one_server(var):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", USER, str(var)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "in\n"
    assert len(list((var / "postgres").resolve().glob("data*"))) == 1
    for process in processes:
        leave(process)
    assert not is_running(var)


def test_a_server_that_outlived_its_user_is_taken_over(var):
    user = use(var)
    server = postmaster(var)
    user.kill()
    user.communicate()
    assert is_running(var)
    with embedded.server(var):
        assert postmaster(var) == server
        assert execute(var, "SELECT 1") == [(1,)]
    assert not is_running(var)


def test_a_killed_server_is_started_again(var):
    with embedded.server(var) as server:
        execute(var, "CREATE TABLE kept AS SELECT 7 AS number")
        assert not server.revive()
        os.kill(postmaster(var), signal.SIGKILL)
        deadline = time.monotonic() + 20
        while not server.revive():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert execute(var, "SELECT number FROM kept") == [(7,)]


def test_a_stale_pid_file_with_a_living_strangers_number_does_not_matter(var):
    with embedded.server(var):
        pass
    data = var / "postgres" / "data"
    # The number is this very process: alive, but no server.
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n1700000000\n5432\n/nowhere\n\n\n")
    with embedded.server(var):
        assert postmaster(var) != os.getpid()
        assert execute(var, "SELECT 1") == [(1,)]


def test_a_database_that_was_half_made_is_made_again(var):
    with embedded.server(var):
        pass
    home = (var / "postgres").resolve()
    (home / "data").rename(home / "data.part")
    (home / "data.part" / "PG_VERSION").unlink()
    with embedded.server(var):
        assert execute(var, "SELECT 1") == [(1,)]
    assert not (home / "data.part").exists()


def test_a_database_of_another_release_is_refused(var):
    with embedded.server(var):
        pass
    (var / "postgres" / "data" / "PG_VERSION").write_text("16\n")
    with pytest.raises(embedded.EmbeddedError, match="of PostgreSQL 16"), embedded.server(var):
        pass
    (var / "postgres" / "data" / "PG_VERSION").write_text(f"{embedded.MAJOR}\n")


def test_a_lost_home_is_not_replaced_by_an_empty_one(var):
    (var / "postgres").symlink_to(var / "gone")
    with pytest.raises(embedded.EmbeddedError, match="is not there"), embedded.server(var):
        pass
    (var / "postgres").unlink()


def test_a_long_path_gets_a_short_socket(var):
    deep = var / ("long-" * 12) / ("name-" * 12)
    with embedded.server(deep):
        assert execute(deep, "SELECT 1") == [(1,)]
    assert len(str(embedded.socket_folder(deep.resolve()))) < 60
    embedded.socket_folder(deep.resolve()).rmdir()


def test_the_folders_above_are_left_as_they_were(var):
    inner = var / "private" / "var"
    inner.mkdir(parents=True)
    inner.parent.chmod(0o700)
    with embedded.server(inner):
        assert execute(inner, "SELECT 1") == [(1,)]
    assert inner.parent.stat().st_mode & 0o777 == 0o700
    if os.geteuid() == 0:
        home = (inner / "postgres").readlink()
        assert home.parent == embedded.SHARED
        subprocess.run(["rm", "-r", str(home)], check=True)


def test_the_log_holds_no_values_of_rows(var):
    with embedded.server(var):
        execute(var, "CREATE TABLE people (name text PRIMARY KEY)")
        for _ in range(2):
            with suppress(psycopg.errors.UniqueViolation):
                execute(var, "INSERT INTO people VALUES ('Yamada^Tarou')")
    log = (var / "postgres" / "log").read_text()
    assert "duplicate key" in log
    assert "Yamada" not in log


@ROOT_ONLY
def test_root_runs_it_under_an_account_of_its_own(var):
    with embedded.server(var):
        account = pwd.getpwnam(embedded.ACCOUNT)
        assert Path(f"/proc/{postmaster(var)}").stat().st_uid == account.pw_uid
        assert (var / "postgres").stat().st_mode & 0o777 == 0o700


@ROOT_ONLY
def test_an_ordinary_user_runs_it_and_root_runs_it_as_that_user(var):
    nobody = pwd.getpwnam("nobody")
    os.chown(var, nobody.pw_uid, nobody.pw_gid)
    python = python_for(nobody)
    if not python:
        pytest.skip("an ordinary user cannot run a Python of this version, or read this checkout")
    user = use(var, python, user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
    assert Path(f"/proc/{postmaster(var)}").stat().st_uid == nobody.pw_uid
    with embedded.server(var):
        assert execute(var, "SELECT 1") == [(1,)]
    leave(user)
    with embedded.server(var):
        assert Path(f"/proc/{postmaster(var)}").stat().st_uid == nobody.pw_uid
    leave(use(var, python, user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[]))
    for copy in embedded.SHARED.glob(f"postgresql-*-{nobody.pw_uid}"):
        shutil.rmtree(copy)
