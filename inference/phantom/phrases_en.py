"""The English phrasebook. Few distinct words on purpose: a small language model learns them."""

from inference.phantom import phrases_en_findings as findings
from inference.phantom import phrases_en_impression as impression
from inference.phantom.phrases import Phrasebook, Table

_ABSENT: Table = {
    "pleural_effusion": (
        "no pleural effusion.",
        "there is no pleural effusion.",
        "no pleural effusion is seen.",
        "no evidence of pleural effusion.",
        "the pleural spaces are free of effusion.",
    ),
    "pleural_effusion:clear": (
        "no pleural effusion.",
        "the costophrenic angles are sharp.",
        "both costophrenic angles are clear.",
        "sharp costophrenic angles, no effusion.",
    ),
    "pneumothorax": (
        "no pneumothorax.",
        "there is no pneumothorax.",
        "no pneumothorax is seen.",
        "no evidence of pneumothorax.",
        "no visible pneumothorax.",
    ),
    "consolidation": (
        "no consolidation.",
        "there is no consolidation.",
        "no focal consolidation is seen.",
        "no evidence of consolidation.",
        "the lungs are free of consolidation.",
    ),
    "consolidation:clear": (
        "the lungs are clear.",
        "both lungs are clear.",
        "clear lungs.",
        "the lungs are well aerated and clear.",
        "no focal lung opacity, no consolidation.",
    ),
    "cardiomegaly": (
        "the heart is normal in size.",
        "heart size is normal.",
        "the cardiac silhouette is normal in size.",
        "the heart is not enlarged.",
        "normal heart size.",
    ),
    "pulmonary_edema": (
        "no pulmonary oedema.",
        "there is no pulmonary oedema.",
        "no evidence of pulmonary oedema.",
        "no sign of pulmonary oedema is seen.",
    ),
    "rib_fracture": (
        "no acute bony abnormality.",
        "no rib fracture is seen.",
        "there is no acute bony abnormality.",
        "no displaced rib fracture.",
        "no evidence of rib fracture.",
    ),
    "free_air": (
        "no free air under the diaphragm.",
        "there is no free abdominal air.",
        "no free air is seen under the diaphragm.",
        "no pneumoperitoneum.",
    ),
}

_ABSENT_SIDE: Table = {
    "pleural_effusion": (
        "no {side} pleural effusion.",
        "no pleural effusion on the {side}.",
        "there is no {side} pleural effusion.",
        "no pleural effusion is seen on the {side}.",
    ),
    "pneumothorax": (
        "no {side} pneumothorax.",
        "no pneumothorax on the {side}.",
        "there is no {side} pneumothorax.",
        "no pneumothorax is seen on the {side}.",
    ),
    "consolidation": (
        "no {side} consolidation.",
        "no consolidation on the {side}.",
        "the {side} lung is free of consolidation.",
        "no consolidation is seen in the {side} lung.",
    ),
    "consolidation:clear": (
        "the {side} lung is clear.",
        "clear {side} lung.",
        "the {side} lung is well aerated and clear.",
        "no focal opacity or consolidation in the {side} lung.",
    ),
}

_RESOLVED_DEVICE = (
    "the {side} {noun} has been removed.",
    "interval removal of the {side} {noun}.",
    "the previously seen {side} {noun} has been removed.",
    "the {side} {noun} is no longer present.",
)
_RESOLVED: Table = {
    "": (
        "the previously seen {side} {noun} has resolved.",
        "the {side} {noun} has resolved since the prior study.",
        "the {side} {noun} of the prior study is no longer seen.",
        "interval resolution of the {side} {noun}.",
        "previous {side} {noun}, no longer seen.",
    ),
    "rib_fracture": (
        "the previously seen {side} rib fracture is no longer visible.",
        "the {side} rib fracture has healed since the prior study.",
        "healed {side} rib fracture, no longer seen.",
        "interval healing of the {side} rib fracture, no longer visible.",
    ),
    "cardiomegaly": (
        "the heart is no longer enlarged.",
        "the previously seen cardiomegaly has resolved.",
        "heart size has returned to normal since the prior study.",
        "interval return of the heart to normal size.",
    ),
    "device": _RESOLVED_DEVICE,
    "misplaced": _RESOLVED_DEVICE,
}

