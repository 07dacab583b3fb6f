"""`manage.py sweepjobs`: put back in the queue what lost workers held, tell again what nobody heard of."""

import argparse
import logging
import signal
import threading
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError
from django.db import close_old_connections

from review.pipeline import sweeper

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Once, or every few seconds until SIGTERM or Ctrl-C; a sweep that fails does not end the loop."""

    help = "Requeue jobs of lost workers and nudge workers about waiting ones."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--every", type=_seconds, metavar="SECONDS", help="go on for ever at this interval"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["every"] is None:
            self.stdout.write(_told(sweeper.run()))
            return
        stop = threading.Event()

        def on_signal(number: int, frame: FrameType | None) -> None:
            stop.set()

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, on_signal)
        sweep_until(stop, options["every"])


def sweep_until(stop: threading.Event, every: float) -> None:
    """Sweep, wait, and again, until told to stop."""
    while not stop.is_set():
        close_old_connections()
        try:
            sweeper.run()
        except (DatabaseError, OSError) as error:
            # The database may be restarting; an error's words may hold values of rows.
            logger.warning("a sweep failed: %s; the next one follows", type(error).__name__)
        stop.wait(every)


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"must be from 0.1 to 3600: {text}")
    return seconds
