"""What a fresh process loads: the web, the io worker and any worker's parent never load torch."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
WEB = """
import maira_web.wsgi
from django.urls import get_resolver
def walk(patterns):
    for pattern in patterns:
        yield pattern.callback if hasattr(pattern, "callback") else None
        yield from walk(getattr(pattern, "url_patterns", []))
list(walk(get_resolver().url_patterns))
"""
WORKER = """
from maira_web.celery import app
app.loader.import_default_modules()
assert any(name.startswith("review.tasks.") for name in app.tasks)
"""
MODULES = "\nimport sys\nprint(sorted({'torch', 'transformers', 'monai'} & set(sys.modules)))"


@pytest.mark.parametrize("program", [WEB, WORKER], ids=["web", "worker"])
def test_it_never_loads_torch(program, tmp_path):
    result = subprocess.run(
        [sys.executable, "-c", program + MODULES],
        cwd=ROOT,
        env={**os.environ, "VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "maira_web.settings", "DEMO": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    loaded = result.stdout.strip().splitlines()[-1]
    assert "torch" not in loaded
    assert "transformers" not in loaded
    assert "monai" not in loaded


def test_a_child_ends_with_its_parent(tmp_path):
    parent = (
        "import subprocess, sys; "
        "child = subprocess.Popen([sys.executable, '-m', 'maira_web.child', 'sleep', '60']); "
        "print(child.pid, flush=True); input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    child = int(process.stdout.readline())
    _wait_for(lambda: b"sleep" in Path(f"/proc/{child}/cmdline").read_bytes())
    process.kill()
    process.communicate()
    _wait_for(lambda: not _runs(child))


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _wait_for(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
