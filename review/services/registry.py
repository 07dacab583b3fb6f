"""Registering model bundles and choosing the one that drafts."""

import json
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from inference import contract
from review import audit
from review.exceptions import InvalidInput
from review.models.audit import Verb
from review.models.people import User
from review.models.registry import ModelVersion
from review.models.states import ModelState


@transaction.atomic
def register(bundle: Path, *, by: User | None) -> ModelVersion:
    """Make a bundle known as a candidate. The same bundle again is the same row.

    Records `model.registered`.
    """
    try:
        digest = contract.bundle_digest(bundle)
    except contract.InferenceError as error:
        raise InvalidInput(str(error)) from error
    card = bundle / contract.BUNDLE_CARD
    version, created = ModelVersion.objects.get_or_create(
        digest=digest,
        defaults={
            "name": bundle.name,
            "location": str(bundle),
            "config": json.loads((bundle / contract.BUNDLE_CONFIG).read_text(encoding="utf-8")),
            "card": card.read_text(encoding="utf-8") if card.is_file() else "",
            "registered_at": timezone.now(),
        },
    )
    if created:
        audit.record(Verb.MODEL_REGISTERED, by=by, data={"model": digest})
    elif version.location != str(bundle):
        version.location = str(bundle)
        version.save(update_fields=["location"])
    return version


@transaction.atomic
def activate(version: ModelVersion, *, by: User | None) -> ModelVersion:
    """Let this version draft from now on; the one before retires. Records `model.activated`."""
    if version.state == ModelState.ACTIVE:
        return version
    ModelVersion.objects.filter(state=ModelState.ACTIVE).update(state=ModelState.RETIRED)
    version.state = ModelState.ACTIVE
    version.save(update_fields=["state"])
    audit.record(Verb.MODEL_ACTIVATED, by=by, data={"model": version.digest})
    return version
