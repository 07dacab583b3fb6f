"""Receiving files, resolving what was quarantined, opening and assigning studies."""

import hashlib
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inference.imaging import archives
from inference.imaging.refusals import Refusal
from review import audit, queue, storage, worklist
from review.exceptions import IllegalMove, InvalidInput, NotAllowed
from review.models import states
from review.models.audit import Verb
from review.models.patients import Site
from review.models.people import Capability, User
from review.models.states import ArrivalStatus
from review.models.studies import Arrival, Study
from review.selectors import people


@dataclass(frozen=True)
class Delivery:
    """Who hands in, where and by which door. `by` is None only for an operator at the command line."""

    site: Site
    batch: UUID
    origin: Arrival.Origin
    by: User | None


def receive(stream: BinaryIO, filename: str, delivery: Delivery) -> list[Arrival]:
    """Take in one file, by any door: keep its bytes, note its arrival, tell a worker. A zip is taken in file
    by file.

    The file is not looked into here: whether it is a radiograph is decided by a worker in a sandbox,
    and the arrival says what became of it. Records `file.received` for each.
    """
    if delivery.by is not None:
        people.require(delivery.by, Capability.IMPORT, delivery.site)
    if archives.is_archive(stream):
        return _receive_archive(stream, filename, delivery)
    return [_receive_one(stream, filename, delivery, limit=settings.UPLOAD_MAX_BYTES)]


def _receive_archive(stream: BinaryIO, filename: str, delivery: Delivery) -> list[Arrival]:
    """What was taken in before the archive turned out to be broken is told of, too."""
    received: list[Arrival] = []
    try:
        for member in archives.members(stream, limit=settings.ARCHIVE_MAX_BYTES):
            received.append(_receive_member(member, f"{filename}/{member.name}", delivery))
    except Refusal as refusal:
        received.append(_refuse(filename, delivery, refusal.code, refusal.message))
    return received


def _receive_member(member: archives.Member, filename: str, delivery: Delivery) -> Arrival:
    """One that cannot be unpacked is refused; the next may be whole."""
    try:
        return _receive_one(member, filename, delivery, limit=min(member.limit, settings.UPLOAD_MAX_BYTES))
    except Refusal as refusal:
        return _refuse(filename, delivery, refusal.code, refusal.message)


def _receive_one(stream: storage.Readable, filename: str, delivery: Delivery, *, limit: int) -> Arrival:
    try:
        content_sha256, size = storage.keep_original(stream, limit=limit)
    except storage.TooLarge:
        reason = f"The file is larger than {limit} bytes and was not kept."
        return _refuse(filename, delivery, "too-large", reason)
    if size == 0:
        reason = "The file is empty. Export it again at its source."
        return _refuse(filename, delivery, "empty-file", reason)
    with transaction.atomic():
        arrival = _note(filename, delivery, content_sha256=content_sha256, size=size)
        queue.nudge(arrival)
    return arrival


def _note(filename: str, delivery: Delivery, *, content_sha256: str, size: int) -> Arrival:
    now = timezone.now()
    arrival = Arrival.objects.create(
        site=delivery.site,
        batch=delivery.batch,
        origin=delivery.origin,
        # A name in another encoding, or with a NUL, is a label all the same: "?" for what cannot be stored.
        filename=filename.encode("utf-8", "replace").decode().replace("\x00", "?")[-400:],
        size=size,
        content_sha256=content_sha256,
        handed_in_by=delivery.by,
        queued_at=now,
        nudged_at=now,
    )
    audit.record(
        Verb.FILE_RECEIVED,
        by=delivery.by,
        site=delivery.site,
        data={"arrival": arrival.pk, "sha256": content_sha256, "size": size, "origin": str(delivery.origin)},
    )
    return arrival


@transaction.atomic
def _refuse(filename: str, delivery: Delivery, code: str, reason: str) -> Arrival:
    arrival = _note(filename, delivery, content_sha256="", size=0)
    arrival.status, arrival.reason_code, arrival.reason = ArrivalStatus.REFUSED, code, reason
    arrival.save(update_fields=["status", "reason_code", "reason"])
    audit.record(
        Verb.FILE_REFUSED, by=delivery.by, site=delivery.site, data={"arrival": arrival.pk, "reason": code}
    )
    return arrival


@dataclass(frozen=True)
class Decision:
    """What a person decided about a stopped file: to accept it or not, for which reason it was stopped, and
    why."""

    accept: bool
    reason_code: str
    note: str


