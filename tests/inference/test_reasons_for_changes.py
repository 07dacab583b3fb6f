"""The reason that is filled in for a changed sentence: pairs written by hand."""

import pytest

from inference.text.reasons import Reason, guess
from review.models.judgements import Judgement

PAIRS = [
    ("Small left pleural effusion.", "", Reason.FALSE_FINDING),
    ("Possible consolidation in the right lower zone.", "", Reason.FALSE_FINDING),
    ("No pneumothorax.", "", Reason.OMISSION),
    ("No pneumothorax.", "Small apical pneumothorax on the left.", Reason.OMISSION),
    ("Small left pleural effusion.", "No pleural effusion.", Reason.FALSE_FINDING),
    ("Small left pleural effusion.", "Small right pleural effusion.", Reason.SIDE),
    ("Small left pleural effusion.", "Large left pleural effusion.", Reason.SEVERITY),
    (
        "Consolidation in the left lower lobe.",
        "Consolidation in the left upper lobe.",
        Reason.PLACE,
    ),
    (
        "The endotracheal tube ends 9 cm above the carina.",
        "The endotracheal tube ends 4 cm above the carina.",
        Reason.DEVICE_POSITION,
    ),
    (
        "The left pleural effusion has increased since the prior study.",
        "Left pleural effusion.",
        "invented-prior",
    ),
    ("Small left pleural effusion.", "There is a small left pleural effusion.", Reason.STYLE),
]
JAPANESE = [
    ("左胸水を少量認めます。", "", Reason.FALSE_FINDING),
    ("左胸水を少量認めます。", "右胸水を少量認めます。", Reason.SIDE),
    ("左胸水を少量認めます。", "左胸水を多量認めます。", Reason.SEVERITY),
    ("気胸を認めません。", "", Reason.OMISSION),
]


@pytest.mark.parametrize(("drafted", "written", "reason"), PAIRS)
def test_english(drafted: str, written: str, reason: Reason) -> None:
    assert guess(drafted, written, "en", has_prior=False) == reason


@pytest.mark.parametrize(("drafted", "written", "reason"), JAPANESE)
def test_japanese(drafted: str, written: str, reason: Reason) -> None:
    assert guess(drafted, written, "ja", has_prior=False) == reason


def test_a_prior_that_exists_was_not_invented() -> None:
    drafted = "The left pleural effusion has increased since the prior study."
    assert guess(drafted, "Left pleural effusion.", "en", has_prior=True) != Reason.INVENTED_PRIOR


def test_one_list_of_reasons() -> None:
    assert list(Reason) == Judgement.Reason.values
