"""The whole of MAIRA Web as `make run` starts it, on a data folder and a port of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from maira_web import embedded

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 600
"""Preparing includes making and receiving two dozen phantoms on whatever machine this is."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(what: str, true: Callable[[], object], seconds: float = 120) -> None:
    """Poll until something holds; fail with its name when it does not."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"after {seconds:.0f} s still not: {what}"
        time.sleep(0.2)


class Hospital:
    """One running installation. `environment` is added to what `make run` would see."""

    def __init__(self, var: Path, **environment: str) -> None:
        self.var = var
        self.port = free_port()
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in {"MAIRA_TEST_RUN", "DATABASE_URL"}
        }
        self.environment = kept | {
            "VAR": str(var),
            "PORT": str(self.port),
            "DEMO": "1",
            "DATABASE_POOL": "1",
            "DJANGO_SETTINGS_MODULE": "maira_web.settings",
            "LEASE_SECONDS": "6",
            "HEARTBEAT_SECONDS": "2",
            **environment,
        }
        self.log = var / "run.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.var.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "maira_web.run"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until("ready\n" + self.tail(), self.is_ready, READY_SECONDS)

    def stop(self) -> int:
        """Ctrl-C, and the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=90)

    def remove(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()
        home = self.var / "postgres"
        if home.is_symlink():
            shutil.rmtree(home.resolve(), ignore_errors=True)
        shutil.rmtree(self.var, ignore_errors=True)

    def tail(self) -> str:
        lines = (
            self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        )
        return "\n".join(lines[-40:])

    def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"make run ended:\n{self.tail()}"
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=10) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A management command beside the running installation."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def sql(self, statement: str, role: str = embedded.OWNER) -> list[tuple[Any, ...]]:
        """Rows of a statement, run by a role of the database and committed."""
        with psycopg.connect(embedded.url(self.var, role), autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def count(self, statement: str) -> int:
        return int(self.sql(statement)[0][0])

    def pids(self, *words: str) -> list[int]:
        """Processes of this installation whose command line holds all the words."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                environment = (folder / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if f"VAR={self.var}".encode() in environment and all(word in command for word in words):
                found.append(int(folder.name))
        return found

    def kill(self, *words: str) -> list[int]:
        """SIGKILL to every process of this installation whose command line holds all the words."""
        killed = self.pids(*words)
        for pid in killed:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return killed

    def api(self, token: str, path: str) -> Any:
        request = urllib.request.Request(
            f"{self.url}/api/v1/{path}", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
