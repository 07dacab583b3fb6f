"""What English reports call the findings. Words are lower case, American, singular; plurals are found too.

A table's line gives what is named and the phrases for it, with commas between; articles are left out.
"""

from inference.text.labels.categories import Category as C

SPELLINGS = {
    "oedema": "edema",
    "oedematous": "edematous",
    "haemothorax": "hemothorax",
    "haemopneumothorax": "hemopneumothorax",
    "haematoma": "hematoma",
    "tumour": "tumor",
    "tumours": "tumors",
    "catheterisation": "catheterization",
    "visualised": "visualized",
    "centre": "center",
    "fibre": "fiber",
    "cephalisation": "cephalization",
    "pulm": "pulmonary",
    "lungfields": "lungs",
    "w": "with",
    "lt": "left",
    "rt": "right",
    "ptx": "pneumothorax",
    "pna": "pneumonia",
    "bilat": "bilateral",
    "bibasal": "bibasilar",
    "oedemas": "edema",
}
"""British spellings and abbreviations of one word."""

FINDINGS: tuple[tuple[tuple[C, ...], str], ...] = (
    ((C.CARDIOMEGALY,), "cardiomegaly, cardiac enlargement, enlarged heart, cardiac dilatation, "
     "cardiac dilation, heart enlargement, left ventricular enlargement, left atrial enlargement, "
     "right ventricular enlargement, right atrial enlargement, biventricular enlargement, "
     "biatrial enlargement, chamber enlargement, cardiac prominence, globular heart"),
    ((C.ENLARGED_CARDIOMEDIASTINUM,), "mediastinal widening, mediastinal enlargement, widened mediastinum, "
     "mediastinal mass, mediastinal adenopathy, mediastinal lymphadenopathy, mediastinal prominence, "
     "mediastinal fullness, mediastinal hematoma, mediastinal lymph node enlargement, "
     "enlarged mediastinal lymph node, enlarged mediastinal node, mediastinal lipomatosis, "
     "paratracheal adenopathy, paratracheal lymphadenopathy, hilar and mediastinal adenopathy, "
     "hilar and mediastinal lymphadenopathy, mediastinal and hilar adenopathy, mediastinal tumor, "
     "mediastinal and hilar lymphadenopathy, bihilar and mediastinal lymphadenopathy, thymoma, "
     "mediastinal nodal enlargement, widened paratracheal stripe, mediastinal lesion"),
    ((C.LUNG_OPACITY,), "opacity, opacification, opacified, opaque, haziness, hazy, density, infiltrate, "
     "infiltration, airspace disease, air space disease, airspace process, air space process, "
     "airspace change, ground glass, whiteout, white out, reticulation, reticular marking, "
     "reticular pattern, reticular change, interstitial marking, interstitial prominence, "
     "interstitial thickening, interstitial disease, interstitial lung disease, ild, interstitial pattern, "
     "interstitial abnormality, interstitial change, interstitial process, interstitial infiltrate, "
     "interstitial pneumonitis, interstitium, septal thickening, lung marking, fibrosis, fibrotic change, "
     "fibrotic, lung scarring, scarring, scar, scarred, shadowing, shadow, peribronchial thickening, "
     "bronchial wall thickening, peribronchial cuffing, bronchial cuffing, patchy change, "
     "parenchymal disease, parenchymal abnormality, lung disease, peribronchovascular thickening, "
     "honeycombing, reticulonodular pattern, parenchymal change, airspace filling, parenchymal process, "
     "pulmonary parenchymal abnormality"),
    ((C.LUNG_OPACITY, C.LUNG_LESION), "nodular opacity, nodular density, nodular opacification, "
     "nodular infiltrate, nodular shadow, rounded opacity nodule, reticulonodular opacity, nodular haziness"),
    ((C.LUNG_OPACITY, C.CONSOLIDATION), "consolidative opacity, consolidative opacification, "
     "consolidative change opacity, consolidative density, consolidative infiltrate"),
    ((C.LUNG_LESION,), "nodule, nodularity, mass, granuloma, metastasis, metastatic disease, "
     "metastatic lesion, lung cancer, bronchogenic carcinoma, carcinoma, malignancy, neoplasm, tumor, "
     "adenocarcinoma, cavity, cavitary lesion, cavitation, cavitary, lung lesion, pulmonary lesion, "
     "focal lesion, lesion, coin lesion, granulomatous disease, lung abscess, abscess, hamartoma, "
     "lung malignancy, primary malignancy, nodule or mass, cannonball lesion, mycetoma, aspergilloma, "
     "cancer, neoplastic process, space occupying lesion, lung primary"),
    ((C.EDEMA,), "edema, pulmonary edema, vascular congestion, pulmonary congestion, congestion, "
     "venous congestion, pulmonary venous hypertension, vascular engorgement, vascular prominence, "
     "vascular redistribution, vascular plethora, cephalization, kerley b line, kerley line, septal line, "
     "heart failure, congestive heart failure, chf, congestive failure, cardiac failure, "
     "cardiac decompensation, fluid overload, volume overload, hypervolemia, vascular indistinctness, "
     "lv failure, hydrostatic edema, elevated pulmonary venous pressure, decompensated failure, "
     "upper lobe diversion, pulmonary venous engorgement, increased pulmonary venous pressure, "
     "left ventricular failure, upper zone redistribution, pulmonary venous pressure elevation, "
     "interstitial fluid, circulatory overload, congestive change, overhydration, "
     "pulmonary vascular pedicle engorgement, kerley ' s line, kerley ' s b line, kerley ' s b, kerley b"),
    ((C.CONSOLIDATION,), "consolidation, consolidated, consolidative change, consolidative process, "
     "consolidative, airspace consolidation, air space consolidation"),
    ((C.PNEUMONIA,), "pneumonia, bronchopneumonia, infection, infectious process, infectious etiology, "
     "pneumonic process, pneumonic change, infectious infiltrate, superinfection, infective process, "
     "pneumonic, infective change, infectious change, infectious, infective, infectious disease, "
     "inflammatory or infectious process, bronchopneumonic change, pneumonic infiltrate, "
     "lower respiratory tract infection"),
    ((C.LUNG_OPACITY, C.PNEUMONIA), "pneumonic opacity, infectious opacity"),
    ((C.CONSOLIDATION, C.PNEUMONIA), "pneumonic consolidation, infectious consolidation"),
    ((C.ATELECTASIS,), "atelectasis, atelectatic, atelectatic change, collapse, collapsed, volume loss, "
     "loss of volume, subsegmental collapse, lobar collapse, loss of lung volume, collapse of lung"),
    ((C.ATELECTASIS, C.CONSOLIDATION), "collapse consolidation, collapse / consolidation"),
    ((C.ATELECTASIS, C.LUNG_OPACITY), "atelectatic opacity, atelectatic density"),
    ((C.PNEUMOTHORAX,), "pneumothorax, pneumothoraces, hydro pneumothorax"),
    ((C.PNEUMOTHORAX, C.PLEURAL_EFFUSION), "hydropneumothorax, hydropneumothoraces, hemopneumothorax, "
     "hemopneumothoraces, pyopneumothorax"),
    ((C.PLEURAL_EFFUSION,), "effusion, pleural effusion, pleural fluid, fluid, hemothorax, hemothoraces, "
     "empyema, pseudotumor, fluid collection, fissural fluid, pleural collection, chylothorax, "
     "subpulmonic effusion, loculated fluid, parapneumonic effusion"),
    ((C.PLEURAL_OTHER,), "pleural thickening, pleural scarring, pleural scar, pleural plaque, "
     "pleural calcification, apical cap, apical pleural cap, pleural cap, fissural thickening, "
     "thickening of pleura, thickened pleura, pleural based thickening, fibrothorax, "
     "pleuroparenchymal scarring, pleural parenchymal scarring, pleuroparenchymal thickening, "
     "pleural and parenchymal scarring, calcified pleura, calcified plaque, pleural adhesion, "
     "pleural disease, pleural reaction, pleural change, pleural fibrosis, pleural mass, pleural lesion, "
     "pleural nodularity, mesothelioma, plaque, pleural peel, pleural tenting, pleurodesis change, "
     "thickening of fissure, thickening of minor fissure, thickening of major fissure, "
     "thickening of horizontal fissure, thickening of oblique fissure, thickened fissure, pleural rind"),
    ((C.FRACTURE,), "fracture, fractured, compression deformity, compression fracture, wedge deformity, "
     "wedge compression, wedging, vertebral compression, vertebral body compression, vertebral collapse, "
     "anterior wedging, vertebral body collapse, loss of vertebral body height, loss of vertebral height, "
     "vertebral height loss, vertebral body height loss, rib deformity, fracture deformity, fracture line, "
     "loss of height, height loss, broken rib, cortical break"),
    ((C.SUPPORT_DEVICES,), "support device, monitoring and support device, support and monitoring device, "
     "monitoring device, support line, support tube, lines, line and tube, line or tube, tube and line, "
     "tube, catheter, drain, device, endotracheal tube, et tube, et, ett, ng, ng tube, ngt, "
     "nasogastric tube, nasogastric, nasoenteric tube, og tube, ogt, orogastric tube, enteric tube, "
     "enteric catheter, feeding tube, feeding catheter, dobbhoff, dobhoff, dobbhoff tube, dobhoff tube, "
     "gastric tube, gastrostomy tube, jejunostomy tube, mediastinal drain, mediastinal tube, picc, "
     "picc line, central line, central venous line, central venous catheter, central catheter, cvc, cvl, "
     "venous catheter, ij line, ij catheter, ij, internal jugular line, internal jugular catheter, "
     "subclavian line, subclavian catheter, jugular line, jugular catheter, jugular sheath, femoral line, "
     "arterial line, port, port a cath, portacath, port catheter, chest port, mediport, infusion port, "
     "swan ganz, swan, swan ganz catheter, pulmonary artery catheter, pulmonary arterial catheter, "
     "pa catheter, hickman, hickman catheter, hickman line, dialysis catheter, hemodialysis catheter, "
     "vascath, permacath, sheath, introducer, cordis, tracheostomy, tracheostomy tube, "
     "tracheostomy cannula, trach, trach tube, ecmo cannula, ecmo, cannula, impella, iabp, "
     "intra aortic balloon pump, balloon pump, lvad, vad, ventricular assist device, pacemaker, pacer, "
     "pacing device, pacing wire, pacing lead, pacemaker lead, pacer lead, pacer wire, lead, icd, "
     "icd lead, aicd, aicd lead, defibrillator, generator, loop recorder, prosthetic valve, "
     "prosthetic mitral valve, prosthetic aortic valve, valve prosthesis, mechanical valve, "
     "bioprosthetic valve, artificial valve, valve replacement, tavr, tavi, prosthetic heart valve, "
     "valve ring, annuloplasty ring, stent, coronary stent, stent graft, endograft, spinal hardware, "
     "fusion hardware, orthopedic hardware, hardware, fixation hardware, spinal rod, harrington rod, "
     "fixation rod, fusion rod, pedicle screw, vp shunt, ventriculoperitoneal shunt, shunt catheter, "
     "ivc filter, nerve stimulator, neurostimulator, spinal stimulator, stimulator, "
     "vagal nerve stimulator, ecg lead, ekg lead, cardiac lead, telemetry lead, external lead, "
     "life support device, tunneled catheter, temperature probe, oxygen tubing, tubing, "
     "biventricular pacer, watchman, watchman device, intubation, intubated, electrode, amplatzer, "
     "shoulder prosthesis, arthroplasty, septal occluder, occluder device, mitraclip, ventilator, "
     "esophageal probe, medical device"),
)  # fmt: skip
"""What a phrase states."""

