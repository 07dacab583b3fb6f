"""The demo hospital: two sites, seven people, phantom studies and a model. Loading it again adds nothing."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from pydicom import dcmwrite

from inference.objects import dx
from inference.phantom import study as phantom
from review.exceptions import InvalidInput
from review.models.patients import Site
from review.models.people import Role, User
from review.models.registry import ModelVersion
from review.models.states import ModelState
from review.models.studies import Arrival
from review.services import accounts, registry, studies

SEED = 2026
SIZE = 1024
STUDIES = {"central": 24, "harbour": 6}
"""Current ones; the earlier studies of their patients come on top."""


@dataclass(frozen=True)
class Account:
    printed_name: str
    language: str
    roles: tuple[tuple[str, Role], ...]
    administers: bool = False


def _everywhere(role: Role) -> tuple[tuple[str, Role], ...]:
    return (("central", role), ("harbour", role))


ACCOUNTS = {
    "radiologist": Account("Haruka Kisaragi, MD", "en", _everywhere(Role.RADIOLOGIST)),
    "radiologist2": Account("柊 文乃", "ja", (("central", Role.RADIOLOGIST),)),
    "trainee": Account("Noah Lindqvist", "en", (("central", Role.TRAINEE),)),
    "qa": Account("Ines Valverde, MD", "en", _everywhere(Role.QA_LEAD)),
    "admin": Account("Oskar Brandt", "en", _everywhere(Role.ADMIN), administers=True),
    "admin2": Account("御子柴 玲", "ja", _everywhere(Role.ADMIN), administers=True),
    "technologist": Account("Maya Torres", "en", _everywhere(Role.TECHNOLOGIST)),
}
"""Passwords are `demo-` and the name; `radiologist2` and `trainee` are strangers at the harbour."""


def load_sites() -> dict[str, Site]:
    wanted = {
        "central": {"name": "Central Hospital", "time_zone": "Asia/Tokyo", "issuer_of_patient_id": "CENTRAL"},
        "harbour": {
            "name": "Harbour Clinic",
            "time_zone": "Europe/Lisbon",
            "issuer_of_patient_id": "HARBOUR",
        },
    }
    return {
        code: Site.objects.get_or_create(code=code, defaults={**values, "language": "en"})[0]
        for code, values in wanted.items()
    }


def load_accounts(sites: dict[str, Site]) -> None:
    """People who are there already keep their password and their rights as they are now."""
    for name, account in ACCOUNTS.items():
        user, created = User.objects.get_or_create(
            username=name,
            defaults={
                "printed_name": account.printed_name,
                "language": account.language,
                "is_staff": account.administers,
                "is_superuser": account.administers,
            },
        )
        if created:
            user.set_password(accounts.public_password(name))
            user.save(update_fields=["password"])
            for code, role in account.roles:
                accounts.grant(user, site=sites[code], role=role, by=None)


def accounts_with_public_password() -> list[str]:
    """Names of the demo's people who may sign in and still have the password that everyone knows."""
    here = User.objects.filter(username__in=ACCOUNTS, is_active=True).order_by("username")
    return [user.username for user in here if user.check_password(accounts.public_password(user.username))]


def load_model() -> str:
    """Let the shipped bundle draft, unless another one was chosen here; what was done, in words."""
    try:
        version = registry.register(settings.BUNDLE, by=None)
    except InvalidInput as error:
        return f"no model: {error}"
    active = ModelVersion.objects.filter(state=ModelState.ACTIVE).first()
    if active is None or active.location == version.location:
        registry.activate(version, by=None)
        return f"model {version} drafts"
    return f"model {active} drafts; {version} is registered"


def missing_studies(sites: dict[str, Site]) -> list[tuple[Site, int]]:
    """Site and index of each phantom that was not handed in yet."""
    named = Arrival.objects.filter(origin=Arrival.Origin.COMMAND, filename__startswith=f"phantom-{SEED}-")
    # What `hand_in` takes is taken whole, so one file of an index tells of them all.
    here = {filename[: len(_name(0))] for filename in named.values_list("filename", flat=True)}
    return [(site, index) for site, index in _shelf(sites) if _name(index) not in here]


def hand_in(site: Site, index: int) -> int:
    """One phantom study, after the earlier one of its patient if there is one, through the same service as
    any other file: all of it or, when killed on the way, nothing. Returns how many studies that were."""
    study = phantom.generate(SEED, index, size=SIZE)
    files = [] if study.prior is None else list(_files(study.prior, f"{_name(index)}-prior"))
    files += _files(study, _name(index))
    delivery = studies.Delivery(site, uuid4(), Arrival.Origin.COMMAND, None)
    with transaction.atomic():
        for filename, stream in files:
            studies.receive(stream, filename, delivery)
    return 1 if study.prior is None else 2


def _files(study: phantom.PhantomStudy, name: str) -> Iterator[tuple[str, BinaryIO]]:
    for number, image in enumerate(study.images, 1):
        stream = io.BytesIO()
        dcmwrite(stream, dx.build(study, image), enforce_file_format=True)
        stream.seek(0)
        yield f"{name}-{number}.dcm", stream


def _shelf(sites: dict[str, Site]) -> Iterator[tuple[Site, int]]:
    index = 0
    for code, count in STUDIES.items():
        for _place in range(count):
            yield sites[code], index
            index += 1


def _name(index: int) -> str:
    return f"phantom-{SEED}-{index:05d}"
