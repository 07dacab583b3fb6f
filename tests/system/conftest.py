import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.system.browser import browser as open_browser
from tests.system.hospital import Hospital


@pytest.fixture(scope="session")
def hospital() -> Iterator[Hospital]:
    """The demo hospital, running: phantom studies with priors, received and drafted by real workers."""
    folder = Path(tempfile.mkdtemp(prefix="hospital-"))
    folder.chmod(0o755)
    running = Hospital(folder / "var")
    try:
        running.start()
        yield running
    finally:
        running.remove()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with open_browser() as running:
        yield running