PLEURAL_DRAINS = (
    "chest tube, pigtail, pigtail catheter, pleural drain, pleural tube, pleural pigtail, "
    "pleural pigtail catheter, chest drain, intercostal drain, pleural catheter, pleurx catheter, "
    "thoracostomy tube, pleurx, basal drain, thoracostomy catheter, intercostal tube, apical drain, "
    "apical chest tube, basal chest tube"
)
"""Devices on the side of what they drain."""

DENIABLE: tuple[tuple[tuple[C, ...], str], ...] = (
    ((C.NO_FINDING,), "acute cardiopulmonary process, acute cardiopulmonary disease, "
     "acute cardiopulmonary abnormality, cardiopulmonary disease, cardiopulmonary abnormality, "
     "cardiopulmonary process, active disease, acute process, acute disease, acute abnormality, "
     "acute finding, intrathoracic abnormality, acute intrathoracic abnormality, acute pulmonary disease, "
     "acute intrathoracic process, intrathoracic process, active cardiopulmonary disease, abnormality, "
     "acute intrathoracic disease, intrathoracic disease, acute pulmonary process, acute pathology, "
     "active pulmonary disease, acute cardiopulmonary pathology, acute chest disease, disease, "
     "active chest disease, radiographic abnormality, acute radiographic abnormality, pathology, "
     "acute cardiopulmonary finding, acute chest abnormality, significant abnormality, abnormal finding, "
     "acute cardiothoracic process, acute thoracic process, acute change, acute pulmonary abnormality, "
     "acute cardiac or pulmonary process, acute cardiopulmonary problem, acute cardiopulmonary event, "
     "acute cardiac or pulmonary disease, active process, acute cardiopulmonary change, "
     "active intrathoracic disease, active lung disease, acute lung disease, acute chest process, "
     "acute cardiac or pulmonary abnormality, acute thoracic abnormality, active pulmonary process, "
     "acute pulmonary finding, acute pulmonary pathology, acute intrathoracic finding, "
     "active cardiopulmonary process, active cardiopulmonary abnormality"),
    ((C.LUNG_OPACITY,), "lung abnormality, pulmonary abnormality, focal lung abnormality, "
     "focal pulmonary abnormality, focal parenchymal abnormality, focal abnormality, focal lung lesion, "
     "focal process, acute parenchymal abnormality, focal airspace abnormality, focal lung disease"),
    ((C.FRACTURE,), "bony abnormality, osseous abnormality, bone abnormality, skeletal abnormality, "
     "acute bony abnormality, acute osseous abnormality, acute bone abnormality, "
     "acute skeletal abnormality, acute osseous process, acute bony process, osseous injury, bony injury, "
     "acute bony injury, acute osseous injury, acute osseous finding, acute bony finding, bony trauma, "
     "osseous lesion, bony lesion, bone lesion, skeletal lesion, osseous finding, acute osseous pathology, "
     "acute bony pathology, rib abnormality, acute rib abnormality, bony destruction, skeletal injury"),
    ((C.PLEURAL_EFFUSION, C.PLEURAL_OTHER), "pleural abnormality, acute pleural abnormality"),
    ((C.CARDIOMEGALY,), "cardiac abnormality, heart abnormality"),
    ((C.ENLARGED_CARDIOMEDIASTINUM,), "mediastinal abnormality"),
    ((C.CARDIOMEGALY, C.ENLARGED_CARDIOMEDIASTINUM), "cardiomediastinal abnormality"),
)  # fmt: skip
"""What a phrase denies; stated, it says too little for a label."""