@transaction.atomic
def resolve(arrival: Arrival, decision: Decision, *, by: User) -> Arrival:
    """Decide about a quarantined file: accept it in spite of its reason, or discard it. Records
    `file.resolved`.

    Accepting a patient mismatch files the image under the study it names; accepting other content
    keeps it as a further image under a new UID; accepting an order mismatch files it without the order.
    Discarding keeps the bytes and the reason.
    """
    people.require(by, Capability.IMPORT, arrival.site)
    note, accept = " ".join(decision.note.split()), decision.accept
    if not note:
        raise InvalidInput(_("Say in a few words why: the next person will ask."))
    if decision.reason_code != arrival.reason_code:
        raise IllegalMove
    if accept and arrival.reason_code not in {"patient-mismatch", "other-content", "order-mismatch"}:
        raise InvalidInput(_("This file can only be discarded here: it belongs elsewhere."))
    notes = "\n".join(filter(None, [arrival.resolution_note, note]))
    changes: dict[str, object] = {"resolved_by": by, "resolved_at": timezone.now(), "resolution_note": notes}
    if accept:
        changes |= _requeued() | {
            "status": ArrivalStatus.QUEUED,
            "override": _with(arrival.override, arrival.reason_code),
        }
    else:
        changes |= {"status": ArrivalStatus.DISCARDED}
    _move(arrival, changes, from_states=[ArrivalStatus.QUARANTINED])
    audit.record(
        Verb.FILE_RESOLVED,
        by=by,
        site=arrival.site,
        data={
            "arrival": arrival.pk,
            "accepted": accept,
            "reason": decision.reason_code,
            "note_sha256": hashlib.sha256(note.encode()).hexdigest(),
        },
    )
    if accept:
        queue.nudge(arrival)
    return arrival


@transaction.atomic
def retry(arrival: Arrival, *, by: User) -> Arrival:
    """Read a refused file again, after a fix here. Records `file.received` anew."""
    people.require(by, Capability.IMPORT, arrival.site)
    if not arrival.content_sha256:
        raise InvalidInput(_("The file itself was not kept: send it again."))
    _move(
        arrival,
        _requeued() | {"status": ArrivalStatus.QUEUED},
        from_states=[ArrivalStatus.REFUSED, ArrivalStatus.FAILED],
    )
    audit.record(Verb.FILE_RECEIVED, by=by, site=arrival.site, data={"arrival": arrival.pk, "retry": True})
    queue.nudge(arrival)
    return arrival


def _with(accepted: str, reason: str) -> str:
    """One more reason a person decided to accept: a file can contradict in more than one way."""
    return ",".join(sorted({*filter(None, accepted.split(",")), reason}))


def _requeued() -> dict[str, object]:
    now = timezone.now()
    forgotten = {"failure_code": "", "failure_message": ""}
    return {"attempts": 0, "queued_at": now, "nudged_at": now, "finished_at": None, **forgotten}


def _move(arrival: Arrival, changes: dict[str, object], *, from_states: list[str]) -> None:
    target = str(changes["status"])
    assert all(states.is_legal("arrival", state, target) for state in from_states), target
    if not Arrival.objects.filter(pk=arrival.pk, status__in=from_states).update(**changes):
        raise IllegalMove
    arrival.refresh_from_db()


@transaction.atomic
def note_opened(study: Study, *, by: User) -> None:
    """One event per study opened, not per toggle."""
    audit.record(Verb.STUDY_OPENED, by=by, study=study)


@transaction.atomic
def note_closed(study: Study, *, by: User, seconds: float) -> None:
    audit.record(Verb.STUDY_CLOSED, by=by, study=study, data={"seconds": round(seconds, 1)})


@transaction.atomic
def note_history_viewed(study: Study, *, by: User) -> None:
    """Reading the trail is itself an act."""
    audit.record(Verb.HISTORY_VIEWED, by=by, study=study)


@transaction.atomic
def assign(study: Study, *, by: User, to: User | None, was: int | None) -> Study:
    """Give a study to a reader of its site, or to nobody. Records `study.assigned`.

    was: the id of who had it on the screen this was decided on.

    Raises
    ------
    IllegalMove
        When somebody else has it meanwhile.
    """
    people.require(by, Capability.WRITE, study.site)
    if to is not None and not people.can(to, Capability.WRITE, study.site):
        raise NotAllowed(_("That person does not write reports at this site."))
    study = Study.objects.select_for_update(of=("self",)).select_related("site").get(pk=study.pk)
    if study.assignee_id != was:
        raise IllegalMove(_("Someone else took or gave back this study meanwhile. Reload the page."))
    study.assignee = to
    study.save(update_fields=["assignee"])
    audit.record(Verb.STUDY_ASSIGNED, by=by, study=study, data={"to": to.pk if to else None})
    worklist.refresh(study)
    return study
