"""The only writer of audit events: canonical, chained, sealed, in the transaction of the act they record.

An event is a JSON document in canonical form (RFC 8785). It names its chain, its place in it and the
SHA-256 of the event before it, and is sealed by an HMAC. A checkpoint states the newest link of every
chain that grew since the checkpoint before, and is signed by Ed25519. Both keys come from one private
key file kept outside the database. This makes the trail tamper-evident, not tamper-proof: someone with
the database alone cannot rewrite it unnoticed, except by cutting off events newer than the last
checkpoint that left the host. Someone who also holds the key can.
"""

import hashlib
import hmac
import json
import os
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import rfc8785
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from review.models.audit import AuditCheckpoint, AuditEvent, Verb
from review.models.patients import Site
from review.models.people import User
from review.models.studies import Study

GENESIS = "0" * 64
_WRITERS_LOCK = 0x4D41495241  # "MAIRA": shared by writers, exclusive for a checkpoint.


@lru_cache(maxsize=4)
def _load_key(path: Path) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ImproperlyConfigured(f"AUDIT_KEY_FILE {path} holds no Ed25519 private key")
    return key


def _make_key(path: Path) -> None:
    """Make the key of a new installation. Refused once events exist: another key would break every seal."""
    if AuditEvent.objects.exists():
        raise ImproperlyConfigured(
            f"AUDIT_KEY_FILE {path} is missing, but the trail was sealed with a key: restore that file"
        )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    fresh = path.with_name(f"{path.name}.{uuid4().hex}")
    fresh.touch(mode=0o600)
    fresh.write_bytes(pem)
    try:
        os.link(fresh, path)  # Atomic: of two processes that start together, one key wins.
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def signing_key() -> Ed25519PrivateKey:
    """The key of this installation, made on first use."""
    path = Path(settings.AUDIT_KEY_FILE)
    if not path.exists():
        _make_key(path)
    return _load_key(path)


@lru_cache(maxsize=4)
def _mac_key(private_bytes: bytes) -> bytes:
    return hmac.digest(private_bytes, b"maira-web audit event seal v1", "sha256")


def seal(canonical: bytes) -> bytes:
    """HMAC-SHA256 of an event's canonical bytes."""
    private_bytes = signing_key().private_bytes(
        serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
    )
    return hmac.digest(_mac_key(private_bytes), canonical, "sha256")


def chain_of(*, study: Study | None, by: User | None) -> str:
    if study is not None:
        return f"study:{study.pk}"
    return f"user:{by.pk}" if by is not None else "system"


def microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def record(
    verb: Verb,
    *,
    by: User | None,
    study: Study | None = None,
    site: Site | None = None,
    data: dict[str, Any] | None = None,
) -> AuditEvent:
    """Write one event. `by` is None for the system itself. `data` holds ids, numbers and hashes: no patient
    data.

    Must be called inside the transaction of the act, so that both happen or neither.
    """
    assert connection.in_atomic_block, f"{verb} must be recorded in the transaction of the act"
    chain = chain_of(study=study, by=by)
    site_id = study.site_id if study is not None else (site.pk if site is not None else None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_WRITERS_LOCK])
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [chain])
    last = AuditEvent.objects.filter(chain=chain).order_by("-sequence").values("sequence", "sha256").first()
    document: dict[str, Any] = {
        "schema": 1,
        "chain": chain,
        "sequence": last["sequence"] + 1 if last else 1,
        "previous": last["sha256"] if last else GENESIS,
        "verb": str(verb),
        "actor": by.pk if by is not None else None,
        "actor_name": by.username if by is not None else "",
        "study": study.pk if study is not None else None,
        "site": site_id,
        "at_us": microseconds(timezone.now()),
        "data": data or {},
    }
    canonical = rfc8785.dumps(document)
    return AuditEvent.objects.create(canonical=canonical, mac=seal(canonical))


@transaction.atomic
def checkpoint() -> AuditCheckpoint | None:
    """Sign the newest link of every chain that grew, write it to the database and to a file that leaves the
    host.

    Returns None when nothing happened since the last checkpoint.
    """
    with connection.cursor() as cursor:
        # Waits for writers under way, so that no event with an older id appears behind our back.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_WRITERS_LOCK])
    previous = AuditCheckpoint.objects.order_by("-number").first()
    past = _document(previous) if previous else {"number": 0, "last_id": 0}
    newest = AuditEvent.objects.aggregate(last=Max("id"))["last"] or 0
    if newest == past["last_id"]:
        return None
    grown = AuditEvent.objects.filter(id__gt=past["last_id"], id__lte=newest).order_by("chain", "-sequence")
    heads = {
        event["chain"]: [event["sequence"], event["sha256"]]
        for event in grown.distinct("chain").values("chain", "sequence", "sha256")
    }
    now = timezone.now()
    document: dict[str, Any] = {
        "schema": 1,
        "number": past["number"] + 1,
        "previous": hashlib.sha256(previous.canonical).hexdigest() if previous else GENESIS,
        "at_us": microseconds(now),
        "last_id": newest,
        "count": AuditEvent.objects.filter(id__lte=newest).count(),
        "heads": heads,
    }
    canonical = rfc8785.dumps(document)
    row = AuditCheckpoint.objects.create(
        number=document["number"],
        canonical=canonical,
        signature=signing_key().sign(canonical),
        created_at=now,
    )
    _export(row)
    return row


def _document(checkpoint: AuditCheckpoint) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(bytes(checkpoint.canonical))
    return document


def _export(row: AuditCheckpoint) -> None:
    folder = Path(settings.AUDIT_CHECKPOINT_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"checkpoint-{row.number:08d}"
    (folder / f"{stem}.json").write_bytes(bytes(row.canonical))
    (folder / f"{stem}.sig").write_bytes(bytes(row.signature))
