"""What a hospital may have to say about its exports, because the files alone do not tell it."""

import re
from dataclasses import dataclass, field

DEFAULT_COLUMNS = {
    "accession": "accession_number",
    "study": "study_instance_uid",
    "patient": "patient_id",
    "time": "report_time",
    "status": "report_status",
    "text": "report",
    "findings": "findings",
    "impression": "impression",
    "indication": "indication",
}
COLUMNS = tuple(DEFAULT_COLUMNS)


@dataclass(frozen=True)
class Layout:
    """How the reports of one archive are written.

    columns: the CSV headings of those `COLUMNS` that are not called as in `DEFAULT_COLUMNS`. encoding: of
    every file, told by the bytes when empty. hl7_accession: the field that holds the accession number, such
    as "OBR-3"; when empty OBR-18, where IHE puts it in results, and OBR-3 where that is empty.
    fhir_accession_system: the system of identifiers that are accession numbers without saying so by type
    ACSN.
    """

    columns: dict[str, str] = field(default_factory=dict)
    encoding: str = ""
    hl7_accession: str = ""
    fhir_accession_system: str = ""

    def __post_init__(self) -> None:
        if self.hl7_accession and not re.fullmatch(r"OBR-[1-9][0-9]?", self.hl7_accession):
            raise ValueError(f"the accession number's field must be OBR-n, not {self.hl7_accession!r}")

    def column(self, name: str) -> str:
        return self.columns.get(name) or DEFAULT_COLUMNS[name]
