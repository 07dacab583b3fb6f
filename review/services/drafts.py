from django.db import transaction
from django.utils.translation import gettext_lazy as _

from review import worklist
from review.exceptions import IllegalMove, NotAllowed
from review.models.drafts import Draft
from review.models.patients import Site
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
    if study.site.stage == Site.Stage.SILENT:
        raise NotAllowed(_("At this site nobody is shown drafts for now: none can be asked for."))
    study = Study.objects.select_for_update(of=("self",)).get(pk=study.pk)
    draft = drafting.enqueue(study, by=by, reason="request")
    if draft is None:
        raise IllegalMove(_("No model is active: an administrator must register one first."))
    worklist.refresh(study)
    return draft
