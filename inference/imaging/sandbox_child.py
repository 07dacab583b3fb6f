"""The process that opens hostile files: one JSON line in, one out, nothing else.

Started by `inference.imaging.sandbox` as `python -m inference.imaging.sandbox_child MEMORY_BYTES SECONDS`.
A request is {"source", "folder"}; the answer is {"header", "display"} or {"refusal": {"code", "message"}}.
An error nobody foresaw ends the process, which the parent reports as `decoder-crashed`.
"""

import ctypes
import json
import logging
import math
import os
import resource
import signal
import sys
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from inference.imaging import dicom, pixels
from inference.imaging.refusals import HOSTILE_INPUT_ERRORS, Refusal, RefusalCode

READY = b'{"ready": true}\n'
MAX_WRITTEN_BYTES = 2**30
_PR_SET_PDEATHSIG = 1


def main(memory_bytes: int, seconds: float) -> None:
    """Serve requests until standard input ends."""
    _die_with_parent()
    answers = _private_output()
    _confine(memory_bytes)
    answers.write(READY)
    for line in sys.stdin.buffer:
        _limit_cpu(seconds)
        request = json.loads(line)
        answer = _answer(Path(request["source"]), Path(request["folder"]))
        answers.write(json.dumps(answer).encode("ascii") + b"\n")


def _answer(source: Path, folder: Path) -> dict[str, Any]:
    try:
        dataset, header = dicom.read(source)
        display = pixels.write_derivatives(dataset, folder)
    except Refusal as refusal:
        return _refusal(refusal.code, refusal.message)
    except MemoryError:
        return _refusal(
            RefusalCode.TOO_LARGE, "Opening the file would take too much memory: it is too large, or damaged."
        )
    except HOSTILE_INPUT_ERRORS:
        return _refusal(RefusalCode.DAMAGED_FILE, "The file contradicts itself: export it and send it again.")
    return {"header": asdict(header), "display": display.as_json()}


def _refusal(code: str, message: str) -> dict[str, Any]:
    return {"refusal": {"code": str(code), "message": message}}


def _die_with_parent() -> None:
    """The kernel kills this process when the thread that started it ends, whatever way that happens."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def _private_output() -> BinaryIO:
    """Answers go through a copy of standard output, so that a chatty decoder cannot write between them.
    Warnings and log lines quote header values: they are silenced."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, sys.stdout.fileno())
    os.dup2(silence, sys.stderr.fileno())
    return answers


def _confine(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_WRITTEN_BYTES, MAX_WRITTEN_BYTES))


def _limit_cpu(seconds: float) -> None:
    """A second line behind the parent's clock: processor time for this file, a little above its wall time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = math.ceil(used.ru_utime + used.ru_stime + seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
