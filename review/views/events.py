"""The history of a study in words: its audit events, and what each saved text changed."""

from typing import Any

from django.utils.translation import gettext as _

from review.models.audit import Verb
from review.models.patients import Site
from review.models.reports import Report, Revision, Signature
from review.models.studies import Study
from review.selectors import audit, drafts
from review.views import differences, vocabulary

_SIGNING = {Verb.REPORT_SIGNED, Verb.ADDENDUM_ADDED}
_BY_AI = {
    Verb.DRAFT_READY,
    Verb.DRAFT_WITHHELD,
    Verb.DRAFT_FAILED,
    Verb.EVIDENCE_MEASURED,
    Verb.EVIDENCE_FAILED,
}

Texts = dict[int, Revision]


def of_study(study: Study, report: Report | None) -> list[dict[str, Any]]:
    """The events of the study's chain, oldest first."""
    revisions = _revisions(report)
    return [_event(event, revisions) for event in audit.history(study)]


def _revisions(report: Report | None) -> Texts:
    if report is None:
        return {}
    rows = report.revisions.select_related("draft__study__site").prefetch_related("draft__sentences")
    return {revision.number: revision for revision in rows}


def _event(event: audit.Event, revisions: Texts) -> dict[str, Any]:
    is_save = event.verb == Verb.REPORT_SAVED
    return {
        "occurred_at": event.occurred_at,
        "verb_name": event.verb_name,
        "actor_name": event.actor_name,
        "sequence": event.sequence,
        "sha256": event.sha256,
        "kind": "signing" if event.verb in _SIGNING else "ai-act" if event.verb in _BY_AI else "",
        "details": _details(event.verb, event.data),
        "difference": _difference(event.data, revisions) if is_save else None,
    }


def _details(verb: str, data: dict[str, Any]) -> str:
    """What the event's own data adds, in a few words."""
    if verb == Verb.REPORT_SAVED:
        return _("revision %(number)s") % {"number": data["revision"]}
    if verb == Verb.REPORT_SIGNED:
        meaning = Signature.Meaning(data["meaning"]).label
        return _("revision %(number)s as %(meaning)s") % {"number": data["revision"], "meaning": meaning}
    if verb == Verb.ADDENDUM_ADDED:
        return _("number %(number)s") % {"number": data["addendum"]}
    if verb == Verb.MASK_CORRECTED:
        name = vocabulary.STRUCTURES.get(data["structure"], data["structure"])
        return str(name) if data["area"] else _("%(structure)s: not there") % {"structure": name}
    if verb == Verb.STUDY_CLOSED:
        return _("after %(seconds)s seconds") % {"seconds": data["seconds"]}
    if "model" in data:
        return _("by model %(digest)s") % {"digest": data["model"][:12]}
    return ""


def _difference(data: dict[str, Any], revisions: Texts) -> list[dict[str, Any]]:
    """One revision against the one before, the first against the draft that was on screen."""
    revision = revisions[data["revision"]]
    before = revisions.get(revision.number - 1)
    parts = []
    for section, name in vocabulary.SECTIONS.items():
        old = getattr(before, section) if before else _draft_text(revision, section)
        new = getattr(revision, section)
        if old != new:
            parts.append({"name": name, "difference": differences.marked(old, new)})
    return parts


def _draft_text(revision: Revision, section: str) -> str:
    """What was on screen before the first text; nothing where drafts are not shown (any more)."""
    if revision.draft is None or revision.draft.study.site.stage == Site.Stage.SILENT:
        return ""
    return drafts.text_of(revision.draft, section)


def comparison(report: Report | None) -> dict[str, Any] | None:
    """The draft against the signed text; None when nothing is signed, no draft was shown, or the site is
    silent."""
    if report is not None and report.study.site.stage == Site.Stage.SILENT:
        return None
    signature = _last_signature(report)
    if signature is None or signature.revision is None or signature.revision.draft is None:
        return None
    revision = signature.revision
    olds = {section: _draft_text(revision, section) for section in vocabulary.SECTIONS}
    news = {section: getattr(revision, section) for section in vocabulary.SECTIONS}
    parts = [
        {"name": name, "difference": differences.marked(olds[section], news[section])}
        for section, name in vocabulary.SECTIONS.items()
    ]
    share = differences.share_changed("\n".join(olds.values()), "\n".join(news.values()))
    return {"share": share, "parts": parts}


def _last_signature(report: Report | None) -> Signature | None:
    if report is None:
        return None
    return (
        report.signatures.filter(revision__isnull=False)
        .select_related("revision__draft")
        .prefetch_related("revision__draft__sentences")
        .order_by("-pk")
        .first()
    )
