"""The one door to AI output: silent sites and withheld prose are decided here, for pages, API and exports
alike."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from review.models.drafts import Draft, Mask
from review.models.patients import Site
from review.models.people import User
from review.models.states import JobStatus
from review.models.studies import Study
from review.selectors import studies


def visible_to(user: User | AnonymousUser) -> QuerySet[Draft]:
    """Drafts of studies the user may see, at sites where drafts are shown at all."""
    return (
        Draft.objects.filter(study__in=studies.visible_to(user))
        .exclude(study__site__stage=Site.Stage.SILENT)
        .exclude(status=JobStatus.CANCELLED)
        .select_related("model_version", "study")
    )


def newest(study: Study, user: User) -> Draft | None:
    """The newest draft, whatever its state: queued, running, ready or failed."""
    return visible_to(user).filter(study=study).order_by("-pk").first()


def newest_ready(study: Study, user: User) -> Draft | None:
    """The newest draft that is ready, with sentences, their evidence and its support; it may be stale."""
    return (
        visible_to(user)
        .filter(study=study, status=JobStatus.READY)
        .select_related("explanation")
        .prefetch_related("sentences__evidence__mask", "sentences__support__mask", "sentences__judgements")
        .order_by("-pk")
        .first()
    )


def shown(study: Study, draft_id: int | None) -> Draft | None:
    """The draft a page says it showed: one of this study whose prose was not withheld, else None.

    Also when its site fell silent since: what was on screen was seen, and is written down as seen.
    """
    if draft_id is None:
        return None
    ready = Draft.objects.filter(study=study, status=JobStatus.READY, withheld_reason="")
    return ready.prefetch_related("sentences").filter(pk=draft_id).first()


def masks_of(draft: Draft | None) -> QuerySet[Mask]:
    """The masks of a draft with their contents, largest first so that small ones are drawn on top."""
    if draft is None:
        return Mask.objects.none()
    return Mask.objects.filter(draft=draft).select_related("content", "image").order_by("-area", "pk")


def text_of(draft: Draft, section: str) -> str:
    """The prose of a section as the editor is prefilled with it: sentences in order, joined by a space."""
    separator = "" if draft.language == "ja" else " "
    return separator.join(sentence.text for sentence in draft.sentences.all() if sentence.section == section)
