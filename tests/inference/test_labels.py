"""Finding labels in English and Japanese against sentences labelled by hand, and traps one by one."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.text.labels import labeller
from inference.text.labels.categories import Category

GOLD = Path(__file__).parent / "gold"
SENTENCES = {
    language: [
        json.loads(line) for line in (GOLD / f"labels_{language}.jsonl").read_text("utf-8").splitlines()
    ]
    for language in ("en", "ja")
}


def told(text, language="en"):
    return {str(c): (str(one.state), str(one.side)) for c, one in labeller.label(text, language).items()}


def states(text, language="en"):
    return {category: state for category, (state, _) in told(text, language).items()}


@pytest.mark.parametrize("language", SENTENCES)
def test_it_agrees_with_the_sentences_it_was_written_on(language):
    right = said = true = sided = of = 0
    for sentence in SENTENCES[language]:
        found, wanted = told(sentence["text"], language), {c: tuple(v) for c, v in sentence["labels"].items()}
        said, true = said + len(found), true + len(wanted)
        same = [c for c in wanted if c in found and found[c][0] == wanted[c][0]]
        right += len(same)
        sided, of = sided + sum(found[c][1] == wanted[c][1] for c in same), of + len(same)
    assert 2 * right / (said + true) >= FLOOR
    assert sided / of >= FLOOR


FLOOR = 0.95


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No pleural effusion or pneumothorax.", {"Pleural Effusion": "absent", "Pneumothorax": "absent"}),
        ("No change in the left effusion.", {"Pleural Effusion": "present"}),
        ("Pneumonia cannot be excluded.", {"Pneumonia": "uncertain"}),
        ("The effusion has resolved.", {"Pleural Effusion": "absent"}),
        (
            "No pneumothorax, but a small left effusion persists.",
            {"Pneumothorax": "absent", "Pleural Effusion": "present"},
        ),
        ("Heart size is normal.", {"Cardiomegaly": "absent"}),
        ("The trachea is midline.", {}),
    ],
)
def test_traps(text, expected):
    assert states(text) == expected


def test_sides_are_the_findings_own():
    assert told("Small left effusion and right basilar atelectasis.") == {
        "Pleural Effusion": ("present", "left"),
        "Atelectasis": ("present", "right"),
    }


def test_a_report_is_without_finding_only_when_no_sentence_has_one():
    clear = ["No acute cardiopulmonary abnormality."]
    assert Category.NO_FINDING in labeller.label_report(clear, "en")
    assert Category.NO_FINDING not in labeller.label_report([*clear, "Small left effusion."], "en")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("胸水も気胸も認めない。", {"Pleural Effusion": "absent", "Pneumothorax": "absent"}),
        ("左胸水に変化を認めない。", {"Pleural Effusion": "present"}),
        ("肺炎を疑う。", {"Pneumonia": "uncertain"}),
        ("肺炎を疑う陰影は認めない。", {"Pneumonia": "absent", "Lung Opacity": "absent"}),
        ("気胸は認めないが、胸水が残存する。", {"Pneumothorax": "absent", "Pleural Effusion": "present"}),
        ("胸水は消失した。", {"Pleural Effusion": "absent"}),
        ("胸水はほぼ消失した。", {"Pleural Effusion": "present"}),
        ("心陰影の大きさは正常である。", {"Cardiomegaly": "absent"}),
        ("心胸郭比 52%。", {"Cardiomegaly": "present"}),
        ("縦隔に腫瘤を認める。", {"Enlarged Cardiomediastinum": "present"}),
        ("肺野に腫瘤を認める。", {"Lung Lesion": "present"}),
        ("骨に異常なし。", {"Fracture": "absent"}),
        ("特に異常を認めない。", {"No Finding": "present"}),
        ("結節影は乳頭影と考える。", {"Lung Lesion": "uncertain"}),
        ("肺炎が疑われる場合はCTを。", {}),
        ("依頼目的：肺炎の除外。", {}),
        ("肺炎はないでしょうか。", {}),
        ("気管は正中に位置する。", {}),
        ("皮下気腫を認める。", {}),
    ],
)
def test_japanese_traps(text, expected):
    assert states(text, "ja") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "右胸水は増加、左胸水は減少。",
            {"Pleural Effusion": ("present", "bilateral")},
        ),
        ("左右の胸水。", {"Pleural Effusion": ("present", "bilateral")}),
        ("胸水が右側にある。", {"Pleural Effusion": ("present", "right")}),
        (
            "右肺野に浸潤影を認め、肺炎を疑う。",
            {"Lung Opacity": ("present", "right"), "Pneumonia": ("uncertain", "right")},
        ),
        (
            "右肺野に浸潤影を認め、胸水は認めない。",
            {"Lung Opacity": ("present", "right"), "Pleural Effusion": ("absent", "")},
        ),
        ("カテーテルの先端は右房にある。", {"Support Devices": ("present", "")}),
        ("舌区に無気肺あり。", {"Atelectasis": ("present", "left")}),
    ],
)
def test_japanese_sides(text, expected):
    assert told(text, "ja") == expected


@pytest.mark.parametrize("sentence", SENTENCES["en"][:60], ids=range(60))
def test_case_and_white_space_change_nothing(sentence):
    text = sentence["text"]
    assert told(text) == told(f"  {text.upper()} ") == told(text.replace(" ", "  "))


@pytest.mark.parametrize("sentence", SENTENCES["ja"][:60], ids=range(60))
def test_wide_letters_and_white_space_change_nothing(sentence):
    text = sentence["text"]
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    spaced = " ".join(text)
    assert told(text, "ja") == told(wide, "ja") == told(spaced, "ja")


@pytest.mark.parametrize("language", SENTENCES)
@given(text=st.text(max_size=300))
def test_any_text_is_read(language, text):
    labeller.label(text, language)


WORDS = [
    "右",
    "左",
    "胸水",
    "気胸",
    "肺野",
    "異常",
    "なし",
    "疑い",
    "あり",
    "、",
    "が、",
    "は",
    "消失",
    "変化",
    "留置",
    "術後",
    "必要",
    "拡大",
    "心",
    "また",
    "なのか",
]


@given(words=st.lists(st.sampled_from(WORDS), max_size=20))
def test_any_order_of_japanese_words_is_read(words):
    labeller.label("".join(words), "ja")


PIECES = [
    *(("en", piece) for piece in ("no ", "effusion or ", ", ", "left right ", "no change in ", "a")),
    *(("ja", piece) for piece in ("胸水、", "右", "変化なし", "肺野", "は", "疑う陰影は")),
]


@pytest.mark.parametrize(("language", "piece"), PIECES)
def test_a_long_text_takes_time_that_grows_with_its_length(language, piece):
    spent = []
    for times in (1_000, 10_000):
        started = time.process_time()
        labeller.label(piece * times, language)
        spent.append(time.process_time() - started)
    assert spent[1] < 40 * spent[0] + 1.0


def test_a_language_without_rules_is_refused():
    with pytest.raises(ValueError, match="labelled in en, ja, not 'de'"):
        labeller.label("Kein Erguss.", "de")
