"""The text says what was rendered, all of it, on its side, and nothing else."""

import re

import numpy as np
import pytest

from inference.contract import Certainty, Section, Sentence, Side
from inference.phantom import phrases, reports, study
from inference.phantom.reports import CodedFinding
from inference.structures import BY_CODE, FINDINGS_BY_CODE

STUDIES = 300
WORDS = {
    "pleural_effusion": r"effusion|pleural fluid|costophrenic",
    "pneumothorax": r"pneumothorax",
    "consolidation": r"consolidation|airspace|\bclear\b",
    "nodule": r"nodule",
    "cardiomegaly": r"cardiomegaly|heart|cardiac silhouette",
    "endotracheal_tube": r"endotracheal tube",
    "central_line": r"central (line|venous catheter)",
    "pacemaker": r"pacemaker",
}
NEGATIVE = r"^no\b|\bno\b|\bnot\b|normal|clear|sharp|free of"
DOUBT = r"\bpossibl[ey]\b|\bmay\b|cannot be excluded|suspicious|suspected"


@pytest.fixture(scope="module")
def studies() -> list[study.PhantomStudy]:
    return [study.generate(23, index, size=48) for index in range(STUDIES)]


def _sides(side: Side) -> set[Side]:
    return {Side.RIGHT, Side.LEFT} if side is Side.BILATERAL else {side}


def _stated(sentence: Sentence) -> set[tuple[str, Side]]:
    return {(sentence.finding, side) for side in _sides(sentence.side)}


def _side_words(text: str) -> set[Side]:
    plain = re.sub(r"right (atrium|ventricle)", "", text.lower())
    words = {side for side in (Side.RIGHT, Side.LEFT) if re.search(rf"\b{side.value}\b", plain)}
    return {Side.RIGHT, Side.LEFT} if "bilateral" in plain else words


def test_every_finding_is_stated_with_its_side_and_certainty(studies: list[study.PhantomStudy]) -> None:
    for made in studies:
        found = [s for s in made.sentences if s.section is Section.FINDINGS]
        for coded in made.findings:
            saying = [s for s in found if (coded.finding, coded.side) in _stated(s)]
            assert [s.certainty for s in saying] == [coded.certainty], made.key


def test_nothing_absent_is_asserted_and_nothing_present_denied(studies: list[study.PhantomStudy]) -> None:
    for made in studies:
        truth = {(coded.finding, coded.side) for coded in made.findings}
        present = {finding for finding, _ in truth}
        for sentence in made.sentences:
            if not sentence.finding:
                continue
            if sentence.certainty is not Certainty.ABSENT:
                assert _stated(sentence) <= truth, (made.key, sentence.text)
            elif sentence.side:
                assert not _stated(sentence) & truth, (made.key, sentence.text)
            else:
                assert sentence.finding not in present, (made.key, sentence.text)


def test_the_words_agree_with_the_code(studies: list[study.PhantomStudy]) -> None:
    """A reader of the text alone, by plain words, comes to the same finding, side and certainty."""
    for made in studies:
        for sentence in made.sentences:
            text = sentence.text.lower()
            if not sentence.finding:
                assert not re.search(
                    r"effusion|pneumothorax|consolidation|nodule|enlarged|tube|\bline\b", text
                )
                continue
            assert re.search(WORDS[sentence.finding], text), sentence
            assert _side_words(text) == _sides(sentence.side) - {Side.NONE}, sentence
            doubtful = bool(re.search(DOUBT, text))
            assert doubtful == (sentence.certainty is Certainty.UNCERTAIN), sentence
            if not doubtful:
                assert bool(re.search(NEGATIVE, text)) == (sentence.certainty is Certainty.ABSENT), sentence


def test_every_report_speaks_of_lungs_pleura_heart_and_devices(studies: list[study.PhantomStudy]) -> None:
    for made in studies:
        said = {s.finding for s in made.sentences if s.section is Section.FINDINGS}
        assert {"pleural_effusion", "pneumothorax", "cardiomegaly", "consolidation"} <= said
        assert {coded.finding for coded in made.findings} <= said
        assert any(s.section is Section.IMPRESSION for s in made.sentences)
        assert made.indication


def test_evidence_is_there_to_be_seen(studies: list[study.PhantomStudy]) -> None:
    for made in studies:
        image = made.images[0]
        for sentence in made.sentences:
            for evidence in sentence.evidence:
                assert evidence.structure in image.masks, sentence
                assert evidence.sop_instance_uid == image.sop_instance_uid
            if sentence.finding:
                assert abs(sum(e.weight for e in sentence.evidence) - 1) < 0.01
            if sentence.certainty is not Certainty.ABSENT and FINDINGS_BY_CODE.get(sentence.finding):
                assert {BY_CODE[e.structure].finding for e in sentence.evidence} == {sentence.finding}


def test_texts_vary(studies: list[study.PhantomStudy]) -> None:
    texts = {tuple(reports.compose(made.sentences).values()) for made in studies}
    assert len(texts) > 0.9 * STUDIES
    for finding in ("pleural_effusion", "pneumothorax", "consolidation", "cardiomegaly"):
        absent = {s.text for made in studies for s in made.sentences if s.finding == finding and not s.side}
        assert len(absent) >= 4


def test_the_vocabulary_is_small(studies: list[study.PhantomStudy]) -> None:
    text = " ".join(" ".join(reports.compose(made.sentences).values()) for made in studies)
    assert 100 < len(set(re.findall(r"\w+", text.lower()))) < 300


def test_every_statement_has_four_phrasings() -> None:
    tables = [phrases.PRESENT, phrases.BILATERAL, phrases.UNCERTAIN, phrases.ABSENT, phrases.IMPRESSION]
    tables.append(phrases.IMPRESSION_UNCERTAIN)
    for table in tables:
        for name, choices in table.items():
            assert len(set(choices)) >= 4, name
    for choices in (phrases.CLEAR, phrases.SIDE_CLEAR, phrases.SIDE_DRY, phrases.NOTHING_ACUTE):
        assert len(set(choices)) >= 4


def _impression(*texts: str) -> list[Sentence]:
    return [Sentence(Section.IMPRESSION, text) for text in texts]


def test_only_several_impressions_are_numbered() -> None:
    assert reports.compose(_impression("Cardiomegaly."))[Section.IMPRESSION] == "Cardiomegaly."
    both = reports.compose(_impression("Cardiomegaly.", "Small left effusion."))
    assert both[Section.IMPRESSION] == "1. Cardiomegaly.\n2. Small left effusion."


def test_both_sides_alike_become_one_statement() -> None:
    both = tuple(
        CodedFinding(
            "pleural_effusion", side, Certainty.PRESENT, (f"pleural_effusion_{side.value}",), extent="small"
        )
        for side in (Side.RIGHT, Side.LEFT)
    )
    _, sentences = reports.write(both, "1.2", np.random.default_rng(0))
    said = [s for s in sentences if s.finding == "pleural_effusion"]
    assert {s.side for s in said} == {Side.BILATERAL}
    assert len(said) == 2
