"""Writing, locking, signing and adding to reports. AI output and human text never overwrite each other."""

import hashlib
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import rfc8785
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inference.text import normal, provenance
from inference.text.checks.concerns import Outcome
from review import audit, worklist
from review.exceptions import (
    ChecksOpen,
    EmptyReport,
    IllegalMove,
    InvalidInput,
    NotAllowed,
    ReportLocked,
    ReportSigned,
    RevisionConflict,
    StudyChanged,
)
from review.models import states
from review.models.audit import Verb
from review.models.drafts import Draft
from review.models.people import Capability, Role, User
from review.models.reports import Addendum, Report, Revision, Signature
from review.models.states import ReportStatus
from review.models.studies import Image, Study
from review.selectors import checks, drafts, people, reports
from review.services import letters

MAX_SECTION_CHARACTERS = 50_000


@dataclass(frozen=True)
class Text:
    """What one save carries.

    `based_on` is the revision number the writer started from, 0 for none; `draft_id` the draft whose prose
    was on screen, None when none was.
    """

    findings: str
    impression: str
    based_on: int
    draft_id: int | None = None


def _locked_row(study: Study) -> Report:
    """The report of a study, made if missing, its row locked until the transaction ends."""
    Report.objects.get_or_create(study=study)
    return (
        Report.objects.select_for_update(of=("self",))
        .select_related("study__site", "locked_by")
        .get(study=study)
    )


def _require_open(report: Report) -> None:
    if report.is_signed() or report.status in {ReportStatus.CANCELLED, ReportStatus.ENTERED_IN_ERROR}:
        raise ReportSigned


def _require_lock_free(report: Report, by: User, now: datetime) -> None:
    holder = report.lock_holder_id(now)
    if holder is not None and holder != by.pk:
        raise ReportLocked(errors={"lock": describe_lock(report, now)})


def describe_lock(report: Report, now: datetime) -> dict[str, Any] | None:
    """Who holds the lock and until when, for a page to show; None when nobody does."""
    if report.lock_holder_id(now) is None or report.locked_by is None:
        return None
    assert report.locked_at is not None
    assert report.lock_expires_at is not None
    return {
        "holder": report.locked_by.signing_name(),
        "holder_id": report.locked_by_id,
        "since": report.locked_at.isoformat(),
        "expires": report.lock_expires_at.isoformat(),
    }


def require_writable(study: Study, *, by: User) -> None:
    """Inside a transaction: the study's report can be written by this person now, and until it ends.

    Raises
    ------
    ReportSigned, ReportLocked
    """
    report = _locked_row(study)
    _require_open(report)
    _require_lock_free(report, by, timezone.now())


@transaction.atomic
def lock(study: Study, *, by: User) -> Report:
    """Start or go on editing: take the lock, or keep it alive. Records `report.locked` when it is newly
    taken.

    Raises
    ------
    ReportLocked
        When another person holds it; `errors["lock"]` says who and since when.
    """
    people.require(by, Capability.WRITE, study.site)
    report, now = _locked_row(study), timezone.now()
    _require_open(report)
    _require_lock_free(report, by, now)
    if report.lock_holder_id(now) == by.pk:
        return _hold(report, by, now, since=report.locked_at)
    audit.record(Verb.REPORT_LOCKED, by=by, study=study)
    return _hold(report, by, now, since=now)


@transaction.atomic
def take_over(study: Study, *, by: User) -> Report:
    """Take the lock from whoever holds it; their text stays saved or in their browser.

    Records `report.taken-over`.
    """
    people.require(by, Capability.WRITE, study.site)
    report, now = _locked_row(study), timezone.now()
    _require_open(report)
    audit.record(Verb.REPORT_TAKEN_OVER, by=by, study=study, data={"from": report.lock_holder_id(now)})
    return _hold(report, by, now, since=now)


@transaction.atomic
def release(study: Study, *, by: User) -> Report:
    """Stop editing. Harmless when the lock is not held. Records `report.released` when it was."""
    people.require(by, Capability.WRITE, study.site)
    report = _locked_row(study)
    if report.lock_holder_id(timezone.now()) == by.pk:
        report.locked_by = report.locked_at = report.lock_expires_at = None
        report.save(update_fields=["locked_by", "locked_at", "lock_expires_at"])
        audit.record(Verb.REPORT_RELEASED, by=by, study=study)
    return report


def _hold(report: Report, by: User, now: datetime, *, since: datetime | None) -> Report:
    report.locked_by, report.locked_at = by, since
    report.lock_expires_at = now + timedelta(seconds=settings.REPORT_LOCK_SECONDS)
    report.save(update_fields=["locked_by", "locked_at", "lock_expires_at"])
    return report


