"""From an identified study to the lines of a dataset: pseudonyms, moved dates, what became of sentences."""

from collections.abc import Iterator

from inference.feedback.privacy import Pseudonyms, age
from inference.feedback.schema import (
    IMAGES,
    AddendumRecord,
    DraftRecord,
    DraftSentenceRecord,
    EditClass,
    EvidenceRecord,
    FinalRecord,
    FinalSentenceRecord,
    ImageRecord,
    MaskRecord,
    PreferenceRecord,
    SftRecord,
    SignatureRecord,
    StudyRecord,
    prompt,
    report_text,
)
from inference.feedback.sources import SourceDraft, SourceImage, SourceSentence, SourceSignature, SourceStudy
from inference.text import provenance
from inference.text.provenance import Origin, Provenance

_SECTIONS = ("findings", "impression")
_EDITS = {Origin.AI: EditClass.UNCHANGED, Origin.AI_EDITED: EditClass.EDITED, Origin.HUMAN: EditClass.ADDED}


def study_record(source: SourceStudy, names: Pseudonyms) -> StudyRecord:
    traced = _trace(source)
    return StudyRecord(
        study=names.name("study", source.study_instance_uid),
        patient=names.name("patient", source.patient),
        site=source.site,
        split=names.split(source.patient),
        status=source.status,
        language=source.language,
        indication=source.indication,
        patient_sex=source.patient_sex,
        patient_age_years=age(source.patient_age_years),
        ai_seen_first=source.ai_seen_first,
        images=tuple(_image(image, names) for image in source.images),
        draft=None if source.draft is None else _draft(source.draft, _finals(source, traced), names),
        final=FinalRecord(
            findings=source.findings,
            impression=source.impression,
            sentences=tuple(_final_sentence(source, one) for one in traced),
        ),
        signatures=tuple(_signature(one, source, names) for one in source.signatures),
        addenda=tuple(
            AddendumRecord(
                number=addendum.number,
                reader=names.name("reader", addendum.signature.reader),
                text=addendum.text,
                signed_at=names.shifted(addendum.signature.signed_at, source.patient),
            )
            for addendum in source.addenda
        ),
    )


def mask_records(source: SourceStudy, names: Pseudonyms) -> Iterator[MaskRecord]:
    for mask in source.masks:
        yield MaskRecord(
            study=names.name("study", source.study_instance_uid),
            image=names.name("image", mask.sop_instance_uid),
            mask=names.name("mask", mask.key),
            structure=mask.structure,
            source=mask.source,
            author=names.name("reader", mask.author) if mask.author else "",
            supersedes=names.name("mask", mask.supersedes) if mask.supersedes else "",
            trust=mask.trust,
            trusted=mask.trusted,
            size=mask.size,
            counts=mask.counts,
        )


def preference_record(study: StudyRecord) -> PreferenceRecord | None:
    """The pair of a study; None without AI prose that its writer saw, or where only white space differs:
    nothing was preferred."""
    draft, final = study.draft, study.final
    if draft is None or not draft.sentences or not draft.shown:
        return None
    if all(_words(getattr(draft, section)) == _words(getattr(final, section)) for section in _SECTIONS):
        return None
    return PreferenceRecord(
        study=study.study,
        split=study.split,
        ai_seen_first=study.ai_seen_first,
        model_version=draft.model_version,
        prompt=_prompt(study),
        images=tuple(image.file for image in study.images),
        chosen=report_text(final.findings, final.impression),
        rejected=report_text(draft.findings, draft.impression),
    )


def sft_record(study: StudyRecord) -> SftRecord:
    return SftRecord(
        study=study.study,
        split=study.split,
        ai_seen_first=study.ai_seen_first,
        prompt=_prompt(study),
        images=tuple(image.file for image in study.images),
        completion=report_text(study.final.findings, study.final.impression),
    )


def _prompt(study: StudyRecord) -> str:
    views = tuple(image.view_position for image in study.images)
    return prompt(language=study.language, views=views, indication=study.indication)


def _words(text: str) -> str:
    return " ".join(text.split())


def _trace(source: SourceStudy) -> list[Provenance]:
    """Which signed sentences came from the draft's. From a draft nobody saw, none did, however alike."""
    spoken = source.draft.sentences if source.draft is not None and source.draft.shown else ()
    said = [provenance.DraftSentence(one.position, one.section, one.text) for one in spoken]
    return [one for section in _SECTIONS for one in provenance.trace(section, getattr(source, section), said)]


def _finals(source: SourceStudy, traced: list[Provenance]) -> dict[int, tuple[EditClass, str]]:
    """By position of the draft sentence: what became of it, and the text it was signed as."""
    return {
        one.position: (_EDITS[one.origin], getattr(source, one.section)[one.start : one.end])
        for one in traced
        if one.position is not None
    }


def _final_sentence(source: SourceStudy, one: Provenance) -> FinalSentenceRecord:
    text: str = getattr(source, one.section)[one.start : one.end]
    return FinalSentenceRecord(one.section, one.start, one.end, text, _EDITS[one.origin], one.position)


def _draft(draft: SourceDraft, finals: dict[int, tuple[EditClass, str]], names: Pseudonyms) -> DraftRecord:
    return DraftRecord(
        model_version=draft.model_version,
        language=draft.language,
        shown=draft.shown,
        withheld_reason=draft.withheld_reason,
        findings=draft.findings,
        impression=draft.impression,
        sentences=tuple(
            _draft_sentence(one, *finals.get(one.position, (EditClass.REMOVED, "")), names)
            for one in draft.sentences
        ),
    )


def _draft_sentence(
    one: SourceSentence, edit: EditClass, final: str, names: Pseudonyms
) -> DraftSentenceRecord:
    return DraftSentenceRecord(
        position=one.position,
        section=one.section,
        text=one.text,
        finding=one.finding,
        side=one.side,
        certainty=one.certainty,
        confidence=one.confidence,
        evidence=tuple(
            EvidenceRecord(names.name("image", uid), structure, weight)
            for uid, structure, weight in one.evidence
        ),
        edit=edit,
        final=final,
    )


def _signature(one: SourceSignature, source: SourceStudy, names: Pseudonyms) -> SignatureRecord:
    return SignatureRecord(
        reader=names.name("reader", one.reader),
        role=one.role,
        meaning=one.meaning,
        status=one.status,
        signed_at=names.shifted(one.signed_at, source.patient),
    )


def _image(image: SourceImage, names: Pseudonyms) -> ImageRecord:
    pseudonym = names.name("image", image.sop_instance_uid)
    return ImageRecord(
        image=pseudonym,
        file=f"{IMAGES}/{pseudonym}.png",
        rows=image.rows,
        columns=image.columns,
        view_position=image.view_position,
        pixel_spacing=image.pixel_spacing,
        pixel_spacing_source=image.pixel_spacing_source,
        secondary_capture=image.secondary_capture,
        burned_in_annotation=image.burned_in_annotation,
    )
