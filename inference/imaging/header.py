"""The part of a DICOM header the application works with, read tolerantly and without interpretation."""

import math
import re
from dataclasses import dataclass
from typing import Any

from pydicom.charset import python_encoding
from pydicom.dataset import Dataset
from pydicom.valuerep import PersonName

from inference.imaging.refusals import HOSTILE_INPUT_ERRORS

MAX_TEXT = 1024
"""Characters kept of a text value; the longest value representation used here (LO) allows 64."""

MAX_MAGNIFICATION = 3.0
"""A chest at half the focal distance is magnified twice; more is a slip."""

_FUNCTIONAL_GROUPS = ("PixelValueTransformationSequence", "FrameVOILUTSequence", "PixelMeasuresSequence")

SECONDARY_CAPTURE_SOP_CLASSES = frozenset(
    {"1.2.840.10008.5.1.4.1.1.7"} | {f"1.2.840.10008.5.1.4.1.1.7.{n}" for n in (1, 2, 3, 4)}
)

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]")
"""Dropped from every text, but for the escape character: what is left of it tells of bytes not understood."""
_ESCAPE = "\x1b"
_CHINESE_DESIGNATOR = _ESCAPE + "$)A"
"""Of ISO 2022 IR 58, which pydicom decodes and leaves in the text."""
_UNDECODED = re.compile("[\ufffd\x1b\x80-\x9f]")
"""A replacement character, an escape sequence left over, or a C1 control: no name holds any of these."""


_OF_THE_ORDER = ("AccessionNumber", "ReasonForTheRequestedProcedure")
_CHECKED = ("PatientName", "ReasonForTheRequestedProcedure", "ReferringPhysicianName")
"""Texts that nothing has decoded when the header is read."""
_WHOLE_CODES = frozenset({"ISO_IR 192", "GB18030", "GBK"})
_WITHOUT_UPPER_HALF = frozenset({"", "ISO_IR 6", "ISO 2022 IR 6"})
"""First character sets that leave the bytes above 0x7F undefined (PS3.5 6.1.2)."""
_UPPER_HALF_ESCAPES = (b"\x1b-", b"\x1b)", b"\x1b$)")
_RESETTING = (b"^", b"=", b"\\", b"\r", b"\n", b"\f", b"\t")
_PIECES = re.compile(rb"\x1b[$()\-]{1,2}[A-Z]|[\^=\\\r\n\f\t]|[\x80-\xff]+")


@dataclass(frozen=True)
class ImageHeader:
    """One image's identification and description: DICOM keywords in snake case, values as received.

    Dates, times and ages are raw DICOM strings. `patient_name` is the alphabetic group. `patient_name_raw`
    is the name's bytes, one character per byte (latin-1). `charset_doubtful`: some text could not be
    decoded by the character set the object declares. `pixel_spacing` is (between rows, between columns) in
    millimetres; its source is "detector" (in the plane of detector or film), "magnification" (that, divided
    by the Estimated Radiographic Magnification Factor), "calibrated" (by whoever made the object), or empty
    when the object does not tell.
    """

    patient_id: str
    issuer_of_patient_id: str
    patient_name: str
    patient_name_ideographic: str
    patient_name_phonetic: str
    patient_name_raw: str
    charset_doubtful: bool
    patient_birth_date: str
    patient_sex: str
    patient_age: str
    study_instance_uid: str
    study_date: str
    study_time: str
    timezone_offset_from_utc: str
    study_description: str
    accession_number: str
    referring_physician_name: str
    reason_for_the_requested_procedure: str
    requested_procedure_priority: str
    series_instance_uid: str
    series_number: int | None
    series_description: str
    modality: str
    body_part_examined: str
    protocol_name: str
    station_name: str
    manufacturer: str
    manufacturer_model_name: str
    sop_class_uid: str
    sop_instance_uid: str
    instance_number: int | None
    acquisition_date_time: str
    transfer_syntax_uid: str
    rows: int
    columns: int
    bits_stored: int
    photometric_interpretation: str
    view_position: str
    image_laterality: str
    patient_orientation: str
    pixel_spacing: tuple[float, float] | None
    pixel_spacing_source: str
    burned_in_annotation: str
    secondary_capture: bool


def value(dataset: Dataset, keyword: str) -> Any:
    """The element's value, or None when it is absent, empty or unreadable."""
    try:
        found = dataset.get(keyword)
    except HOSTILE_INPUT_ERRORS:
        return None
    return None if found is None or found == "" else found


def text(dataset: Dataset, keyword: str) -> str:
    """The element as text: several values joined by a backslash, control characters and padding dropped."""
    found = value(dataset, keyword)
    if found is None:
        return ""
    if isinstance(found, bytes):
        found = found.decode("latin-1")
    several = not isinstance(found, str | PersonName) and hasattr(found, "__iter__")
    joined = "\\".join(str(item) for item in found) if several else str(found)
    return _cleaned(joined)


