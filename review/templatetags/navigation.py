"""The places of the application and who sees them."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from review.models.people import Capability, User
from review.selectors import people


@dataclass(frozen=True)
class Place:
    url: str
    name: str | Promise


_PLACES: tuple[tuple[Capability, str, Promise], ...] = (
    (Capability.READ, "worklist", _("Worklist")),
    (Capability.READ, "critical", _("Critical results")),
    (Capability.WRITE, "macros", _("Macros")),
    (Capability.AUDIT, "quality", _("Quality")),
    (Capability.EXPORT, "feedback", _("Feedback datasets")),
    (Capability.EXPORT, "models", _("Models")),
    (Capability.IMPORT, "arrivals", _("Arrivals")),
)


def places_for(user: User | AnonymousUser) -> list[Place]:
    """In order of the day's work; the first is where a person starts."""
    held = people.capabilities(user)
    return [Place(reverse(name), title) for capability, name, title in _PLACES if capability in held]
