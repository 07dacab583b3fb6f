"""English finding labels against sentences labelled by hand, and traps one by one."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.text.labels import labeller
from inference.text.labels.categories import Category

GOLD = Path(__file__).parent / "gold" / "labels_en.jsonl"
SENTENCES = [json.loads(line) for line in GOLD.read_text(encoding="utf-8").splitlines()]


def told(text):
    return {str(c): (str(one.state), str(one.side)) for c, one in labeller.label(text, "en").items()}


def states(text):
    return {category: state for category, (state, _) in told(text).items()}


def test_it_agrees_with_the_sentences_it_was_written_on():
    right = said = true = sided = of = 0
    for sentence in SENTENCES:
        found, wanted = told(sentence["text"]), {c: tuple(v) for c, v in sentence["labels"].items()}
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


@pytest.mark.parametrize("sentence", SENTENCES[:60], ids=range(60))
def test_case_and_white_space_change_nothing(sentence):
    text = sentence["text"]
    assert told(text) == told(f"  {text.upper()} ") == told(text.replace(" ", "  "))


@given(st.text(max_size=300))
def test_any_text_is_read(text):
    labeller.label(text, "en")


@pytest.mark.parametrize("piece", ["no ", "effusion or ", ", ", "left right ", "no change in ", "a"])
def test_a_long_text_takes_time_that_grows_with_its_length(piece):
    spent = []
    for times in (1_000, 10_000):
        started = time.process_time()
        labeller.label(piece * times, "en")
        spent.append(time.process_time() - started)
    assert spent[1] < 40 * spent[0] + 1.0


def test_a_language_without_rules_is_refused():
    with pytest.raises(ValueError, match="labelled in en, not 'ja'"):
        labeller.label("胸水を認めない。", "ja")
