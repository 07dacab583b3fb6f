"""Studies a user may see. A study outside this queryset does not exist for them: doors answer 404."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Case, QuerySet, When
from django.db.models.functions import Coalesce

from review.models.people import Capability, User
from review.models.studies import Image, Study
from review.selectors import people


def visible_to(user: User | AnonymousUser) -> QuerySet[Study]:
    return Study.objects.filter(site__in=people.sites_with(user, Capability.READ)).select_related(
        "site", "patient", "order", "assignee"
    )


def images_visible_to(user: User | AnonymousUser) -> QuerySet[Image]:
    return Image.objects.filter(series__study__in=visible_to(user))


def images_of(study: Study) -> QuerySet[Image]:
    """In hanging order: frontal views first, then as they were taken."""
    hanging = Case(When(view_position__in=["PA", "AP", ""], then=0), default=1)
    return (
        Image.objects.filter(series__study=study)
        .select_related("series")
        .order_by(hanging, "instance_number", "pk")
    )


def priors_of(study: Study, user: User | AnonymousUser) -> QuerySet[Study]:
    """Earlier studies of the same patient that the user may see, newest first.

    The patient is one number of one issuer: nobody else's study can be among them.
    """
    when = study.started_at or study.received_at
    return (
        visible_to(user)
        .filter(patient=study.patient_id)
        .annotate(taken_at=Coalesce("started_at", "received_at"))
        .filter(taken_at__lt=when)
        .exclude(pk=study.pk)
        .order_by("-taken_at", "-pk")
    )


def with_accession(user: User | AnonymousUser, accession_number: str) -> QuerySet[Study]:
    return visible_to(user).filter(order__accession_number=accession_number)
