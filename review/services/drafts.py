from django.db import transaction

from review import worklist
from review.exceptions import IllegalMove
from review.models.drafts import Draft
from review.models.people import Capability, User
from review.models.studies import Study
from review.pipeline import drafting
from review.selectors import people


@transaction.atomic
def request(study: Study, *, by: User) -> Draft:
    """Ask for a draft of the study as it is now; a failed one is tried again. Records `draft.requested`.

    Requires the right to write at the study's site. Asking twice for the same input gives the same draft.
    """
    people.require(by, Capability.WRITE, study.site)
    study = Study.objects.select_for_update(of=("self",)).get(pk=study.pk)
    draft = drafting.enqueue(study, by=by, reason="request")
    if draft is None:
        raise IllegalMove("No model is active: an administrator must register one first.")
    worklist.refresh(study)
    return draft
