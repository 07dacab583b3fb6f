"""`python -m maira_web.run`: the whole of MAIRA Web on one machine, in one process tree.

It prepares the database, static files, translations and, where DEMO is set, the demo hospital. Then it keeps
the web server, the two workers and the sweeper running until Ctrl-C or SIGTERM; a second signal hurries.
Children die with this process, however it ends; the embedded PostgreSQL outlives a SIGKILL: it is taken over.
"""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from django.conf import settings

from maira_web import embedded, messages

DEMO_ACCOUNTS = ("radiologist", "radiologist2", "trainee", "qa", "admin", "admin2")
PREVIOUS_RUN_SECONDS = 45
REVIVE_SECONDS = 5
STEADY_SECONDS = 60
"""A child that lived this long starts again at once when it dies; one that did not waits longer each time."""


class Refusal(RuntimeError):
    """This run cannot begin; the message says why."""


@dataclass
class Child:
    """A program kept running."""

    name: str
    command: list[str]
    stop_seconds: int
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    started: float = 0.0
    start_again: float = 0.0
    failures: int = 0

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


def children() -> list[Child]:
    """The programs of one machine."""
    manage = [sys.executable, "manage.py"]
    celery = [sys.executable, "-m", "celery", "--app", "maira_web.celery:app", "--quiet", "worker"]
    celery += ["--without-gossip", "--without-mingle", "--without-heartbeat", "--pool", "prefork"]
    # Waiting threads must sleep: those that spin wait minutes for one another where processors are short.
    threads = {"OMP_NUM_THREADS": str(settings.INFERENCE_THREADS), "OMP_WAIT_POLICY": "PASSIVE"}
    io = [*celery, "--queues", "io", "--hostname", "io@%h", "--concurrency", str(settings.IO_PROCESSES)]
    inference = [*celery, "--queues", "inference", "--hostname", "inference@%h", "--concurrency", "1"]
    web = [sys.executable, "-m", "gunicorn", "--config", "python:maira_web.gunicorn", "maira_web.wsgi"]
    return [
        Child("inference", inference, 30, {"MAIRA_WORKER": "inference", **threads}),
        Child("io", io, 30, {"MAIRA_WORKER": "io"}),
        Child("sweeper", [*manage, "sweepjobs", "--every", "5"], 10),
        Child("web", web, 15),
    ]


