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
    st.sampled_from(["Small.", "Large."]),
)


def found(finding: str, side: Side, certainty: Certainty) -> CodedSentence:
    return CodedSentence(Section.FINDINGS, finding, side, certainty, "Words.")


def concluded(finding: str, side: Side, certainty: Certainty) -> CodedSentence:
    return CodedSentence(Section.IMPRESSION, finding, side, certainty, "Words.")


CLEAR = concluded("", NOWHERE, PRESENT)


def test_a_denial_is_made_once_for_a_side() -> None:
    first, other = found("pleural_effusion", RIGHT, ABSENT), found("pleural_effusion", LEFT, ABSENT)
    assert record.kept([first, first, other, found("pleural_effusion", BOTH, ABSENT)], ()) == [first, other]
    assert record.kept([first, found("pleural_effusion", NOWHERE, ABSENT)], ())[1:], "the left is new"


def test_a_stronger_or_second_statement_of_a_side_stays() -> None:
    """A possible pneumothorax, then a large one with shift; two nodules in a lung."""
    both = [found("pneumothorax", LEFT, UNCERTAIN), found("pneumothorax", LEFT, PRESENT)]
    assert record.kept(both, ()) == both


def test_what_is_stated_anywhere_is_not_denied_before_or_after() -> None:
    """A finding is never lost to its denial, whichever the model wrote first."""
    denied = found("pneumothorax", NOWHERE, ABSENT)
    for stated in (found("pneumothorax", LEFT, UNCERTAIN), concluded("pneumothorax", LEFT, PRESENT)):
        assert record.kept([denied, stated], ()) == [stated]
        assert record.kept([stated, denied], ()) == [stated]
    elsewhere = found("pneumothorax", RIGHT, ABSENT)
    assert record.kept([elsewhere, stated], ()) == [elsewhere, stated]


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


def test_the_impression_may_state_what_the_findings_do_not() -> None:
    only = concluded("nodule", RIGHT, PRESENT)
    assert record.kept([only], ()) == [only]


def test_no_all_clear_beside_a_finding_that_is_stated_or_shown() -> None:
    stated = found("consolidation", LEFT, UNCERTAIN)
    assert record.kept([CLEAR], ()) == [CLEAR]
    assert record.kept([stated, CLEAR], ()) == [stated]
    assert record.kept([CLEAR], ("lung_left", "consolidation_left")) == []


def test_a_well_placed_device_leaves_the_all_clear_standing() -> None:
    tube = found("endotracheal_tube", NOWHERE, PRESENT)
    assert record.kept([tube, CLEAR], ("endotracheal_tube", "lung_left", "heart")) == [tube, CLEAR]


def test_a_device_that_the_impression_names_does_not() -> None:
    """The impression names a device when it is misplaced."""
    tube = concluded("endotracheal_tube", NOWHERE, PRESENT)
    assert record.kept([tube, CLEAR], ()) == [tube]


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


@given(
    st.lists(sentences, max_size=12), st.sets(st.sampled_from([structure.code for structure in STRUCTURES]))
)
def test_no_statement_is_lost(written, citable) -> None:
    def stated(chosen):
        return [s for s in chosen if s.finding and s.certainty != ABSENT]

    assert stated(record.kept(written, sorted(citable))) == stated(written)


@given(st.lists(sentences, max_size=12))
def test_nothing_is_both_stated_and_denied(written) -> None:
    kept = record.kept(written, ())
    for denial in (s for s in kept if s.finding and s.certainty == ABSENT):
        stated = [s.side for s in kept if s.finding == denial.finding and s.certainty != ABSENT]
        assert all({denial.side, side} == {RIGHT, LEFT} for side in stated)


def test_an_all_clear_is_one_by_its_code_in_the_findings_too() -> None:
    clear = found("", NOWHERE, ABSENT)
    effusion = found("pleural_effusion", LEFT, PRESENT)
    assert record.kept([clear], ()) == [clear]
    assert record.kept([clear, effusion], ()) == [effusion]
    assert record.kept([clear], ("pneumothorax_left",)) == []
    midline = found("", NOWHERE, PRESENT)
    assert record.kept([midline, effusion], ()) == [midline, effusion]
