"""Who works here and what they may do, per site."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person or a service account.

    `is_superuser` and `is_staff` are platform administration: they open Django's admin for accounts and
    sites, and give no access to patients. Access to studies comes from `Membership` alone.
    """

    printed_name = models.CharField(
        _("printed name"), max_length=200, blank=True, help_text=_("As it stands under a signature.")
    )
    language = models.CharField(max_length=5, default="en")
    is_service = models.BooleanField(default=False, help_text=_("Signs in by token only."))

    def signing_name(self) -> str:
        return self.printed_name or self.get_full_name() or self.username


class Role(models.TextChoices):
    RADIOLOGIST = "radiologist", _("radiologist")
    TRAINEE = "trainee", _("trainee")
    QA_LEAD = "qa_lead", _("QA lead")
    ADMIN = "admin", _("administrator")
    TECHNOLOGIST = "technologist", _("technologist")
    SERVICE = "service", _("service account")


class Capability(models.TextChoices):
    READ = "read"
    """See studies, drafts and reports."""
    WRITE = "write"
    """Write report text and sign it, as far as the role's meaning of signature goes."""
    FINALISE = "finalise"
    """Sign as final."""
    IMPORT = "import"
    """Hand in files and resolve what was quarantined."""
    AUDIT = "audit"
    """See the quality desk and every history of the site."""
    EXPORT = "export"
    """Build and download feedback datasets, see model versions."""


CAPABILITIES: dict[Capability, frozenset[Role]] = {
    Capability.READ: frozenset({Role.RADIOLOGIST, Role.TRAINEE, Role.QA_LEAD, Role.SERVICE}),
    Capability.WRITE: frozenset({Role.RADIOLOGIST, Role.TRAINEE}),
    Capability.FINALISE: frozenset({Role.RADIOLOGIST}),
    Capability.IMPORT: frozenset({Role.RADIOLOGIST, Role.TECHNOLOGIST, Role.ADMIN, Role.SERVICE}),
    Capability.AUDIT: frozenset({Role.QA_LEAD}),
    Capability.EXPORT: frozenset({Role.ADMIN}),
}


class Membership(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    site = models.ForeignKey("review.Site", on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "site", "role"], name="one_membership_per_role")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} is {self.role} at {self.site_id}"


class ApiToken(models.Model):
    """A bearer token of the API, kept as a digest: shown once when made, never again."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    digest = models.CharField(max_length=64, unique=True, help_text=_("SHA-256 of the token, hex."))
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"token {self.pk} of user {self.user_id}"
