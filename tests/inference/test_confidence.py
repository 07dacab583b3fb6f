"""How sure a sentence may be called: the model's own probability, Platt's curve over it, and its measures."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from inference import measures
from inference.contract import (
    Certainty,
    ImageInput,
    InferenceError,
    Section,
    Sentence,
    Side,
    StudyInput,
    ViewPosition,
    bundle_digest,
)
from inference.maira_seg import checkpoint, confidence
from inference.maira_seg.confidence import Confidence, Curve
from inference.maira_seg.drafter import MairaSegDrafter
from inference.maira_seg.processor import CodedSentence
from inference.phantom import study as phantom
from inference.phantom.coded import CodedFinding
from inference.training import confidence as fitting
from inference.training import records
from tests.inference import tiny_model

DEMO = Path(__file__).resolve().parents[2] / "inference" / "weights" / "demo"
PRESENT, ABSENT, UNCERTAIN = Certainty.PRESENT, Certainty.ABSENT, Certainty.UNCERTAIN
RIGHT, LEFT, BOTH, NOWHERE = Side.RIGHT, Side.LEFT, Side.BILATERAL, Side.NONE
FITTED = Confidence(Curve(0.5, 1.0), Curve(2.0, -1.0))
shares = st.floats(0.001, 0.999)


def said(finding: str, side: Side, certainty: Certainty, section=Section.FINDINGS) -> CodedSentence:
    return CodedSentence(section, finding, side, certainty, "Words.")


def test_the_probability_of_each_code_is_read_from_its_own_place() -> None:
    """Of four ids, the chosen one has thrice the weight of each other at its place: 3 of 6."""
    report = torch.tensor([0, 1, 2, 3, 0, 0])
    logits = torch.zeros(1, 6, 4)
    logits[0, 2, 2] = math.log(3)
    told = confidence.code_log_probabilities(logits, report, [range(0, 5)])
    torch.testing.assert_close(told.exp(), torch.tensor([[[1 / 4, 1 / 2, 1 / 4]]]))


def test_a_claim_is_its_side_and_certainty_whatever_finding_comes_next() -> None:
    one = said("nodule", RIGHT, PRESENT)
    codes = torch.tensor([[0.01, 0.5, 0.8]]).log()
    assert confidence.claims([one], codes) == {one: pytest.approx(0.4)}


def test_what_is_claimed_again_is_as_sure_as_when_it_was_first_claimed() -> None:
    first, again = said("nodule", RIGHT, UNCERTAIN), said("nodule", RIGHT, PRESENT, Section.IMPRESSION)
    other, denied = said("nodule", LEFT, PRESENT), said("nodule", RIGHT, ABSENT)
    codes = torch.tensor([[1, 1, 0.6], [1, 1, 0.99], [1, 1, 0.7], [1, 1, 0.8]]).log()
    told = confidence.claims([first, again, other, denied], codes)
    assert list(told) == [first, again, other, denied]
    assert list(told.values()) == pytest.approx([0.6, 0.6, 0.7, 0.8])


@given(shares)
def test_the_raw_curve_changes_nothing(probability) -> None:
    assert confidence.RAW.stated.at(probability) == pytest.approx(probability)


def test_a_curve_is_a_line_over_the_logit() -> None:
    assert Curve(1.0, math.log(3)).at(0.5) == pytest.approx(0.75)
    assert Curve(2.0, 0.0).at(0.75) == pytest.approx(0.9), "odds of 3 become odds of 9"


@given(shares, shares)
def test_a_rising_curve_keeps_the_order(one, other) -> None:
    curve = Curve(0.3, -1.0)
    assert (curve.at(one) <= curve.at(other)) == (one <= other)


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_what_the_model_holds_for_certain_stays_a_probability(probability) -> None:
    assert 0 < Curve(1.0, 0.0).at(probability) < 1


@pytest.mark.parametrize(("hits", "misses"), [(60, 40), (5, 0), (0, 5), (1, 1)])
def test_fitted_on_one_probability_it_gives_the_share_that_was_right(hits, misses) -> None:
    """Through a single point a line fits the mean of Platt's targets exactly."""
    curve = confidence.fit_curve([0.9] * (hits + misses), [True] * hits + [False] * misses)
    wanted = (hits * (hits + 1) / (hits + 2) + misses / (misses + 2)) / (hits + misses)
    assert curve.at(0.9) == pytest.approx(wanted, abs=1e-3)


