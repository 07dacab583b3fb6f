"""Dates and times as the sources write them. What cannot be read is None: it orders nothing."""

import datetime
import re

_TIME = re.compile(r"(\d{2})(\d{2})?(\d{2})?(?:\.(\d{1,6})\d*)?")
_HL7 = re.compile(r"(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(\d{2})?(?:\.\d{1,6})?([+-]\d{4})?")


def date(text: str) -> datetime.date | None:
    """Of a DICOM DA: YYYYMMDD, also with the dots of ACR-NEMA."""
    digits = text.strip().replace(".", "")
    if not re.fullmatch(r"[0-9]{8}", digits):
        return None
    try:
        return datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def time(text: str) -> datetime.time | None:
    """Of a DICOM TM: HH, HHMM or HHMMSS.FFFFFF, also with the colons of ACR-NEMA."""
    match = _TIME.fullmatch(text.strip().replace(":", ""))
    if match is None:
        return None
    hours, minutes, seconds, fraction = match.groups("0")
    try:
        return datetime.time(int(hours), int(minutes), int(seconds), int(fraction.ljust(6, "0")))
    except ValueError:
        return None


def moment(text: str) -> datetime.datetime | None:
    """Of an HL7 v2 time stamp (YYYYMMDDHHMMSS+ZZZZ, cut off anywhere) or of ISO 8601, dates with slashes
    included. Without an offset it is taken for UTC: moments are only compared with each other."""
    text = text.strip()
    try:
        if match := _HL7.fullmatch(text):
            year, month, day = (int(part or 1) for part in match.groups()[:3])
            hour, minute, second = (int(part or 0) for part in match.groups()[3:6])
            zone = _zone(match.group(7))
            return datetime.datetime(year, month, day, hour, minute, second, tzinfo=zone)
        read = datetime.datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=datetime.UTC)


def _zone(offset: str | None) -> datetime.timezone:
    if not offset:
        return datetime.UTC
    minutes = int(offset[1:3]) * 60 + int(offset[3:])
    return datetime.timezone(datetime.timedelta(minutes=-minutes if offset[0] == "-" else minutes))
