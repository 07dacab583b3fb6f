"""Reading the trail: the history of a study, and whether every link still holds."""

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature

from review import audit
from review.models.audit import AuditCheckpoint, AuditEvent, Verb
from review.models.patients import Site
from review.models.people import User
from review.models.studies import Study

_CHUNK = 2000


@dataclass(frozen=True)
class Event:
    """One audit event, decoded. `actor_name` is the printed name, empty for the system itself."""

    id: int
    sequence: int
    sha256: str
    occurred_at: datetime
    verb: str
    verb_name: str
    actor_id: int | None
    actor_name: str
    data: dict[str, Any]


_OF_DRAFTS = (
    Verb.DRAFT_REQUESTED,
    Verb.DRAFT_READY,
    Verb.DRAFT_WITHHELD,
    Verb.DRAFT_FAILED,
    Verb.DRAFT_CANCELLED,
    Verb.EVIDENCE_MEASURED,
    Verb.EVIDENCE_FAILED,
)


def history(study: Study) -> list[Event]:
    """The events of a study's chain, oldest first.

    At a silent site nothing is told of drafts: those events are left out, and their numbers missing here.
    """
    found = AuditEvent.objects.filter(study_id=study.pk).order_by("id")
    if study.site.stage == Site.Stage.SILENT:
        found = found.exclude(verb__in=_OF_DRAFTS)
    rows = list(found)
    actors = User.objects.filter(pk__in={row.actor_id for row in rows if row.actor_id is not None})
    names = {user.pk: user.signing_name() for user in actors}
    return [_event(row, names) for row in rows]


def _event(row: AuditEvent, names: dict[int, str]) -> Event:
    document = json.loads(bytes(row.canonical))
    known = row.verb in Verb.values
    return Event(
        id=row.pk,
        sequence=row.sequence,
        sha256=row.sha256,
        occurred_at=row.occurred_at,
        verb=row.verb,
        verb_name=str(Verb(row.verb).label) if known else row.verb,
        actor_id=row.actor_id,
        actor_name=names.get(row.actor_id or 0, document["actor_name"]),
        data=document["data"],
    )


@dataclass(frozen=True)
class Break:
    """A link that does not hold. `sequence` is its place in the chain; `event_id` the row it shows at."""

    chain: str
    sequence: int
    event_id: int | None
    what: str

    def __str__(self) -> str:
        row = "no row" if self.event_id is None else f"event {self.event_id}"
        return f"chain {self.chain}, sequence {self.sequence} ({row}): {self.what}"


def verify(counts: Counter[str] | None = None, *, checkpoints: Path | None = None) -> Iterator[Break]:
    """Every link that does not hold: chains first, then checkpoints; in flat memory.

    `counts` is filled with events, chains and checkpoints looked at. `checkpoints` is a folder of checkpoints
    that left the host, to be compared with those of the database. What was cut off after the newest one
    cannot be seen here.
    """
    counts = Counter() if counts is None else counts
    yield from _verify_chains(counts)
    yield from _verify_checkpoints(counts)
    if checkpoints is not None:
        yield from _compare_exported(checkpoints)


@dataclass(frozen=True)
class _Link:
    chain: str
    sequence: int
    sha256: str


def _verify_chains(counts: Counter[str]) -> Iterator[Break]:
    last: _Link | None = None
    for row in AuditEvent.objects.order_by("chain", "sequence").iterator(chunk_size=_CHUNK):
        counts["events"] += 1
        if last is None or last.chain != row.chain:
            counts["chains"] += 1
            last = _Link(row.chain, 0, audit.GENESIS)
        what = _wrong_with(row, last)
        if row.sequence != last.sequence + 1:
            yield Break(row.chain, last.sequence + 1, row.pk, f"missing: sequence {row.sequence} comes next")
        elif what:
            yield Break(row.chain, row.sequence, row.pk, what)
        last = _Link(row.chain, row.sequence, hashlib.sha256(bytes(row.canonical)).hexdigest())


def _wrong_with(row: AuditEvent, last: _Link) -> str:
    """What is wrong with one event after `last`; nothing when it holds."""
    canonical = bytes(row.canonical)
    if not hmac.compare_digest(audit.seal(canonical), bytes(row.mac)):
        return "the seal does not fit its content: it was changed, or written without the key"
    document = json.loads(canonical)
    if rfc8785.dumps(document) != canonical:
        return "its bytes are not in canonical form"
    if document["previous"] != last.sha256:
        return "it does not follow the event before it, which is not the one it was written after"
    wrong = _columns_unlike(row, document)
    if wrong:
        return f"its columns do not say what the document does: {', '.join(wrong)}"
    return ""


