"""Digital X-Ray Image Storage - For Presentation (PS3.3 A.26), written module by module."""

import datetime

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian
from pydicom.valuerep import PersonName

from inference.contract import ViewPosition
from inference.phantom import detector
from inference.phantom.patients import Patient
from inference.phantom.study import PhantomImage, PhantomStudy

IMPLEMENTATION_CLASS_UID = "2.25.302895714266203316412021180542361186351"
MANUFACTURER = "MAIRA Web"
MODEL_NAME = "Chest phantom"
SOFTWARE_VERSION = "1"
_ZONE = "+0000"
_VIEW_CODES = {
    ViewPosition.AP: ("399348003", "antero-posterior"),
    ViewPosition.PA: ("272479007", "postero-anterior"),
    ViewPosition.LEFT_LATERAL: ("399173006", "left lateral"),
}
"""SNOMED CT, of CID 4010."""
_LATERAL_ORIENTATION = ["P", "F"]
"""Rightwards in a left lateral is body z (`phantom.frame`: u = z at 90 degrees), which grows to the back."""
_FRONTAL_ORIENTATION = ["L", "F"]
_RECUMBENT = ("102538003", "recumbent")
_ERECT = ("10904000", "erect")


def build(study: PhantomStudy, image: PhantomImage) -> Dataset:
    """One radiograph of a phantom study as a DX object, ready for `dcmwrite` with a preamble.

    The same study gives the same object: nothing in it depends on when or where it was made.

    Raises
    ------
    ValueError
        When the image is not one of the study's.
    """
    number = _number(study, image)
    dataset = Dataset()
    dataset.file_meta = _file_meta(image)
    _sop_common(dataset, image)
    _patient(dataset, study.patient)
    _study(dataset, study)
    _series(dataset, study, image, number)
    _equipment(dataset)
    _general_image(dataset, study, number)
    _dx_anatomy(dataset)
    _dx_image(dataset, image)
    _dx_detector(dataset, image)
    _dx_positioning(dataset, image)
    _pixels(dataset, image)
    dataset.AcquisitionContextSequence = Sequence()
    return dataset


def _number(study: PhantomStudy, image: PhantomImage) -> int:
    """From 1, in the order taken: each view is a series of one image."""
    own = [one.sop_instance_uid for one in study.images]
    if image.sop_instance_uid not in own:
        raise ValueError(f"image {image.sop_instance_uid} is not of study {study.study_instance_uid}")
    return own.index(image.sop_instance_uid) + 1


