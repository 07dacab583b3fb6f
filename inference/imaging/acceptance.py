"""What counts as a chest radiograph, judged by the header alone.

Where only the pixels would tell (an animal whose header does not say so, a knee labelled CHEST), the file is
accepted: whether a model may speak about an image is the model's own gate to decide.
"""

import re

from pydicom.dataset import Dataset

from inference.imaging.header import SECONDARY_CAPTURE_SOP_CLASSES, integer, sop_class_uid, text, value
from inference.imaging.refusals import Refusal, RefusalCode

MIN_SIDE = 128
"""Pixels: a chest shows no finding below this, and icons and test patterns are smaller."""
MAX_PIXELS = 100_000_000
MAX_BITS = 16

RADIOGRAPH_MODALITIES = frozenset({"CR", "DX", "RG"})
"""Computed, digital and digitised-film radiography. They are taken unless they name another body part."""
UNSPECIFIC_MODALITIES = frozenset({"SC", "OT", "HC", ""})
"""Captures of anything. They are taken only when they say that they show a chest."""

_CHEST_BODY_PART = re.compile(r"CHEST|THORAX|LUNG|\bRIB|胸部|肺")
_CHEST_IN_WORDS = re.compile(r"CHEST|THORAX|LUNG|\bRIBS?\b|\bCXR\b|胸部|肺")
_ELSEWHERE = re.compile(
    r"\b(ABDOMEN|ANKLES?|CALCANEUS|CRANIUM|DENTAL|ELBOWS?|EXTREMITY|FACE|FEMUR|FINGERS?|FOOT|FEET|FOREARM"
    r"|HANDS?|HEAD|HIPS?|HUMERUS|KNEES?|LEGS?|MAMMO\w*|BREASTS?|MANDIBLE|NECK|ORBITS?|PELVIS|SKULL"
    r"|SPINE|TEETH|TOES?|TOOTH|TIBIA|WRISTS?)\b|腹|頭|骨盤|頸|腰椎|膝|歯"
)
_ANIMAL = re.compile(r"\b(VETERINAR\w*|CANINE|FELINE|EQUINE|BOVINE|PORCINE|AVIAN)\b")
_HUMAN = re.compile(r"HOMO SAPIENS|HUMAN")
_HUMAN_CODES = frozenset({"L-85B00", "337915000"})
"""Homo sapiens in SNOMED RT and SNOMED CT, as Patient Species Code Sequence holds it."""
_DESCRIPTIONS = (
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "AcquisitionDeviceProcessingDescription",
    "PerformedProcedureStepDescription",
)
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_FOR_PROCESSING_SOP_CLASSES = frozenset({"1.2.840.10008.5.1.4.1.1.1.1.1"})
DISC_INDEX_MESSAGE = "This is the index of a disc (DICOMDIR), not an image: send the images themselves."
_MODALITY_NAMES = {
    "CT": "a CT image",
    "MR": "an MR image",
    "US": "an ultrasound image",
    "NM": "a nuclear medicine image",
    "XA": "an angiography image",
    "RF": "a fluoroscopy image",
    "MG": "a mammogram",
    "SR": "a structured report",
    "SEG": "a segmentation",
    "SM": "a microscopy slide",
    "ANN": "a set of annotations",
    "RTDOSE": "a radiotherapy dose grid",
    "PR": "a presentation state",
}


def check(dataset: Dataset) -> None:
    """Judge what an object is, from its header.

    Raises
    ------
    Refusal
        With the first reason that a technician can act on.
    """
    _check_kind(dataset)
    _check_human(dataset)
    _check_samples(dataset)
    check_size(integer(dataset, "Rows") or 0, integer(dataset, "Columns") or 0)
    _check_body_part(dataset)
    _check_identifiers(dataset)


def check_size(rows: int, columns: int) -> None:
    """Raises Refusal when the image is too small to read or too large to process."""
    if rows < 1 or columns < 1:
        raise Refusal(
            RefusalCode.NO_PIXELS, "The object holds no image: it states no number of rows and columns."
        )
    if rows * columns > MAX_PIXELS:
        raise Refusal(
            RefusalCode.TOO_LARGE,
            f"The image claims {rows} x {columns} pixels; at most {MAX_PIXELS // 10**6} million are taken.",
        )
    if min(rows, columns) < MIN_SIDE:
        raise Refusal(
            RefusalCode.TOO_SMALL,
            f"The image has {rows} x {columns} pixels; a chest needs at least {MIN_SIDE} on each side.",
        )


