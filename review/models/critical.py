"""Critical results: what somebody must be told, and who told whom when."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class CriticalResult(models.Model):
    """A finding of a study that the people who treat the patient must hear of, open until one of them has.

    The categories are those of the ACR's Actionable Reporting Work Group (P. A. Larson et al., J Am Coll
    Radiol 2014): minutes, hours, days. How long each may take is ours.
    """

    class Urgency(models.IntegerChoices):
        MINUTES = 1, _("within minutes")
        HOURS = 2, _("within hours")
        DAYS = 3, _("within days")

    LIMITS = {
        Urgency.MINUTES: timedelta(minutes=60),
        Urgency.HOURS: timedelta(hours=12),
        Urgency.DAYS: timedelta(days=3),
    }

    study = models.ForeignKey("review.Study", on_delete=models.PROTECT, related_name="critical_results")
    finding = models.CharField(max_length=300)
    urgency = models.PositiveSmallIntegerField(choices=Urgency)
    raised_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    raised_at = models.DateTimeField()
    due_at = models.DateTimeField()
    escalated_at = models.DateTimeField(null=True, help_text=_("When it was overdue and its site was told."))
    acknowledged_at = models.DateTimeField(null=True, help_text=_("When a person who was told read it back."))

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"], name="critical_open", condition=models.Q(acknowledged_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"critical result {self.pk}"

    def is_overdue(self, now: datetime) -> bool:
        return self.acknowledged_at is None and self.due_at < now


class Communication(models.Model):
    """One attempt to tell somebody. Append-only."""

    class Method(models.TextChoices):
        PERSON = "person", _("in person")
        PHONE = "phone", _("by telephone")
        MESSAGE = "message", _("by message")

    critical_result = models.ForeignKey(
        CriticalResult, on_delete=models.PROTECT, related_name="communications"
    )
    told_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    told = models.CharField(max_length=200, help_text=_("Whom: name and function."))
    told_at = models.DateTimeField()
    method = models.CharField(max_length=16, choices=Method)
    read_back = models.BooleanField(help_text=_("The person repeated what they were told."))
    note = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"communication {self.pk}"
