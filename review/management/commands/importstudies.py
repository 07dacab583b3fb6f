"""`manage.py importstudies PATH...`: hand in files, folders and archives at the command line."""

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from review.management import sites
from review.models.jobs import WorkerBeat
from review.models.states import ArrivalStatus
from review.models.studies import Arrival
from review.pipeline import ingest, sweeper
from review.services import studies

DECIDED = (
    ArrivalStatus.ACCEPTED,
    ArrivalStatus.DUPLICATE,
    ArrivalStatus.QUARANTINED,
    ArrivalStatus.REFUSED,
    ArrivalStatus.FAILED,
    ArrivalStatus.DISCARDED,
)
HERE = {ArrivalStatus.ACCEPTED, ArrivalStatus.DUPLICATE}
POLL_SECONDS = 0.5
WORKER_SECONDS = 20
"""After this long without a heartbeat a worker counts as missing."""


class Command(BaseCommand):
    """Exit code 1 when nothing was taken in; with --wait, when nothing ended as an image."""

    help = "Import radiographs (DICOM, PNG, JPEG): files, folders with all that is in them, zip archives."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", type=Path)
        parser.add_argument("--site", metavar="S", help="code of the site they belong to")
        parser.add_argument("--wait", action="store_true", help="until a worker decided about each file")

    def handle(self, *args: Any, **options: Any) -> None:
        delivery = studies.Delivery(sites.one(options["site"]), uuid4(), Arrival.Origin.COMMAND, None)
        files = list(_files(options["paths"]))
        quiet = options["verbosity"] < 1
        for path in tqdm(files, desc="receiving", unit="file", disable=quiet, file=sys.stderr):
            self._receive(path, delivery)
        if options["wait"]:
            _wait(delivery.batch, quiet)
        taken = self._report(delivery.batch, waited=options["wait"])
        if not taken:
            raise CommandError("Nothing was accepted.", returncode=1)

    def _receive(self, path: Path, delivery: studies.Delivery) -> None:
        """One file; one that cannot be read here is named and passed over."""
        try:
            with path.open("rb") as stream:
                studies.receive(stream, path.name, delivery)
        except PermissionError as error:
            self.stderr.write(f"{path}: {error.strerror}")

    def _report(self, batch: UUID, *, waited: bool) -> int:
        """One line a file with --wait, and one for all; how many were taken in."""
        arrivals = Arrival.objects.filter(batch=batch).order_by("pk")
        if waited:
            _table(self, arrivals.iterator())
        found = Counter(arrivals.values_list("status", flat=True))
        self.stdout.write(
            ", ".join(f"{count} {ArrivalStatus(name).label}" for name, count in sorted(found.items()))
        )
        wanted = HERE if waited else {*HERE, ArrivalStatus.QUEUED, ArrivalStatus.RUNNING}
        return sum(count for name, count in found.items() if name in wanted)


def _wait(batch: UUID, quiet: bool) -> None:
    """Until every arrival is decided about. Where no worker is there to do it, it is done here."""
    arrivals = Arrival.objects.filter(batch=batch)
    with tqdm(total=arrivals.count(), desc="reading", unit="file", disable=quiet, file=sys.stderr) as bar:
        before = -1
        while waiting := list(
            arrivals.exclude(status__in=DECIDED).order_by("pk").values_list("pk", flat=True)
        ):
            bar.update((bar.total or 0) - len(waiting) - bar.n)
            if before == len(waiting):
                time.sleep(POLL_SECONDS)
            before = len(waiting)
            if not _workers_seen():
                sweeper.reclaim_arrivals()
                for pk in waiting:
                    ingest.run(pk)
                    bar.update(1)
        bar.update((bar.total or 0) - bar.n)


def _workers_seen() -> bool:
    since = timezone.now() - timedelta(seconds=WORKER_SECONDS)
    return WorkerBeat.objects.filter(queue="io", seen_at__gte=since).exists()


def _table(command: BaseCommand, arrivals: Iterable[Arrival]) -> None:
    """File names are as the sender gave them and go to the operator's screen only, never to a log."""
    for arrival in arrivals:
        status = ArrivalStatus(arrival.status).label
        command.stdout.write(f"{status:<12} {arrival.filename}  {arrival.reason}".rstrip())


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """Each path that is a file, and everything in each that is a folder, in order.

    Raises
    ------
    CommandError
        When a path is not there.
    """
    for path in paths:
        if not path.exists():
            raise CommandError(f"{path} is not there.")
        if path.is_dir():
            yield from sorted(inside for inside in path.rglob("*") if inside.is_file())
        else:
            yield path