@transaction.atomic
def save(study: Study, *, by: User, text: Text) -> Revision:
    """Save the text as the next revision. The same text again, by anyone, gives the same revision: a repeated
    save is harmless.

    Records `report.saved`.

    Raises
    ------
    RevisionConflict
        When the text was based on an older revision; `errors["current"]` carries the newer text.
    ReportLocked, ReportSigned, NotAllowed
    """
    people.require(by, Capability.WRITE, study.site)
    report, now = _locked_row(study), timezone.now()
    _require_open(report)
    findings, impression = _clean(text)
    sha256 = normal.report_sha256(findings, impression)
    current = reports.current_revision(report)
    if current is not None and current.sha256 == sha256:
        return current
    if text.based_on != report.revision_number:
        raise RevisionConflict(errors={"current": describe_revision(current)})
    _require_lock_free(report, by, now)
    draft = drafts.shown(study, text.draft_id)
    revision = Revision.objects.create(
        report=report,
        number=report.revision_number + 1,
        findings=findings,
        impression=impression,
        sha256=sha256,
        provenance=_provenance(findings, impression, draft),
        draft=draft,
        author=by,
        created_at=now,
    )
    report.revision_number = revision.number
    if report.ai_seen_first is None:
        report.ai_seen_first = draft is not None
    report.save(update_fields=["revision_number", "ai_seen_first"])
    audit.record(
        Verb.REPORT_SAVED,
        by=by,
        study=study,
        data={"revision": revision.number, "sha256": sha256, "draft": draft.pk if draft else None},
    )
    worklist.refresh(study)
    return revision


def _clean(text: Text) -> tuple[str, str]:
    findings, impression = normal.normalise(text.findings), normal.normalise(text.impression)
    for section, value in ((_("findings"), findings), (_("impression"), impression)):
        if len(value) > MAX_SECTION_CHARACTERS:
            sentence = _("The %(section)s have %(count)s characters; at most %(limit)s are kept.")
            said = {"section": section, "count": len(value), "limit": MAX_SECTION_CHARACTERS}
            raise InvalidInput(sentence % said)
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            sentence = _("The %(section)s hold a character that cannot be stored (NUL or half a pair).")
            raise InvalidInput(sentence % {"section": section})
    return findings, impression


def _provenance(findings: str, impression: str, draft: Draft | None) -> list[dict[str, Any]]:
    rows = draft.sentences.all() if draft else ()
    said = [provenance.DraftSentence(row.position, row.section, row.text) for row in rows]
    traced = provenance.trace("findings", findings, said) + provenance.trace("impression", impression, said)
    return [asdict(sentence) for sentence in traced]


def describe_revision(revision: Revision | None) -> dict[str, Any]:
    """A revision as a door sends it; number 0 and empty text when nothing was saved yet."""
    if revision is None:
        return {"revision": 0, "findings": "", "impression": "", "author": "", "saved_at": None, "sha256": ""}
    return {
        "revision": revision.number,
        "findings": revision.findings,
        "impression": revision.impression,
        "author": revision.author.signing_name(),
        "saved_at": revision.created_at.isoformat(),
        "sha256": revision.sha256,
    }


_MEANINGS: dict[Role, dict[Signature.Meaning, ReportStatus]] = {
    Role.TRAINEE: {Signature.Meaning.AUTHOR: ReportStatus.PRELIMINARY},
    Role.RADIOLOGIST: {
        Signature.Meaning.AUTHOR: ReportStatus.FINAL,
        Signature.Meaning.REVIEWER: ReportStatus.FINAL,
        Signature.Meaning.APPROVER: ReportStatus.FINAL,
    },
}
"""What a signature of a role with a meaning makes of a report: a trainee's is preliminary, a radiologist's
final."""


def meanings_for(role: Role) -> dict[Signature.Meaning, ReportStatus]:
    return _MEANINGS.get(role, {})


@transaction.atomic
def sign(  # noqa: PLR0913 - each names one thing that was on screen
    study: Study,
    *,
    by: User,
    revision_number: int,
    sha256: str,
    input_digest: str,
    meaning: Signature.Meaning,
    decided: Collection[str] = (),
) -> Signature:
    """Sign exactly what was on screen. The door has re-authenticated the signer just now.

    `decided` names the concerns (`review.selectors.checks`) that were on screen and that the signer signs
    in spite of; they stand in the signature.

    Records `report.signed` with the hash of what was signed.

    Raises
    ------
    RevisionConflict
        When `revision_number` or `sha256` is not the newest revision's: other text was on screen.
    StudyChanged
        When `input_digest` is not the study's: an image or the order came after the screen was drawn.
    ChecksOpen
        When there is a concern that `decided` does not name.
    EmptyReport, ReportLocked, ReportSigned, NotAllowed
    """
    people.require(by, Capability.WRITE, study.site)
    report, now = _locked_row(study), timezone.now()
    _require_open(report)
    _require_lock_free(report, by, now)
    current = reports.current_revision(report)
    if current is None or (current.number, current.sha256) != (revision_number, sha256):
        raise RevisionConflict(errors={"current": describe_revision(current)})
    # Held until the signature is stored: no image can come in between and be said to have been seen.
    study = Study.objects.select_for_update(of=("self",)).select_related("site").get(pk=study.pk)
    if study.input_digest != input_digest:
        raise StudyChanged
    if not (current.findings.strip() or current.impression.strip()):
        raise EmptyReport
    role = people.role_at(by, study.site)
    status = meanings_for(role).get(meaning)
    if status is None:
        raise NotAllowed
    is_again = current.signatures.filter(resulting_status=status).exists()
    if not states.is_legal("report", report.status, status) or is_again:
        raise IllegalMove
    asked = checks.of_revision(study, by, current)
    undecided = [one.key() for one in asked.warnings if one.key() not in decided]
    if undecided:
        raise ChecksOpen(errors={"open": undecided})
    signature = _store_signature(report, _Act(by, role, meaning, status, now, asked), current)
    report.status = status
    report.locked_by = report.locked_at = report.lock_expires_at = None
    report.save(update_fields=["status", "locked_by", "locked_at", "lock_expires_at"])
    audit.record(
        Verb.REPORT_SIGNED,
        by=by,
        study=study,
        data={
            "signature": signature.pk,
            "revision": current.number,
            "meaning": str(meaning),
            "status": str(status),
            "sha256": signature.content_sha256,
            "signed_in_spite_of": [str(one.kind) for one in asked.warnings],
        },
    )
    worklist.refresh(study)
    return signature


