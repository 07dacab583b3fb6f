"""The gold sentences of the finding labels: whole, in the words of docs/labels.md, and none of them twice."""

import json
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

GOLD = Path(__file__).parent / "gold"
CATEGORIES = {
    "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema", "Consolidation",
    "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture",
    "Support Devices", "No Finding",
}  # fmt: skip
STATES, SIDES = {"present", "absent", "uncertain"}, {"left", "right", "bilateral", ""}
UNSIDED = {"Cardiomegaly", "Enlarged Cardiomediastinum", "No Finding"}
LEAST = {"en": 300, "ja": 200}


def sentences(name):
    return [json.loads(line) for line in (GOLD / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def both(language):
    return sentences(f"labels_{language}"), sentences(f"labels_{language}_held_out")


@pytest.mark.parametrize("language", LEAST)
def test_there_are_enough_and_a_third_is_held_out(language):
    seen, held_out = both(language)
    assert len(seen) + len(held_out) >= LEAST[language]
    assert len(held_out) * 2 == len(seen)


@pytest.mark.parametrize("language", LEAST)
def test_labels_are_in_the_words_of_their_definition(language):
    for sentence in [one for part in both(language) for one in part]:
        assert sentence["text"].strip()
        for category, (state, side) in sentence["labels"].items():
            assert category in CATEGORIES, sentence["text"]
            assert state in STATES, sentence["text"]
            assert side in SIDES, sentence["text"]
            assert not (category in UNSIDED and side), sentence["text"]
            assert (category, state) != ("No Finding", "absent"), sentence["text"]


@pytest.mark.parametrize("language", LEAST)
def test_no_sentence_is_there_twice(language):
    texts = Counter(
        unicodedata.normalize("NFKC", one["text"]).casefold() for part in both(language) for one in part
    )
    assert [text for text, times in texts.items() if times > 1] == []


@pytest.mark.parametrize("language", LEAST)
def test_every_category_is_asked_for_in_both_parts(language):
    for part in both(language):
        present = {c for one in part for c, (state, _) in one["labels"].items() if state == "present"}
        assert present == CATEGORIES
