"""What the reading page shows, put together from selectors: one function for each part of the page."""

import math
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inference.structures import BY_CODE, STRUCTURES
from inference.text import templates
from review.models.drafts import Draft, Sentence
from review.models.judgements import Judgement
from review.models.patients import Site
from review.models.people import User
from review.models.reports import Report, Revision
from review.models.states import JobStatus
from review.models.studies import Image, Study
from review.selectors import drafts, macros, masks, studies
from review.selectors import reports as report_selector
from review.services import reports
from review.views import images, vocabulary

LATERAL = frozenset({"LL", "RL", "LATERAL"})
"""View Position (0018,5101) of the views from the side."""
_OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "F", "F": "H"}


def age(study: Study) -> str:
    """The patient's age when the study was made: years, or months below two years."""
    years = study.patient_age_years
    if years is None:
        return ""
    if years >= 2:
        return ngettext("%(count)d year", "%(count)d years", int(years)) % {"count": int(years)}
    months = int(years * 12)
    return ngettext("%(count)d month", "%(count)d months", months) % {"count": months}


def image(study: Study, shown: Image) -> dict[str, Any]:
    """One radiograph with its marks and its technique, as text over the picture."""
    view = str(vocabulary.VIEWS.get(shown.view_position, shown.view_position))
    return {
        "sop_instance_uid": shown.sop_instance_uid,
        "base": images.base_of(study, shown),
        "version": images.version_of(shown),
        "view": view,
        "view_position": shown.view_position,
        "projection": "lateral" if shown.view_position in LATERAL else "frontal",
        "marks": _marks(shown.patient_orientation),
        "spacing": _spacing(shown),
        "secondary_capture": shown.secondary_capture,
        "burned_in": str(shown.header.get("burned_in_annotation", "")).upper() == "YES",
    }


def sources(study: Study) -> list[dict[str, str]]:
    """Where the viewer finds the images of a study: what it fetches before they are asked for."""
    return [
        {"base": images.base_of(study, shown), "version": images.version_of(shown)}
        for shown in studies.images_of(study)
    ]


FIRST_FILES = ("display.json", "table.bin", "preview.bin")


def first_files(sources: list[dict[str, str]]) -> list[str]:
    """What the viewer fetches before it can draw, as it addresses it: the browser may begin at once."""
    return [
        f"{one['base']}{name}?v={quote(one['version'], safe='')}" for one in sources for name in FIRST_FILES
    ]


def earlier(study: Study, prior: Study) -> str:
    """When a prior was taken and how long before this study, in words."""
    taken, now = (one.started_at or one.received_at for one in (prior, study))
    days = (now - taken).days
    day = date_format(taken.astimezone(ZoneInfo(prior.site.time_zone)), "Y-m-d")
    if days < 90:
        return ngettext("%(day)s, %(count)d day earlier", "%(day)s, %(count)d days earlier", days) % {
            "day": day,
            "count": days,
        }
    months = round(days / 30.44)
    if months < 24:
        words = ngettext("%(day)s, %(count)d month earlier", "%(day)s, %(count)d months earlier", months)
        return words % {"day": day, "count": months}
    years = round(days / 365.25)
    words = ngettext("%(day)s, %(count)d year earlier", "%(day)s, %(count)d years earlier", years)
    return words % {"day": day, "count": years}


def raw_name(images: list[Image]) -> str:
    """The bytes of the patient's name as the first image has them; what is not ASCII as `\\xNN`."""
    raw = str(images[0].header.get("patient_name_raw", "")) if images else ""
    return raw.encode("latin-1", "replace").decode("ascii", "backslashreplace").replace("\x1b", "\\x1b")


def _marks(patient_orientation: str) -> list[tuple[str, str]]:
    """Letters at the edges, from Patient Orientation (0020,0020): directions of rows and columns."""
    along = [part[:1] for part in patient_orientation.split("\\") if part]
    if len(along) != 2 or not set(along) <= set(_OPPOSITE):
        return []
    row, column = along
    marks = [("left", _OPPOSITE[row]), ("right", row)]
    return marks if column == "F" else [*marks, ("top", _OPPOSITE[column]), ("bottom", column)]


