"""Which site a command is about."""

from django.conf import settings
from django.core.management.base import CommandError

from review.models.patients import Site


def one(code: str | None) -> Site:
    """The site with this code; without one, the only site, or in the demo hospital the first.

    Raises
    ------
    CommandError
        When there is no such site, or it is not clear which: patients must not land at a guessed one.
    """
    found = all_or_one(code)
    if len(found) > 1 and not settings.DEMO:
        raise CommandError(f"Name the site: --site {' | '.join(site.code for site in found)}")
    return found[0]


def all_or_one(code: str | None) -> list[Site]:
    """The site with this code; every site without one.

    Raises
    ------
    CommandError
        When there is none.
    """
    sites = list(Site.objects.order_by("pk"))
    found = [site for site in sites if code is None or site.code == code]
    if not found:
        known = ", ".join(site.code for site in sites) or "none yet"
        raise CommandError(f"There is no site {code!r}. Sites: {known}." if code else "There is no site yet.")
    return found
