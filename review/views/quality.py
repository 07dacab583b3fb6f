"""The sign-offs of a QA lead's sites: who signed what, when, and how far it is from the draft."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from review.exceptions import InvalidInput
from review.models.drafts import Draft
from review.models.patients import Site
from review.models.people import Capability
from review.models.reports import Signature
from review.selectors import drafts, people
from review.views import differences, vocabulary
from review.views.doors import Request, door

PAGE_SIZE = 50


@door(Capability.AUDIT)
@require_safe
def listing(request: Request) -> HttpResponse:
    """Signatures, newest first, a page at a time by `before`."""
    signatures = _signatures(request)
    if before := request.GET.get("before", ""):
        if not before.isdecimal():
            raise InvalidInput
        signatures = signatures.filter(pk__lt=int(before))
    shown = list(signatures[: PAGE_SIZE + 1])
    context = {
        "rows": [_row(signature) for signature in shown[:PAGE_SIZE]],
        "next_before": shown[PAGE_SIZE - 1].pk if len(shown) > PAGE_SIZE else None,
    }
    return render(request, "review/quality.html", context)


def _signatures(request: Request) -> QuerySet[Signature]:
    sites = people.sites_with(request.user, Capability.AUDIT)
    return (
        Signature.objects.filter(report__study__site__in=sites)
        .select_related(
            "report__study__site", "report__study__order", "revision__draft__model_version", "addendum"
        )
        .prefetch_related("revision__draft__sentences")
        .defer("content")
        .order_by("-pk")
    )


def _row(signature: Signature) -> dict[str, Any]:
    report, study = signature.report, signature.report.study
    draft = _draft_shown(signature)
    return {
        "signed_at": signature.signed_at,
        "zone": study.site.time_zone,
        "printed_name": signature.printed_name,
        "role": signature.role,
        "meaning": signature.get_meaning_display(),
        "status": signature.get_resulting_status_display(),
        "addendum": signature.addendum.number if signature.addendum else None,
        "accession_number": study.order.accession_number if study.order else "",
        "site": study.site.name,
        "changed": _changed(signature, draft),
        "ai_seen_first": report.ai_seen_first,
        "model_digest": draft.model_version.digest if draft else "",
        "content_sha256": signature.content_sha256,
        "history_url": reverse("study-history", args=[study.study_instance_uid]),
    }


def _draft_shown(signature: Signature) -> Draft | None:
    """The draft behind what was signed; none at a silent site."""
    if signature.revision is None or signature.report.study.site.stage == Site.Stage.SILENT:
        return None
    return signature.revision.draft


def _changed(signature: Signature, draft: Draft | None) -> int | None:
    """Per cent of the words that differ between draft and signed text; None where no prose was shown."""
    revision = signature.revision
    if revision is None or draft is None or draft.withheld_reason:
        return None
    old = "\n".join(drafts.text_of(draft, section) for section in vocabulary.SECTIONS)
    return differences.share_changed(old, f"{revision.findings}\n{revision.impression}")
