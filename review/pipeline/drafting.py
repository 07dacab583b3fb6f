"""Asking for a draft, and the worker's half: look, draft, store, all in one transaction with the audit."""

import hashlib
import json
import logging
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db import OperationalError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from inference import contract
from inference.imaging import masks as rle
from inference.imaging import pixels
from review import audit, queue, storage, worklist
from review.models import drafts
from review.models.audit import Verb
from review.models.drafts import Draft, Evidence, Explanation, Mask, MaskContent, Sentence
from review.models.people import User
from review.models.registry import ModelVersion
from review.models.states import JobStatus, ModelState
from review.models.studies import Image, Study
from review.selectors import masks as masks_selector

logger = logging.getLogger(__name__)


def active_model() -> ModelVersion | None:
    return ModelVersion.objects.filter(state=ModelState.ACTIVE).first()


def images_of(study: Study) -> list[Image]:
    return list(Image.objects.filter(series__study=study).order_by("pk"))


def input_digest(study: Study) -> str:
    """SHA-256 (hex) of what a drafter would be given of the study: contents, pipeline, indication, sex, age.

    The language is the draft's own: a site that changes it asks for others, and makes none of these stale.
    """
    images = sorted((image.content_sha256, image.pipeline_version) for image in images_of(study))
    indication = study.order.indication if study.order else ""
    given = [images, indication, study.patient.sex, study.patient_age_years]
    return hashlib.sha256(json.dumps(given, ensure_ascii=False).encode()).hexdigest()


def note_input(study: Study) -> bool:
    """Write down what a drafter would see now; whether that is something else than before."""
    digest = input_digest(study)
    if digest == study.input_digest:
        return False
    study.input_digest = digest
    study.save(update_fields=["input_digest"])
    return True


def enqueue(study: Study, *, by: User | None, reason: str) -> Draft | None:
    """Ask for a draft of the study as it is now, people's outlines included, once per input; cancel what
    waits for older input.

    Returns the draft that stands for the present input, or None when no model is active (the sweeper
    asks again once one is).
    """
    for waiting in study.drafts.filter(status=JobStatus.QUEUED).exclude(input_digest=study.input_digest):
        if study.drafts.filter(pk=waiting.pk, status=JobStatus.QUEUED).update(status=JobStatus.CANCELLED):
            audit.record(Verb.DRAFT_CANCELLED, by=None, study=study, data={"draft": waiting.pk})
    model = active_model()
    if model is None:
        return None
    now = timezone.now()
    draft, created = Draft.objects.exclude(status=JobStatus.CANCELLED).get_or_create(
        study=study,
        model_version=model,
        input_digest=study.input_digest,
        language=study.site.language,
        human_masks=masks_selector.standing_human(study),
        defaults={"requested_by": by, "reason": reason, "queued_at": now, "nudged_at": now},
    )
    if not created and draft.status == JobStatus.FAILED:
        retried = Draft.objects.filter(pk=draft.pk, status=JobStatus.FAILED).update(
            status=JobStatus.QUEUED,
            attempts=0,
            queued_at=now,
            nudged_at=now,
            failure_code="",
            failure_message="",
        )
        created = bool(retried)
    if created:
        audit.record(
            Verb.DRAFT_REQUESTED,
            by=by,
            study=study,
            data={
                "draft": draft.pk,
                "reason": reason,
                "model": model.digest,
                "input": study.input_digest,
                "human_masks": draft.human_masks,
            },
        )
        queue.nudge(draft)
    return draft


@lru_cache(maxsize=1)
def load(location: str, digest: str) -> contract.Drafter:
    """The drafter of one bundle; the worker keeps the last one used.

    The digest is checked against the files.
    """
    door: contract.LoadDrafter = import_string(settings.DRAFTER)
    found = contract.bundle_digest(Path(location))
    if found != digest:
        raise contract.InferenceError(
            "bundle-changed", f"bundle {digest[:12]} now has the digest {found[:12]}", permanent=True
        )
    return door(Path(location))