def test_fitting_finds_the_curve_that_answers_were_drawn_from() -> None:
    rng = np.random.default_rng(0)
    given_ = rng.uniform(0.02, 0.98, 20_000)
    true = Curve(0.6, 0.8)
    right = rng.random(20_000) < np.array([true.at(value) for value in given_])
    found = confidence.fit_curve(given_.tolist(), right.tolist())
    assert (found.slope, found.offset) == pytest.approx((true.slope, true.offset), abs=0.05)


def test_nothing_to_fit_on_is_said() -> None:
    with pytest.raises(ValueError, match="draft more studies"):
        confidence.fit_curve([], [])


def test_statements_and_denials_have_a_curve_each_and_other_sentences_none() -> None:
    assert FITTED.of("nodule", PRESENT, 0.7) == FITTED.of("nodule", UNCERTAIN, 0.7) == FITTED.stated.at(0.7)
    assert FITTED.of("nodule", ABSENT, 0.7) == FITTED.denied.at(0.7)
    assert FITTED.of("", PRESENT, 0.7) is None


# In a bundle.


def test_it_travels_in_the_bundle_and_names_another(tmp_path, tmp_path_factory) -> None:
    checkpoint.save(tiny_model.bundle(), tmp_path)
    before = bundle_digest(tmp_path)
    weights = {path.name: path.read_bytes() for path in tmp_path.glob("*.safetensors")}
    assert checkpoint.load(tmp_path).confidence is None
    checkpoint.set_confidence(tmp_path, FITTED)
    assert checkpoint.load(tmp_path).confidence == FITTED
    assert bundle_digest(tmp_path) != before
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.safetensors")} == weights
    again = tmp_path_factory.mktemp("again")
    checkpoint.save(checkpoint.load(tmp_path), again)
    assert bundle_digest(again) == bundle_digest(tmp_path)


@pytest.mark.parametrize("broken", [1, {}, {"stated": {"slope": 1}}])
def test_a_bundle_whose_confidence_makes_no_sense_is_refused(tmp_path, broken) -> None:
    checkpoint.save(tiny_model.bundle(), tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"confidence": broken}))
    with pytest.raises(InferenceError) as refused:
        checkpoint.load(tmp_path)
    assert (refused.value.code, refused.value.permanent) == ("bad-bundle", True)


def drafted(fitted: Confidence | None, monkeypatch) -> tuple[Sentence, ...]:
    written = {said("nodule", RIGHT, PRESENT): 0.7, said("mass", NOWHERE, ABSENT): 0.9}
    written[CodedSentence(Section.FINDINGS, "", NOWHERE, PRESENT, "The trachea is midline.")] = 0.8
    monkeypatch.setattr(MairaSegDrafter, "_write", lambda *_: written)
    monkeypatch.setattr(MairaSegDrafter, "kept", lambda _self, sentences, _shown: sentences)
    pixels = np.random.default_rng(0).random((90, 70), dtype=np.float32)
    loaded = MairaSegDrafter(replace(tiny_model.bundle(), confidence=fitted), "0" * 64)
    return loaded.draft(StudyInput("1", (ImageInput("1.1", pixels, ViewPosition.PA),))).sentences


def test_a_bundle_with_curves_gives_sentences_their_confidence(monkeypatch) -> None:
    sure = [sentence.confidence for sentence in drafted(FITTED, monkeypatch)]
    assert sure == [FITTED.stated.at(0.7), FITTED.denied.at(0.9), None]


def test_a_bundle_without_gives_none_and_the_same_words(monkeypatch) -> None:
    without = drafted(None, monkeypatch)
    assert [sentence.confidence for sentence in without] == [None, None, None]
    assert without == tuple(replace(one, confidence=None) for one in drafted(FITTED, monkeypatch))


