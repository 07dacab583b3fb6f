"""Whether the whole is alive (`/healthz`) and able to work (`/readyz`, which names what is missing)."""

import uuid
from collections.abc import Callable
from datetime import timedelta

from celery import current_app
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from review.models.jobs import WorkerBeat

WORKER_SECONDS = 20
"""After this long without a heartbeat a worker counts as missing."""


@never_cache
@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is looked at."""
    return JsonResponse({"status": "alive"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when studies can be received, drafted and read; else 503 with the parts that are missing."""
    missing = {name: problem for name, check in CHECKS.items() if (problem := check())}
    if missing:
        return JsonResponse({"status": "not ready", "missing": missing}, status=503)
    return JsonResponse({"status": "ready", "missing": {}})


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "the database does not answer"
    return ""


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "unknown while the database does not answer"
    return f"{len(plan)} migrations are not applied" if plan else ""


def _broker() -> str:
    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=3)
            broker.default_channel.close()
    except (OperationalError, OSError):
        return "the broker does not answer"
    return ""


def _worker(queue: str) -> Callable[[], str]:
    def check() -> str:
        since = timezone.now() - timedelta(seconds=WORKER_SECONDS)
        try:
            seen = WorkerBeat.objects.filter(queue=queue, seen_at__gte=since).exists()
        except DatabaseError:
            return "unknown while the database does not answer"
        return "" if seen else f"no {queue} worker was seen in the last {WORKER_SECONDS} s"

    return check


def _storage() -> str:
    try:
        name = default_storage.save(f"health/{uuid.uuid4()}", ContentFile(b"ready"))
        default_storage.delete(name)
    except OSError:
        return "the storage cannot be written"
    return ""


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "broker": _broker,
    "worker.io": _worker("io"),
    "worker.inference": _worker("inference"),
    "storage": _storage,
}
