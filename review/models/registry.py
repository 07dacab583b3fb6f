from django.db import models

from review.models import states


class ModelVersion(models.Model):
    """A bundle, named by its digest. `location` is where a worker finds the folder."""

    digest = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=100)
    location = models.CharField(max_length=500)
    config = models.JSONField()
    card = models.TextField(blank=True)
    state = models.CharField(max_length=16, choices=states.ModelState, default=states.ModelState.CANDIDATE)
    registered_at = models.DateTimeField()

    class Meta:
        triggers = [states.state_machine("model", "state")]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state=states.ModelState.ACTIVE), name="one_active_model"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.digest[:12]}"
