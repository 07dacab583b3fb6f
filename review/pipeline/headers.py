"""Reading what a header says about people and times: tolerant, and never guessing."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID
from zoneinfo import ZoneInfo

from inference.imaging.dicom import ImageHeader
from review.models.patients import Patient, Sex, Site
from review.worklist import search_key

_AGE = re.compile(r"(\d{3})([DWMY])")
_YEARS_PER_UNIT = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}
_TIME = re.compile(r"(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6}))?)?)?")
_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})")


def parse_date(raw: str) -> date | None:
    """A DICOM DA value; None when it is none."""
    try:
        return datetime.strptime(raw.strip(), "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None


def parse_sex(raw: str) -> Sex:
    value = raw.strip().upper()[:1]
    return Sex(value) if value in Sex.values else Sex.UNKNOWN


def _zone(offset: str, site_zone: str) -> timezone | ZoneInfo:
    match = _OFFSET.fullmatch(offset.strip())
    if match is None:
        return ZoneInfo(site_zone)
    sign = -1 if match[1] == "-" else 1
    return timezone(sign * timedelta(hours=int(match[2]), minutes=int(match[3])))


def study_moment(header: ImageHeader, site_zone: str) -> datetime | None:
    """When the study started, in UTC: by Timezone Offset From UTC (0008,0201) where the object says, else
    by the site's zone."""
    day = parse_date(header.study_date)
    if day is None:
        return None
    match = _TIME.match(header.study_time.strip())
    hour, minute, second = (int(match[i] or 0) for i in (1, 2, 3)) if match else (0, 0, 0)
    try:
        local = datetime(day.year, day.month, day.day, hour, minute, min(second, 59), tzinfo=UTC)
        return local.replace(tzinfo=_zone(header.timezone_offset_from_utc, site_zone)).astimezone(UTC)
    except (ValueError, OverflowError):  # 25 o'clock, an offset of 99 hours, the year 1 of an anonymiser
        return None


def age_years(header: ImageHeader) -> float | None:
    """Patient's Age (0010,1010), else from the birth date and the study date."""
    match = _AGE.fullmatch(header.patient_age.strip())
    if match:
        return int(match[1]) * _YEARS_PER_UNIT[match[2]]
    born, taken = parse_date(header.patient_birth_date), parse_date(header.study_date)
    if born is None or taken is None or taken < born:
        return None
    return (taken - born).days / 365.25


def issuer_for(site: Site, header: ImageHeader) -> str:
    """Who numbers this patient: the site's own issuer, or the one the file names, as this site knows it.

    A foreign issuer is kept apart by site. Otherwise a file that names another hospital's issuer would show
    that hospital's patient here, or write its own idea of that patient there. Sites that share their patients
    are given the same issuer.
    """
    named = header.issuer_of_patient_id
    if not named or named == site.issuer_of_patient_id:
        return site.issuer_of_patient_id
    return f"{named[: 63 - len(site.code)]}@{site.code}"


def claimed(header: ImageHeader) -> dict[str, str]:
    """What a file says of patient, order and study, for a person to compare with what is known here."""
    names = (header.patient_name_ideographic, header.patient_name, header.patient_name_phonetic)
    return {
        "patient_name": next((name for name in names if name), ""),
        "patient_id": header.patient_id,
        "birth_date": header.patient_birth_date,
        "sex": header.patient_sex,
        "accession_number": header.accession_number,
        "study_date": header.study_date,
        "study_description": header.study_description,
        "study_instance_uid": header.study_instance_uid,
        "sop_instance_uid": header.sop_instance_uid,
    }


def stand_in_patient_id(study_instance_uid: str) -> str:
    """The ID of a patient whose file carries none: one per study, so that nobody is mixed with anybody."""
    return f"NO-ID-{study_instance_uid}"[:64]


def uid_from_digest(content_sha256: str) -> str:
    """A UID under 2.25 (PS3.5 B.2) from a digest: the same bytes always get the same one."""
    return f"2.25.{UUID(hex=content_sha256[:32]).int}"


def _names_differ(patient: Patient, header: ImageHeader) -> bool:
    known = (patient.name_alphabetic, patient.name_ideographic, patient.name_phonetic)
    given = (header.patient_name, header.patient_name_ideographic, header.patient_name_phonetic)
    pairs = [(search_key(a), search_key(b)) for a, b in zip(known, given, strict=True)]
    comparable = [(a, b) for a, b in pairs if a and b]
    return bool(comparable) and all(a != b for a, b in comparable)


def patient_difference(patient: Patient, header: ImageHeader) -> str:
    """What contradicts that the file is of this patient: "birth date", "sex", "name", or nothing.

    A missing value contradicts nothing. Names agree when any of their written forms agree, since
    systems differ in which forms they send.
    """
    born = parse_date(header.patient_birth_date)
    if patient.birth_date and born and patient.birth_date != born:
        return "birth date"
    sex = parse_sex(header.patient_sex)
    if {patient.sex, sex} == {Sex.FEMALE, Sex.MALE}:
        return "sex"
    return "name" if _names_differ(patient, header) else ""
