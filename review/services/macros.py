"""Keeping macros: one's own, and those of a site by who signs finally there."""

from django.db import transaction

from review.models.macros import Macro
from review.models.patients import Site
from review.models.people import Capability, User
from review.selectors import people


@transaction.atomic
def keep(*, by: User, name: str, text: str, site: Site | None = None) -> Macro:
    """Add a macro, or give the one of that name another text. Without a site it is the person's own."""
    if site is not None:
        people.require(by, Capability.FINALISE, site)
    whose = {"owner": None, "site": site} if site else {"owner": by, "site": None}
    made, _is_new = Macro.objects.update_or_create(**whose, name=name, defaults={"text": text})
    return made


@transaction.atomic
def drop(macro: Macro, *, by: User) -> None:
    """Take a macro away. Raises NotAllowed for a site's where the person does not sign finally."""
    if macro.site is not None:
        people.require(by, Capability.FINALISE, macro.site)
    macro.delete()