NOTHING = (
    "pericardial effusion, pericardial fluid, air fluid level, fluid level, fluid status, mass effect, "
    "mass like, masslike, mediastinal shift, shift of mediastinum, bronchovascular marking, "
    "bronchovascular crowding, crowding of vascular marking, bone density, bone mineral density, "
    "bony density, osseous density, bone mineralization, soft tissue density, soft tissue edema, "
    "subcutaneous edema, chest wall edema, body wall edema, lytic lesion, sclerotic lesion, breast shadow, "
    "breast tissue, nipple shadow, breast density, fat pad, surgical clip, clip, suture, staple, "
    "suture line, staple line, lead fracture, catheter fracture, pleural line, skin line, skin fold, "
    "air bronchogram, interstitial emphysema, atrial fibrillation, granulomatous change, "
    "in right clinical setting, in right clinical context, in right setting, vascular crowding, "
    "vascular calcification, vascular pedicle, cardiac device, paratracheal line, azygos fissure, "
    "azygos lobe, heart border, cardiac border, heart rate, azygos vein, port site, side port, sideport, "
    "side hole, leads to, line up, fiducial, fiducial marker, normal variant, normal for age, bowel gas, "
    "bowel obstruction, collapsed bowel, stomach, gastric, mastectomy, pneumonectomy, lobectomy, "
    "thoracentesis, bronchoscopy, aspiration, aspiration pneumonitis, tuberculosis, lung volume, "
    "low lung volume, low lung volumes, breath hold, inspiratory volume, aortic wall, hilar mass, "
    "hilar enlargement, hilar prominence, hilar fullness, hilar adenopathy, hilar lymphadenopathy, "
    "bilateral hilar enlargement, bilateral hilar prominence, hilar node, hilar congestion, breast mass, "
    "axillary mass, thyroid mass, liver mass, abdominal mass, neck mass, peritoneal fluid, "
    "abdominal fluid, free fluid, ascites, thoracic aorta stent, midline, in line, line of, "
    "demarcation line, fat density, calcific density, metallic density, catheterization, "
    "clinical infection, heart valve, pulmonary artery pressure, bullet, shrapnel, swallowed tube, "
    "vascular lines, airway line, line drawing, no interval change, cervical collar, port wine, "
    "oral contrast density, contrast density, line shadow"
)
"""Phrases that hold a finding's word and state nothing of ours."""