def test_every_finding_of_a_shipped_draft_has_a_confidence_and_nothing_else() -> None:
    made = phantom.generate(4242, 5, size=512, views=[ViewPosition.PA], with_prior=False)
    loaded = MairaSegDrafter(replace(checkpoint.load(DEMO), confidence=confidence.RAW), "0" * 64)
    sentences = loaded.draft(StudyInput("1", (records.image_input(made.images[0]),))).sentences
    assert sentences
    for sentence in sentences:
        assert (sentence.confidence is not None) == bool(sentence.finding)
        assert sentence.confidence is None or 0 < sentence.confidence <= 1


# Against the truth.


@pytest.mark.parametrize(
    ("side", "certainty", "true", "right"),
    [
        (RIGHT, PRESENT, [RIGHT], True),
        (RIGHT, UNCERTAIN, [RIGHT], True),
        (RIGHT, PRESENT, [LEFT], False),
        (RIGHT, PRESENT, [], False),
        (BOTH, PRESENT, [RIGHT], False),
        (BOTH, PRESENT, [RIGHT, LEFT], True),
        (BOTH, PRESENT, [BOTH], True),
        (NOWHERE, PRESENT, [LEFT], True),
        (RIGHT, ABSENT, [LEFT], True),
        (RIGHT, ABSENT, [BOTH], False),
        (NOWHERE, ABSENT, [LEFT], False),
        (NOWHERE, ABSENT, [], True),
    ],
)
def test_a_sentence_is_right_by_the_truth_of_its_sides(side, certainty, true, right) -> None:
    sentence = Sentence(
        Section.FINDINGS, "Words.", finding="pleural_effusion", side=side, certainty=certainty
    )
    others = [CodedFinding("nodule", side, PRESENT, ()), CodedFinding("pleural_effusion", side, ABSENT, ())]
    there = [CodedFinding("pleural_effusion", one, PRESENT, ()) for one in true]
    assert fitting.is_right(sentence, [*there, *others]) == right


def test_only_sentences_with_a_confidence_are_held_against_the_truth() -> None:
    sentences = [
        Sentence(Section.FINDINGS, "Nodule.", finding="nodule", confidence=0.8),
        Sentence(Section.FINDINGS, "No mass.", finding="mass", certainty=ABSENT, confidence=0.9),
        Sentence(Section.FINDINGS, "The trachea is midline."),
    ]
    found = fitting.of_draft(sentences, [CodedFinding("mass", NOWHERE, PRESENT, ())])
    assert found == [fitting.Said(True, 0.8, False), fitting.Said(False, 0.9, False)]


def test_statements_do_not_touch_the_curve_of_denials() -> None:
    denials = [fitting.Said(False, 0.9, right) for right in (True, True, False)]
    some = fitting.fit([*denials, fitting.Said(True, 0.5, True)])
    other = fitting.fit([*denials, *[fitting.Said(True, 0.7, False)] * 9])
    assert some.denied == other.denied
    assert some.stated != other.stated


def test_the_brier_score_of_a_coin_and_of_a_prophet() -> None:
    assert measures.brier([0.5, 0.5], [True, False]) == 0.25
    assert measures.brier([1.0, 0.0], [True, False]) == 0.0
    assert math.isnan(measures.brier([], []))


def test_the_calibration_error_weighs_bins_by_how_many_fall_in() -> None:
    """Three at 0.9 of which two are right (off by 0.9 - 2/3), one at 1.0 that is right, in the same bin:
    |(2.7 + 1.0 - 3)| / 5; one at 0.2 that is wrong: 0.2 / 5."""
    error = measures.expected_calibration_error([0.9, 0.9, 0.9, 1.0, 0.2], [True, True, False, True, False])
    assert error == pytest.approx((0.7 + 0.2) / 5)
    assert measures.expected_calibration_error([0.75] * 4, [True, True, True, False]) == 0.0
    assert math.isnan(measures.expected_calibration_error([], []))
