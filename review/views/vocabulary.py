"""What codes are called on the pages, in the reader's language."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

STRUCTURES: dict[str, Promise] = {
    "lung_right": _("Right lung"),
    "lung_left": _("Left lung"),
    "heart": _("Heart"),
    "trachea": _("Trachea"),
    "pleural_effusion_right": _("Right pleural effusion"),
    "pleural_effusion_left": _("Left pleural effusion"),
    "pneumothorax_right": _("Right pneumothorax"),
    "pneumothorax_left": _("Left pneumothorax"),
    "consolidation_right": _("Right consolidation"),
    "consolidation_left": _("Left consolidation"),
    "nodule": _("Lung nodule"),
    "endotracheal_tube": _("Endotracheal tube"),
    "central_line": _("Central venous catheter"),
    "pacemaker": _("Cardiac pacemaker"),
    "mediastinum": _("Mediastinum"),
    "aorta": _("Aorta"),
    "carina": _("Carina"),
    "diaphragm_right": _("Right hemidiaphragm"),
    "diaphragm_left": _("Left hemidiaphragm"),
    "spine": _("Spine"),
    "ribs": _("Ribs"),
    "clavicle_right": _("Right clavicle"),
    "clavicle_left": _("Left clavicle"),
    "scapula_right": _("Right scapula"),
    "scapula_left": _("Left scapula"),
    "stomach_bubble": _("Gastric bubble"),
    "mass": _("Lung mass"),
    "atelectasis_right": _("Right atelectasis"),
    "atelectasis_left": _("Left atelectasis"),
    "pulmonary_edema": _("Pulmonary oedema"),
    "hiatus_hernia": _("Hiatus hernia"),
    "rib_fracture_right": _("Right rib fracture"),
    "rib_fracture_left": _("Left rib fracture"),
    "free_air": _("Free abdominal air"),
    "tracheostomy_tube": _("Tracheostomy tube"),
    "nasogastric_tube": _("Nasogastric tube"),
    "chest_drain": _("Chest drain"),
}
FINDINGS: dict[str, Promise] = {
    "pleural_effusion": _("Pleural effusion"),
    "pneumothorax": _("Pneumothorax"),
    "consolidation": _("Consolidation"),
    "nodule": _("Lung nodule"),
    "cardiomegaly": _("Cardiomegaly"),
    "endotracheal_tube": _("Endotracheal tube"),
    "central_line": _("Central venous catheter"),
    "pacemaker": _("Cardiac pacemaker"),
    "mass": _("Lung mass"),
    "atelectasis": _("Atelectasis"),
    "pulmonary_edema": _("Pulmonary oedema"),
    "hiatus_hernia": _("Hiatus hernia"),
    "rib_fracture": _("Rib fracture"),
    "free_air": _("Free abdominal air"),
    "tracheostomy_tube": _("Tracheostomy tube"),
    "nasogastric_tube": _("Nasogastric tube"),
    "chest_drain": _("Chest drain"),
}
CATEGORIES: dict[str, Promise] = {
    "No Finding": _("Nothing acute"),
    "Enlarged Cardiomediastinum": _("Wide mediastinum"),
    "Cardiomegaly": _("Cardiomegaly"),
    "Lung Opacity": _("Lung opacity"),
    "Lung Lesion": _("Lung lesion"),
    "Edema": _("Pulmonary oedema"),
    "Consolidation": _("Consolidation"),
    "Pneumonia": _("Pneumonia"),
    "Atelectasis": _("Atelectasis"),
    "Pneumothorax": _("Pneumothorax"),
    "Pleural Effusion": _("Pleural effusion"),
    "Pleural Other": _("Other pleural change"),
    "Fracture": _("Fracture"),
    "Support Devices": _("Device"),
}
"""The labeller's categories (`inference.text.labels`)."""
CLAIMED: dict[str, Promise] = {
    "patient_name": _("Name"),
    "patient_id": _("Patient ID"),
    "birth_date": _("Born"),
    "sex": _("Sex"),
    "accession_number": _("Accession"),
    "study_date": _("Study date"),
    "study_description": _("Study"),
}
"""What a stopped file and the records here are compared by (`Arrival.claimed`)."""
WITHHELD: dict[str, Promise] = {
    "outside-domain": _("The image is unlike those the drafter was validated on."),
    "no-frontal-view": _("The study has no frontal view."),
    "image-too-small": _("The image is too small."),
    "no-lungs-found": _("No lungs were found in the image."),
    "blank-image": _("The image is blank."),
    "not-upright": _("The image is inverted, turned, or no chest as it hangs."),
}
ELSE_WITHHELD = _("The model judged this study outside what it was validated on.")
SECTIONS: dict[str, Promise] = {"findings": _("Findings"), "impression": _("Impression")}
VIEWS: dict[str, Promise] = {
    "PA": _("PA"),
    "AP": _("AP"),
    "LL": _("left lateral"),
    "RL": _("right lateral"),
    "LATERAL": _("lateral"),
    "": _("view not stated"),
}