WIRES = "wire, sternal wire, sternotomy wire, median sternotomy wire, cerclage wire, sternal suture"
"""They break too, and that is no fracture."""

ANATOMY = {
    "heart": "heart, heart size, cardiac size, cardiac silhouette, cardiac contour, cardiac shadow, "
    "heart shadow, heart contour, cardiac, left ventricle, right ventricle, left atrium, "
    "right atrium size, left atrial contour, left heart, heart silhouette, size of heart, cardiac outline, "
    "heart outline, size of cardiac silhouette, cardiothoracic ratio, ctr, cardiac chamber, "
    "left ventricular contour, transverse diameter of heart",
    "mediastinum": "mediastinum, mediastinal silhouette, mediastinal contour, mediastinal, "
    "mediastinal structure, mediastinal outline, mediastinal border, mediastinal shadow, "
    "mediastinal width, superior mediastinum, upper mediastinum, anterior mediastinum, "
    "posterior mediastinum, mid mediastinum, middle mediastinum",
    "cardiomediastinum": "cardiomediastinal silhouette, cardiomediastinal contour, cardiomediastinum, "
    "cardiomediastinal, cardiomediastinal structure, cardiomediastinal shadow, "
    "cardiac mediastinal silhouette, cardiac mediastinal contour, cardio mediastinal silhouette, "
    "cardio mediastinal contour, cardiomediastinal size, cardiomediastinal outline, "
    "cardiopulmonary silhouette, cardiovascular silhouette",
    "vessels": "pulmonary vascularity, pulmonary vasculature, pulmonary vessel, "
    "pulmonary vascular marking, vasculature, vascularity, pulmonary vascular, vascular marking, "
    "pulmonary vascular caliber, upper lobe vessel, upper lobe vein, perihilar vessel, central vessel, "
    "central pulmonary vessel, central pulmonary vasculature, pulmonary vascular pattern, pulmonary vein, "
    "vessel",
    "lungs": "lung, lung field, lung base, lung apex, lung parenchyma, lung zone, hemithorax, "
    "pulmonary parenchyma, apex, base, pulmonary field, lung volume and parenchyma, lung and airway",
    "pleura": "pleura, pleural surface, pleural space, pleural margin, pleural cavity",
    "angle": "costophrenic angle, costophrenic sulcus, costophrenic sulci, costophrenic recess, cp angle, "
    "cp recess, cp sulcus, costophrenic, cpa, lateral costophrenic angle, posterior costophrenic angle, "
    "lateral costophrenic sulcus, sulcus, sulci, posterior costophrenic sulcus, costophrenic gutter",
    "bones": "bone, osseous structure, bony structure, skeleton, bony thorax, rib, osseous thorax, "
    "skeletal structure, vertebral body height, vertebral height, vertebral body, vertebra, vertebrae, "
    "thoracic cage, bony skeleton, rib cage, clavicle, spine, thoracic spine, body height, bony cage",
    "chest": "chest, chest radiograph, chest x ray, cxr, examination, exam, study, radiograph, film, "
    "chest film, chest examination, chest study, x ray, chest radiography, appearance of chest, "
    "pa and lateral chest, portable chest, frontal chest, frontal chest radiograph, "
    "chest radiograph appearance",
    "soft tissue": "soft tissue, chest wall, subcutaneous tissue, body wall, neck, axilla, shoulder, breast",
    "other": "aorta, aortic, aortic contour, aortic knob, aortic arch, thoracic aorta, hilum, hila, hilar, "
    "hilar contour, trachea, diaphragm, hemidiaphragm, pulmonary artery, main pulmonary artery, thyroid, "
    "liver, spleen, airway, bronchi, bronchus, esophagus, abdomen, upper abdomen, vein, kidney, artery, "
    "hilar structure, hilar vessel, hilar shadow, vascular structure, great vessel, azygos, "
    "hilar silhouette, bowel, gallbladder",
}
"""Parts of the body that words like "normal", "enlarged" or "clear" may speak of."""

