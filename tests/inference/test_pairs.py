"""Pairs that differ in one finding: what counts as followed, by hand, and that made pairs differ in just
that."""

import pytest
import torch

from inference.contract import Certainty, Section, Side
from inference.maira_seg.processor import CodedSentence
from inference.training import pairs
from tests.inference import tiny_model

RIGHT = frozenset({str(Side.RIGHT)})


def says(finding, side=Side.NONE, certainty=Certainty.PRESENT):
    return CodedSentence(Section.FINDINGS, finding, side, certainty, "x")


EFFUSION = says("pleural_effusion", Side.RIGHT)
NO_EFFUSION = says("pleural_effusion", certainty=Certainty.ABSENT)
HEART = says("cardiomegaly")


@pytest.mark.parametrize(
    ("with_it", "without", "followed"),
    [
        ((EFFUSION,), (NO_EFFUSION,), True),
        ((EFFUSION,), (), True),
        ((EFFUSION,), (EFFUSION,), False),
        ((NO_EFFUSION,), (NO_EFFUSION,), False),
        ((says("pleural_effusion", Side.LEFT),), (), False),
        ((says("pleural_effusion", Side.BILATERAL),), (says("pleural_effusion", Side.LEFT),), True),
    ],
)
def test_what_counts_as_followed(with_it, without, followed):
    found = pairs.compare("pleural_effusion", RIGHT, with_it, without)
    assert (found.sided and found.silent) == followed


def test_others_are_counted_apart_and_a_denial_is_as_good_as_silence():
    found = pairs.compare(
        "pleural_effusion",
        RIGHT,
        (EFFUSION, HEART, says("nodule", certainty=Certainty.ABSENT)),
        (says("pneumothorax", Side.LEFT),),
    )
    assert (found.others, found.changed) == (3, 2)


def test_shares_over_pairs_by_hand():
    outcomes = [
        pairs.Outcome("nodule", True, True, 4, 1),
        pairs.Outcome("pacemaker", False, True, 6, 0),
    ]
    rows = {(row["population"], row["metric"]): row["mean"] for row in pairs.report(outcomes)}
    assert rows["all", "changed_with_side"] == 0.5
    assert rows["all", "others_changed"] == 0.1
    assert rows["devices", "changed_with_side"] == 0.0
    assert rows["nodule", "others_changed"] == 0.25


def test_made_pairs_differ_in_one_finding_and_are_drafted(monkeypatch):
    monkeypatch.setattr(pairs, "SIZE", 96)
    made = pairs.made(2, 64)
    assert len(made) == 2
    for pair in made:
        assert pair.sides
        assert not torch.equal(pair.with_it, pair.without)
    outcomes = pairs.measure(tiny_model.bundle(), made)
    assert [one.code for one in outcomes] == [pair.code for pair in made]
