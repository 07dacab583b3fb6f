from django.db import models
from django.utils.translation import gettext_lazy as _


class Site(models.Model):
    """Who owns a study. `issuer_of_patient_id` is used for files that do not name their issuer."""

    class Stage(models.TextChoices):
        SILENT = "silent", _("silent")
        REVIEW = "review", _("review")
        STREAMLINED = "streamlined", _("streamlined")

    code = models.SlugField(max_length=32, unique=True)
    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(
        max_length=5, default="en", help_text=_("The language drafts are written in.")
    )
    issuer_of_patient_id = models.CharField(max_length=64)
    stage = models.CharField(max_length=16, choices=Stage, default=Stage.REVIEW)

    def __str__(self) -> str:
        return self.code


class Sex(models.TextChoices):
    """DICOM Patient's Sex (0010,0040)."""

    FEMALE = "F", _("female")
    MALE = "M", _("male")
    OTHER = "O", _("other")
    UNKNOWN = "", _("unknown")


class Patient(models.Model):
    """A person as one issuer numbers them: the same number at two hospitals is two patients."""

    issuer = models.CharField(max_length=64)
    patient_id = models.CharField(max_length=64)
    name_alphabetic = models.CharField(max_length=256, blank=True)
    name_ideographic = models.CharField(max_length=256, blank=True)
    name_phonetic = models.CharField(max_length=256, blank=True)
    name_doubtful = models.BooleanField(
        default=False, help_text=_("The bytes did not fit the declared character set.")
    )
    birth_date_raw = models.CharField(max_length=32, blank=True)
    birth_date = models.DateField(null=True)
    sex = models.CharField(max_length=1, choices=Sex, default=Sex.UNKNOWN, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issuer", "patient_id"], name="patient_by_issuer_and_id")
        ]

    def __str__(self) -> str:
        return f"patient {self.pk}"

    def display_name(self) -> str:
        return self.name_ideographic or self.name_alphabetic