def warm_up() -> None:
    """Load the active model at the start of a worker's child, so that the first study does not wait for
    it."""
    model = active_model()
    if model is not None:
        load(model.location, model.digest)


def run(draft_id: int) -> None:
    """Make one draft.

    Safe to run twice; a passing failure goes back in the queue, a lasting one is stored.
    """
    claimed = queue.claim(Draft, draft_id)
    if claimed is None:
        return
    draft, lease = claimed
    try:
        with queue.heartbeat(lease):
            drafter = load(draft.model_version.location, draft.model_version.digest)
            study, images = study_input(draft)
            if input_digest(draft.study) != draft.input_digest:
                raise contract.InferenceError(
                    "superseded", "an image came meanwhile; the study has a newer draft", permanent=True
                )
            output = drafter.draft(study)
            _store(draft, lease, output, images)
    except queue.LeaseLost:
        logger.info("draft %s was taken over", draft.pk)
    except contract.InferenceError as error:
        _fail_quietly(draft, lease, error.code, str(error), permanent=error.permanent)
    except Exception as error:  # noqa: BLE001 - the task boundary: whatever went wrong ends on the row
        logger.error("draft %s: %s", draft.pk, queue.where(error))
        _fail_quietly(draft, lease, "unexpected", type(error).__name__, permanent=False)


def study_input(draft: Draft) -> tuple[contract.StudyInput, dict[str, Image]]:
    """What a drafter is given for a draft, and the images by SOP Instance UID.

    Reads derivatives only: no DICOM is opened here.
    """
    study = draft.study
    images = {image.sop_instance_uid: image for image in images_of(study)}
    with ExitStack() as stack:
        inputs = tuple(_image_input(image, stack) for image in images.values())
    return (
        contract.StudyInput(
            study_instance_uid=study.study_instance_uid,
            images=inputs,
            indication=study.order.indication if study.order else "",
            patient_sex=study.patient.sex,
            patient_age_years=study.patient_age_years,
            language=draft.language,
            human_masks=tuple(
                contract.Mask(
                    structure=mask.structure,
                    sop_instance_uid=mask.image.sop_instance_uid,
                    size=(mask.content.rows, mask.content.columns),
                    counts=mask.content.counts,
                )
                for mask in given_masks(draft)
            ),
        ),
        images,
    )


def given_masks(draft: Draft) -> QuerySet[Mask]:
    """People's masks that the drafter is shown in place of its own."""
    given = Mask.objects.filter(pk__in=draft.human_masks, source=drafts.Mask.Source.HUMAN)
    return given.select_related("content", "image").order_by("pk")


def masks_of(draft: Draft) -> dict[tuple[str, str], Mask]:
    """The masks of a ready draft, its own and people's, by structure and SOP Instance UID."""
    made = Mask.objects.filter(draft=draft).select_related("image")
    return {(mask.structure, mask.image.sop_instance_uid): mask for mask in (*made, *given_masks(draft))}


def _image_input(image: Image, stack: ExitStack) -> contract.ImageInput:
    folder = stack.enter_context(storage.local_derivatives(image.pipeline_version, image.content_sha256))
    grayscale, valid = pixels.model_input(folder)
    known = {view.value for view in contract.ViewPosition}
    return contract.ImageInput(
        sop_instance_uid=image.sop_instance_uid,
        grayscale=grayscale,
        view_position=contract.ViewPosition(image.view_position if image.view_position in known else ""),
        pixel_spacing=(image.pixel_spacing[0], image.pixel_spacing[1]) if image.pixel_spacing else None,
        valid=valid,
        body_part_examined=image.body_part_examined,
        secondary_capture=image.secondary_capture,
    )


