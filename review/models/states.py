"""Every status word and the one table of legal moves that services and database triggers share.

A row may be inserted only in an initial state and moved only along a listed pair; the trigger built
from the same table by `state_machine` refuses anything else, from `update()`, the admin and raw SQL alike.
"""

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _


class JobStatus(models.TextChoices):
    """A row that a worker works on: the row is the queue."""

    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    READY = "ready", _("ready")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


class ArrivalStatus(models.TextChoices):
    """What became of one file that was handed in."""

    QUEUED = "queued", _("received")
    RUNNING = "running", _("being read")
    ACCEPTED = "accepted", _("accepted")
    DUPLICATE = "duplicate", _("already here")
    QUARANTINED = "quarantined", _("quarantined")
    REFUSED = "refused", _("refused")
    FAILED = "failed", _("failed")
    DISCARDED = "discarded", _("discarded")


class ReportStatus(models.TextChoices):
    """FHIR R4 DiagnosticReport.status, the words used here."""

    REGISTERED = "registered", _("not yet written")
    PRELIMINARY = "preliminary", _("preliminary")
    FINAL = "final", _("final")
    AMENDED = "amended", _("amended")
    CORRECTED = "corrected", _("corrected")
    APPENDED = "appended", _("addendum added")
    CANCELLED = "cancelled", _("cancelled")
    ENTERED_IN_ERROR = "entered-in-error", _("entered in error")


SIGNED_STATUSES = frozenset(
    {ReportStatus.FINAL, ReportStatus.AMENDED, ReportStatus.CORRECTED, ReportStatus.APPENDED}
)


class ModelState(models.TextChoices):
    CANDIDATE = "candidate", _("candidate")
    SHADOW = "shadow", _("shadow")
    ACTIVE = "active", _("active")
    RETIRED = "retired", _("retired")


Moves = dict[str, tuple[str, ...]]

_JOB_MOVES: Moves = {
    JobStatus.QUEUED: (JobStatus.RUNNING, JobStatus.CANCELLED, JobStatus.FAILED),
    JobStatus.RUNNING: (JobStatus.READY, JobStatus.FAILED, JobStatus.QUEUED),
    JobStatus.FAILED: (JobStatus.QUEUED,),
}

_ARRIVAL_MOVES: Moves = {
    ArrivalStatus.QUEUED: (ArrivalStatus.RUNNING, ArrivalStatus.REFUSED, ArrivalStatus.FAILED),
    ArrivalStatus.RUNNING: (
        ArrivalStatus.ACCEPTED,
        ArrivalStatus.DUPLICATE,
        ArrivalStatus.QUARANTINED,
        ArrivalStatus.REFUSED,
        ArrivalStatus.FAILED,
        ArrivalStatus.QUEUED,
    ),
    ArrivalStatus.QUARANTINED: (ArrivalStatus.QUEUED, ArrivalStatus.DISCARDED),
    ArrivalStatus.REFUSED: (ArrivalStatus.QUEUED,),
    ArrivalStatus.FAILED: (ArrivalStatus.QUEUED,),
}

_AFTER_FINAL = (
    ReportStatus.AMENDED,
    ReportStatus.CORRECTED,
    ReportStatus.APPENDED,
    ReportStatus.ENTERED_IN_ERROR,
)
_REPORT_MOVES: Moves = {
    ReportStatus.REGISTERED: (ReportStatus.PRELIMINARY, ReportStatus.FINAL, ReportStatus.CANCELLED),
    ReportStatus.PRELIMINARY: (
        ReportStatus.FINAL,
        ReportStatus.CANCELLED,
        ReportStatus.ENTERED_IN_ERROR,
    ),
    ReportStatus.FINAL: _AFTER_FINAL,
    ReportStatus.AMENDED: _AFTER_FINAL,
    ReportStatus.CORRECTED: _AFTER_FINAL,
    ReportStatus.APPENDED: _AFTER_FINAL,
}

_MODEL_MOVES: Moves = {
    ModelState.CANDIDATE: (ModelState.SHADOW, ModelState.ACTIVE, ModelState.RETIRED),
    ModelState.SHADOW: (ModelState.ACTIVE, ModelState.RETIRED),
    ModelState.ACTIVE: (ModelState.RETIRED,),
    ModelState.RETIRED: (ModelState.ACTIVE,),
}

MACHINES: dict[str, tuple[str, Moves]] = {
    "job": (JobStatus.QUEUED, _JOB_MOVES),
    "arrival": (ArrivalStatus.QUEUED, _ARRIVAL_MOVES),
    "report": (ReportStatus.REGISTERED, _REPORT_MOVES),
    "model": (ModelState.CANDIDATE, _MODEL_MOVES),
}


def is_legal(machine: str, old: str, new: str) -> bool:
    """Whether a row of this machine may move from `old` to `new`. Staying put is always legal."""
    return old == new or new in MACHINES[machine][1].get(old, ())


def state_machine(machine: str, field: str = "status") -> pgtrigger.Trigger:
    """The trigger that holds a table to its machine, for INSERT as well as UPDATE."""
    initial, moves = MACHINES[machine]
    pairs = ", ".join(f"('{old}', '{new}')" for old, targets in moves.items() for new in targets)
    return pgtrigger.Trigger(
        name=f"{machine}_{field}_moves",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf(field),
        func=f"""
            IF TG_OP = 'INSERT' THEN
                IF NEW.{field} <> '{initial}' THEN
                    RAISE EXCEPTION 'a new row of % starts as {initial}, not as %', TG_TABLE_NAME, NEW.{field}
                        USING ERRCODE = 'check_violation';
                END IF;
            ELSIF OLD.{field} <> NEW.{field} AND (OLD.{field}, NEW.{field}) NOT IN ({pairs}) THEN
                RAISE EXCEPTION 'illegal move of % from % to %', TG_TABLE_NAME, OLD.{field}, NEW.{field}
                    USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        """,
    )
