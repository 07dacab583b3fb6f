"""The words of phantom reports: for every statement at least four ways to say it.

Slots: {side}, {other}, {extent}, {zone}, {mm}, {cm}. The first letter is raised after filling. Few distinct
words on purpose: a small language model learns them.
"""

PRESENT: dict[str, tuple[str, ...]] = {
    "pleural_effusion": (
        "there is a {extent} {side} pleural effusion.",
        "{extent} {side} pleural effusion.",
        "a {extent} pleural effusion is seen on the {side}.",
        "{extent} {side} effusion with blunting of the costophrenic angle.",
        "pleural fluid on the {side}, {extent} in amount.",
    ),
    "pneumothorax": (
        "there is a {extent} {side} pneumothorax.",
        "{extent} {side} pneumothorax.",
        "a {extent} pneumothorax is seen on the {side}.",
        "{extent} {side} apical pneumothorax with a visible pleural line.",
    ),
    "consolidation": (
        "there is {extent} consolidation in the {side} {zone} zone.",
        "{extent} consolidation in the {side} {zone} zone.",
        "{extent} airspace opacity is seen in the {side} {zone} zone.",
        "an area of {extent} consolidation projects over the {side} {zone} lung.",
        "{extent} opacity in the {side} {zone} zone, in keeping with consolidation.",
    ),
    "nodule": (
        "there is a {mm} mm nodule in the {side} {zone} zone.",
        "{mm} mm nodule in the {side} {zone} zone.",
        "a nodule of about {mm} mm projects over the {side} {zone} lung.",
        "a rounded {mm} mm opacity in the {side} {zone} zone is in keeping with a nodule.",
    ),
    "cardiomegaly": (
        "the heart is {extent} enlarged.",
        "the cardiac silhouette is {extent} enlarged.",
        "heart size is {extent} increased.",
        "there is cardiomegaly, with a {extent} enlarged heart.",
    ),
    "endotracheal_tube:well_placed": (
        "the endotracheal tube tip is {cm} cm above the carina.",
        "endotracheal tube in good position, {cm} cm above the carina.",
        "an endotracheal tube ends {cm} cm above the carina.",
        "endotracheal tube with its tip {cm} cm above the carina.",
    ),
    "endotracheal_tube:too_low": (
        "the endotracheal tube is too low, with its tip just above the carina.",
        "low endotracheal tube, ending just above the carina.",
        "the tip of the endotracheal tube is low, less than 2 cm above the carina.",
        "endotracheal tube tip just above the carina, too low.",
    ),
    "central_line:well_placed": (
        "a {side} central line ends in the superior vena cava.",
        "{side} central venous catheter with its tip in the superior vena cava.",
        "the tip of the {side} central line is in the superior vena cava.",
        "{side} central line in good position.",
    ),
    "central_line:too_deep": (
        "a {side} central line ends in the right atrium.",
        "{side} central venous catheter with its tip too deep, in the right atrium.",
        "the tip of the {side} central line is deep, over the right atrium.",
        "{side} central line, too deep, with its tip in the right atrium.",
    ),
    "pacemaker": (
        "a {side} {extent} pacemaker is present.",
        "{side} {extent} pacemaker.",
        "{extent} pacemaker on the {side}.",
        "there is a {extent} pacemaker with its generator on the {side}.",
    ),
}

BILATERAL: dict[str, tuple[str, ...]] = {
    "pleural_effusion": (
        "there are {extent} bilateral pleural effusions.",
        "{extent} bilateral pleural effusions.",
        "{extent} pleural effusions are seen on both sides, bilateral.",
        "bilateral pleural effusions, {extent} in amount.",
    ),
    "consolidation": (
        "there is {extent} bilateral consolidation in the {zone} zones.",
        "{extent} bilateral {zone} zone consolidation.",
        "{extent} bilateral airspace opacity is seen in the {zone} zones.",
        "bilateral {extent} consolidation in the {zone} zones.",
    ),
}

UNCERTAIN: dict[str, tuple[str, ...]] = {
    "pleural_effusion": (
        "there may be a {extent} {side} pleural effusion.",
        "possible {extent} {side} pleural effusion.",
        "a {extent} {side} pleural effusion cannot be excluded.",
        "slight blunting of the {side} costophrenic angle, possibly a {extent} pleural effusion.",
    ),
    "pneumothorax": (
        "there may be a {extent} {side} pneumothorax.",
        "possible {extent} {side} pneumothorax.",
        "a {extent} {side} pneumothorax cannot be excluded.",
        "a fine line at the {side} apex is suspicious for a {extent} pneumothorax.",
    ),
    "consolidation": (
        "there may be {extent} consolidation in the {side} {zone} zone.",
        "possible {extent} consolidation in the {side} {zone} zone.",
        "faint opacity in the {side} {zone} zone, possibly {extent} consolidation.",
        "{extent} consolidation in the {side} {zone} zone cannot be excluded.",
    ),
    "nodule": (
        "there may be a {mm} mm nodule in the {side} {zone} zone.",
        "possible {mm} mm nodule in the {side} {zone} zone.",
        "faint {mm} mm opacity in the {side} {zone} zone, possibly a nodule.",
        "a {mm} mm nodule in the {side} {zone} zone cannot be excluded.",
    ),
}

