"""What a draft may still say after what it said: the record behind the grammar."""

from inference.contract import Certainty, Section, Side
from inference.maira_seg.decode import Record

PRESENT, ABSENT, UNCERTAIN = Certainty.PRESENT, Certainty.ABSENT, Certainty.UNCERTAIN
FINDINGS, IMPRESSION = Section.FINDINGS, Section.IMPRESSION


def test_a_finding_is_stated_once_for_a_side() -> None:
    record = Record((), ())
    record.note(FINDINGS, "pleural_effusion", Side.RIGHT, PRESENT)
    assert record.certainties(FINDINGS, "pleural_effusion", Side.RIGHT) == []
    assert record.certainties(FINDINGS, "pleural_effusion", Side.BILATERAL) == []
    assert record.certainties(FINDINGS, "pleural_effusion", Side.NONE) == []
    assert ABSENT in record.certainties(FINDINGS, "pleural_effusion", Side.LEFT)
    assert record.sides(FINDINGS, "pleural_effusion") == [Side.LEFT]


def test_what_was_denied_is_not_stated_afterwards() -> None:
    record = Record((), ())
    record.note(FINDINGS, "pneumothorax", Side.NONE, ABSENT)
    assert record.sides(FINDINGS, "pneumothorax") == []


def test_what_a_trusted_mask_shows_is_not_denied() -> None:
    record = Record(("lung_right", "consolidation_right"), ())
    assert record.certainties(FINDINGS, "consolidation", Side.NONE) == []
    assert record.certainties(FINDINGS, "consolidation", Side.RIGHT) == [PRESENT, UNCERTAIN]
    assert ABSENT in record.certainties(FINDINGS, "consolidation", Side.LEFT)
    assert record.certainties(FINDINGS, "pneumothorax", Side.NONE) == [ABSENT]


def test_what_the_model_misses_is_stated_or_left_out() -> None:
    record = Record((), ("nodule", "cardiomegaly"))
    assert record.certainties(FINDINGS, "nodule", Side.NONE) == []
    assert record.certainties(FINDINGS, "nodule", Side.LEFT) == [PRESENT, UNCERTAIN]
    assert record.certainties(FINDINGS, "cardiomegaly", Side.NONE) == [PRESENT, UNCERTAIN]


def test_the_impression_keeps_to_the_findings() -> None:
    record = Record((), ())
    record.note(FINDINGS, "pleural_effusion", Side.LEFT, UNCERTAIN)
    record.note(FINDINGS, "pneumothorax", Side.NONE, ABSENT)
    assert record.certainties(IMPRESSION, "pleural_effusion", Side.LEFT) == [PRESENT, UNCERTAIN]
    assert record.certainties(IMPRESSION, "pleural_effusion", Side.RIGHT) == [ABSENT]
    assert record.certainties(IMPRESSION, "pneumothorax", Side.NONE) == [ABSENT]
    assert record.certainties(IMPRESSION, "pneumothorax", Side.RIGHT) == [ABSENT]
    assert record.certainties(IMPRESSION, "cardiomegaly", Side.NONE) == [ABSENT]


def test_there_is_always_something_left_to_say() -> None:
    """A sentence that states no finding is never closed: the grammar cannot run into a wall."""
    record = Record(("nodule",), ("nodule",))
    for section in Section:
        assert record.sides(section, "none") == [Side.NONE]
        assert record.certainties(section, "none", Side.NONE) == [PRESENT, ABSENT, UNCERTAIN]
