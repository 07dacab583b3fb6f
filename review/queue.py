"""The row is the truth, the queue is a nudge: claiming, leases with heartbeat, and telling a worker."""

import logging
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models import F
from django.utils import timezone
from kombu.exceptions import OperationalError

from review.models.drafts import Draft, Explanation
from review.models.feedback import FeedbackDataset
from review.models.jobs import Leased, WorkerBeat
from review.models.states import JobStatus
from review.models.studies import Arrival

logger = logging.getLogger(__name__)

TASKS: dict[type[Leased], str] = {
    Arrival: "review.tasks.ingest",
    Draft: "review.tasks.generate_draft",
    Explanation: "review.tasks.explain_draft",
    FeedbackDataset: "review.tasks.build_dataset",
}
"""Which task works on which rows. The names are those of `review.tasks`, which stands above this module."""

LeasedRow = TypeVar("LeasedRow", bound=Leased)


class LeaseLost(Exception):
    """Another worker has taken this row over: whatever was computed is dropped quietly."""


@dataclass(frozen=True)
class Lease:
    model: type[Leased]
    pk: int
    owner: UUID

    def held(self) -> dict[str, object]:
        """The filter that finds the row only while this lease is the one on it."""
        return {"pk": self.pk, "lease_owner": self.owner, "status": JobStatus.RUNNING}


def nudge(row: Leased) -> None:
    """Tell a worker about a row once the transaction commits.

    A deaf broker is logged; the sweeper tells again.
    """
    transaction.on_commit(lambda: _send(type(row), row.pk))


def _send(model: type[Leased], pk: int) -> None:
    try:
        current_app.send_task(TASKS[model], args=[pk], retry=False)
    except (OperationalError, OSError) as error:
        logger.warning(
            "broker does not answer (%s): %s %s waits for the sweeper",
            type(error).__name__,
            model.__name__,
            pk,
        )


def claim(model: type[LeasedRow], pk: int) -> tuple[LeasedRow, Lease] | None:
    """Take a queued row, or return None when it is not there to be taken: someone else has it."""
    now = timezone.now()
    owner = uuid4()
    taken = model.objects.filter(pk=pk, status=JobStatus.QUEUED).update(  # type: ignore[attr-defined]
        status=JobStatus.RUNNING,
        attempts=F("attempts") + 1,
        lease_owner=owner,
        lease_until=now + timedelta(seconds=settings.LEASE_SECONDS),
        started_at=now,
    )
    if not taken:
        return None
    return model.objects.get(pk=pk), Lease(model, pk, owner)  # type: ignore[attr-defined]


@contextmanager
def heartbeat(lease: Lease) -> Iterator[None]:
    """Keep the lease alive from a thread while the body works."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(settings.HEARTBEAT_SECONDS):
            close_old_connections()
            until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
            with suppress(DatabaseError):  # A database that is away for a moment: the next beat may reach it.
                lease.model.objects.filter(**lease.held()).update(lease_until=until)  # type: ignore[attr-defined]
        connection.close()

    thread = threading.Thread(target=beat, name=f"lease-{lease.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def finish(lease: Lease, status: str, **fields: object) -> None:
    """Store the end of a job. Call inside the transaction that stores its result.

    Raises
    ------
    LeaseLost
        When the row is no longer this worker's; the caller's transaction rolls back.
    """
    done = lease.model.objects.filter(**lease.held()).update(  # type: ignore[attr-defined]
        status=status, lease_owner=None, lease_until=None, finished_at=timezone.now(), **fields
    )
    if not done:
        raise LeaseLost(f"{lease.model.__name__} {lease.pk}")


def give_back(lease: Lease) -> None:
    """Put a row back in the queue after a passing failure; the sweeper nudges it again."""
    lease.model.objects.filter(**lease.held()).update(  # type: ignore[attr-defined]
        status=JobStatus.QUEUED, lease_owner=None, lease_until=None, nudged_at=timezone.now()
    )


def where(error: BaseException) -> str:
    """The frames of an error without its message, which may quote a value that a log must not hold."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places}"


def beat(queue: str, name: str) -> None:
    """Note that a worker is alive; /readyz looks at it."""
    WorkerBeat.objects.update_or_create(name=name, defaults={"queue": queue, "seen_at": timezone.now()})
