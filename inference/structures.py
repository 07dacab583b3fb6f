"""The structures a mask can outline and the findings a sentence can state: one list, used everywhere.

Left and right are the patient's. SNOMED CT codes are those of DICOM PS3.16 where it lists them.
Colours go by group: anatomy cool, findings warm, devices white and cyan. So many cannot all be told apart,
the less by colour-blind readers: a name, and an outline that lights, go with each. A finding or structure
without a verified SNOMED CT code has an empty one.
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
    supports; quiet ones are landmarks: outlined, and shown when the reader asks for them."""

    code: str
    name: str
    group: Group
    colour: str
    snomed: str
    side: Side = Side.NONE
    finding: str = ""
    quiet: bool = False


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
    Finding("mass", "Lung mass", "309529002", sided=True),
    Finding("atelectasis", "Atelectasis", "46621007", sided=True),
    Finding("pulmonary_edema", "Pulmonary oedema", "19242006", sided=False),
    Finding("hiatus_hernia", "Hiatus hernia", "84089009", sided=False),
    Finding("rib_fracture", "Rib fracture", "33737001", sided=True),
    Finding("free_air", "Free abdominal air", "", sided=False),
    Finding("tracheostomy_tube", "Tracheostomy tube", "129121000", sided=False),
    Finding("nasogastric_tube", "Nasogastric tube", "17102003", sided=False),
    Finding("chest_drain", "Chest drain", "", sided=True),
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
    Structure("mediastinum", "Mediastinum", Group.ANATOMY, "#3B7A8C", "72410000", quiet=True),
    Structure("aorta", "Aorta", Group.ANATOMY, "#2E9CCA", "15825003", quiet=True),
    Structure("carina", "Carina", Group.ANATOMY, "#A8DDB5", "28700002", quiet=True),
    Structure("diaphragm_right", "Right hemidiaphragm", Group.ANATOMY, "#4EB3D3", "5798000",
              Side.RIGHT, quiet=True),
    Structure("diaphragm_left", "Left hemidiaphragm", Group.ANATOMY, "#2B8CBE", "5798000",
              Side.LEFT, quiet=True),
    Structure("spine", "Spine", Group.ANATOMY, "#8DA0CB", "421060004", quiet=True),
    Structure("ribs", "Ribs", Group.ANATOMY, "#6A7FB0", "113197003", quiet=True),
    Structure("clavicle_right", "Right clavicle", Group.ANATOMY, "#9FB3D9", "51299004",
              Side.RIGHT, quiet=True),
    Structure("clavicle_left", "Left clavicle", Group.ANATOMY, "#7C93C4", "51299004", Side.LEFT, quiet=True),
    Structure("scapula_right", "Right scapula", Group.ANATOMY, "#5F9EA0", "79601000", Side.RIGHT, quiet=True),
    Structure("scapula_left", "Left scapula", Group.ANATOMY, "#4C8587", "79601000", Side.LEFT, quiet=True),
    Structure("stomach_bubble", "Gastric bubble", Group.ANATOMY, "#66C2A5", "69695003", quiet=True),
    Structure("mass", "Lung mass", Group.FINDING, "#E6D800", "309529002", finding="mass"),
    Structure("atelectasis_right", "Right atelectasis", Group.FINDING, "#B15928", "46621007", Side.RIGHT,
              "atelectasis"),
    Structure("atelectasis_left", "Left atelectasis", Group.FINDING, "#CF7F50", "46621007", Side.LEFT,
              "atelectasis"),
    Structure("pulmonary_edema", "Pulmonary oedema", Group.FINDING, "#E7298A", "19242006",
              finding="pulmonary_edema"),
    Structure("hiatus_hernia", "Hiatus hernia", Group.FINDING, "#FB9A99", "84089009",
              finding="hiatus_hernia"),
    Structure("rib_fracture_right", "Right rib fracture", Group.FINDING, "#FF7F00", "33737001", Side.RIGHT,
              "rib_fracture"),
    Structure("rib_fracture_left", "Left rib fracture", Group.FINDING, "#FFA64D", "33737001", Side.LEFT,
              "rib_fracture"),
    Structure("free_air", "Free abdominal air", Group.FINDING, "#FDBF6F", "", finding="free_air"),
    Structure("tracheostomy_tube", "Tracheostomy tube", Group.DEVICE, "#7FF0FF", "129121000",
              finding="tracheostomy_tube"),
    Structure("nasogastric_tube", "Nasogastric tube", Group.DEVICE, "#C8F7FF", "17102003",
              finding="nasogastric_tube"),
    Structure("chest_drain", "Chest drain", Group.DEVICE, "#E0FFFF", "", finding="chest_drain"),
)  # fmt: skip

BY_CODE: dict[str, Structure] = {structure.code: structure for structure in STRUCTURES}
FINDINGS_BY_CODE: dict[str, Finding] = {finding.code: finding for finding in FINDINGS}