def _columns_unlike(row: AuditEvent, document: dict[str, Any]) -> list[str]:
    """The generated columns that differ: an owner can make them ordinary ones, and then write to them."""
    stated = {
        "sha256": hashlib.sha256(bytes(row.canonical)).hexdigest(),
        "chain": document["chain"],
        "sequence": document["sequence"],
        "verb": document["verb"],
        "actor_id": document["actor"],
        "study_id": document["study"],
        "site_id": document["site"],
    }
    wrong = [name for name, value in stated.items() if getattr(row, name) != value]
    found: datetime | None = row.occurred_at
    if found is None or audit.microseconds(found) != document["at_us"]:
        wrong.append("occurred_at")
    return wrong


def _verify_checkpoints(counts: Counter[str]) -> Iterator[Break]:
    previous = audit.GENESIS
    expected = 1
    counted = _Counted()
    for row in AuditCheckpoint.objects.order_by("number").iterator(chunk_size=10):
        counts["checkpoints"] += 1
        canonical = bytes(row.canonical)
        document = _signed(canonical, bytes(row.signature))
        if document is None:
            yield _of_checkpoint(row.number, "its signature does not fit its content")
        elif (document["number"], row.number) != (expected, expected):
            yield _of_checkpoint(expected, f"missing: checkpoint {row.number} comes next")
        elif document["previous"] != previous:
            yield _of_checkpoint(row.number, "it does not follow the checkpoint before it")
        else:
            yield from _verify_statement(document, counted)
        previous, expected = hashlib.sha256(canonical).hexdigest(), row.number + 1


def _signed(canonical: bytes, signature: bytes) -> dict[str, Any] | None:
    """The checkpoint's document if our key signed it."""
    try:
        audit.signing_key().public_key().verify(signature, canonical)
    except InvalidSignature:
        return None
    document: dict[str, Any] = json.loads(canonical)
    return document


def _of_checkpoint(number: int, what: str) -> Break:
    return Break("checkpoints", number, None, what)


@dataclass
class _Counted:
    """The events up to `last_id`, counted once each while checkpoints are gone through in order."""

    last_id: int | None = None
    count: int = 0

    def up_to(self, last_id: int) -> int:
        rows = AuditEvent.objects.filter(id__lte=last_id)
        if self.last_id is not None:
            rows = rows.filter(id__gt=self.last_id)
        self.count += rows.count()
        self.last_id = last_id
        return self.count


def _verify_statement(document: dict[str, Any], counted: _Counted) -> Iterator[Break]:
    """Whether what a checkpoint stated is still there: each head, and as many events."""
    number, heads = document["number"], document["heads"]
    found = {
        (chain, sequence): (sha256, pk)
        for chain, sequence, sha256, pk in AuditEvent.objects.filter(
            chain__in=list(heads), sequence__in={sequence for sequence, _sha256 in heads.values()}
        ).values_list("chain", "sequence", "sha256", "pk")
    }
    for chain, (sequence, sha256) in sorted(heads.items()):
        there, pk = found.get((chain, sequence), ("", None))
        if pk is None:
            yield Break(chain, sequence, None, f"missing: checkpoint {number} saw it, and as the newest")
        elif there != sha256:
            yield Break(chain, sequence, pk, f"it is not the event that checkpoint {number} saw here")
    count = counted.up_to(document["last_id"])
    if count != document["count"]:
        yield _of_checkpoint(
            number, f"it counted {document['count']} events up to {document['last_id']}, there are {count}"
        )


def _compare_exported(folder: Path) -> Iterator[Break]:
    """Checkpoints that left the host against the database's, which may have lost or replaced some."""
    for path in sorted(folder.glob("checkpoint-*.json")):
        canonical = path.read_bytes()
        signature = path.with_suffix(".sig")
        document = _signed(canonical, signature.read_bytes()) if signature.exists() else None
        if document is None:
            yield _of_checkpoint(0, f"{path.name} has no signature that fits its content")
            continue
        row = AuditCheckpoint.objects.filter(number=document["number"]).first()
        if row is None:
            yield _of_checkpoint(document["number"], "missing: it left the host, and is not in the database")
        elif bytes(row.canonical) != canonical:
            yield _of_checkpoint(document["number"], f"it is not the one that left the host as {path.name}")