class Supervisor:
    """Starts, watches and stops the children. Everything but reading their output happens in the main thread:
    the kernel's promise that a child dies with its parent is bound to the thread that started it."""

    def __init__(self, programs: list[Child]) -> None:
        self.programs = programs
        self.signals = 0
        self.lock_handle = -1

    def run(self) -> None:
        """Prepare, watch, and on the way out stop everything."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        with ExitStack() as stack:  # the database is left last
            self.lock_handle = _only_run(settings.VAR)
            stack.callback(os.close, self.lock_handle)
            _check_port()
            database = (
                stack.enter_context(embedded.server(settings.VAR)) if settings.EMBEDDED_DATABASE else None
            )
            stack.callback(self._stop)
            if self._prepare():
                threading.Thread(target=self._announce, name="announce", daemon=True).start()
                self._watch(database)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.signals += 1

    def _prepare(self) -> bool:
        """The steps before the first request; false when a signal came in between."""
        messages.compile_all()
        steps = [["migrate", "--verbosity", "0"], ["collectstatic", "--noinput", "--verbosity", "0"]]
        if settings.DEMO:
            steps.append(["loaddemo"])
        for step in steps:
            child = Child(step[0], [sys.executable, "manage.py", *step], 15)
            self.programs.append(child)
            self._start(child)
            while child.alive() and not self.signals:
                time.sleep(0.05)
            if self.signals:
                return False
            self.programs.remove(child)
            if child.process is None or child.process.returncode:
                raise Refusal(f"`manage.py {' '.join(step)}` failed; what it said is above.")
        return True

    def _watch(self, database: embedded.Server | None) -> None:
        look = time.monotonic() + REVIVE_SECONDS
        while not self.signals:
            for child in self.programs:
                self._keep(child)
            if database and time.monotonic() > look:
                look = time.monotonic() + REVIVE_SECONDS
                if database.revive():
                    say("run", "PostgreSQL had died and was started again")
            time.sleep(0.2)

    def _keep(self, child: Child) -> None:
        """Start a child that is not there, later each time it does not stay."""
        if child.alive():
            return
        now = time.monotonic()
        if child.process is not None:
            code = child.process.returncode
            child.process = None
            child.failures = 0 if now - child.started > STEADY_SECONDS else child.failures + 1
            wait = min(30, 2 ** (child.failures - 1)) if child.failures else 0
            child.start_again = now + wait
            say("run", f"{child.name} ended ({_ending(code)}) and starts again in {wait} s")
        if now >= child.start_again:
            self._start(child)

    def _start(self, child: Child) -> None:
        child.started = time.monotonic()
        child.process = subprocess.Popen(
            [sys.executable, "-m", "maira_web.child", *child.command],
            env={**os.environ, "PYTHONUNBUFFERED": "1", "VAR": str(settings.VAR), **child.environment},
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # the terminal's Ctrl-C is for us alone; we stop them in order
            pass_fds=(self.lock_handle,),
        )
        threading.Thread(target=_relay, args=(child.name, child.process), daemon=True).start()

    def _stop(self) -> None:
        """Ask all children to end; a further signal, or one that takes too long, kills."""
        seen = max(self.signals, 1)
        begun = time.monotonic()
        if any(child.alive() for child in self.programs):
            say("run", "stopping; once more to hurry")
        for child in self.programs:
            _signal(child, signal.SIGTERM)
        while any(child.alive() for child in self.programs):
            for child in self.programs:
                if self.signals > seen or time.monotonic() - begun > child.stop_seconds:
                    _signal(child, signal.SIGKILL)
            time.sleep(0.05)

    def _announce(self) -> None:
        """Say the address and the accounts as soon as everything is there."""
        address = f"http://127.0.0.1:{settings.PORT}"
        while not self.signals:
            with suppress(OSError), urllib.request.urlopen(f"{address}/readyz", timeout=10) as answer:  # noqa: S310
                if answer.status == 200:
                    break
            time.sleep(0.5)
        if self.signals:
            return
        lines = [f"MAIRA Web is ready: {address}/"]
        if settings.DEMO:
            lines += ["Demonstration only, not for clinical use. Accounts (password):"]
            lines += [f"  {name:<13} demo-{name}" for name in DEMO_ACCOUNTS]
        for line in lines:
            say("run", line)


def say(name: str, line: str) -> None:
    """Print a line under the name of who says it; nobody may be listening any more."""
    with suppress(OSError, ValueError):
        print(f"{name:<9} | {line}", flush=True)


def _relay(name: str, process: subprocess.Popen[str]) -> None:
    for line in process.stdout or ():
        say(name, line.rstrip())


def _signal(child: Child, number: int) -> None:
    """Signal a child; to kill it is to kill its whole session."""
    if child.process is None or not child.alive():
        return
    with suppress(ProcessLookupError):
        if number == signal.SIGKILL:
            os.killpg(child.process.pid, number)
        else:
            child.process.send_signal(number)


def _ending(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


def _only_run(var: Path) -> int:
    """Take the data folder. The children inherit the lock: it is free when the last of them is gone."""
    var.mkdir(parents=True, exist_ok=True)
    handle = os.open(var / "run.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + PREVIOUS_RUN_SECONDS
    told = False
    while not _locks(handle):
        holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
        if holder.isdigit() and Path(f"/proc/{holder}").exists():
            raise Refusal(
                f"MAIRA Web already runs on the data folder {var} (process {holder}); "
                f"stop it, or set VAR to another folder."
            )
        if time.monotonic() > deadline:
            raise Refusal(f"Processes of an earlier run still hold {var / 'run.lock'}; end them first.")
        if not told:
            say("run", "waiting for the last processes of the run before")
            told = True
        time.sleep(0.2)
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    return handle


def _locks(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _check_port() -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", settings.PORT))
        except OSError as error:
            raise Refusal(
                f"Port {settings.PORT} on 127.0.0.1 cannot be used ({error.strerror}); "
                f"set PORT to another one."
            ) from None


def main(arguments: Sequence[str]) -> int:
    """Run until told to stop; 0 after a clean stop, 1 with a line that says why it did not begin."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "maira_web.settings")
    if arguments:
        print("usage: python -m maira_web.run (the environment says the rest; see docs/settings.md)")
        return 2
    try:
        Supervisor(children()).run()
    except (Refusal, embedded.EmbeddedError) as error:
        say("run", f"error: {error}")
        return 1
    say("run", "stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
