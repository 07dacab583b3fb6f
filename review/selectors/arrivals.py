from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from review.models.people import Capability, User
from review.models.studies import Arrival
from review.selectors import people


def visible_to(user: User | AnonymousUser) -> QuerySet[Arrival]:
    """Files handed in at the sites where the user may import."""
    return (
        Arrival.objects.filter(site__in=people.sites_with(user, Capability.IMPORT))
        .select_related("site", "image__series__study", "handed_in_by")
        .order_by("-pk")
    )
