"""Texts that are typed by a short name."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

NAME = RegexValidator(r"^[\w-]{1,32}$", _("A name has letters, digits, hyphens, and no blanks."))


class Macro(models.Model):
    """A text of a person or of a site. It may hold fields: `[ ]` to fill in, `[a|b]` to choose from."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="macros"
    )
    site = models.ForeignKey("review.Site", on_delete=models.CASCADE, null=True, related_name="macros")
    name = models.CharField(max_length=32, validators=[NAME])
    text = models.TextField(max_length=5_000)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="macro_is_a_persons_or_a_sites",
                condition=Q(owner__isnull=False, site__isnull=True)
                | Q(owner__isnull=True, site__isnull=False),
            ),
            models.UniqueConstraint(fields=["owner", "name"], name="macro_once_per_person"),
            models.UniqueConstraint(fields=["site", "name"], name="macro_once_per_site"),
        ]

    def __str__(self) -> str:
        return f"macro {self.pk}"
