"""The structures a mask can outline and the findings a sentence can state: one list, used everywhere.

Left and right are the patient's. SNOMED CT codes are those of DICOM PS3.16 where it lists them.
Colours are from the Okabe-Ito palette (safe for colour-blind readers) and its tints, by group:
anatomy cool, findings warm, devices white and cyan.
"""

from dataclasses import dataclass
from enum import StrEnum

from inference.contract import Side


class Group(StrEnum):
    ANATOMY = "anatomy"
    FINDING = "finding"
    DEVICE = "device"


@dataclass(frozen=True)
class Structure:
    """code is stable and used in files and URLs; finding names the entry of `FINDINGS` a mask of it
    supports."""

    code: str
    name: str
    group: Group
    colour: str
    snomed: str
    side: Side = Side.NONE
    finding: str = ""


@dataclass(frozen=True)
class Finding:
    """Something a sentence states as present, absent or uncertain.

    sided: a side belongs to it when present.
    """

    code: str
    name: str
    snomed: str
    sided: bool


FINDINGS: tuple[Finding, ...] = (
    Finding("pleural_effusion", "Pleural effusion", "60046008", sided=True),
    Finding("pneumothorax", "Pneumothorax", "36118008", sided=True),
    Finding("consolidation", "Consolidation", "95436008", sided=True),
    Finding("nodule", "Lung nodule", "427359005", sided=True),
    Finding("cardiomegaly", "Cardiomegaly", "8186001", sided=False),
    Finding("endotracheal_tube", "Endotracheal tube", "26412008", sided=False),
    Finding("central_line", "Central venous catheter", "52124006", sided=True),
    Finding("pacemaker", "Cardiac pacemaker", "14106009", sided=True),
)

STRUCTURES: tuple[Structure, ...] = (
    Structure("lung_right", "Right lung", Group.ANATOMY, "#56B4E9", "3341006", Side.RIGHT),
    Structure("lung_left", "Left lung", Group.ANATOMY, "#0072B2", "44029006", Side.LEFT),
    Structure("heart", "Heart", Group.ANATOMY, "#009E73", "80891009", finding="cardiomegaly"),
    Structure("trachea", "Trachea", Group.ANATOMY, "#7FCDBB", "44567001"),
    Structure("pleural_effusion_right", "Right pleural effusion", Group.FINDING, "#E69F00", "60046008",
              Side.RIGHT, "pleural_effusion"),
    Structure("pleural_effusion_left", "Left pleural effusion", Group.FINDING, "#F0C05A", "60046008",
              Side.LEFT, "pleural_effusion"),
    Structure("pneumothorax_right", "Right pneumothorax", Group.FINDING, "#D55E00", "36118008",
              Side.RIGHT, "pneumothorax"),
    Structure("pneumothorax_left", "Left pneumothorax", Group.FINDING, "#EE8A4A", "36118008",
              Side.LEFT, "pneumothorax"),
    Structure("consolidation_right", "Right consolidation", Group.FINDING, "#CC79A7", "95436008",
              Side.RIGHT, "consolidation"),
    Structure("consolidation_left", "Left consolidation", Group.FINDING, "#E0A8C8", "95436008",
              Side.LEFT, "consolidation"),
    Structure("nodule", "Lung nodule", Group.FINDING, "#F0E442", "427359005", finding="nodule"),
    Structure("endotracheal_tube", "Endotracheal tube", Group.DEVICE, "#00E5FF", "26412008",
              finding="endotracheal_tube"),
    Structure("central_line", "Central venous catheter", Group.DEVICE, "#FFFFFF", "52124006",
              finding="central_line"),
    Structure("pacemaker", "Cardiac pacemaker", Group.DEVICE, "#B0F0F8", "14106009", finding="pacemaker"),
)  # fmt: skip

BY_CODE: dict[str, Structure] = {structure.code: structure for structure in STRUCTURES}
FINDINGS_BY_CODE: dict[str, Finding] = {finding.code: finding for finding in FINDINGS}
