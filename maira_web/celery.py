"""Celery: a broker by address or in a folder, two queues, and what a worker's child does when it is born.

Two workers: `io` (ingest, exports) and `inference`. A worker's parent process never loads torch: a process
forked after torch has run hangs, and one forked after CUDA was touched cannot use it. The inference worker's
single child loads the model itself, before it takes a task. Which of the two this is, MAIRA_WORKER says.
"""

import logging
import os
import socket
import threading
import time
import warnings
from typing import Any

from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import setup_logging, worker_init, worker_process_init
from django.conf import settings
from django.db import DatabaseError, connections
from django.utils.module_loading import import_string
from kombu import Queue

from maira_web import process

logger = logging.getLogger(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "maira_web.settings")

BEAT_SECONDS = 5
# It warns of root, for whom a pickled task is a door. Ours are numbers in JSON.
warnings.filterwarnings("ignore", category=SecurityWarning)

QUEUES = {"io": settings.INGEST_TIME_LIMIT, "inference": settings.DRAFT_TIME_LIMIT}
"""Each queue and the seconds a task may take there before its process is killed."""

# By name: Celery is set up before the models are, and the web must not import what a worker runs.
TRANSPORT = "maira_web.broker:Transport"
WARM_UP = "review.pipeline.drafting.warm_up"
BEAT = "review.queue.beat"


def broker() -> dict[str, Any]:
    """Where the tasks wait: the broker that was named, or files in the data folder."""
    if not settings.CELERY_BROKER_URL:
        tasks = str(settings.VAR / "broker")
        options = {"data_folder_in": tasks, "data_folder_out": tasks, "polling_interval": 0.2}
        return {"broker_url": "localhost", "broker_transport": TRANSPORT, "broker_transport_options": options}
    options = {}
    if settings.CELERY_BROKER_URL.startswith(("redis", "sentinel")):
        # An unacknowledged task goes to another worker after this long: longer than any may take.
        longest = max(*QUEUES.values(), settings.DATASET_TIME_LIMIT)
        options = {"visibility_timeout": longest * 2, "socket_connect_timeout": 3}
    return {"broker_url": settings.CELERY_BROKER_URL, "broker_transport_options": options}


app = Celery("maira_web")
app.conf.update(
    **broker(),
    broker_connection_retry_on_startup=True,
    broker_connection_timeout=3,
    task_queues=[Queue(name) for name in QUEUES],
    task_default_queue="io",
    task_create_missing_queues=False,
    task_routes={
        "review.tasks.generate_draft": {"queue": "inference"},
        "review.tasks.explain_draft": {"queue": "inference"},
        "review.tasks.*": {"queue": "io"},
    },
    # Not annotations with "*": that one is applied after the specific ones, and would win.
    task_time_limit=QUEUES["io"],
    task_annotations={
        "review.tasks.generate_draft": {"time_limit": QUEUES["inference"]},
        "review.tasks.explain_draft": {"time_limit": QUEUES["inference"]},
        "review.tasks.build_dataset": {"time_limit": settings.DATASET_TIME_LIMIT},
    },
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    result_backend=None,
    worker_prefetch_multiplier=1,
    worker_proc_alive_timeout=180,
    worker_enable_remote_control=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    timezone="UTC",
)
app.autodiscover_tasks(["review"])


@setup_logging.connect  # type: ignore[untyped-decorator]  # celery ships no types
def keep_our_logging(**_: object) -> None:
    """Connected, it keeps Celery from replacing the project's log settings, and with them the redaction."""


@worker_init.connect  # type: ignore[untyped-decorator]
def ask_for_children(**_: object) -> None:
    """Only now, so that `begin_child` comes after Celery's own handler, which cuts inherited connections."""
    worker_process_init.connect(begin_child)


def begin_child(**_: object) -> None:
    """Run in each new child of a worker, before it takes a task."""
    process.die_with_parent()
    queue = os.environ.get("MAIRA_WORKER", "")
    if queue not in QUEUES:
        return
    try:
        if queue == "inference":
            import_string(WARM_UP)()
            connections.close_all()
    finally:
        # Celery swallows what a handler raises: the child works on, and loads the model with its first task.
        threading.Thread(target=beat_for_ever, args=(queue,), name="beat", daemon=True).start()


def beat_for_ever(queue: str) -> None:
    """Say every few seconds that this child lives, model and all; /readyz looks at it."""
    beat = import_string(BEAT)
    name = f"{queue}@{socket.gethostname()}"
    while True:
        try:
            beat(queue, name)
        except DatabaseError as error:
            logger.warning("the heartbeat of %s was not written: %s", name, type(error).__name__)
        connections.close_all()
        time.sleep(BEAT_SECONDS)
