#!/usr/bin/env python
"""Django's commands. Where no database server is named, the embedded one runs as long as the command."""

import os
import signal
import sys
from contextlib import nullcontext
from types import FrameType

from django.conf import settings
from django.core.management import execute_from_command_line

from maira_web import embedded

WITHOUT_DATABASE = {"collectstatic", "compilemessages", "createphantoms", "help", "makemessages", "version"}


def stop(number: int, frame: FrameType | None) -> None:
    """Leave through the `with` blocks, so that the last one out stops the server."""
    raise SystemExit(128 + number)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "maira_web.settings")
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    needed = settings.EMBEDDED_DATABASE and command not in WITHOUT_DATABASE and "--help" not in sys.argv
    with embedded.server(settings.VAR) if needed else nullcontext():
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
