"""The draft as tokens: it is written, parsed and kept in its grammar."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.contract import Certainty, Section, Side
from inference.maira_seg import evidence
from inference.maira_seg.decode import DraftGrammar
from inference.maira_seg.processor import END, EOS, CodedSentence
from inference.structures import FINDINGS_BY_CODE
from tests.inference import tiny_model

PROCESSOR = tiny_model.processor()
VOCABULARY = tiny_model.CONFIG.language.vocabulary

sentences = st.builds(
    CodedSentence,
    section=st.sampled_from(Section),
    finding=st.sampled_from(["", *tiny_model.CONFIG.findings]),
    side=st.sampled_from(Side),
    certainty=st.sampled_from(Certainty),
    text=st.text(min_size=1, max_size=40).map(str.strip).filter(bool),
    cites=st.lists(st.sampled_from(tiny_model.CONFIG.structures), unique=True, max_size=3).map(tuple),
)


@given(st.lists(sentences, max_size=5))
@settings(deadline=None)
def test_what_is_written_is_read_back(draft):
    assert PROCESSOR.decode(PROCESSOR.encode(draft)) == draft


@given(st.lists(st.integers(0, PROCESSOR.tokenizer.get_vocab_size() - 1), max_size=60))
@settings(deadline=None)
def test_any_tokens_at_all_are_parsed_without_error(ids):
    for sentence in PROCESSOR.decode(ids):
        assert sentence.text


def test_a_sentence_cut_off_is_dropped():
    ids = PROCESSOR.encode(
        [CodedSentence(Section.FINDINGS, "", Side.NONE, Certainty.PRESENT, "The lungs are clear.")]
    )
    assert PROCESSOR.decode(ids[:-2]) == []


@given(st.randoms(use_true_random=False), st.sets(st.sampled_from(tiny_model.CONFIG.structures)))
@settings(max_examples=30, deadline=None)
def test_whatever_the_model_prefers_the_grammar_keeps_it_parseable(random, citable):
    grammar = DraftGrammar(PROCESSOR, VOCABULARY, sorted(citable))
    eos, end = PROCESSOR.id(EOS), PROCESSOR.id(END)
    ids: list[int] = []
    while not ids or ids[-1] != eos:
        allowed = grammar.allowed().nonzero().flatten().tolist()
        assert allowed
        ids.append(end if end in allowed and random.random() < 0.3 else random.choice(allowed))
        if ids[-1] == eos:
            break
        grammar.take(ids[-1])
    drafted = PROCESSOR.decode(ids)
    order = [sentence.section for sentence in drafted]
    assert order == sorted(order, key=list(Section).index)
    for sentence in drafted:
        assert set(sentence.cites) <= citable
        sided = sentence.finding in FINDINGS_BY_CODE and FINDINGS_BY_CODE[sentence.finding].sided
        assert sided or sentence.side == Side.NONE


def test_evidence_is_what_is_cited_and_there_is_a_mask_of():
    cited = evidence.cited(("lung_left", "heart", "nodule", "heart"), ("heart", "lung_left"), "1.2")
    assert [(one.structure, one.weight) for one in cited] == [("lung_left", 0.5), ("heart", 0.5)]
    assert evidence.cited(("nodule",), (), "1.2") == ()


def test_an_unknown_token_is_refused():
    with pytest.raises(AssertionError, match="no <cite:spleen>"):
        PROCESSOR.id("<cite:spleen>")


def test_words_and_control_tokens_do_not_overlap():
    words = torch.tensor(PROCESSOR.tokenizer.encode("<end> The heart", add_special_tokens=False).ids)
    assert PROCESSOR.words.start == max(PROCESSOR.controls) + 1
    assert len(words) > 1