_ADJECTIVES: Table = {
    "new": ("new ",),
    "larger": ("increased ", "increasing "),
    "smaller": ("decreased ", "decreasing "),
    "unchanged": ("unchanged ", "stable "),
}
_CLAUSES: Table = {
    "new": ("new since the prior study.", "new.", "a new finding.", "new from the prior study."),
    "device:new": ("new since the prior study.", "new.", "inserted since the prior study."),
    "larger": (
        "increased since the prior study.",
        "larger than on the prior study.",
        "increased from before.",
        "larger than before.",
    ),
    "smaller": (
        "decreased since the prior study.",
        "smaller than on the prior study.",
        "decreased from before.",
        "smaller than before.",
    ),
    "unchanged": (
        "unchanged since the prior study.",
        "unchanged.",
        "stable from the prior study.",
        "similar to before.",
    ),
    "pulmonary_edema:larger": ("worse than before.", "increased since the prior study.", "progressed."),
    "pulmonary_edema:smaller": ("improved.", "less than before.", "decreased since the prior study."),
    "consolidation:larger": ("worse than before.", "increased since the prior study.", "progressed."),
    "consolidation:smaller": ("improved.", "less than before.", "decreased since the prior study."),
    "atelectasis:larger": ("worse than before.", "increased since the prior study.", "progressed."),
    "atelectasis:smaller": ("improved.", "less than before.", "decreased since the prior study."),
    "free_air:larger": ("more than before.", "increased since the prior study.", "increased."),
    "free_air:smaller": ("less than before.", "decreased since the prior study.", "decreased."),
    "rib_fracture:larger": ("more than on the prior study.", "more than before."),
    "rib_fracture:smaller": ("fewer than on the prior study.", "fewer than before."),
}

_ANATOMY: Table = {
    "mediastinum": (
        "the mediastinum is normal.",
        "the mediastinal contours are normal.",
        "normal mediastinum.",
        "the mediastinum is not widened.",
    ),
    "trachea": (
        "the trachea is midline.",
        "midline trachea.",
        "the trachea is central.",
        "the trachea is in the midline.",
    ),
    "hila": ("the hila are normal.", "normal hila.", "the hilar contours are normal.", "unremarkable hila."),
    "diaphragm": (
        "the diaphragm is well defined.",
        "well defined diaphragm.",
        "both domes of the diaphragm are well seen.",
        "the diaphragm is unremarkable.",
    ),
    "bones": (
        "the bones are unremarkable.",
        "unremarkable bones.",
        "the bony thorax is intact.",
        "the visible bones are normal.",
    ),
}

_ALL_CLEAR = (
    "no acute cardiopulmonary abnormality.",
    "no acute abnormality.",
    "no acute cardiopulmonary process.",
    "no acute abnormality in the chest.",
    "no active disease in the chest.",
)
_NORMAL = (*_ALL_CLEAR, "normal chest radiograph.", "normal chest.", "no abnormality is seen.")

