"""What a model said: immutable once ready. Masks of people stand beside the model's, never over them."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from review.models import states
from review.models.jobs import Leased


class Draft(Leased):
    """One run of one model version on one set of inputs. Staleness is derived: see `is_stale`."""

    study = models.ForeignKey("review.Study", on_delete=models.PROTECT, related_name="drafts")
    model_version = models.ForeignKey("review.ModelVersion", on_delete=models.PROTECT, related_name="+")
    input_digest = models.CharField(max_length=64)
    language = models.CharField(max_length=5)
    human_masks = models.JSONField(
        default=list,
        help_text=_("Ids of people's masks that the drafter is shown in place of its own, in order."),
    )
    status = models.CharField(max_length=16, choices=states.JobStatus, default=states.JobStatus.QUEUED)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    reason = models.CharField(
        max_length=64, help_text=_("Why it was asked for: arrival, late-image, request.")
    )
    draft_gate = models.JSONField(null=True, help_text=_("inference.contract.Gate of the prose."))
    masks_gate = models.JSONField(null=True, help_text=_("inference.contract.Gate of the masks."))
    withheld_reason = models.CharField(
        max_length=64, blank=True, help_text=_("Code; empty when prose is shown.")
    )
    seconds = models.JSONField(null=True, help_text=_("Seconds by step."))

    class Meta:
        triggers = [
            states.state_machine("job"),
            pgtrigger.Protect(
                name="ready_draft_is_immutable",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__status=states.JobStatus.READY),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "model_version", "input_digest", "language", "human_masks"],
                condition=~Q(status=states.JobStatus.CANCELLED),
                name="one_draft_per_input",
            )
        ]
        indexes = [
            models.Index(
                fields=["queued_at"],
                name="draft_open",
                condition=Q(status__in=[states.JobStatus.QUEUED, states.JobStatus.RUNNING]),
            )
        ]

    def __str__(self) -> str:
        return f"draft {self.pk}"

    def is_stale(self) -> bool:
        """Whether the study has changed since this draft was asked for."""
        return self.input_digest != self.study.input_digest


class Mask(models.Model):
    """One structure on one image. Contents live in `MaskContent`, so that lists stay light."""

    class Source(models.TextChoices):
        AI = "ai", _("AI")
        HUMAN = "human", _("person")

    image = models.ForeignKey("review.Image", on_delete=models.PROTECT, related_name="masks")
    structure = models.CharField(max_length=64)
    source = models.CharField(max_length=8, choices=Source)
    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, null=True, related_name="masks")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    supersedes = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="superseded_by")
    area = models.PositiveIntegerField(help_text=_("Pixels."))
    box = models.JSONField(help_text=_("Row, column, height, width in pixels."))
    trust = models.FloatField(null=True)
    trusted = models.BooleanField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="mask_source_names_its_maker",
                condition=Q(source="ai", draft__isnull=False, author__isnull=True)
                | Q(source="human", author__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["draft", "image", "structure"],
                condition=Q(source="ai"),
                name="one_ai_mask_per_structure",
            ),
            models.CheckConstraint(
                name="mask_trust_in_unit_range", condition=Q(trust__isnull=True) | Q(trust__range=(0, 1))
            ),
        ]

    def __str__(self) -> str:
        return f"mask {self.pk}"


class MaskContent(models.Model):
    """COCO run-length encoding: column-major, compressed ASCII, size = [rows, columns] of the stored
    image."""

    mask = models.OneToOneField(Mask, on_delete=models.PROTECT, primary_key=True, related_name="content")
    rows = models.PositiveIntegerField()
    columns = models.PositiveIntegerField()
    counts = models.TextField()

    def __str__(self) -> str:
        return f"content of mask {self.mask_id}"


class Sentence(models.Model):
    """One sentence of a draft, in order; finding, side and certainty are codes of `inference`."""

    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, related_name="sentences")
    position = models.PositiveSmallIntegerField()
    section = models.CharField(max_length=16)
    text = models.TextField()
    language = models.CharField(max_length=5)
    finding = models.CharField(max_length=64, blank=True)
    side = models.CharField(max_length=16, blank=True)
    certainty = models.CharField(max_length=16, blank=True)
    confidence = models.FloatField(null=True)

    class Meta:
        ordering = ["draft", "position"]
        constraints = [models.UniqueConstraint(F("draft"), F("position"), name="sentence_by_position")]

    def __str__(self) -> str:
        return f"sentence {self.pk}"


class Evidence(models.Model):
    """A mask that a sentence cites."""

    sentence = models.ForeignKey(Sentence, on_delete=models.PROTECT, related_name="evidence")
    mask = models.ForeignKey(Mask, on_delete=models.PROTECT, related_name="evidence")
    weight = models.FloatField()

    class Meta:
        verbose_name_plural = "evidence"
        constraints = [models.UniqueConstraint(fields=["sentence", "mask"], name="evidence_once_per_mask")]

    def __str__(self) -> str:
        return f"evidence {self.pk}"


class Explanation(Leased):
    """The measuring of a draft's evidence, by ablation, in a task of its own after the draft is ready."""

    draft = models.OneToOneField(Draft, on_delete=models.PROTECT, related_name="explanation")
    status = models.CharField(max_length=16, choices=states.JobStatus, default=states.JobStatus.QUEUED)

    class Meta:
        triggers = [
            states.state_machine("job"),
            pgtrigger.Protect(
                name="ready_explanation_is_immutable",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__status=states.JobStatus.READY),
            ),
        ]
        indexes = [
            models.Index(
                fields=["queued_at"],
                name="explanation_open",
                condition=Q(status__in=[states.JobStatus.QUEUED, states.JobStatus.RUNNING]),
            )
        ]

    def __str__(self) -> str:
        return f"explanation {self.pk}"


class Support(models.Model):
    """What a mask does to a sentence: see `inference.contract.Support`. Append-only, as evidence is."""

    sentence = models.ForeignKey(Sentence, on_delete=models.PROTECT, related_name="support")
    mask = models.ForeignKey(Mask, on_delete=models.PROTECT, related_name="support")
    nats = models.FloatField(
        help_text=_("Fall of the log-probability of the sentence's codes without the mask.")
    )

    class Meta:
        verbose_name_plural = "support"
        constraints = [models.UniqueConstraint(fields=["sentence", "mask"], name="support_once_per_mask")]

    def __str__(self) -> str:
        return f"support {self.pk}"
