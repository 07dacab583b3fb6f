import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from inference.text import normal, provenance, sentences

DRAFT = [
    provenance.DraftSentence(0, "findings", "The lungs are clear."),
    provenance.DraftSentence(1, "findings", "Small right pleural effusion."),
    provenance.DraftSentence(2, "impression", "Right pleural effusion."),
]


def origins(text: str, section: str = "findings") -> list[tuple[str, int | None]]:
    return [(row.origin.value, row.position) for row in provenance.trace(section, text, DRAFT)]


def test_sentences_of_english_and_japanese() -> None:
    text = "1. No effusion.\n2. Nodule, approx. 8 mm.\n右肺に結節を認める。胸水なし。"
    assert [span.text for span in sentences.split(text)] == [
        "1. No effusion.",
        "2. Nodule, approx. 8 mm.",
        "右肺に結節を認める。",
        "胸水なし。",
    ]


def test_a_decimal_point_ends_no_sentence() -> None:
    assert len(sentences.split("A nodule of 1.5 cm is seen.")) == 1


@given(st.text())
def test_spans_are_where_they_say_and_nothing_but_white_space_is_left_out(text: str) -> None:
    spans = sentences.split(text)
    assert all(text[span.start : span.end] == span.text for span in spans)
    kept = "".join(span.text for span in spans)
    assert "".join(kept.split()) == "".join(text.split())


def test_word_for_word_is_ai_a_changed_word_is_edited_and_the_rest_is_human() -> None:
    text = "The lungs are clear. Large right pleural effusion. Pacemaker in place."
    assert origins(text) == [("ai", 0), ("ai-edited", 1), ("human", None)]


def test_order_and_numbering_do_not_matter() -> None:
    assert origins("Small right pleural effusion. The lungs are clear.") == [("ai", 1), ("ai", 0)]
    assert origins("1. Right pleural effusion.", "impression") == [("ai", 2)]


def test_a_draft_sentence_is_used_once() -> None:
    assert origins("The lungs are clear. The lungs are clear.") == [("ai", 0), ("human", None)]


@given(st.text(), st.text())
def test_the_digest_depends_on_the_normal_form_alone(findings: str, impression: str) -> None:
    digest = normal.report_sha256(findings, impression)
    assert digest == normal.report_sha256(unicodedata.normalize("NFD", findings), impression)
    assert digest == normal.report_sha256(findings.replace("\n", "\r\n"), impression) or "\r" in findings


def test_the_digest_is_that_of_the_canonical_json() -> None:
    """Worked by hand: sha256 of {"findings":"Clear.","impression":""}."""
    # printf '{"findings":"Clear.","impression":""}' | sha256sum
    expected = "5620f0ace5a249923b626575bed5ceedbfafdbec84fc555805f86b5ad2b37102"
    assert normal.report_sha256("Clear.", "") == expected
