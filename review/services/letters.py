"""The signed report as a PDF: made once, in the words of its site, and kept."""

import hashlib
import json
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from inference.objects import letter
from review import audit
from review.models import states
from review.models.audit import Verb
from review.models.patients import Sex
from review.models.people import Role, User
from review.models.reports import Letter, Report, Signature


def store(signature: Signature) -> Letter:
    """The letter of a signature: the text, its signatures and the addenda as they stood then. Made when it is
    signed; for a signature older than letters, when it is first asked for."""
    known = Letter.objects.filter(signature=signature).first()
    if known is not None:
        return known
    with translation.override(signature.report.study.site.language):
        content = letter.pdf(_letter(signature))
    return Letter.objects.create(
        signature=signature,
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        created_at=timezone.now(),
    )


@transaction.atomic
def open_letter(signature: Signature, *, by: User) -> Letter:
    """Give the letter out. Records `report.letter-opened` with its hash."""
    kept = store(signature)
    audit.record(
        Verb.LETTER_OPENED,
        by=by,
        study=signature.report.study,
        data={"signature": signature.pk, "sha256": kept.sha256},
    )
    return kept


def _letter(signature: Signature) -> letter.Letter:
    report = signature.report
    study, shown = report.study, _shown(signature)
    return letter.Letter(
        site=study.site.name,
        title=_("Radiology report"),
        status=str(states.ReportStatus(signature.resulting_status).label),
        facts=_facts(report, shown),
        parts=list(_parts(signature)),
        note=_("As signed and stored. Accession %(accession)s, patient %(patient)s.")
        % {
            "accession": shown["patient"]["accession_number"] or "–",
            "patient": shown["patient"]["patient_id"],
        },
        page=_("page {page}"),
    )


def _shown(signature: Signature) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(bytes(signature.content))
    return content


def _facts(report: Report, shown: dict[str, Any]) -> list[tuple[str, str]]:
    """The patient as signed, the study as it is known."""
    patient, study = shown["patient"], report.study
    names = [patient["name_ideographic"], patient["name_alphabetic"]]
    taken = study.started_at or study.received_at
    return [
        (_("Patient"), " · ".join(name.replace("^", " ").strip() for name in names if name) or "–"),
        (_("Patient ID"), f"{patient['patient_id']} ({patient['issuer']})"),
        (_("Born, sex"), f"{patient['birth_date'] or '–'} · {Sex(patient['sex']).label}"),
        (_("Accession number"), patient["accession_number"] or "–"),
        (_("Study"), f"{study.study_description or _('Chest radiograph')} · {_time(taken, report)}"),
        (_("Images"), str(len(shown["images"]))),
        (_("Referring physician"), (study.order.referring_physician_name if study.order else "") or "–"),
        (_("Indication"), (study.order.indication if study.order else "") or _("not given")),
    ]


def _parts(signature: Signature) -> list[letter.Part]:
    """The text with every signature on it, then each addendum up to this signature."""
    until = list(signature.report.signatures.filter(pk__lte=signature.pk).order_by("pk"))
    newest = [one for one in until if one.revision_id is not None][-1]
    on_text = [one for one in until if one.revision_id == newest.revision_id]
    text = _shown(newest)["signed"]
    parts = [
        letter.Part(
            "",
            [(_("Findings"), text["findings"] or "–"), (_("Impression"), text["impression"] or "–")],
            [_line(one) for one in on_text],
            newest.content_sha256,
        )
    ]
    for one in until:
        if one.addendum_id is not None:
            added = _shown(one)["signed"]
            title = _("Addendum %(number)s") % {"number": added["number"]}
            parts.append(letter.Part(title, [("", added["text"])], [_line(one)], one.content_sha256))
    return parts


def _line(signature: Signature) -> str:
    role = Role(signature.role).label if signature.role in Role.values else signature.role
    return _("Signed by %(name)s (%(role)s), meaning %(meaning)s, %(time)s") % {
        "name": signature.printed_name,
        "role": role,
        "meaning": Signature.Meaning(signature.meaning).label,
        "time": _time(signature.signed_at, signature.report),
    }


def _time(moment: Any, report: Report) -> str:
    zone = report.study.site.time_zone
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"