def _spacing(shown: Image) -> str:
    size = f"{shown.columns} × {shown.rows} px"
    if not shown.pixel_spacing:
        return f"{size} · " + _("size unknown")
    spacing = number_format(round(shown.pixel_spacing[0], 3))
    sources = {
        "detector": _("detector"),
        "magnification": _("detector, less magnification"),
        "calibrated": _("calibrated"),
    }
    source = sources.get(shown.pixel_spacing_source, _("of the detector or calibrated, not stated"))
    return f"{size} · {spacing} mm ({source})"


def outlines(study: Study, user: User) -> dict[str, Any]:
    """What correcting outlines needs: where they go, and everything that can be outlined."""
    return {
        "url": reverse("api-masks", args=[study.study_instance_uid]),
        "user": user.pk,
        "study": study.pk,
        "structures": [
            {
                "structure": structure.code,
                "name": str(vocabulary.STRUCTURES[structure.code]),
                "group": structure.group.value,
                "colour": structure.colour,
                "side": structure.side.value,
                "quiet": structure.quiet,
            }
            for structure in STRUCTURES
        ],
    }


def draft(study: Study, user: User) -> dict[str, Any]:
    """The draft panel in every state: silent, none, pending, ready, stale, withheld, failed."""
    newest, ready = drafts.newest(study, user), drafts.newest_ready(study, user)
    sentences = list(ready.sentences.all()) if ready else []
    is_pending = newest is not None and newest.status in {JobStatus.QUEUED, JobStatus.RUNNING}
    is_failed = newest is not None and newest.status == JobStatus.FAILED
    is_stale = ready is not None and ready.is_stale()
    is_silent = study.site.stage == Site.Stage.SILENT
    outlines_changed = ready is not None and ready.human_masks != masks.standing_human(study)
    return {
        "exists": newest is not None,
        "shown": ready,
        "is_silent": is_silent,
        "is_pending": is_pending,
        "is_stale": is_stale,
        "failure": newest.failure_code if newest and is_failed else "",
        "outlines_changed": outlines_changed,
        "can_request": not is_silent
        and not is_pending
        and (newest is None or is_failed or is_stale or outlines_changed),
        "sentences": sentences,
        "reasons": Judgement.Reason.choices,
        "by_section": _by_section(sentences),
        "is_explained": any(sentence.support.all() for sentence in sentences),
        "sentence_data": [_sentence_data(sentence) for sentence in sentences],
        **(_made_by(ready) if ready else {"badge": ""}),
    }


def _made_by(ready: Draft) -> dict[str, Any]:
    version = ready.model_version
    withheld = vocabulary.WITHHELD.get(ready.withheld_reason, vocabulary.ELSE_WITHHELD)
    return {
        "model_name": version.name,
        "model_digest": version.digest,
        "finished_at": ready.finished_at,
        "withheld": withheld if ready.withheld_reason else "",
        "masks_withheld": not (ready.masks_gate or {}).get("open", True),
        "badge": f"{version.name} {version.digest[:12]} · {_local(ready):%Y-%m-%d %H:%M %Z}",
    }


def _local(ready: Draft) -> datetime:
    """When the draft was finished, by the clock of the site."""
    assert ready.finished_at is not None, f"draft {ready.pk} is ready without a time"
    return ready.finished_at.astimezone(ZoneInfo(ready.study.site.time_zone))


def _by_section(sentences: list[Sentence]) -> list[tuple[str, list[dict[str, Any]]]]:
    sections = []
    for code, name in vocabulary.SECTIONS.items():
        members = [sentence for sentence in sentences if sentence.section == code]
        if members:
            sections.append((str(name), [_sentence(sentence) for sentence in members]))
    return sections