def _check_kind(dataset: Dataset) -> None:
    modality, sop_class = text(dataset, "Modality").upper(), sop_class_uid(dataset)
    if "DirectoryRecordSequence" in dataset:
        raise Refusal(RefusalCode.DISC_INDEX, DISC_INDEX_MESSAGE)
    if not (modality or sop_class or "Rows" in dataset):
        raise Refusal(
            RefusalCode.NOT_A_RADIOGRAPH,
            "The object does not say what it is: no modality, no class, no image size.",
        )
    if modality not in RADIOGRAPH_MODALITIES | UNSPECIFIC_MODALITIES:
        name = _MODALITY_NAMES.get(modality, "an object of another kind")
        raise Refusal(
            RefusalCode.NOT_A_RADIOGRAPH,
            f"This is {name}; only radiographs (modality CR, DX or RG) are accepted.",
        )
    if (
        sop_class in _FOR_PROCESSING_SOP_CLASSES
        or text(dataset, "PresentationIntentType") == "FOR PROCESSING"
    ):
        raise Refusal(
            RefusalCode.UNPROCESSED,
            "This is the detector's unprocessed image (For Processing): "
            "send the processed one (For Presentation).",
        )


def _check_human(dataset: Dataset) -> None:
    """Species, breed and neutering are veterinary elements (PS3.3 C.7.1.1); so is an owner as contact."""
    species = text(dataset, "PatientSpeciesDescription").upper()
    codes = {text(item, "CodeValue") for item in value(dataset, "PatientSpeciesCodeSequence") or []}
    told = " ".join(text(dataset, k).upper() for k in (*_DESCRIPTIONS, "InstitutionName"))
    animal = (
        bool(species and not _HUMAN.search(species))
        or bool(codes - _HUMAN_CODES - {""})
        or any(text(dataset, k) for k in ("PatientBreedDescription", "PatientSexNeutered"))
        or text(dataset, "ResponsiblePersonRole").upper() == "OWNER"
        or bool(_ANIMAL.search(told))
    )
    if animal:
        raise Refusal(
            RefusalCode.NOT_HUMAN,
            "The header says that this is a veterinary image; only people are read here.",
        )


def _check_body_part(dataset: Dataset) -> None:
    """A body part that is stated decides. Where it is blank, descriptions that name another region do."""
    part = text(dataset, "BodyPartExamined").upper()
    descriptions = " ".join(text(dataset, keyword).upper() for keyword in _DESCRIPTIONS)
    if part and not _CHEST_BODY_PART.search(part):
        raise Refusal(
            RefusalCode.NOT_A_CHEST,
            "Body Part Examined (0018,0015) names another region than the chest. If this is a chest, "
            "correct the value at the modality and send the image again.",
        )
    if part or _CHEST_IN_WORDS.search(descriptions):
        return
    if _ELSEWHERE.search(descriptions):
        raise Refusal(
            RefusalCode.NOT_A_CHEST,
            "The descriptions of the study or series name another region than the chest.",
        )
    unspecific = text(dataset, "Modality").upper() in UNSPECIFIC_MODALITIES
    if unspecific or sop_class_uid(dataset) in SECONDARY_CAPTURE_SOP_CLASSES:
        raise Refusal(
            RefusalCode.NOT_A_CHEST,
            "A secondary capture must say that it shows a chest: "
            "Body Part Examined (0018,0015) and the descriptions do not.",
        )


def _check_identifiers(dataset: Dataset) -> None:
    for keyword, name in (
        ("SOPInstanceUID", "SOP Instance UID (0008,0018)"),
        ("StudyInstanceUID", "Study Instance UID (0020,000D)"),
        ("SeriesInstanceUID", "Series Instance UID (0020,000E)"),
    ):
        uid = text(dataset, keyword)
        if len(uid) > 64 or not _UID.fullmatch(uid):
            problem = "is no valid identifier" if uid else "is missing"
            raise Refusal(
                RefusalCode.MISSING_IDENTIFIER,
                f"{name} {problem}: the image cannot be told from others. Export it again.",
            )


def _check_samples(dataset: Dataset) -> None:
    if "PixelData" not in dataset:
        raise Refusal(
            RefusalCode.NO_PIXELS, "The object holds a header but no pixel data: send the complete image."
        )
    frames = integer(dataset, "NumberOfFrames") or 1
    if frames > 1:
        raise Refusal(RefusalCode.SEVERAL_FRAMES, f"The object holds {frames} frames; a radiograph has one.")
    photometric = text(dataset, "PhotometricInterpretation").upper()
    if (integer(dataset, "SamplesPerPixel") or 1) > 1 or photometric not in {"MONOCHROME1", "MONOCHROME2"}:
        raise Refusal(
            RefusalCode.COLOUR,
            "The image is in colour, or does not say that it is grayscale (MONOCHROME1 or 2).",
        )
    allocated, stored = integer(dataset, "BitsAllocated") or 0, integer(dataset, "BitsStored") or 0
    if allocated not in (8, 16) or not 8 <= stored <= min(allocated, MAX_BITS):
        raise Refusal(
            RefusalCode.BIT_DEPTH,
            f"The image has {stored} bits per pixel in {allocated}; 8 to {MAX_BITS} in 8 or 16 are taken.",
        )
