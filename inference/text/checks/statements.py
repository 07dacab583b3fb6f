"""The sentences of a report with their labels, and which findings of ours each of them speaks of."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from inference.contract import Certainty, Section, Side
from inference.text import sentences
from inference.text.checks.concerns import Place
from inference.text.labels import labeller
from inference.text.labels.categories import OF_FINDING, Category, Label, Labels


@dataclass(frozen=True)
class Statement:
    place: Place
    text: str
    language: str
    labels: Labels

    def label_of(self, finding: str) -> Label | None:
        """What the sentence says of a finding of `inference.structures`; None when it does not speak of it.

        A finding that has no category of its own is read by its name and a plain negation beside it.
        """
        named = TERMS.get(finding, {}).get(self.language)
        if named is not None and not named.search(self.text):
            return None
        categories = OF_FINDING[finding]
        if not categories:
            is_denied = _DENIED[self.language].search(self.text) is not None
            return Label(Certainty.ABSENT if is_denied else Certainty.PRESENT)
        return next((self.labels[one] for one in categories if one in self.labels), None)

    def is_qualified(self) -> bool:
        """Whether what is denied is less than all of it: "no new effusion", "no other nodule"."""
        return _QUALIFIED[self.language].search(self.text) is not None

    def is_old(self) -> bool:
        """Whether what is stated is said to be old or unchanged."""
        return _OLD[self.language].search(self.text) is not None


def read(section: Section, text: str, language: str) -> list[Statement]:
    """The sentences of a section in order."""
    return [
        Statement(
            Place(section, span.start, span.end), span.text, language, labeller.label(span.text, language)
        )
        for span in sentences.split(text)
    ]


def overlap(one: Side, other: Side) -> bool:
    """Whether both may be about the same side; an unnamed side may be any."""
    return one == other or not {one, other}.isdisjoint({Side.NONE, Side.BILATERAL})


def sides(side: Side) -> frozenset[Side]:
    """The named sides: both for bilateral, none for an unnamed one."""
    if side is Side.BILATERAL:
        return frozenset({Side.LEFT, Side.RIGHT})
    return frozenset() if side is Side.NONE else frozenset({side})


def stated(statements: list[Statement], category: Category) -> Iterator[tuple[Statement, Label]]:
    for one in statements:
        label = one.labels.get(category)
        if label is not None:
            yield one, label


def _words(english: str, japanese: str) -> Mapping[str, re.Pattern[str]]:
    return {"en": re.compile(rf"\b(?:{english})\b", re.IGNORECASE), "ja": re.compile(japanese, re.IGNORECASE)}


_DENIED = _words("no|not|without|absent|negative|free of", "なし|無し|ない|認めず|みられず|否定")
_QUALIFIED = _words(
    "new|newly|other|others|further|additional|another|acute|residual|recurrent|enlarging|increasing|large|"
    "significant|sizeable|tension|definite|focal|displaced",
    "新たな|新規|他に|その他|ほか|以外|急性|有意な|増大|増悪|著明な|明らかな|粗大な|再発",
)
_OLD = _words(
    "old|chronic|healed|healing|remote|unchanged|stable|known|again|persistent|persists|no change|"
    "no (?:interval|significant) change",
    "陳旧性?|慢性|治癒|既知|変化なし|変わりな|著変な|不変|前回同様",
)
TERMS: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    "nodule": _words(r"nodul\w*|lesions?|mass(?:es)?|granulomas?", "結節|病変|腫瘤|肉芽腫|結節影"),
    "mass": _words(r"mass(?:es)?|lesions?|nodul\w*|tumou?rs?|neoplasms?", "腫瘤|病変|結節|腫瘍"),
    "endotracheal_tube": _words(
        r"endotracheal|ET tubes?|ETT|intubat\w*|tracheal tubes?", "気管(?:内)?(?:挿管)?チューブ|挿管|ETT"
    ),
    "central_line": _words(
        r"central (?:venous )?(?:lines?|catheters?)|venous (?:lines?|catheters?)|PICC|CVC|CVL|"
        r"port(?:-?a-?cath)?|"
        r"(?:jugular|subclavian|IJ) (?:venous )?(?:lines?|catheters?)|lines?|catheters?",
        "中心静脈|カテーテル|CV|ポート|PICC|ライン",
    ),
    "pacemaker": _words(
        r"pacemakers?|pacers?|ICD|AICD|defibrillators?|pacing|leads?|generators?|cardiac device",
        "ペースメーカ|植込み型除細動器|ICD|リード",
    ),
    "nasogastric_tube": _words(
        r"naso ?-?gastric|oro ?-?gastric|NG|OG|enteric|feeding|gastric tubes?|Dobb?hoff",
        "経鼻|胃管|NG|栄養チューブ",
    ),
    "tracheostomy_tube": _words(r"tracheostom\w*|trach", "気管切開|気切|気管カニューレ"),
    "chest_drain": _words(
        r"(?:chest|pleural|thoracostomy) (?:tubes?|drains?|catheters?)|pigtail|drains?|thoracostom\w*",
        "ドレーン|ドレナージ|トロッカー",
    ),
    "hiatus_hernia": _words(r"hernia\w*", "ヘルニア"),
    "free_air": _words(
        r"free (?:intraperitoneal |subdiaphragmatic |abdominal |peritoneal )?(?:air|gas)|pneumoperitoneum|"
        r"(?:air|gas|lucency) (?:beneath|under|below)|subdiaphragmatic|sub-diaphragmatic",
        "遊離ガス|フリーエア|free air|腹腔内ガス|横隔膜下",
    ),
}
"""Findings that share a category with others, or have none, by the words that name them."""
RELATED: Mapping[str, tuple[Category, ...]] = {
    "consolidation": (Category.PNEUMONIA, Category.LUNG_OPACITY, Category.ATELECTASIS),
    "atelectasis": (Category.LUNG_OPACITY, Category.CONSOLIDATION, Category.PNEUMONIA),
    "pulmonary_edema": (Category.LUNG_OPACITY,),
    "mass": (Category.LUNG_OPACITY,),
    "nodule": (Category.LUNG_OPACITY,),
}
"""Other categories under which a finding may well be spoken of, or outlined."""
