"""The tamper-evident trail: canonical bytes, chained by hash, sealed by a key kept outside the database."""

from typing import Any

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _


class Verb(models.TextChoices):
    """The closed set of acts that are recorded."""

    SIGNED_IN = "user.signed-in", _("signed in")
    SIGNED_OUT = "user.signed-out", _("signed out")
    SIGN_IN_FAILED = "user.sign-in-failed", _("failed to sign in")
    MEMBERSHIP_CHANGED = "user.membership-changed", _("membership changed")
    ACCOUNT_CHANGED = "user.account-changed", _("account changed")
    TOKEN_CREATED = "user.token-created", _("token created")
    TOKEN_REVOKED = "user.token-revoked", _("token revoked")
    SITE_CHANGED = "site.changed", _("site changed")
    FILE_RECEIVED = "file.received", _("file received")
    FILE_REFUSED = "file.refused", _("file refused")
    FILE_QUARANTINED = "file.quarantined", _("file quarantined")
    FILE_DUPLICATE = "file.duplicate", _("file already here")
    FILE_RESOLVED = "file.resolved", _("quarantine resolved")
    STUDY_CREATED = "study.created", _("study created")
    IMAGE_ADDED = "image.added", _("image added")
    STUDY_OPENED = "study.opened", _("study opened")
    STUDY_CLOSED = "study.closed", _("study closed")
    STUDY_ASSIGNED = "study.assigned", _("study assigned")
    HISTORY_VIEWED = "history.viewed", _("history viewed")
    DRAFT_REQUESTED = "draft.requested", _("draft requested")
    DRAFT_READY = "draft.ready", _("draft ready")
    DRAFT_WITHHELD = "draft.withheld", _("draft withheld")
    DRAFT_FAILED = "draft.failed", _("draft failed")
    DRAFT_CANCELLED = "draft.cancelled", _("draft cancelled")
    EVIDENCE_MEASURED = "evidence.measured", _("evidence measured")
    EVIDENCE_FAILED = "evidence.failed", _("evidence could not be measured")
    MASK_CORRECTED = "mask.corrected", _("outline corrected")
    REPORT_SAVED = "report.saved", _("report saved")
    REPORT_LOCKED = "report.locked", _("editing started")
    REPORT_RELEASED = "report.released", _("editing ended")
    REPORT_TAKEN_OVER = "report.taken-over", _("editing taken over")
    SENTENCE_JUDGED = "sentence.judged", _("sentence of the draft judged")
    REPORT_SIGNED = "report.signed", _("report signed")
    LETTER_OPENED = "report.letter-opened", _("report opened as PDF")
    ADDENDUM_ADDED = "report.addendum-added", _("addendum added")
    CRITICAL_RAISED = "critical.raised", _("critical result raised")
    CRITICAL_COMMUNICATED = "critical.communicated", _("critical result told")
    CRITICAL_ESCALATED = "critical.escalated", _("critical result overdue")
    DATASET_REQUESTED = "dataset.requested", _("feedback dataset requested")
    DATASET_READY = "dataset.ready", _("feedback dataset built")
    DATASET_FAILED = "dataset.failed", _("feedback dataset failed")
    DATASET_DOWNLOADED = "dataset.downloaded", _("feedback dataset downloaded")
    MODEL_REGISTERED = "model.registered", _("model registered")
    MODEL_ACTIVATED = "model.activated", _("model activated")
    AUDIT_VERIFIED = "audit.verified", _("audit trail verified")


class DocumentMember(models.Func):
    """A top-level member of the canonical document, as text or cast.

    `review_utf8` (migration 0001) is `convert_from(…, 'UTF8')` declared immutable, as generated columns ask.
    """

    template = "((review_utf8(%(expressions)s)::jsonb ->> '%(member)s')%(cast)s)"
    arity = 1

    def __init__(self, member: str, cast: str = "") -> None:
        super().__init__(F("canonical"), member=member, cast=cast)


class Sha256Hex(models.Func):
    """SHA-256 of a byte column, hex."""

    template = "encode(sha256(%(expressions)s), 'hex')"
    arity = 1


class EventTime(models.Func):
    """The document's `at_us`, microseconds since 1970 in UTC, as a time."""

    template = "to_timestamp((review_utf8(%(expressions)s)::jsonb ->> 'at_us')::double precision / 1000000)"
    arity = 1


def _generated(member: str, field: "models.Field[Any, Any]", cast: str = "") -> models.GeneratedField:
    return models.GeneratedField(expression=DocumentMember(member, cast), output_field=field, db_persist=True)


def _optional_id() -> "models.Field[Any, Any]":
    return models.BigIntegerField(null=True)


class AuditEvent(models.Model):
    """One act. `canonical` (RFC 8785 JSON) is the record; every other column is generated from it or seals
    it.

    Append-only by revoked rights and by triggers no session setting can switch off; written by
    `review.audit` alone.
    """

    canonical = models.BinaryField()
    mac = models.BinaryField(
        help_text=_("HMAC-SHA256 of the canonical bytes; the key is outside the database.")
    )
    sha256 = models.GeneratedField(
        expression=Sha256Hex("canonical"), output_field=models.CharField(max_length=64), db_persist=True
    )
    chain = _generated("chain", models.CharField(max_length=100))
    sequence = _generated("sequence", models.BigIntegerField(), "::bigint")
    verb = _generated("verb", models.CharField(max_length=64))
    actor_id = _generated("actor", _optional_id(), "::bigint")
    study_id = _generated("study", _optional_id(), "::bigint")
    site_id = _generated("site", _optional_id(), "::bigint")
    occurred_at = models.GeneratedField(
        expression=EventTime("canonical"), output_field=models.DateTimeField(), db_persist=True
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "sequence"], name="audit_chain_sequence")]
        indexes = [
            models.Index(fields=["study_id", "id"], name="audit_by_study"),
            models.Index(fields=["actor_id", "-id"], name="audit_by_actor"),
            models.Index(fields=["site_id", "verb", "-id"], name="audit_by_site_and_verb"),
        ]

    def __str__(self) -> str:
        return f"audit event {self.pk}"


class AuditCheckpoint(models.Model):
    """A signed statement of the newest link of every chain touched since the last one, and of the count."""

    number = models.PositiveBigIntegerField(unique=True)
    canonical = models.BinaryField()
    signature = models.BinaryField(help_text=_("Ed25519 over the canonical bytes."))
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"audit checkpoint {self.number}"
