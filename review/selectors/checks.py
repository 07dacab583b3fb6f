"""What is to be asked about a report before it is signed: `inference.text.checks` on what is known here."""

from inference.contract import Section
from inference.text.checks.checker import check
from inference.text.checks.concerns import Circumstances, Outcome, Seen
from review.models.drafts import Mask
from review.models.people import User
from review.models.reports import Revision
from review.models.studies import Study
from review.selectors import drafts, masks, studies


def of_revision(study: Study, user: User, revision: Revision) -> Outcome:
    """What this user is to be asked about a saved text."""
    return of_text(study, user, revision.findings, revision.impression)


def of_text(study: Study, user: User, findings: str, impression: str) -> Outcome:
    """What this user is to be asked about a text: only outlines they may see are looked at."""
    texts = {Section.FINDINGS: findings, Section.IMPRESSION: impression}
    return check(texts, _circumstances(study, user), language=study.site.language)


def _circumstances(study: Study, user: User) -> Circumstances:
    return Circumstances(
        sex=study.patient.sex,
        age_years=study.patient_age_years,
        has_prior=studies.priors_of(study, user).exists(),
        outlines=_outlines(study, user),
    )


def _outlines(study: Study, user: User) -> list[Seen] | None:
    """Those that stand and are trusted, by the ids that sentences cite; None where no model outlined the
    study, or none could be trusted to: then nothing says what is missing."""
    draft = drafts.newest_ready(study, user)
    if draft is None or not (draft.masks_gate or {}).get("open", True):
        return None
    return [
        Seen(
            id=one.ai.pk if one.ai else one.mask.pk,
            structure=one.mask.structure,
            present=one.mask.area > 0,
            size_mm=_size_mm(one.mask),
        )
        for one in masks.outlines(study, user)
        if one.stands and (one.mask.trusted or one.mask.source == Mask.Source.HUMAN)
    ]


def _size_mm(mask: Mask) -> float | None:
    spacing = mask.image.pixel_spacing
    if not spacing or mask.area == 0:
        return None
    _row, _column, height, width = mask.box
    return float(max(height * spacing[0], width * spacing[1]))