def _cleaned(decoded: str) -> str:
    return _CONTROL.sub("", decoded[:MAX_TEXT].replace(_CHINESE_DESIGNATOR, "")).strip()


def integer(dataset: Dataset, keyword: str) -> int | None:
    """The element as a whole number that a database column holds, or None."""
    try:
        number = int(str(value(dataset, keyword)))
    except ValueError:
        return None
    return number if abs(number) < 2**31 else None


def floats(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """The element's finite numbers; empty when any of them is not a number."""
    found = value(dataset, keyword)
    if found is None:
        return ()
    items = found if hasattr(found, "__iter__") and not isinstance(found, str) else [found]
    try:
        numbers = tuple(float(item) for item in items)
    except (TypeError, ValueError):
        return ()
    return numbers if all(math.isfinite(number) for number in numbers) else ()


def _positive_pair(dataset: Dataset, keyword: str) -> tuple[float, float] | None:
    numbers = floats(dataset, keyword)
    return (numbers[0], numbers[1]) if len(numbers) == 2 and min(numbers) > 0 else None


def pixel_spacing(dataset: Dataset) -> tuple[tuple[float, float] | None, str]:
    """Millimetres between rows and between columns, and what they measure (PS3.3 section 10.7).

    Pixel Spacing that differs from Imager Pixel Spacing, or says how it was calibrated, is calibrated;
    alone and unexplained it may be either, and its source stays empty.
    """
    detector = _positive_pair(dataset, "ImagerPixelSpacing") or _positive_pair(
        dataset, "NominalScannedPixelSpacing"
    )
    spacing = _positive_pair(dataset, "PixelSpacing")
    if spacing and text(dataset, "PixelSpacingCalibrationType"):
        return spacing, "calibrated"
    if detector is None:
        return spacing, ""
    if spacing and not all(math.isclose(a, b, rel_tol=1e-4) for a, b in zip(spacing, detector, strict=True)):
        return spacing, "calibrated"
    return _in_the_body(dataset, detector)


def _in_the_body(dataset: Dataset, detector: tuple[float, float]) -> tuple[tuple[float, float], str]:
    """Spacing at the detector, made smaller by the magnification the object states (C.8.11.7), if it does."""
    factor = (floats(dataset, "EstimatedRadiographicMagnificationFactor") or (1.0,))[0]
    if not 1 < factor < MAX_MAGNIFICATION:
        return detector, "detector"
    return (detector[0] / factor, detector[1] / factor), "magnification"


def merge_functional_groups(dataset: Dataset) -> None:
    """Lift what functional groups say of the one frame to the top (C.7.6.16), where nothing stands there.

    The frame's own groups come before the shared ones.
    """
    for groups in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"):
        group = _first(dataset, groups)
        for macro in _FUNCTIONAL_GROUPS:
            for element in _first(group, macro):
                dataset.setdefault(element.tag, element)


def _first(dataset: Dataset, keyword: str) -> Dataset:
    """The first item of a sequence; an empty data set where there is none."""
    items = value(dataset, keyword) or []
    return items[0] if len(items) else Dataset()


def _name(dataset: Dataset) -> tuple[str, str, str, str]:
    """The patient's name: alphabetic, ideographic, phonetic, and the bytes as received.

    The bytes are taken before pydicom decodes them: what it cannot decode, it replaces for good.
    """
    element = dataset.get_item("PatientName") if "PatientName" in dataset else None
    unread = element.value if element is not None else None
    found = value(dataset, "PatientName")
    if not isinstance(found, PersonName):
        plain = text(dataset, "PatientName")
        return plain, "", "", plain
    original = unread if isinstance(unread, bytes) else found.original_string
    raw = original.decode("latin-1") if isinstance(original, bytes) else str(original)
    groups = [_cleaned(str(group)) for group in (*found.components, "", "", "")[:3]]
    return groups[0], groups[1], groups[2], raw[:MAX_TEXT].replace("\0", "")


def _undeclared(dataset: Dataset) -> bool:
    """Whether text that matters needs a character set that the object does not declare, or declares unknown.

    Judged by the bytes as they came, so before anything decodes them (pydicom decodes for good).
    """
    declared = text(dataset, "SpecificCharacterSet").split("\\")
    if any(term and term not in python_encoding for term in declared):
        return True
    return any(_misdeclared(raw, declared) for keyword in _CHECKED if (raw := _bytes(dataset, keyword)))


def _bytes(dataset: Dataset, keyword: str) -> bytes:
    element = dataset.get_item(keyword) if keyword in dataset else None
    found = element.value if element is not None else None
    original = found.original_string if isinstance(found, PersonName) else found
    return original if isinstance(original, bytes) else b""


def _misdeclared(raw: bytes, declared: list[str]) -> bool:
    """Bytes above 0x7F where no set for them is in force, or that are UTF-8 in all but name."""
    if declared[0] in _WHOLE_CODES:
        return False
    in_force = initial = declared[0] not in _WITHOUT_UPPER_HALF
    for piece in _PIECES.findall(raw):
        if piece.startswith(b"\x1b"):
            in_force = in_force or piece.startswith(_UPPER_HALF_ESCAPES)
        elif piece in _RESETTING:
            in_force = initial
        elif not in_force:
            return True
    return len(declared) == 1 and _is_utf8(raw)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return any(byte > 0x7F for byte in raw)


def _from_request(dataset: Dataset, keyword: str) -> str:
    """A value of the order, which modalities write at the top or inside Request Attributes Sequence."""
    requests = value(dataset, "RequestAttributesSequence") or []
    return text(dataset, keyword) or next((t for item in requests if (t := text(item, keyword))), "")


def _acquisition_date_time(dataset: Dataset) -> str:
    combined = text(dataset, "AcquisitionDateTime")
    if combined:
        return combined
    date, time = text(dataset, "AcquisitionDate"), text(dataset, "AcquisitionTime")
    return date.replace(".", "") + time.replace(":", "") if date else ""


def sop_class_uid(dataset: Dataset) -> str:
    """The object's class, from the file meta information where the data set does not say."""
    meta = getattr(dataset, "file_meta", Dataset())
    return text(dataset, "SOPClassUID") or text(meta, "MediaStorageSOPClassUID")


def extract(dataset: Dataset) -> ImageHeader:
    """Read the header of an accepted data set. Never raises on odd values: they become empty."""
    undeclared = _undeclared(dataset)
    alphabetic, ideographic, phonetic, raw_name = _name(dataset)
    accession, reason = (_from_request(dataset, keyword) for keyword in _OF_THE_ORDER)
    plain = {name: text(dataset, keyword) for name, keyword in _TEXTS.items()}
    decoded = "".join((*plain.values(), alphabetic, ideographic, phonetic, accession, reason))
    plain = {name: found.replace(_ESCAPE, "") for name, found in plain.items()}
    spacing, source = pixel_spacing(dataset)
    sop_class = sop_class_uid(dataset)
    return ImageHeader(
        **plain,
        patient_name=alphabetic.replace(_ESCAPE, ""),
        patient_name_ideographic=ideographic.replace(_ESCAPE, ""),
        patient_name_phonetic=phonetic.replace(_ESCAPE, ""),
        patient_name_raw=raw_name,
        charset_doubtful=bool(_UNDECODED.search(decoded)) or undeclared,
        accession_number=accession.replace(_ESCAPE, ""),
        reason_for_the_requested_procedure=reason.replace(_ESCAPE, ""),
        requested_procedure_priority=_from_request(dataset, "RequestedProcedurePriority"),
        series_number=integer(dataset, "SeriesNumber"),
        instance_number=integer(dataset, "InstanceNumber"),
        acquisition_date_time=_acquisition_date_time(dataset),
        sop_class_uid=sop_class,
        transfer_syntax_uid=text(getattr(dataset, "file_meta", Dataset()), "TransferSyntaxUID"),
        rows=integer(dataset, "Rows") or 0,
        columns=integer(dataset, "Columns") or 0,
        bits_stored=integer(dataset, "BitsStored") or 0,
        pixel_spacing=spacing,
        pixel_spacing_source=source,
        secondary_capture=sop_class in SECONDARY_CAPTURE_SOP_CLASSES,
    )


_TEXTS = {
    "patient_id": "PatientID",
    "issuer_of_patient_id": "IssuerOfPatientID",
    "patient_birth_date": "PatientBirthDate",
    "patient_sex": "PatientSex",
    "patient_age": "PatientAge",
    "study_instance_uid": "StudyInstanceUID",
    "study_date": "StudyDate",
    "study_time": "StudyTime",
    "timezone_offset_from_utc": "TimezoneOffsetFromUTC",
    "study_description": "StudyDescription",
    "referring_physician_name": "ReferringPhysicianName",
    "series_instance_uid": "SeriesInstanceUID",
    "series_description": "SeriesDescription",
    "modality": "Modality",
    "body_part_examined": "BodyPartExamined",
    "protocol_name": "ProtocolName",
    "station_name": "StationName",
    "manufacturer": "Manufacturer",
    "manufacturer_model_name": "ManufacturerModelName",
    "sop_instance_uid": "SOPInstanceUID",
    "photometric_interpretation": "PhotometricInterpretation",
    "view_position": "ViewPosition",
    "image_laterality": "ImageLaterality",
    "patient_orientation": "PatientOrientation",
    "burned_in_annotation": "BurnedInAnnotation",
}
"""Fields that are one element's text."""