def _file_meta(image: PhantomImage) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = UID(image.sop_instance_uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    return meta


def _sop_common(dataset: Dataset, image: PhantomImage) -> None:
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = image.sop_instance_uid
    dataset.TimezoneOffsetFromUTC = _ZONE


def _patient(dataset: Dataset, patient: Patient) -> None:
    groups = (patient.name_alphabetic, patient.name_ideographic, patient.name_phonetic)
    dataset.PatientName = PersonName("=".join(groups).rstrip("="))
    dataset.PatientID = patient.patient_id
    dataset.IssuerOfPatientID = patient.issuer
    dataset.PatientBirthDate = _da(patient.birth_date)
    dataset.PatientSex = patient.sex


def _study(dataset: Dataset, study: PhantomStudy) -> None:
    dataset.StudyInstanceUID = study.study_instance_uid
    dataset.StudyDate = _da(study.study_date)
    dataset.StudyTime = _tm(study.study_time)
    dataset.ReferringPhysicianName = ""
    dataset.StudyID = study.accession_number[-8:]
    dataset.AccessionNumber = study.accession_number
    dataset.StudyDescription = "Chest radiograph"
    dataset.PatientAge = f"{_age(study):03d}Y"
    dataset.RequestedProcedurePriority = study.priority
    dataset.ReasonForTheRequestedProcedure = study.indication


def _series(dataset: Dataset, study: PhantomStudy, image: PhantomImage, number: int) -> None:
    lateral = image.view_position is ViewPosition.LEFT_LATERAL
    dataset.Modality = "DX"
    dataset.SeriesInstanceUID = image.series_instance_uid
    dataset.SeriesNumber = number
    dataset.SeriesDate = _da(study.study_date)
    dataset.SeriesTime = _tm(study.study_time)
    dataset.SeriesDescription = f"Chest {image.view_position.value}"
    dataset.ProtocolName = f"CHEST {image.view_position.value}"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.BodyPartExamined = "CHEST"
    dataset.PatientOrientation = _LATERAL_ORIENTATION if lateral else _FRONTAL_ORIENTATION
    request = Dataset()
    request.RequestedProcedureID = study.accession_number[-8:]
    request.ReasonForTheRequestedProcedure = study.indication
    request.ScheduledProcedureStepID = "1"
    dataset.RequestAttributesSequence = Sequence([request])


def _equipment(dataset: Dataset) -> None:
    dataset.Manufacturer = MANUFACTURER
    dataset.ManufacturerModelName = MODEL_NAME
    dataset.SoftwareVersions = SOFTWARE_VERSION
    dataset.StationName = "PHANTOM"
    dataset.DeviceSerialNumber = "1"


def _general_image(dataset: Dataset, study: PhantomStudy, number: int) -> None:
    moment = f"{_da(study.study_date)}{_tm(study.study_time)}"
    dataset.InstanceNumber = number
    dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
    dataset.AcquisitionDateTime = moment
    dataset.AcquisitionDate = dataset.ContentDate = _da(study.study_date)
    dataset.AcquisitionTime = dataset.ContentTime = _tm(study.study_time)
    dataset.AcquisitionNumber = number
    dataset.QualityControlImage = "NO"
    dataset.ImageComments = "Synthetic phantom, not a person"
    dataset.ImagesInAcquisition = 1


def _dx_anatomy(dataset: Dataset) -> None:
    dataset.ImageLaterality = "U"
    dataset.AnatomicRegionSequence = _code("51185008", "Chest")


def _dx_image(dataset: Dataset, image: PhantomImage) -> None:
    """VOI LUT included."""
    inverted = image.photometric == "MONOCHROME1"
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = 1 if inverted else -1
    dataset.RescaleIntercept = 0
    dataset.RescaleSlope = 1
    dataset.RescaleType = "US"
    dataset.PresentationLUTShape = "INVERSE" if inverted else "IDENTITY"
    dataset.LossyImageCompression = "00"
    # C.7.6.1 asks whether burned-in text identifies the patient: lead letters and "AP SUPINE" do not.
    dataset.BurnedInAnnotation = "NO"
    dataset.WindowCenter = image.window_center
    dataset.WindowWidth = image.window_width
    dataset.WindowCenterWidthExplanation = "NORMAL"
    dataset.VOILUTFunction = "LINEAR"


def _dx_detector(dataset: Dataset, image: PhantomImage) -> None:
    spacing = [f"{value:.6f}" for value in image.pixel_spacing]
    dataset.DetectorType = "SCINTILLATOR"
    dataset.DetectorConfiguration = "AREA"
    dataset.DetectorID = "PHANTOM"
    dataset.DetectorActiveTime = None
    dataset.ImagerPixelSpacing = spacing
    dataset.FieldOfViewShape = "RECTANGLE"
    dataset.FieldOfViewRotation = "0"
    dataset.FieldOfViewHorizontalFlip = "NO"
    dataset.FieldOfViewOrigin = [0, 0]


def _dx_positioning(dataset: Dataset, image: PhantomImage) -> None:
    bedside = image.view_position is ViewPosition.AP
    dataset.ViewPosition = image.view_position.value
    dataset.ViewCodeSequence = _code(*_VIEW_CODES[image.view_position])
    dataset.ViewCodeSequence[0].ViewModifierCodeSequence = Sequence()
    dataset.PatientOrientationCodeSequence = _code(*(_RECUMBENT if bedside else _ERECT))
    dataset.PositionerType = "NONE"
    dataset.DistanceSourceToDetector = 1100 if bedside else 1800
    dataset.EstimatedRadiographicMagnificationFactor = None


def _pixels(dataset: Dataset, image: PhantomImage) -> None:
    rows, columns = image.pixels.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = image.photometric
    dataset.Rows = rows
    dataset.Columns = columns
    dataset.BitsAllocated = 16
    dataset.BitsStored = detector.BITS_STORED
    dataset.HighBit = detector.BITS_STORED - 1
    dataset.PixelRepresentation = 0
    dataset.PixelData = image.pixels.astype("<u2").tobytes()


def _code(value: str, meaning: str) -> Sequence:
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = "SCT"
    item.CodeMeaning = meaning
    return Sequence([item])


def _age(study: PhantomStudy) -> int:
    """Whole years on the day of the study."""
    born, day = study.patient.birth_date, study.study_date
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _da(day: datetime.date) -> str:
    return day.strftime("%Y%m%d")


def _tm(moment: datetime.time) -> str:
    return moment.strftime("%H%M%S")
