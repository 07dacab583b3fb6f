"""The structures and findings this generator knows beyond `inference.structures`: a list of its own until the
models that are shipped learn them too. Appended, so that the order of what exists stays.

SNOMED CT codes as DICOM PS3.16 gives them; empty where it has none.
"""

from inference.contract import Side
from inference.structures import FINDINGS as KNOWN_FINDINGS
from inference.structures import STRUCTURES as KNOWN_STRUCTURES
from inference.structures import Finding, Group, Structure

FINDINGS: tuple[Finding, ...] = (
    *KNOWN_FINDINGS,
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
    *KNOWN_STRUCTURES,
    Structure("mediastinum", "Mediastinum", Group.ANATOMY, "#3B7A8C", "72410000"),
    Structure("aorta", "Aorta", Group.ANATOMY, "#2E9CCA", "15825003"),
    Structure("carina", "Carina", Group.ANATOMY, "#A8DDB5", "28700002"),
    Structure("diaphragm_right", "Right hemidiaphragm", Group.ANATOMY, "#4EB3D3", "5798000", Side.RIGHT),
    Structure("diaphragm_left", "Left hemidiaphragm", Group.ANATOMY, "#2B8CBE", "5798000", Side.LEFT),
    Structure("spine", "Spine", Group.ANATOMY, "#8DA0CB", "421060004"),
    Structure("ribs", "Ribs", Group.ANATOMY, "#6A7FB0", "113197003"),
    Structure("clavicle_right", "Right clavicle", Group.ANATOMY, "#9FB3D9", "51299004", Side.RIGHT),
    Structure("clavicle_left", "Left clavicle", Group.ANATOMY, "#7C93C4", "51299004", Side.LEFT),
    Structure("scapula_right", "Right scapula", Group.ANATOMY, "#5F9EA0", "79601000", Side.RIGHT),
    Structure("scapula_left", "Left scapula", Group.ANATOMY, "#4C8587", "79601000", Side.LEFT),
    Structure("stomach_bubble", "Gastric bubble", Group.ANATOMY, "#66C2A5", "69695003"),
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
