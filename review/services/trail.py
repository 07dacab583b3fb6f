"""Acts upon the audit trail itself."""

from collections.abc import Mapping

from django.db import transaction

from review import audit
from review.models.audit import Verb


@transaction.atomic
def note_verified(counts: Mapping[str, int], *, breaks: int) -> None:
    """Reading the trail is itself an act. Records `audit.verified` with what was looked at and found."""
    audit.record(Verb.AUDIT_VERIFIED, by=None, data={**counts, "breaks": breaks})
