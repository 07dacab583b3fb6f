"""A row that a worker works on. Workers claim by conditional update and hold a lease with a heartbeat."""

from django.db import models


class Leased(models.Model):
    """Columns every queued row has. `status` is declared by the child, with its own choices and machine."""

    attempts = models.PositiveSmallIntegerField(default=0)
    lease_owner = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    queued_at = models.DateTimeField()
    nudged_at = models.DateTimeField(
        null=True, help_text="When a worker was last told; the sweeper tells again."
    )
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    failure_code = models.CharField(max_length=64, blank=True)
    failure_message = models.TextField(blank=True)

    class Meta:
        abstract = True


class WorkerBeat(models.Model):
    """When a worker was last alive: what /readyz looks at."""

    name = models.CharField(max_length=200, unique=True)
    queue = models.CharField(max_length=32)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} on {self.queue}"
