"""The worker's second task for a draft: what each mask does to each sentence. The draft is whole without
it."""

import logging
from collections.abc import Iterable

from django.conf import settings
from django.db import OperationalError, transaction

from inference import contract
from review import audit, queue
from review.models.audit import Verb
from review.models.drafts import Draft, Explanation, Sentence, Support
from review.models.states import JobStatus
from review.models.studies import Study
from review.pipeline import drafting

logger = logging.getLogger(__name__)


def run(explanation_id: int) -> None:
    """Measure the evidence of one draft.

    Safe to run twice; a passing failure goes back in the queue, a lasting one is stored.
    """
    claimed = queue.claim(Explanation, explanation_id)
    if claimed is None:
        return
    explanation, lease = claimed
    draft = explanation.draft
    try:
        with queue.heartbeat(lease):
            drafter = drafting.load(draft.model_version.location, draft.model_version.digest)
            study, _images = drafting.study_input(draft)
            if drafting.input_digest(draft.study) != draft.input_digest:
                raise contract.InferenceError(
                    "superseded", "the study has changed since its draft was made", permanent=True
                )
            sentences = sentences_of(draft)
            told = drafter.explain(study, [given for _row, given in sentences])
            _store(explanation, lease, [row for row, _given in sentences], told)
    except queue.LeaseLost:
        logger.info("explanation %s was taken over", explanation.pk)
    except contract.InferenceError as error:
        _fail_quietly(explanation, lease, error.code, str(error), permanent=error.permanent)
    except Exception as error:  # noqa: BLE001 - the task boundary: whatever went wrong ends on the row
        logger.error("explanation %s: %s", explanation.pk, queue.where(error))
        _fail_quietly(explanation, lease, "unexpected", type(error).__name__, permanent=False)


def sentences_of(draft: Draft) -> list[tuple[Sentence, contract.Sentence]]:
    """The sentences of a draft, in order, each beside what the drafter gave."""
    rows = draft.sentences.prefetch_related("evidence__mask__image")
    return [(row, _given(row)) for row in rows]


def _given(row: Sentence) -> contract.Sentence:
    cited = sorted(row.evidence.all(), key=lambda item: item.pk)
    return contract.Sentence(
        section=contract.Section(row.section),
        text=row.text,
        language=row.language,
        finding=row.finding,
        side=contract.Side(row.side),
        certainty=contract.Certainty(row.certainty),
        confidence=row.confidence,
        evidence=tuple(
            contract.Evidence(item.mask.structure, item.mask.image.sop_instance_uid, item.weight)
            for item in cited
        ),
    )


@transaction.atomic
def _store(
    explanation: Explanation,
    lease: queue.Lease,
    sentences: list[Sentence],
    told: Iterable[contract.Support],
) -> None:
    study = Study.objects.select_for_update(of=("self",)).get(pk=explanation.draft.study_id)
    masks = drafting.masks_of(explanation.draft)
    rows = [
        Support(
            sentence=sentences[one.sentence],
            mask=masks[one.structure, one.sop_instance_uid],
            nats=one.nats,
        )
        for one in told
    ]
    Support.objects.bulk_create(rows)
    queue.finish(lease, JobStatus.READY)
    audit.record(
        Verb.EVIDENCE_MEASURED,
        by=None,
        study=study,
        data={
            "draft": explanation.draft_id,
            "model": explanation.draft.model_version.digest,
            "supports": len(rows),
        },
    )


def _fail_quietly(
    explanation: Explanation, lease: queue.Lease, code: str, message: str, *, permanent: bool
) -> None:
    try:
        _fail(explanation, lease, code, message, permanent=permanent)
    except (queue.LeaseLost, OperationalError):
        # Somebody else has it, or the database is away: the lease runs out and the sweeper puts it back.
        logger.warning("explanation %s is left to the sweeper", explanation.pk)


@transaction.atomic
def _fail(explanation: Explanation, lease: queue.Lease, code: str, message: str, *, permanent: bool) -> None:
    logger.warning("explanation %s failed: %s (attempt %s)", explanation.pk, code, explanation.attempts)
    if not permanent and explanation.attempts < settings.MAX_ATTEMPTS:
        queue.give_back(lease)
        return
    queue.finish(lease, JobStatus.FAILED, failure_code=code, failure_message=message)
    draft = explanation.draft
    audit.record(Verb.EVIDENCE_FAILED, by=None, study=draft.study, data={"draft": draft.pk, "code": code})