ABSENT: dict[str, tuple[str, ...]] = {
    "pleural_effusion": (
        "no pleural effusion.",
        "there is no pleural effusion.",
        "no pleural effusion is seen.",
        "the costophrenic angles are sharp.",
        "no evidence of pleural effusion.",
    ),
    "pneumothorax": (
        "no pneumothorax.",
        "there is no pneumothorax.",
        "no pneumothorax is seen.",
        "no evidence of pneumothorax.",
    ),
    "consolidation": (
        "no consolidation.",
        "there is no consolidation.",
        "no focal consolidation is seen.",
        "no airspace opacity is seen.",
    ),
    "nodule": (
        "no nodule is seen.",
        "there is no lung nodule.",
        "no lung nodule.",
        "no evidence of a lung nodule.",
    ),
    "cardiomegaly": (
        "the heart is normal in size.",
        "heart size is normal.",
        "the cardiac silhouette is normal.",
        "the heart is not enlarged.",
    ),
}

CLEAR = (
    "the lungs are clear.",
    "both lungs are clear.",
    "clear lungs.",
    "the lungs are well aerated and clear.",
)
SIDE_CLEAR = (
    "the {side} lung is clear.",
    "clear {side} lung.",
    "no consolidation on the {side}.",
    "the {side} lung is free of consolidation.",
)
SIDE_DRY = (
    "no pleural effusion on the {side}.",
    "no {side} pleural effusion.",
    "there is no {side} pleural effusion.",
    "the {side} costophrenic angle is sharp.",
)
MEDIASTINUM = (
    "the mediastinum is normal.",
    "the mediastinal contours are normal.",
    "normal mediastinum.",
    "no mediastinal widening.",
)
TRACHEA = (
    "the trachea is midline.",
    "midline trachea.",
    "the trachea is central.",
    "the trachea is in the midline.",
)

IMPRESSION: dict[str, tuple[str, ...]] = {
    "pleural_effusion": (
        "{extent} {side} pleural effusion.",
        "{side} pleural effusion, {extent}.",
        "{extent} {side} effusion.",
        "pleural effusion on the {side}.",
    ),
    "pneumothorax": (
        "{extent} {side} pneumothorax.",
        "{side} pneumothorax, {extent}.",
        "{side} pneumothorax.",
        "{extent} pneumothorax on the {side}.",
    ),
    "consolidation": (
        "{side} {zone} zone consolidation.",
        "{side} {zone} zone consolidation, in keeping with pneumonia.",
        "consolidation in the {side} {zone} zone.",
        "{extent} {side} {zone} zone consolidation.",
    ),
    "nodule": (
        "{mm} mm nodule in the {side} {zone} zone, CT is recommended.",
        "{side} {zone} zone nodule of {mm} mm.",
        "{side} lung nodule, CT is recommended.",
        "{mm} mm {side} lung nodule.",
    ),
    "cardiomegaly": (
        "cardiomegaly.",
        "enlarged heart.",
        "{extent} enlarged heart.",
        "the heart is {extent} enlarged.",
    ),
    "endotracheal_tube": (
        "low endotracheal tube, should be withdrawn.",
        "endotracheal tube too low.",
        "the endotracheal tube should be withdrawn.",
        "endotracheal tube just above the carina.",
    ),
    "central_line": (
        "{side} central line too deep.",
        "{side} central line with its tip in the right atrium.",
        "deep {side} central line, should be withdrawn.",
        "the {side} central line should be withdrawn.",
    ),
}
IMPRESSION_UNCERTAIN: dict[str, tuple[str, ...]] = {
    "pleural_effusion": (
        "possible {side} pleural effusion.",
        "possible {extent} {side} pleural effusion.",
        "{side} pleural effusion cannot be excluded.",
        "suspected {side} pleural effusion.",
    ),
    "pneumothorax": (
        "possible {side} pneumothorax.",
        "possible {extent} {side} pneumothorax.",
        "{side} pneumothorax cannot be excluded.",
        "suspected {side} pneumothorax.",
    ),
    "consolidation": (
        "possible {side} {zone} zone consolidation.",
        "suspected {side} {zone} zone consolidation.",
        "{side} {zone} zone consolidation cannot be excluded.",
        "possible consolidation in the {side} {zone} zone.",
    ),
    "nodule": (
        "possible {side} lung nodule, CT is recommended.",
        "possible {mm} mm {side} lung nodule.",
        "suspected {side} {zone} zone nodule.",
        "{side} lung nodule cannot be excluded.",
    ),
}
NOTHING_ACUTE = (
    "no acute cardiopulmonary abnormality.",
    "no acute abnormality.",
    "no acute cardiopulmonary process.",
    "no acute abnormality in the chest.",
)
NORMAL = (*NOTHING_ACUTE, "normal chest radiograph.", "normal chest.")

EXTENT_WORDS: dict[str, str] = {
    "mild": "mildly",
    "marked": "markedly",
    "single_lead": "single lead",
    "dual_lead": "dual lead",
}

INDICATIONS: dict[str, tuple[str, ...]] = {
    "": ("Cough.", "Chest pain.", "Before surgery.", "Shortness of breath.", "Fever.", "Routine check."),
    "pleural_effusion": ("Shortness of breath.", "Pleural effusion?", "Breathless, dull base."),
    "pneumothorax": ("Sudden chest pain.", "Pneumothorax?", "After line placement."),
    "consolidation": ("Fever and cough.", "Pneumonia?", "Cough with sputum."),
    "nodule": ("Smoker with cough.", "Weight loss.", "Routine check."),
    "cardiomegaly": ("Heart failure?", "Leg swelling.", "Shortness of breath."),
    "endotracheal_tube": ("Tube position?", "After intubation.", "Ventilated."),
    "central_line": ("Line position?", "After line placement.", "Intensive care."),
    "pacemaker": ("After pacemaker.", "Lead position?", "Collapse, pacemaker."),
}
