"""Codes by which HL7 v2 and FHIR tell the sections of a report apart."""

from inference.text.sections import Name

SECTION_OF_CODE = {
    # DICOM PS3.16 CID 7001, Diagnostic Imaging Report Headings
    "121060": Name.INDICATION,
    "121062": Name.INDICATION,
    "121064": Name.TECHNIQUE,
    "121068": Name.COMPARISON,
    "121070": Name.FINDINGS,
    "121072": Name.IMPRESSION,
    "121074": Name.OTHER,
    "121076": Name.IMPRESSION,
    # LOINC, as DICOM PS3.20 heads the sections of imaging reports, and its older narrative codes
    "11329-0": Name.INDICATION,
    "18785-6": Name.INDICATION,
    "55752-0": Name.INDICATION,
    "55111-9": Name.TECHNIQUE,
    "18834-2": Name.COMPARISON,
    "18782-3": Name.FINDINGS,
    "59776-5": Name.FINDINGS,
    "19005-8": Name.IMPRESSION,
    "55110-1": Name.IMPRESSION,
    "18783-0": Name.OTHER,
    "55107-7": Name.OTHER,
    # HL7 v2 observation identifier suffixes (chapter 7)
    "GDT": Name.FINDINGS,
    "IMP": Name.IMPRESSION,
    "REC": Name.OTHER,
}