PROPERTIES = {
    "normal": "normal, normal in size, unremarkable, within normal limit, within normal range, wnl, clear, "
    "sharp, intact, maintained, preserved, negative, not remarkable, free, well aerated, "
    "normal in appearance, normal in caliber, normal in size and contour, not enlarged, normal size, "
    "aerated, normal in contour, normal in size and configuration, normal in size and shape, "
    "normal appearing, normal size and shape, normal in width, non enlarged, nonenlarged, not widened, "
    "normal limit, healthy, normally aerated, clean, crisp, normal width",
    "enlarged": "enlarged, enlargement, dilated, dilatation, widened, widening, wide, wider, broadened, "
    "prominent, prominence, increased in size, increased size, big, bigger, fullness, oversized, broad, "
    "increase in size, increased in width, bulky",
    "node": "adenopathy, lymphadenopathy, lymph node enlargement, node, lymph node, hematoma, goiter",
    "congested": "engorged, engorgement, congested, redistributed, redistribution, indistinct, plethora, "
    "indistinctness, distended, cephalized, ill defined",
    "blunted": "blunted, blunting, blunt, obliterated, obliteration, effaced, effacement, obscuration",
    "thickened": "thickened, thickening, calcified, calcification",
    "borderline": "borderline, top normal, top normal in size, upper limit of normal, high normal, "
    "at upper limit of normal, upper normal, upper limit of normal in size, "
    "upper limits of normal in size, borderline enlarged, borderline enlargement, borderline in size, "
    "upper limits normal, top normal to mildly enlarged, borderline size, borderline prominent, "
    "upper limit normal, borderline widened, mildly prominent or borderline enlarged, "
    "normal to mildly enlarged, borderline to mildly enlarged, at upper limits of normal, "
    "upper limits of normal, within upper limits of normal, within upper limit of normal, "
    "at upper limit of normal for size",
    "collapsed": "compression, compressed, wedged",
}
"""What may be said of them."""

