from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from review.models.studies import Priority


class WorklistStatus(models.TextChoices):
    """What a reader sees at a glance; written by `review.worklist.refresh` from the rows it sums up."""

    PREPARING = "preparing", _("preparing")
    READY = "ready", _("draft ready")
    WITHHELD = "withheld", _("no draft")
    FAILED = "failed", _("draft failed")
    READING = "reading", _("being read")
    PRELIMINARY = "preliminary", _("preliminary")
    SIGNED = "signed", _("signed")
    CHANGED = "changed", _("image after signing")


SEARCHED = ("alphabetic_key", "ideographic_key", "phonetic_key", "identifier_key", "accession_key")


class WorklistEntry(models.Model):
    """One denormalised row per study, written in the same transaction as what it sums up.

    The `*_key` columns are normalised (see `review.worklist.search_key`) and searched by prefix.
    """

    study = models.OneToOneField(
        "review.Study", on_delete=models.PROTECT, primary_key=True, related_name="entry"
    )
    site = models.ForeignKey("review.Site", on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=16, choices=WorklistStatus)
    is_open = models.BooleanField()
    stale = models.BooleanField(default=False)
    priority = models.PositiveSmallIntegerField(choices=Priority)
    patient_name = models.CharField(max_length=256, blank=True)
    name_doubtful = models.BooleanField(default=False, help_text="As of the patient.")
    patient_identifier = models.CharField(max_length=64)
    patient_birth_date = models.DateField(null=True)
    patient_sex = models.CharField(max_length=1, blank=True)
    accession_number = models.CharField(max_length=64, blank=True)
    study_description = models.CharField(max_length=256, blank=True)
    views = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(help_text=_("When taken; when received if the object does not say."))
    received_at = models.DateTimeField()
    signed_at = models.DateTimeField(null=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    alphabetic_key = models.CharField(max_length=256, blank=True)
    ideographic_key = models.CharField(max_length=256, blank=True)
    phonetic_key = models.CharField(max_length=256, blank=True)
    identifier_key = models.CharField(max_length=64)
    accession_key = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name_plural = "worklist entries"
        indexes = [
            models.Index(
                fields=["site", "priority", "started_at", "study"],
                name="worklist_open",
                condition=Q(is_open=True),
            ),
            models.Index(fields=["site", "priority", "started_at", "study"], name="worklist_by_urgency"),
            models.Index(fields=["site", "-started_at", "-study"], name="worklist_by_start"),
            models.Index(fields=["site", "-received_at", "-study"], name="worklist_by_receipt"),
            models.Index(fields=["site", "status", "-started_at", "-study"], name="worklist_by_status"),
            *(
                models.Index(
                    fields=["site", column, "study"],
                    name=f"worklist_{column}",
                    opclasses=["int8_ops", "varchar_pattern_ops", "int8_ops"],
                )
                for column in SEARCHED
            ),
            models.Index(fields=["assignee", "-started_at", "-study"], name="worklist_by_assignee"),
        ]

    def __str__(self) -> str:
        return f"worklist entry of study {self.study_id}"