@transaction.atomic
def _store(draft: Draft, lease: queue.Lease, output: contract.DraftOutput, images: dict[str, Image]) -> None:
    study = Study.objects.select_for_update(of=("self",)).get(pk=draft.study_id)
    # A run that died after its lease was lost cannot have left rows: they are written here, with the lease
    # checked.
    masks = _store_masks(draft, output.masks if output.masks_gate.open else (), images)
    # What a gate closed is not kept at all, whatever the drafter returned.
    _store_sentences(draft, output.sentences if output.draft_gate.open else (), masks)
    withheld = "" if output.draft_gate.open else output.draft_gate.reason
    queue.finish(
        lease,
        JobStatus.READY,
        draft_gate=asdict(output.draft_gate),
        masks_gate=asdict(output.masks_gate),
        withheld_reason=withheld,
        seconds=dict(output.seconds),
    )
    audit.record(
        Verb.DRAFT_WITHHELD if withheld else Verb.DRAFT_READY,
        by=None,
        study=study,
        data={
            "draft": draft.pk,
            "model": draft.model_version.digest,
            "masks": len(masks),
            "sentences": len(output.sentences),
            "reason": withheld,
        },
    )
    worklist.refresh(study)
    if output.draft_gate.open and output.sentences:
        _ask_for_evidence(draft)


def _ask_for_evidence(draft: Draft) -> None:
    """A task of its own, behind the drafts that wait: nobody waits for what it finds."""
    now = timezone.now()
    queue.nudge(Explanation.objects.create(draft=draft, queued_at=now, nudged_at=now))


def _store_masks(
    draft: Draft, given: Iterable[contract.Mask], images: dict[str, Image]
) -> dict[tuple[str, str], Mask]:
    """Its own masks become rows; people's, which it was shown, are rows already."""
    now = timezone.now()
    stored = {(mask.structure, mask.image.sop_instance_uid): mask for mask in given_masks(draft)}
    contents = []
    for mask in given:
        if (mask.structure, mask.sop_instance_uid) in stored:
            continue
        image = images[mask.sop_instance_uid]
        rle.validate(mask.size, mask.counts, (image.rows, image.columns))
        row = Mask.objects.create(
            image=image,
            structure=mask.structure,
            source=drafts.Mask.Source.AI,
            draft=draft,
            area=rle.area(mask.counts, mask.size),
            box=rle.bounding_box(mask.counts, mask.size),
            trust=mask.trust,
            trusted=mask.trusted,
            created_at=now,
        )
        contents.append(MaskContent(mask=row, rows=mask.size[0], columns=mask.size[1], counts=mask.counts))
        stored[mask.structure, mask.sop_instance_uid] = row
    MaskContent.objects.bulk_create(contents)
    return stored


def _store_sentences(
    draft: Draft, given: Iterable[contract.Sentence], masks: dict[tuple[str, str], Mask]
) -> None:
    evidence = []
    for position, sentence in enumerate(given):
        row = Sentence.objects.create(
            draft=draft,
            position=position,
            section=sentence.section.value,
            text=sentence.text,
            language=sentence.language,
            finding=sentence.finding,
            side=sentence.side.value,
            certainty=sentence.certainty.value,
            confidence=sentence.confidence,
        )
        evidence += [
            Evidence(sentence=row, mask=masks[cited.structure, cited.sop_instance_uid], weight=cited.weight)
            for cited in sentence.evidence
        ]
    Evidence.objects.bulk_create(evidence)


def _fail_quietly(draft: Draft, lease: queue.Lease, code: str, message: str, *, permanent: bool) -> None:
    try:
        _fail(draft, lease, code, message, permanent=permanent)
    except (queue.LeaseLost, OperationalError):
        # Somebody else has it, or the database is away: the lease runs out and the sweeper puts it back.
        logger.warning("draft %s is left to the sweeper", draft.pk)


@transaction.atomic
def _fail(draft: Draft, lease: queue.Lease, code: str, message: str, *, permanent: bool) -> None:
    logger.warning("draft %s failed: %s (attempt %s)", draft.pk, code, draft.attempts)
    if not permanent and draft.attempts < settings.MAX_ATTEMPTS:
        queue.give_back(lease)
        return
    queue.finish(lease, JobStatus.FAILED, failure_code=code, failure_message=message)
    audit.record(Verb.DRAFT_FAILED, by=None, study=draft.study, data={"draft": draft.pk, "code": code})
    worklist.refresh(draft.study)
