"""Accepting, editing and rejecting the sentences of a draft, one by one. The text is saved apart."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inference.text import reasons
from review import audit
from review.exceptions import InvalidInput
from review.models.audit import Verb
from review.models.drafts import Sentence
from review.models.judgements import Judgement
from review.models.people import Capability, User
from review.models.studies import Study
from review.selectors import drafts, people, studies
from review.services import reports


@transaction.atomic
def judge(
    study: Study, sentence_id: int, *, by: User, decision: str, reason: str | None, written: str
) -> Judgement:
    """Record what a reader decided about a sentence of a draft of this study. Records `sentence.judged`.

    reason: empty for none; None has it guessed from `written`, what stands in the report in its place.

    Raises
    ------
    InvalidInput
        When the sentence is of no draft of the study that the reader may see.
    ReportSigned, ReportLocked
    """
    people.require(by, Capability.WRITE, study.site)
    reports.require_writable(study, by=by)
    sentence = Sentence.objects.filter(
        pk=sentence_id, draft__in=drafts.visible_to(by).filter(study=study)
    ).first()
    if sentence is None:
        raise InvalidInput(_("This sentence is of no draft of the study."))
    guessed = reason is None and decision != Judgement.Decision.ACCEPTED
    if guessed:
        has_prior = studies.priors_of(study, by).exists()
        reason = reasons.guess(sentence.text, written, sentence.draft.language, has_prior=has_prior)
    kept = Judgement.objects.create(
        sentence=sentence,
        reader=by,
        decision=decision,
        reason="" if decision == Judgement.Decision.ACCEPTED else reason or "",
        guessed=guessed,
        created_at=timezone.now(),
    )
    audit.record(
        Verb.SENTENCE_JUDGED,
        by=by,
        study=study,
        data={"sentence": sentence.pk, "decision": kept.decision, "reason": kept.reason, "guessed": guessed},
    )
    return kept
