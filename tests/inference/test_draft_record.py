"""Which sentences of a written draft may be shown."""

from hypothesis import given
from hypothesis import strategies as st

from inference.contract import Certainty, Section, Side
from inference.maira_seg import record
from inference.maira_seg.processor import CodedSentence
from inference.structures import FINDINGS_BY_CODE, STRUCTURES

PRESENT, ABSENT, UNCERTAIN = Certainty.PRESENT, Certainty.ABSENT, Certainty.UNCERTAIN
RIGHT, LEFT, BOTH, NOWHERE = Side.RIGHT, Side.LEFT, Side.BILATERAL, Side.NONE

sentences = st.builds(
    CodedSentence,
    st.sampled_from(Section),
    st.sampled_from(["", *FINDINGS_BY_CODE]),
    st.sampled_from(Side),
    st.sampled_from(Certainty),
    st.just("Words."),
)


def found(finding: str, side: Side, certainty: Certainty) -> CodedSentence:
    return CodedSentence(Section.FINDINGS, finding, side, certainty, "Words.")


def concluded(finding: str, side: Side, certainty: Certainty) -> CodedSentence:
    return CodedSentence(Section.IMPRESSION, finding, side, certainty, "Words.")


CLEAR = concluded("", NOWHERE, PRESENT)


def test_a_finding_is_spoken_of_once_for_a_side() -> None:
    first, other = found("pleural_effusion", RIGHT, PRESENT), found("pleural_effusion", LEFT, ABSENT)
    again = [
        found("pleural_effusion", side, certainty)
        for side in (RIGHT, BOTH, NOWHERE)
        for certainty in Certainty
    ]
    assert record.kept([first, *again, other], ()) == [first, other]


def test_what_was_denied_is_not_stated_afterwards() -> None:
    denied = found("pneumothorax", NOWHERE, ABSENT)
    assert record.kept([denied, found("pneumothorax", LEFT, PRESENT)], ()) == [denied]


def test_what_a_trusted_mask_shows_is_not_denied() -> None:
    shown = ("lung_right", "consolidation_right")
    assert record.kept([found("consolidation", NOWHERE, ABSENT)], shown) == []
    assert record.kept([found("consolidation", RIGHT, ABSENT)], shown) == []
    others = [found("consolidation", LEFT, ABSENT), found("pneumothorax", NOWHERE, ABSENT)]
    assert record.kept(others, shown) == others


def test_what_the_model_misses_is_left_unsaid_and_never_claimed_instead() -> None:
    """The denial goes; nothing takes its place."""
    nodule, heart = found("nodule", NOWHERE, ABSENT), found("cardiomegaly", NOWHERE, ABSENT)
    assert record.kept([nodule, heart, CLEAR], (), ["nodule"]) == [heart, CLEAR]
    stated = found("nodule", LEFT, UNCERTAIN)
    assert record.kept([stated], (), ["nodule"]) == [stated]


def test_the_impression_keeps_to_the_findings() -> None:
    said = [found("pleural_effusion", LEFT, UNCERTAIN), found("pneumothorax", NOWHERE, ABSENT)]
    fitting = [concluded("pleural_effusion", LEFT, PRESENT), concluded("pneumothorax", NOWHERE, ABSENT)]
    not_said = [concluded("pleural_effusion", RIGHT, PRESENT), concluded("pneumothorax", RIGHT, PRESENT)]
    denying = [concluded("pleural_effusion", NOWHERE, ABSENT)]
    assert record.kept([*said, *not_said, *denying, *fitting], ()) == [*said, *fitting]


def test_no_all_clear_beside_a_finding_that_is_stated_or_shown() -> None:
    stated = found("consolidation", LEFT, UNCERTAIN)
    assert record.kept([CLEAR], ()) == [CLEAR]
    assert record.kept([stated, CLEAR], ()) == [stated]
    assert record.kept([CLEAR], ("lung_left", "consolidation_left")) == []


def test_a_device_leaves_the_all_clear_standing() -> None:
    tube = found("endotracheal_tube", NOWHERE, PRESENT)
    assert record.kept([tube, CLEAR], ("endotracheal_tube", "lung_left", "heart")) == [tube, CLEAR]


@given(
    st.lists(sentences, max_size=12),
    st.sets(st.sampled_from([structure.code for structure in STRUCTURES])),
    st.sets(st.sampled_from(sorted(FINDINGS_BY_CODE))),
)
def test_sentences_are_only_ever_left_out(written, citable, not_denied) -> None:
    """What is kept was written, in that order, and is kept again."""
    kept = record.kept(written, sorted(citable), sorted(not_denied))
    rest = iter(written)
    assert all(sentence in rest for sentence in kept)
    assert record.kept(kept, sorted(citable), sorted(not_denied)) == kept
    assert not [s for s in kept if s.certainty == ABSENT and s.finding in not_denied]