MEANINGS: dict[tuple[str, str], tuple[C, ...]] = {
    ("heart", "enlarged"): (C.CARDIOMEGALY,),
    ("mediastinum", "enlarged"): (C.ENLARGED_CARDIOMEDIASTINUM,),
    ("mediastinum", "node"): (C.ENLARGED_CARDIOMEDIASTINUM,),
    ("cardiomediastinum", "enlarged"): (C.CARDIOMEGALY, C.ENLARGED_CARDIOMEDIASTINUM),
    ("heart", "borderline"): (C.CARDIOMEGALY,),
    ("mediastinum", "borderline"): (C.ENLARGED_CARDIOMEDIASTINUM,),
    ("cardiomediastinum", "borderline"): (C.CARDIOMEGALY, C.ENLARGED_CARDIOMEDIASTINUM),
    ("heart", "normal"): (C.CARDIOMEGALY,),
    ("mediastinum", "normal"): (C.ENLARGED_CARDIOMEDIASTINUM,),
    ("cardiomediastinum", "normal"): (C.CARDIOMEGALY, C.ENLARGED_CARDIOMEDIASTINUM),
    ("vessels", "enlarged"): (C.EDEMA,),
    ("vessels", "congested"): (C.EDEMA,),
    ("vessels", "normal"): (C.EDEMA,),
    ("lungs", "normal"): (C.LUNG_OPACITY,),
    ("lungs", "congested"): (C.EDEMA,),
    ("pleura", "normal"): (C.PLEURAL_EFFUSION, C.PLEURAL_OTHER),
    ("pleura", "thickened"): (C.PLEURAL_OTHER,),
    ("angle", "blunted"): (C.PLEURAL_EFFUSION,),
    ("angle", "normal"): (C.PLEURAL_EFFUSION,),
    ("bones", "normal"): (C.FRACTURE,),
    ("bones", "collapsed"): (C.FRACTURE,),
    ("chest", "normal"): (C.NO_FINDING,),
}
"""A part and what is said of it, read together; "normal" denies, "borderline" and "blunted" doubt."""
