"""Who may do what, where.

Access to patients comes from memberships alone, never from platform administration.
"""

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from review.exceptions import NotAllowed
from review.models.patients import Site
from review.models.people import CAPABILITIES, Capability, Membership, Role, User

_MOST_ABLE_FIRST = (Role.RADIOLOGIST, Role.TRAINEE, Role.QA_LEAD, Role.ADMIN, Role.TECHNOLOGIST, Role.SERVICE)


def sites_with(user: User | AnonymousUser, capability: Capability) -> QuerySet[Site]:
    """The sites at which this user may do this."""
    if not isinstance(user, User) or not user.is_active:
        return Site.objects.none()
    member = Membership.objects.filter(user=user, role__in=CAPABILITIES[capability])
    return Site.objects.filter(pk__in=member.values("site"))


def can(user: User, capability: Capability, site: Site) -> bool:
    return sites_with(user, capability).filter(pk=site.pk).exists()


def capabilities(user: User | AnonymousUser) -> frozenset[Capability]:
    """Everything this user may do at some site: what the navigation shows."""
    if not isinstance(user, User) or not user.is_active:
        return frozenset()
    roles = set(user.memberships.values_list("role", flat=True))
    return frozenset(capability for capability, allowed in CAPABILITIES.items() if roles & allowed)


def require(user: User, capability: Capability, site: Site) -> None:
    """Raises
    ------
    NotAllowed
        When no role of the user at this site has the capability.
    """
    if not can(user, capability, site):
        raise NotAllowed


def role_at(user: User, site: Site) -> Role:
    """The role a signature names: the most able one the user has at the site.

    Raises
    ------
    NotAllowed
        When the user has none.
    """
    held = set(Membership.objects.filter(user=user, site=site).values_list("role", flat=True))
    for role in _MOST_ABLE_FIRST:
        if role in held:
            return role
    raise NotAllowed
