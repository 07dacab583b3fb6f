"""Hostile files are opened in another process: limited in memory, killed when slow, replaced when dead.

The parent of this process sees either an accepted image with all its derivatives in place, or a `Refusal`.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from inference.imaging import sandbox_child
from inference.imaging.header import ImageHeader
from inference.imaging.pixels import DISPLAY, DisplayInfo
from inference.imaging.refusals import Refusal, RefusalCode

DEFAULT_MEMORY_BYTES = 2 * 2**30
DEFAULT_SECONDS = 30.0

START_SECONDS = 60.0
"""A child imports numpy and the decoders first: about a second, more on a busy machine."""
MAX_ANSWER_BYTES = 2**20
_ROOT = Path(__file__).resolve().parents[2]
_PASSED_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "TMPDIR")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class _Unanswered(Exception):
    """The child gave no answer: the time was over (`slow`), or it died."""

    def __init__(self, *, slow: bool) -> None:
        super().__init__("too slow" if slow else "died")
        self.slow = slow


class Sandbox:
    """One reusable child process, started on first use and again after every death.

    memory_bytes limits the child's address space, seconds the wall time of one file. Safe to share between
    threads (files go one by one) and to inherit through a fork (the new process starts a child of its own).
    The child ends with the thread that started it; a request then starts another.
    """

    def __init__(self, memory_bytes: int = DEFAULT_MEMORY_BYTES, seconds: float = DEFAULT_SECONDS) -> None:
        self.memory_bytes = memory_bytes
        self.seconds = seconds
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def prepare(self, source: Path, folder: Path) -> tuple[ImageHeader, DisplayInfo]:
        """Judge a file and write its derivatives into `folder`, which appears complete or not at all.

        A folder that holds derivatives already is kept: the same file gives the same bytes.

        Raises
        ------
        Refusal
            As `dicom.read` and `pixels.render`; also `decoder-crashed`, `too-slow`, `too-large`.
        """
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
            written = Path(scratch) / "derivatives"
            answer = self._ask({"source": str(source.resolve()), "folder": str(written.resolve())})
            if "refusal" in answer:
                raise Refusal(answer["refusal"]["code"], answer["refusal"]["message"])
            _move(written, folder)
        return _header(answer["header"]), DisplayInfo.from_json(answer["display"])

    def close(self) -> None:
        """End the child. The next request starts another."""
        with self._lock:
            self._kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, request: dict[str, str]) -> dict[str, Any]:
        line = json.dumps(request).encode() + b"\n"
        with self._lock:
            try:
                return self._exchange(line)
            except _Unanswered as error:
                if error.slow:
                    raise self._too_slow() from error
            # The child may have died of something else, such as the end of the thread that started it:
            # a file is blamed for the second death only.
            try:
                return self._exchange(line)
            except _Unanswered as error:
                if error.slow:
                    raise self._too_slow() from error
                raise Refusal(
                    RefusalCode.DECODER_CRASHED,
                    "The file made the image decoder crash: it is damaged or made to do harm.",
                ) from error

    def _too_slow(self) -> Refusal:
        return Refusal(
            RefusalCode.TOO_SLOW, f"Opening the file took more than {self.seconds:g} seconds and was stopped."
        )

    def _exchange(self, request: bytes) -> dict[str, Any]:
        """One request to a living child; a child that does not answer is ended."""
        child = self._living_child()
        assert child.stdin is not None
        try:
            child.stdin.write(request)
            child.stdin.flush()
            answer: dict[str, Any] = json.loads(_line(child, self.seconds))
        except BrokenPipeError as error:
            self._kill()
            raise _Unanswered(slow=False) from error
        except _Unanswered:
            self._kill()
            raise
        return answer

    def _living_child(self) -> subprocess.Popen[bytes]:
        if self._child is not None and (self._owner != os.getpid() or self._child.poll() is not None):
            self._abandon()
        if self._child is None:
            self._child = self._start()
            self._owner = os.getpid()
        return self._child

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {name: os.environ[name] for name in _PASSED_ENVIRONMENT if name in os.environ}
        child = subprocess.Popen(
            [sys.executable, "-m", sandbox_child.__name__, str(self.memory_bytes), str(self.seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env=environment | _ONE_THREAD,
            start_new_session=True,
        )
        try:
            ready = _line(child, START_SECONDS)
        except _Unanswered as error:
            _end(child)
            raise RuntimeError(
                f"the image decoder process does not start within {self.memory_bytes} bytes"
            ) from error
        assert ready == sandbox_child.READY.strip(), ready
        return child

    def _kill(self) -> None:
        if self._child is not None and self._owner == os.getpid():
            _end(self._child)
        self._abandon()

    def _abandon(self) -> None:
        """Forget the child, closing our ends of its pipes."""
        if self._child is not None:
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    pipe.close()
        self._child = None


def _line(child: subprocess.Popen[bytes], seconds: float) -> bytes:
    """One line of the child's output, by the deadline and not longer than an answer can be."""
    assert child.stdout is not None
    deadline, received = time.monotonic() + seconds, b""
    descriptor = child.stdout.fileno()
    while not received.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            raise _Unanswered(slow=True)
        part = os.read(descriptor, 65536)
        received += part
        if not part or len(received) > MAX_ANSWER_BYTES:
            raise _Unanswered(slow=False)
    return received.strip()


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill the child and whatever it started, and wait until it is gone."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _header(content: dict[str, Any]) -> ImageHeader:
    spacing = content["pixel_spacing"]
    return ImageHeader(**content | {"pixel_spacing": None if spacing is None else (spacing[0], spacing[1])})


def _move(written: Path, folder: Path) -> None:
    """Rename into place; a complete folder that stands there already is as good."""
    if (folder / DISPLAY).is_file():
        return
    if folder.exists():
        shutil.rmtree(folder)
    written.rename(folder)