def _sentence(sentence: Sentence) -> dict[str, Any]:
    """A sentence with the masks it cites, by what each was measured to do; by citation until it is."""
    nats = {support.mask_id: support.nats for support in sentence.support.all()}
    cited = sorted(sentence.evidence.all(), key=lambda item: (-nats.get(item.mask_id, 0.0), -item.weight))
    return {
        "id": sentence.pk,
        "text": sentence.text,
        "judged": max(sentence.judgements.all(), key=lambda one: one.pk, default=None),
        "evidence": [
            {
                "name": vocabulary.STRUCTURES.get(item.mask.structure, item.mask.structure),
                "colour": BY_CODE[item.mask.structure].colour,
                "trusted": item.mask.trusted,
                "change": _change(nats[item.mask_id]) if item.mask_id in nats else "",
            }
            for item in cited
        ],
    }


def _change(nats: float) -> str:
    """By how many percent the probability of a sentence's codes changes without the mask: `−77 %`."""
    percent = round(100 * math.expm1(-nats))
    sign = "−" if percent < 0 else "+" if percent > 0 else "±"
    return f"{sign}{number_format(abs(percent))} %"


def _sentence_data(sentence: Sentence) -> dict[str, Any]:
    """What the page's scripts know of a sentence."""
    return {
        "id": str(sentence.pk),
        "section": sentence.section,
        "text": sentence.text,
        "masks": [item.mask_id for item in sentence.evidence.all()],
    }


def lock(report: Report | None, user: User, now: datetime) -> dict[str, Any]:
    """Who is writing, as this user's page needs it."""
    held = reports.describe_lock(report, now) if report is not None else None
    if held is None:
        return {"mine": False, "holder": None, "since": None}
    return {"mine": held["holder_id"] == user.pk, "holder": held["holder"], "since": held["since"]}


def newer(report: Report | None, based_on: int | None) -> dict[str, Any]:
    """The newest revision, where a page says that it shows an older one."""
    if report is None or based_on is None or report.revision_number <= based_on:
        return {}
    return {"current": reports.describe_revision(report_selector.current_revision(report))}


def _origin(revision: Revision | None) -> list[dict[str, Any]]:
    """The draft sentences that the newest revision was written from: their text is the model's still."""
    if revision is None or revision.draft is None:
        return []
    sentences = revision.draft.sentences.prefetch_related("evidence")
    return [_sentence_data(sentence) for sentence in sentences]


def initial_text(revision: Revision | None, ready: Draft | None) -> dict[str, str]:
    """What the editor starts with: the newest revision, else the draft's prose, else nothing."""
    if revision is not None:
        return {"findings": revision.findings, "impression": revision.impression}
    if ready is None or ready.withheld_reason:
        return {"findings": "", "impression": ""}
    return {section: drafts.text_of(ready, section) for section in vocabulary.SECTIONS}


def editor(
    study: Study, report: Report | None, revision: Revision | None, *, user: User, now: datetime
) -> dict[str, Any]:
    """What the editor's scripts are told."""
    uid = study.study_instance_uid
    initial = initial_text(revision, drafts.newest_ready(study, user))
    return {
        "save_url": reverse("report-save", args=[uid]),
        "macros": macros.at(user, study.site),
        "judge_url": reverse("report-judge", args=[uid]),
        "check_url": reverse("report-check", args=[uid]),
        "lock_url": reverse("report-lock", args=[uid]),
        "sign_in_url": f"{reverse('account_login')}?next={reverse('study', args=[uid])}",
        "user": user.pk,
        "study": study.pk,
        "language": study.site.language,
        "revision": revision.number if revision else 0,
        "sha256": revision.sha256 if revision else "",
        "author": revision.author.signing_name() if revision else "",
        "saved_at": revision.created_at.isoformat() if revision else None,
        "findings": initial["findings"],
        "impression": initial["impression"],
        "initial": initial,
        "origin": _origin(revision),
        "template": templates.empty_report(study.site.language),
        "lock": lock(report, user, now),
    }
