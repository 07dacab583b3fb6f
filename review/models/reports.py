"""What the radiologist writes.

Revisions, signatures and addenda are append-only; the signed bytes never change.
"""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from review.models import states


class Report(models.Model):
    """One per study. `revision_number` is the newest revision; 0 before anything was saved."""

    study = models.OneToOneField("review.Study", on_delete=models.PROTECT, related_name="report")
    status = models.CharField(
        max_length=20, choices=states.ReportStatus, default=states.ReportStatus.REGISTERED
    )
    revision_number = models.PositiveIntegerField(default=0)
    ai_seen_first = models.BooleanField(
        null=True, help_text=_("Whether AI prose was on screen before the first human text was saved.")
    )
    locked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    locked_at = models.DateTimeField(null=True)
    lock_expires_at = models.DateTimeField(null=True)

    class Meta:
        triggers = [states.state_machine("report")]

    def __str__(self) -> str:
        return f"report {self.pk}"

    def is_signed(self) -> bool:
        return self.status in states.SIGNED_STATUSES

    def lock_holder_id(self, now: datetime) -> int | None:
        """The user who holds the lock at `now`, or None when nobody does or it has expired."""
        if self.lock_expires_at is None or self.lock_expires_at <= now:
            return None
        return self.locked_by_id


class Revision(models.Model):
    """One saved state of a report. Text is NFC with LF; offsets in `provenance` count code points."""

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    findings = models.TextField(blank=True)
    impression = models.TextField(blank=True)
    sha256 = models.CharField(
        max_length=64, help_text=_("Of the canonical JSON (RFC 8785) of both sections.")
    )
    provenance = models.JSONField(help_text=_("Per sentence: section, start, end, origin, draft sentence."))
    draft = models.ForeignKey(
        "review.Draft",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text=_("The draft on screen."),
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["report", "number"]
        constraints = [models.UniqueConstraint(fields=["report", "number"], name="revision_by_number")]

    def __str__(self) -> str:
        return f"revision {self.number} of report {self.report_id}"


class Signature(models.Model):
    """Who signed what, when, and what it means (21 CFR 11.50).

    `content` is exactly what was shown, canonical JSON.
    """

    class Meaning(models.TextChoices):
        AUTHOR = "author", _("author")
        REVIEWER = "reviewer", _("reviewer")
        APPROVER = "approver", _("approver")

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="signatures")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, null=True, related_name="signatures")
    addendum = models.OneToOneField(
        "review.Addendum", on_delete=models.PROTECT, null=True, related_name="signature"
    )
    signer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    printed_name = models.CharField(max_length=200)
    role = models.CharField(max_length=20)
    meaning = models.CharField(max_length=16, choices=Meaning)
    resulting_status = models.CharField(max_length=20, choices=states.ReportStatus)
    signed_at = models.DateTimeField()
    content = models.BinaryField()
    content_sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="signature_is_on_one_thing",
                condition=models.Q(revision__isnull=False, addendum__isnull=True)
                | models.Q(revision__isnull=True, addendum__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"signature {self.pk}"


class Letter(models.Model):
    """The report as a PDF, as it stood when it was signed. The bytes are stored: they are what went out."""

    signature = models.OneToOneField(Signature, on_delete=models.PROTECT, related_name="letter")
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"letter of signature {self.signature_id}"


class Addendum(models.Model):
    """Text added to a signed report; the signed original stays as it is."""

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="addenda")
    number = models.PositiveIntegerField()
    text = models.TextField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "addenda"
        ordering = ["report", "number"]
        constraints = [models.UniqueConstraint(fields=["report", "number"], name="addendum_by_number")]

    def __str__(self) -> str:
        return f"addendum {self.number} of report {self.report_id}"
