"""What a scanner sent: orders, studies, series, images, and the arrival of each file."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from review.models import states
from review.models.jobs import Leased


class Priority(models.IntegerChoices):
    """From Requested Procedure Priority (0040,1003), most urgent first; the number is the sort key."""

    STAT = 1, _("stat")
    HIGH = 2, _("high")
    ROUTINE = 3, _("routine")


class Order(models.Model):
    """The request for an examination."""

    site = models.ForeignKey("review.Site", on_delete=models.PROTECT, related_name="orders")
    accession_number = models.CharField(max_length=64)
    indication = models.TextField(blank=True)
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.ROUTINE)
    referring_physician_name = models.CharField(max_length=256, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "accession_number"], name="order_by_site_and_accession")
        ]

    def __str__(self) -> str:
        return f"order {self.pk}"


class Study(models.Model):
    """`input_digest` names what a drafter would see now; a draft made from another digest is stale."""

    site = models.ForeignKey("review.Site", on_delete=models.PROTECT, related_name="studies")
    patient = models.ForeignKey("review.Patient", on_delete=models.PROTECT, related_name="studies")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, null=True, related_name="studies")
    study_instance_uid = models.CharField(max_length=64, unique=True)
    study_date_raw = models.CharField(max_length=32, blank=True)
    study_time_raw = models.CharField(max_length=32, blank=True)
    started_at = models.DateTimeField(null=True, help_text=_("UTC, by the zone of the object or the site."))
    study_description = models.CharField(max_length=256, blank=True)
    patient_age_years = models.FloatField(null=True)
    received_at = models.DateTimeField()
    input_digest = models.CharField(max_length=64, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        verbose_name_plural = "studies"

    def __str__(self) -> str:
        return f"study {self.pk}"


class Series(models.Model):
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="series")
    series_instance_uid = models.CharField(max_length=64, unique=True)
    series_number = models.IntegerField(null=True)
    series_description = models.CharField(max_length=256, blank=True)
    modality = models.CharField(max_length=16, blank=True)

    class Meta:
        verbose_name_plural = "series"

    def __str__(self) -> str:
        return f"series {self.pk}"


class Image(models.Model):
    """One SOP instance. `content_sha256` names the original file and its derivatives in storage."""

    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="images")
    sop_instance_uid = models.CharField(max_length=64, unique=True)
    sop_class_uid = models.CharField(max_length=64, blank=True)
    content_sha256 = models.CharField(max_length=64)
    pipeline_version = models.CharField(
        max_length=32, help_text=_("Of the derivatives, by inference.imaging.")
    )
    instance_number = models.IntegerField(null=True)
    rows = models.PositiveIntegerField()
    columns = models.PositiveIntegerField()
    view_position = models.CharField(max_length=16, blank=True)
    image_laterality = models.CharField(max_length=16, blank=True)
    patient_orientation = models.CharField(max_length=64, blank=True)
    body_part_examined = models.CharField(max_length=64, blank=True)
    photometric_interpretation = models.CharField(max_length=32, blank=True)
    pixel_spacing = models.JSONField(null=True, help_text=_("Millimetres between rows and columns."))
    pixel_spacing_source = models.CharField(max_length=16, blank=True)
    secondary_capture = models.BooleanField(default=False)
    header = models.JSONField(help_text=_("inference.imaging.dicom.ImageHeader as received."))
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"image {self.pk}"


class Arrival(Leased):
    """One file handed in by any door, and what became of it.

    The raw bytes are kept before anything is parsed.
    """

    class Origin(models.TextChoices):
        UPLOAD = "upload", _("upload page")
        COMMAND = "command", _("command line")
        API = "api", _("API")

    site = models.ForeignKey("review.Site", on_delete=models.PROTECT, related_name="arrivals")
    batch = models.UUIDField(help_text=_("The files handed in together."))
    origin = models.CharField(max_length=16, choices=Origin)
    filename = models.CharField(max_length=400, blank=True)
    size = models.PositiveBigIntegerField()
    content_sha256 = models.CharField(max_length=64, blank=True, help_text=_("Empty when nothing was kept."))
    status = models.CharField(
        max_length=16, choices=states.ArrivalStatus, default=states.ArrivalStatus.QUEUED
    )
    reason_code = models.CharField(max_length=64, blank=True)
    reason = models.TextField(blank=True, help_text=_("For the technologist: what is wrong and what to do."))
    handed_in_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    image = models.ForeignKey(Image, on_delete=models.PROTECT, null=True, related_name="arrivals")
    claimed = models.JSONField(
        null=True, help_text=_("What a stopped file says of itself, for the person who decides: names, UIDs.")
    )
    override = models.CharField(
        max_length=64, blank=True, help_text=_("The quarantine reason a person decided to accept.")
    )
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    resolved_at = models.DateTimeField(null=True)
    resolution_note = models.TextField(blank=True, help_text=_("One line a decision, oldest first."))

    class Meta:
        triggers = [states.state_machine("arrival")]
        indexes = [
            models.Index(fields=["batch", "id"], name="arrival_by_batch"),
            models.Index(fields=["site", "-id"], name="arrival_by_site"),
            models.Index(
                fields=["queued_at"],
                name="arrival_open",
                condition=Q(status__in=[states.ArrivalStatus.QUEUED, states.ArrivalStatus.RUNNING]),
            ),
        ]

    def __str__(self) -> str:
        return f"arrival {self.pk}"

    def can_retry(self) -> bool:
        """Whether the file was kept and another try may end otherwise, after a fix here."""
        over = {states.ArrivalStatus.REFUSED, states.ArrivalStatus.FAILED}
        return bool(self.content_sha256) and self.status in over