_GENERAL = (
    "Cough.",
    "Chest pain.",
    "Preoperative assessment.",
    "Shortness of breath.",
    "Fever.",
    "Routine check.",
    "Pneumonia?",
    "Chest infection?",
    "Pneumothorax?",
    "Heart failure?",
    "Weight loss.",
    "Smoker with cough.",
)
_INDICATIONS: Table = {
    "": _GENERAL,
    "pleural_effusion": ("Shortness of breath.", "Pleural effusion?", "Breathless, dull base."),
    "pneumothorax": ("Sudden chest pain.", "Pneumothorax?", "Sudden shortness of breath."),
    "pneumothorax:tension": (
        "Sudden collapse.",
        "Tension pneumothorax?",
        "Falling oxygen and blood pressure.",
    ),
    "consolidation": ("Fever and cough.", "Pneumonia?", "Cough with sputum."),
    "nodule": ("Smoker with cough.", "Weight loss.", "Routine check."),
    "mass": ("Weight loss.", "Coughing blood.", "Lung cancer?"),
    "atelectasis": ("Shortness of breath.", "Low oxygen after surgery.", "Collapse of a lobe?"),
    "cardiomegaly": ("Heart failure?", "Leg swelling.", "Shortness of breath."),
    "pulmonary_edema": ("Heart failure?", "Pulmonary oedema?", "Breathless when lying flat."),
    "hiatus_hernia": ("Heartburn.", "Chest pain after meals.", "Hiatus hernia?"),
    "rib_fracture": ("Chest injury.", "Fall, chest wall pain.", "Rib fracture?"),
    "free_air": ("Acute abdominal pain.", "Perforation?", "Abdominal pain after surgery."),
    "endotracheal_tube": ("Tube position?", "After intubation.", "Ventilated patient."),
    "tracheostomy_tube": ("After tracheostomy.", "Ventilated patient.", "Tube position?"),
    "nasogastric_tube": ("Nasogastric tube position?", "After tube placement.", "Tube position?"),
    "central_line": ("Line position?", "After line placement.", "Intensive care."),
    "pacemaker": ("After pacemaker placement.", "Lead position?", "Collapse, pacemaker."),
    "chest_drain": ("Chest drain position?", "After drain placement.", "Intensive care."),
}

PHRASEBOOK = Phrasebook(
    language="en",
    join=" ",
    date="{day} {month} {year}",
    months=(
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    links=((".", ", "),),
    sides={"right": "right", "left": "left", "bilateral": "bilateral", "": ""},
    extents={
        **{word: word for word in ("small", "moderate", "large", "patchy", "dense", "mild", "severe")},
        **{"cardiomegaly:mild": "mildly", "cardiomegaly:marked": "markedly"},
        **{"too_low": "too low", "too_high": "too high", "too_deep": "too deep"},
        "endotracheal_tube:bronchial": "in the right main bronchus",
        "nasogastric_tube:bronchial": "in the right bronchus",
    },
    zones={
        **{"upper_lobe": "upper lobe", "middle_lobe": "middle lobe", "lower_lobe": "lower lobe"},
        **{"upper": "upper zone", "mid": "mid zone", "lower": "lower zone"},
        **{"jugular": "jugular central line", "subclavian": "subclavian central line", "picc": "PICC line"},
        **{"apical": "apex", "basal": "base"},
    },
    nouns={
        "pleural_effusion": "pleural effusion",
        "pneumothorax": "pneumothorax",
        "consolidation": "consolidation",
        "nodule": "lung nodule",
        "mass": "lung mass",
        "atelectasis": "atelectasis",
        "pulmonary_edema": "pulmonary oedema",
        "cardiomegaly": "cardiomegaly",
        "hiatus_hernia": "hiatus hernia",
        "rib_fracture": "rib fracture",
        "free_air": "free abdominal air",
        "endotracheal_tube": "endotracheal tube",
        "tracheostomy_tube": "tracheostomy tube",
        "nasogastric_tube": "nasogastric tube",
        "central_line": "central line",
        "pacemaker": "pacemaker",
        "chest_drain": "chest drain",
    },
    present=findings.PRESENT,
    uncertain=findings.UNCERTAIN,
    absent=_ABSENT,
    absent_side=_ABSENT_SIDE,
    resolved=_RESOLVED,
    adjectives=_ADJECTIVES,
    clauses=_CLAUSES,
    anatomy=_ANATOMY,
    comparison=(
        "comparison is made with the study of {date}.",
        "compared with the study of {date}.",
        "compared with the prior study.",
        "the prior study of {date} is available.",
    ),
    no_change=(
        "no change since the prior study.",
        "no change from the study of {date}.",
        "the chest is unchanged since the prior study.",
        "unchanged from the study of {date}.",
    ),
    impression=impression.IMPRESSION,
    impression_uncertain=impression.IMPRESSION_UNCERTAIN,
    all_clear=_ALL_CLEAR,
    normal=_NORMAL,
    indications=_INDICATIONS,
    follow_up=("Follow-up of {side} {noun}.", "{side} {noun}, follow-up.", "Known {side} {noun}, change?"),
)
