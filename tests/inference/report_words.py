"""What a reader of a report's text alone goes by, written apart from the phrasebooks: regular expressions."""

from inference.contract import Side

PLAIN = r"体重減少|容積減少"
"""Words that speak of no change between studies."""
NAMES = {
    "en": {
        "pleural_effusion": r"effusion|pleural fluid|costophrenic",
        "pneumothorax": r"pneumothorax",
        "consolidation": r"consolidation|clear .*lung|lungs? .*clear",
        "nodule": r"nodule",
        "mass": r"\bmass\b",
        "atelectasis": r"atelectasis|\w+ lobe is collapsed|collapse of|lobe collapse",
        "pulmonary_edema": r"oedema",
        "cardiomegaly": r"cardiomegaly|enlarged|heart size|normal in size|normal size",
        "hiatus_hernia": r"hiatus hernia",
        "rib_fracture": r"\bribs?\b.*fractur|fractur.* ribs?|bony abnormality",
        "free_air": r"free (abdominal )?air|pneumoperitoneum",
        "endotracheal_tube": r"endotracheal tube",
        "tracheostomy_tube": r"tracheostomy tube",
        "nasogastric_tube": r"nasogastric tube",
        "central_line": r"central line|PICC",
        "pacemaker": r"pacemaker",
        "chest_drain": r"chest drain",
    },
    "ja": {
        "pleural_effusion": r"胸水|肋骨横隔膜角",
        "pneumothorax": r"気胸",
        "consolidation": r"浸潤影|コンソリデーション|清明|異常陰影",
        "nodule": r"結節影",
        "mass": r"腫瘤影",
        "atelectasis": r"無気肺",
        "pulmonary_edema": r"肺水腫|肺うっ血",
        "cardiomegaly": r"心拡大|心陰影(は|の大|の拡)|心胸郭比",
        "hiatus_hernia": r"裂孔ヘルニア",
        "rib_fracture": r"骨折|骨に急性",
        "free_air": r"遊離ガス",
        "endotracheal_tube": r"気管チューブ",
        "tracheostomy_tube": r"気管切開チューブ",
        "nasogastric_tube": r"経鼻胃管",
        "central_line": r"中心静脈カテーテル",
        "pacemaker": r"ペースメーカー",
        "chest_drain": r"胸腔ドレーン",
    },
}
NEGATION = {
    "en": r"\bno\b|\bnot\b|normal|clear|sharp|free of|resol|been removed|interval removal|no longer|\bheal",
    "ja": r"認めない|なし|正常|清明|鋭|消失|抜去(され|後)|治癒",
}
DOUBT = {
    "en": r"possibl[ey]|\bmay\b|cannot be excluded|suspected|suspicious for",
    "ja": r"疑|可能性|否定でき",
}
ELSEWHERE = {
    "en": r"right (main )?bronchus|right atrium|right ventricle",
    "ja": r"右(主)?気管支|右心房|右心室",
}
SIDES = {
    "en": {Side.RIGHT: r"\bright\b|\bboth\b|\bbilateral\b", Side.LEFT: r"\bleft\b|\bboth\b|\bbilateral\b"},
    "ja": {Side.RIGHT: r"右|両", Side.LEFT: r"左|両"},
}
PRIOR = {
    "en": r"\b(un)?chang|\bagain|\bnew\b|interval|stable|since|previous|prior|before|compar|increas(ed|ing) "
    r"(since|from)|decreas|larger|smaller|worse|improv|progress|persist|remain|resol|no longer|"
    r"been removed|\bheal|follow-up|known|similar|\bnow\b|fewer|less than before|more than (on|before)",
    "ja": r"前回|今回|比較|変化|著変|新た|新規|増(大|加|悪)|減少|軽減|改善|縮小|不変|同様|同程度|消失|"
    r"抜去(され|後)|治癒|経過|フォロー|以降",
}
CHANGED = {
    "en": {
        "new": r"\bnew\b|inserted since",
        "larger": r"increas|larger|worse|more than|progress",
        "smaller": r"decreas|smaller|less than (before|on)|improv|fewer",
        "unchanged": r"unchanged|stable|similar",
    },
    "ja": {
        "new": r"新|以降に留置",
        "larger": r"増|目立つ",
        "smaller": r"縮小|減|改善",
        "unchanged": r"同様|同程度|不変",
    },
}
EXTENTS = {
    "en": {
        **{word: word for word in ("small", "moderate", "large", "tension", "patchy", "dense", "mild")},
        **{"marked": "markedly", "severe": "severe", "lobar": "lobe", "multiple": "multiple|several"},
        **{"subsegmental": "linear|band|plate|subsegmental", "single": r"single|one|a (right|left) rib"},
        **{"too_low": r"\blow\b", "too_high": "high|oesophagus", "bronchial": "bronchus"},
        **{
            "too_deep": "deep|right atrium",
            "well_placed": "carina|position|well placed|stomach|diaphragm|cava|apex|base",
        },
        **{"single_lead": "single lead|one lead", "dual_lead": "dual lead|two leads|atrium and right"},
    },
    "ja": {
        **{"small": "少量|軽度|小さな", "moderate": "中等", "large": "大量|高度|大きな", "tension": "緊張性"},
        **{"patchy": "斑状", "dense": "濃厚", "mild": "軽度", "marked": "高度", "severe": "高度"},
        **{"lobar": "葉", "subsegmental": "板状", "single": "1本|1か所", "multiple": "多発|複数"},
        **{"too_low": "深|低", "too_high": "浅|高|食道", "bronchial": "気管支", "too_deep": "深|右心房"},
        "well_placed": "分岐部|良好|留置|胃内|横隔膜下|上大静脈|肺尖部|肺底部",
        **{"single_lead": "シングル|1本|右心室", "dual_lead": "デュアル|2本|右心房と右心室"},
    },
}
ZONES = {
    "en": {
        **{"upper_lobe": "upper lobe", "middle_lobe": "middle lobe", "lower_lobe": "lower lobe"},
        **{
            "upper": "upper zone",
            "mid": "mid zone",
            "lower": "lower zone",
            "apical": "apex",
            "basal": "base",
        },
        **{"jugular": "jugular", "subclavian": "subclavian", "picc": "PICC"},
    },
    "ja": {
        **{"upper_lobe": "上葉", "middle_lobe": "中葉", "lower_lobe": "下葉"},
        **{"upper": "上肺野", "mid": "中肺野", "lower": "下肺野", "apical": "肺尖部", "basal": "肺底部"},
        **{"jugular": "内頸静脈", "subclavian": "鎖骨下静脈", "picc": "PICC"},
    },
}
