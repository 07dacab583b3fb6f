"""What readers decide about the sentences of a draft."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Judgement(models.Model):
    """One decision about one sentence. Append-only: a changed mind adds a row, and the newest stands."""

    class Decision(models.TextChoices):
        ACCEPTED = "accepted", _("accepted")
        EDITED = "edited", _("edited")
        REJECTED = "rejected", _("rejected")

    class Reason(models.TextChoices):
        """As `inference.text.reasons.Reason`."""

        FALSE_FINDING = "false-finding", _("false finding")
        OMISSION = "omission", _("omission")
        SIDE = "side", _("side")
        PLACE = "place", _("place")
        SEVERITY = "severity", _("severity")
        DEVICE_POSITION = "device-position", _("device position")
        INVENTED_PRIOR = "invented-prior", _("invented prior")
        STYLE = "style", _("style")

    sentence = models.ForeignKey("review.Sentence", on_delete=models.PROTECT, related_name="judgements")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decision = models.CharField(max_length=16, choices=Decision)
    reason = models.CharField(max_length=32, choices=Reason, blank=True)
    guessed = models.BooleanField(help_text=_("The reason was filled in and left as it was."))
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="nothing_is_wrong_with_what_is_accepted",
                condition=~models.Q(decision="accepted") | models.Q(reason=""),
            )
        ]

    def __str__(self) -> str:
        return f"judgement {self.pk}"
