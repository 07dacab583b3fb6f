"""Tests that run side by side do not meet in one folder of files."""

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage

SHOW = "from django.conf import settings; print(settings.MEDIA_ROOT)"


def test_each_process_of_one_run_stores_files_of_its_own() -> None:
    """One run, told by MAIRA_TEST_RUN, has several processes: their damage is not each other's."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    shown = subprocess.run(
        [sys.executable, "-c", SHOW], env=environment, capture_output=True, text=True, check=True
    )
    assert Path(shown.stdout.strip()).parent.parent == Path(settings.MEDIA_ROOT).parent.parent
    assert Path(shown.stdout.strip()) != Path(settings.MEDIA_ROOT) == Path(default_storage.location)
