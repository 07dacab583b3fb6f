"""The supervisor behind `make run`: it keeps everything running, refuses a second run, and stops."""

import json
import os
import pwd
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from maira_web import embedded
from tests import components
from tests.system.hospital import wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
WAIT_SECONDS = 240
pytestmark = pytest.mark.xdist_group("run")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


class Run:
    """One `python -m maira_web.run`, with what it printed."""

    def __init__(self, var: Path, **environment: str) -> None:
        self.var = var
        self.port = environment.setdefault("PORT", str(free_port()))
        self.printed = var.with_suffix(f".{time.monotonic_ns()}.log")
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
        self.environment = {**kept, "VAR": str(var), "HTTPS": "0", **environment}
        with self.printed.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "maira_web.run"],
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def text(self) -> str:
        return self.printed.read_text()

    def health(self) -> dict[str, object]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=10) as answer:
                shown: dict[str, object] = json.load(answer)
        except urllib.error.HTTPError as error:
            shown = json.load(error)
        except OSError:
            shown = {}
        return shown

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, self.text()
            return self.health().get("status") == "ready"

        wait_for(ready, f"not ready: {self.health()}\n{self.printed}")

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(WAIT_SECONDS)


@contextmanager
def running(var: Path, **environment: str) -> Iterator[Run]:
    run = Run(var, **environment)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.stop()


def processes_of(var: Path) -> list[str]:
    """Command lines of our Pythons that work for this data folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            environment = (folder / "environ").read_bytes()
            if f"VAR={var}\0".encode() in environment:
                found.append((folder / "cmdline").read_text().replace("\0", " "))
    return [line for line in found if line]


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("run") / "var"
    yield folder
    home = folder / "postgres"
    if home.is_symlink():
        subprocess.run(["rm", "-r", str(home.readlink())], check=True)


def test_it_starts_keeps_everything_running_and_stops(var):
    with running(var) as run:
        run.wait_until_ready()
        wait_for(lambda: "MAIRA Web is ready" in run.text(), "the address was not printed")

        second = Run(var)
        assert second.process.wait(WAIT_SECONDS) == 1
        assert "already runs on the data folder" in second.text()
        assert f"process {run.process.pid}" in second.text()

        victim = next(
            int(folder.name)
            for folder in Path("/proc").glob("[0-9]*")
            if _is(folder, "sweepjobs") and _parent(folder) == run.process.pid
        )
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: "sweeper ended (killed by SIGKILL)" in run.text(), "a dead child went unnoticed")
        wait_for(lambda: any("sweepjobs" in line for line in processes_of(var)), "it did not start again")

        assert run.stop(signal.SIGINT) == 0
    assert "stopped" in run.text()
    assert processes_of(var) == []
    assert not (var / "postgres" / "data" / "postmaster.pid").exists()


def test_after_a_sigkill_nothing_but_the_database_stays_and_it_runs_again_at_once(var):
    """The server is taken over, or the last child to leave stopped it: one serves, and the same cluster."""
    data = var / "postgres" / "data"
    with running(var) as run:
        run.wait_until_ready()
        cluster = (data / "global" / "pg_control").read_bytes()[:8]  # its identifier, made by initdb
        run.stop(signal.SIGKILL)
    with running(var, PORT=run.port) as again:
        again.wait_until_ready()
        assert (data / "global" / "pg_control").read_bytes()[:8] == cluster
        serving = (data / "postmaster.pid").read_text().splitlines()[0]
        assert _servers(data) == {int(serving)}
        assert again.stop() == 0
    assert processes_of(var) == []


def _servers(data: Path) -> set[int]:
    """Servers of a cluster: what works in its folder and is no child of such a process."""
    inside = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (folder / "cwd").samefile(data):
                inside.add(int(folder.name))
    return {pid for pid in inside if _parent(Path("/proc") / str(pid)) not in inside}


def test_a_port_in_use_is_refused(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = Run(tmp_path / "var", PORT=str(port))
        assert run.process.wait(WAIT_SECONDS) == 1
    assert f"Port {port} on 127.0.0.1 cannot be used" in run.text()


def _is(folder: Path, word: str) -> bool:
    with suppress(OSError):
        return word.encode() in (folder / "cmdline").read_bytes()
    return False


def _parent(folder: Path) -> int:
    with suppress(OSError, AttributeError):
        found = re.search(r"PPid:\s+(\d+)", (folder / "status").read_text())
        return int(found[1]) if found else 0
    return 0


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of the oldest kind we support, as an operator would hand it to us."""
    control = components.require("pg_ctl")
    folder = tmp_path_factory.mktemp("server")
    options: dict[str, object] = {}
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        options = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        folder = Path("/tmp") / f"maira-server-{os.getpid()}"
        folder.mkdir(mode=0o700)
        os.chown(folder, account.pw_uid, account.pw_gid)
    port = free_port()
    words = f"-k {folder} -h 127.0.0.1 -p {port} -c fsync=off"
    data = str(folder / "data")

    def call(*command: str) -> None:
        subprocess.run(command, cwd="/", check=True, capture_output=True, **options)  # type: ignore[call-overload]

    call(control, "initdb", "-D", data, "-o", "--username=operator --auth=trust")
    call(control, "start", "-w", "-D", data, "-l", f"{data}/log", "-o", words)
    with psycopg.connect(f"postgresql://operator@127.0.0.1:{port}/postgres", autocommit=True) as connection:
        connection.execute("CREATE ROLE hospital LOGIN CREATEROLE")
        connection.execute("CREATE DATABASE maira OWNER hospital")
    yield f"postgresql://hospital@127.0.0.1:{port}/maira"
    call(control, "stop", "-w", "-m", "immediate", "-D", data)
    subprocess.run(["rm", "-r", str(folder)], check=True)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    program = components.require("redis-server")
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait()


def test_it_runs_on_a_named_server_and_redis(tmp_path, server, redis):
    var = tmp_path / "var"
    secret = "0123456789abcdef" * 3
    with running(var, DEMO="1", DATABASE_URL=server, CELERY_BROKER_URL=redis, SECRET_KEY=secret) as run:
        run.wait_until_ready()
        assert not (var / "postgres").exists()
        assert not (var / "broker").exists()
        with psycopg.connect(server) as connection:
            connected = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = 'hospital' AND datname = 'maira'"
            ).fetchone()
            assert connected is not None
            assert connected[0] > 1
            role = connection.execute(
                "SELECT rolsuper FROM pg_roles WHERE rolname = %s", [embedded.APPLICATION]
            )
            assert role.fetchone() == (False,)
        wait_until("24 studies have their draft", lambda: drafted(server) >= 24, 240)
        assert run.stop() == 0


def drafted(server: str) -> int:
    with psycopg.connect(server) as connection:
        found = connection.execute(
            "SELECT count(*) FROM review_worklistentry WHERE status = 'ready'"
        ).fetchone()
    assert found is not None
    return int(found[0])
