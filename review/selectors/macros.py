"""Macros a person may use: their own, and those of the sites they write at."""

from django.db.models import Q, QuerySet

from review.models.macros import Macro
from review.models.patients import Site
from review.models.people import Capability, User
from review.selectors import people


def visible_to(user: User) -> QuerySet[Macro]:
    sites = people.sites_with(user, Capability.WRITE)
    return (
        Macro.objects.filter(Q(owner=user) | Q(site__in=sites)).select_related("site").order_by("name", "pk")
    )


def at(user: User, site: Site) -> dict[str, str]:
    """Texts by name for writing at a site; a person's own goes before the site's of the same name."""
    found = Macro.objects.filter(Q(owner=user) | Q(site=site)).order_by("owner_id")
    texts = {macro.name: macro.text for macro in found if macro.site_id is not None}
    return texts | {macro.name: macro.text for macro in found if macro.owner_id is not None}