@transaction.atomic
def add_addendum(study: Study, *, by: User, text: str) -> Addendum:
    """Add signed text to a signed report; the original stays byte-equal. Records `report.addendum-added`."""
    people.require(by, Capability.FINALISE, study.site)
    report, now = _locked_row(study), timezone.now()
    if not report.is_signed():
        raise IllegalMove(_("Only a signed report takes an addendum."))
    clean, _nothing = _clean(Text(findings=text, impression="", based_on=0))
    if not clean.strip():
        raise InvalidInput(_("An addendum needs text."))
    addendum = Addendum.objects.create(
        report=report, number=report.addenda.count() + 1, text=clean, author=by, created_at=now
    )
    role = people.role_at(by, study.site)
    act = _Act(by, role, Signature.Meaning.AUTHOR, ReportStatus.APPENDED, now)
    signature = _store_signature(report, act, addendum)
    report.status = ReportStatus.APPENDED
    report.save(update_fields=["status"])
    audit.record(
        Verb.ADDENDUM_ADDED,
        by=by,
        study=study,
        data={"addendum": addendum.number, "signature": signature.pk, "sha256": signature.content_sha256},
    )
    worklist.refresh(study)
    return addendum


@dataclass(frozen=True)
class _Act:
    """One signing: who, as what, meaning what, making the report what, when, in spite of what."""

    by: User
    role: Role
    meaning: Signature.Meaning
    status: ReportStatus
    at: datetime
    asked: Outcome | None = None


def _store_signature(report: Report, act: _Act, signed: Revision | Addendum) -> Signature:
    shown: dict[str, Any] = {
        "schema": 2,
        "study_instance_uid": report.study.study_instance_uid,
        "patient": _patient_shown(report.study),
        "input_digest": report.study.input_digest,
        "images": list(
            Image.objects.filter(series__study=report.study)
            .order_by("pk")
            .values_list("sop_instance_uid", flat=True)
        ),
        "signed": _signed_text(signed),
        "ai_seen_first": report.ai_seen_first,
        "checks": _checks_shown(act.asked),
        "signer": act.by.signing_name(),
        "role": str(act.role),
        "meaning": str(act.meaning),
        "resulting_status": str(act.status),
        "signed_at": act.at.isoformat(),
    }
    content = rfc8785.dumps(shown)
    signature = Signature.objects.create(
        report=report,
        revision=signed if isinstance(signed, Revision) else None,
        addendum=signed if isinstance(signed, Addendum) else None,
        signer=act.by,
        printed_name=act.by.signing_name(),
        role=act.role,
        meaning=act.meaning,
        resulting_status=act.status,
        signed_at=act.at,
        content=content,
        content_sha256=hashlib.sha256(content).hexdigest(),
    )
    letters.store(signature)
    return signature


def _checks_shown(asked: Outcome | None) -> dict[str, Any] | None:
    """What the checks asked and the signer signed in spite of; None for an addendum, which is not checked."""
    if asked is None:
        return None
    return {
        "in_spite_of": [one.key() for one in asked.warnings],
        "not_checked": [str(section) for section in asked.not_checked],
    }


def _patient_shown(study: Study) -> dict[str, Any]:
    patient, order = study.patient, study.order
    return {
        "issuer": patient.issuer,
        "patient_id": patient.patient_id,
        "name_alphabetic": patient.name_alphabetic,
        "name_ideographic": patient.name_ideographic,
        "birth_date": patient.birth_date_raw,
        "sex": patient.sex,
        "accession_number": order.accession_number if order else "",
    }


def _signed_text(signed: Revision | Addendum) -> dict[str, Any]:
    if isinstance(signed, Addendum):
        return {"kind": "addendum", "number": signed.number, "text": signed.text}
    return {
        "kind": "report",
        "revision": signed.number,
        "sha256": signed.sha256,
        "findings": signed.findings,
        "impression": signed.impression,
        "model_version": signed.draft.model_version.digest if signed.draft else "",
        "draft": signed.draft_id,
    }
