import io
import signal
import threading
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import TestCase

from review.management.commands import sweepjobs
from review.pipeline import sweeper


class SweepJobsTests(TestCase):
    def test_one_sweep_says_what_it_did(self) -> None:
        out = io.StringIO()
        call_command("sweepjobs", stdout=out)
        assert "requeued 0" in out.getvalue()

    def test_a_bad_sweep_does_not_end_the_loop(self) -> None:
        stop = threading.Event()
        sweeps = [OperationalError("the database went away"), OSError("disk"), {}]

        def sweep():
            outcome = sweeps.pop(0)
            if not sweeps:
                stop.set()
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        with (
            mock.patch.object(sweeper, "run", sweep),
            mock.patch.object(sweepjobs, "close_old_connections"),
            self.assertLogs(sweepjobs.logger) as logs,
        ):
            sweepjobs.sweep_until(stop, 0.001)
        assert sweeps == []
        assert [record.getMessage() for record in logs.records] == [
            "a sweep failed: OperationalError; the next one follows",
            "a sweep failed: OSError; the next one follows",
        ]

    def test_sigterm_ends_it(self) -> None:
        before = {
            number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        }
        try:
            with (
                mock.patch.object(sweeper, "run", side_effect=lambda: signal.raise_signal(signal.SIGTERM)),
                mock.patch.object(sweepjobs, "close_old_connections"),
            ):
                call_command("sweepjobs", "--every", "30")
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def test_nonsense_intervals_are_refused(self) -> None:
        for every in ("0", "-1", "99999", "soon"):
            with pytest.raises(CommandError):
                call_command("sweepjobs", "--every", every)
