"""/healthz answers while the process lives; /readyz names what is missing."""

from datetime import timedelta

from celery import current_app
from django.core.files.storage import default_storage
from django.db import OperationalError
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from maira_web import health
from review.models.jobs import WorkerBeat


def beat(queue: str, *, seconds_ago: int = 0) -> None:
    seen = timezone.now() - timedelta(seconds=seconds_ago)
    WorkerBeat.objects.create(name=f"{queue}@here", queue=queue, seen_at=seen)


class AliveTests(TestCase):
    def test_it_answers_without_looking_at_the_database(self):
        with self.assertNumQueries(0):
            response = self.client.get("/healthz")
        assert response.status_code == 200
        assert response.json() == {"status": "alive"}

    def test_it_refuses_to_be_written_to(self):
        assert self.client.post("/healthz").status_code == 405


class ReadyTests(TestCase):
    def test_it_is_ready_when_nothing_is_missing(self):
        beat("io")
        beat("inference")
        response = self.client.get("/readyz")
        assert response.json() == {"status": "ready", "missing": {}}
        assert response.status_code == 200

    def test_it_names_the_workers_that_were_not_seen(self):
        beat("io", seconds_ago=health.WORKER_SECONDS + 5)
        response = self.client.get("/readyz")
        assert response.status_code == 503
        assert set(response.json()["missing"]) == {"worker.io", "worker.inference"}

    def test_it_leaves_nothing_in_the_storage(self):
        self.client.get("/readyz")
        assert default_storage.listdir("health") == ([], [])

    def test_it_refuses_to_be_written_to(self):
        assert self.client.post(reverse("readyz")).status_code == 405


def fail(error):
    def raise_it(*_, **__):
        raise error

    return raise_it


class DeadConnection:
    cursor = fail(OperationalError("gone"))


def test_it_names_a_database_that_does_not_answer(client, monkeypatch, db):
    monkeypatch.setattr(health, "connection", DeadConnection())
    monkeypatch.setattr(health, "MigrationExecutor", fail(OperationalError("gone")))
    missing = client.get("/readyz").json()["missing"]
    assert missing["database"] == "the database does not answer"
    assert missing["migrations"] == "unknown while the database does not answer"


def test_it_names_a_broker_that_does_not_answer(client, monkeypatch, db):
    monkeypatch.setattr(current_app, "connection_for_write", fail(ConnectionRefusedError("no")))
    assert client.get("/readyz").json()["missing"]["broker"] == "the broker does not answer"


def test_it_names_a_storage_that_cannot_be_written(client, monkeypatch, db):
    monkeypatch.setattr(health.default_storage, "save", fail(PermissionError("no")))
    assert client.get("/readyz").json()["missing"]["storage"] == "the storage cannot be written"


def test_it_counts_migrations_that_are_not_applied(client, monkeypatch, db):
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *_: [1, 2])
    assert client.get("/readyz").json()["missing"]["migrations"] == "2 migrations are not applied"
