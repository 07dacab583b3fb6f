import pgtrigger
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from review.models import states
from review.models.jobs import Leased


class FeedbackDataset(Leased):
    """A frozen, numbered export of signed corrections of one site."""

    site = models.ForeignKey("review.Site", on_delete=models.PROTECT, related_name="feedback_datasets")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=16, choices=states.JobStatus, default=states.JobStatus.QUEUED)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    schema_version = models.CharField(max_length=16)
    study_count = models.PositiveIntegerField(null=True)
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    storage_name = models.CharField(max_length=200, blank=True, help_text=_("The archive in storage."))
    size = models.PositiveBigIntegerField(null=True, help_text=_("Bytes of the archive."))

    class Meta:
        triggers = [
            states.state_machine("job"),
            pgtrigger.Protect(
                name="ready_dataset_is_frozen",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__status=states.JobStatus.READY),
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["site", "number"], name="dataset_by_site_and_number")]

    def __str__(self) -> str:
        return f"feedback dataset {self.pk}"
