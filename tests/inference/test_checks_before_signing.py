"""The rules, one by one, on reports as people write them; and that clean reports are left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.contract import Section
from inference.phantom import reports
from inference.phantom import study as phantom
from inference.text.checks.checker import check
from inference.text.checks.concerns import GAPS, Circumstances, Concern, Kind, Outcome, Seen

PRIOR = Circumstances(has_prior=True)


def asked(
    findings: str, impression: str = "See findings.", known: Circumstances = PRIOR, *, language: str = "en"
) -> Outcome:
    texts = {Section.FINDINGS: findings, Section.IMPRESSION: impression}
    return check(texts, known, language=language)


def kinds(outcome: Outcome) -> list[str]:
    return [str(one.kind) for one in outcome.warnings]


def words_at(one: Concern, findings: str, impression: str) -> str:
    assert one.place is not None
    text = {Section.FINDINGS: findings, Section.IMPRESSION: impression}[one.place.section]
    return text[one.place.start : one.place.end]


@pytest.mark.parametrize(
    ("findings", "impression", "expected"),
    [
        ("Small left pleural effusion.", "Right pleural effusion.", ["side"]),
        ("左胸水を認める。", "右胸水。", ["side"]),
        ("Patchy opacity in the left lower lobe.", "Left lower lobe pneumonia.", []),
        ("Small effusions on both sides.", "Left effusion.", []),
        ("There is a right pneumothorax.", "No pneumothorax.", ["contradiction"]),
        ("右気胸を認める。", "気胸は認めない。", ["contradiction"]),
        ("There is a right pneumothorax. No left pneumothorax.", "Right pneumothorax.", []),
        ("Unchanged right effusion.", "No new effusion.", []),
        ("Large right pneumothorax.", "No acute abnormality.", ["contradiction"]),
        ("Old healed right rib fracture. Lungs are clear.", "No acute abnormality.", []),
        ("A nodule of 8 mm in the right upper lobe.", "Right nodule of 18 mm.", ["number"]),
        ("A nodule of 12 mm in the right upper lobe.", "Right nodule of 1.2 cm.", []),
        ("A nodule of 12 mm in the right upper lobe.", "Right nodule, about 1 cm.", []),
        ("右上肺野に8mm大の結節影を認める。", "右肺結節18mm。", ["number"]),
    ],
)
def test_findings_and_impression_go_together(findings: str, impression: str, expected: list[str]) -> None:
    assert kinds(asked(findings, impression)) == expected


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        ("Small [left|right] effusion.", "[left|right]"),
        ("Tip [ ] cm above the carina.", "[ ]"),
        ("Effusion {side} is small.", "{side}"),
        ("Tip ____ cm above the carina.", "____"),
        ("Lungs: clear.\nPleura: \nHeart: normal.", "Pleura:"),
        ("肺野：異常なし。\n胸膜：", "胸膜："),
    ],
)
def test_what_a_template_left_open_is_pointed_at(findings: str, expected: str) -> None:
    (one,) = asked(findings).warnings
    assert one.kind is Kind.LEFTOVER
    assert words_at(one, findings, "") == expected


def test_a_heading_over_a_list_is_no_field() -> None:
    assert kinds(asked("Devices:\nRight central line in place.\nLungs: clear.")) == []


def test_one_empty_section_is_asked_about_and_two_are_not() -> None:
    assert kinds(asked("Lungs are clear.", "")) == ["empty-section"]
    assert kinds(asked("", "")) == []


@pytest.mark.parametrize(
    ("text", "language", "is_asked"),
    [
        ("The effusion is unchanged.", "en", True),
        ("Compared with the prior study, the lungs are clear.", "en", True),
        ("No prior study is available for comparison. The lungs are clear.", "en", False),
        ("The patient is stable after previous surgery of the heart.", "en", False),
        ("前回と比較して変化なし。", "ja", True),
        ("前回画像なし。肺野に異常なし。", "ja", False),
    ],
)
def test_a_prior_that_does_not_exist(text: str, language: str, *, is_asked: bool) -> None:
    without = asked(
        text, "Normal chest." if language == "en" else "正常。", Circumstances(), language=language
    )
    assert (Kind.NO_PRIOR in kinds(without)) is is_asked
    assert Kind.NO_PRIOR not in kinds(asked(text, language=language))


@pytest.mark.parametrize(
    ("text", "sex", "age", "is_asked"),
    [
        ("She has a left effusion.", "M", None, True),
        ("She has a left effusion.", "F", None, False),
        ("She has a left effusion.", "", None, False),
        ("Known prostate cancer.", "F", None, True),
        ("A 45-year-old with cough.", "M", 71.4, True),
        ("A 71-year-old with cough.", "M", 71.4, False),
        ("45歳女性。", "F", 71.0, True),
    ],
)
def test_the_patient_is_this_one(text: str, sex: str, age: float | None, *, is_asked: bool) -> None:
    outcome = asked(text, known=Circumstances(sex, age, has_prior=True))
    assert (Kind.PERSON in kinds(outcome)) is is_asked


def outlined(*structures: str, gone: tuple[str, ...] = (), size_mm: float | None = None) -> Circumstances:
    seen = [Seen(number, code, size_mm=size_mm) for number, code in enumerate(structures)]
    seen += [Seen(len(seen) + number, code, present=False) for number, code in enumerate(gone)]
    return Circumstances(has_prior=True, outlines=seen)


@pytest.mark.parametrize(
    ("findings", "known", "expected"),
    [
        ("No pneumothorax.", outlined("pneumothorax_left"), ["denied-outline"]),
        ("No right pneumothorax. Left one.", outlined("pneumothorax_left"), []),
        ("Small right effusion.", outlined("pleural_effusion_left"), ["side-of-outline"]),
        ("Small left effusion.", outlined("pleural_effusion_left"), []),
        ("Left pneumothorax.", outlined(gone=("pneumothorax_left",)), ["not-there"]),
        ("A 30 mm nodule in the right lung.", outlined("nodule", size_mm=9.0), ["size-of-outline"]),
        ("A 10 mm nodule in the right lung.", outlined("nodule", size_mm=9.0), []),
        ("The tube should be removed.", outlined("nasogastric_tube"), []),
    ],
)
def test_text_and_outlines_go_together(findings: str, known: Circumstances, expected: list[str]) -> None:
    assert kinds(asked(findings, known=known)) == expected


def test_gaps_both_ways() -> None:
    outcome = asked("Left effusion. Lungs otherwise clear.", known=outlined("endotracheal_tube", "lung_left"))
    assert [(one.kind, one.about) for one in outcome.gaps] == [
        (Kind.UNSUPPORTED, "Pleural Effusion"),
        (Kind.UNMENTIONED, "endotracheal_tube"),
    ]
    assert outcome.gaps[1].outlines == (0,)


def test_without_outlines_nothing_is_missed() -> None:
    assert asked("Left effusion.", known=PRIOR).gaps == ()


def test_a_related_word_is_a_mention() -> None:
    outcome = asked("Right lower lobe pneumonia.", known=outlined("consolidation_right"))
    assert outcome.gaps == ()


def test_a_language_without_rules_is_said_to_be_unchecked() -> None:
    spanish = "Pulmones sin consolidación visible, sin derrame pleural ni neumotórax evidente [ ]."
    outcome = asked(spanish, "Estudio de tórax dentro de límites normales para su edad.")
    assert outcome.not_checked == (Section.FINDINGS, Section.IMPRESSION)
    assert kinds(outcome) == ["leftover"]


@pytest.mark.parametrize("language", reports.LANGUAGES)
@pytest.mark.parametrize("index", range(6))
def test_a_true_report_is_left_alone(index: int, language: str) -> None:
    study = phantom.generate(17, index, size=64, language=language)
    texts = reports.compose(study.sentences, language=language)
    seen = [Seen(number, code) for number, code in enumerate(study.images[0].masks)]
    known = Circumstances(study.patient.sex, None, study.prior is not None, seen)
    assert check(texts, known, language=language).warnings == ()


WORDS = st.sampled_from(
    ["No", "left", "right", "pleural effusion", "pneumothorax", "8 mm", "[ ]", "。", ". ", "\n", "右胸水",
     "を認めない", "unchanged", "she", "nodule", "𝒳", ":", "Lungs", "。", " "]
)  # fmt: skip


@given(findings=st.lists(WORDS).map(" ".join), impression=st.lists(WORDS).map("".join))
def test_whatever_is_typed_each_concern_lies_inside_its_text(findings: str, impression: str) -> None:
    known = outlined("pleural_effusion_left", "nodule", gone=("pneumothorax_left",), size_mm=5.0)
    outcome = asked(findings, impression, known)
    texts = {Section.FINDINGS: findings, Section.IMPRESSION: impression}
    for one in outcome.warnings + outcome.gaps:
        for place in (one.place, one.other):
            assert place is None or 0 <= place.start <= place.end <= len(texts[place.section])
    assert {one.kind in GAPS for one in outcome.gaps} <= {True}
    keys = [one.key() for one in outcome.warnings]
    assert len(keys) == len(set(keys))
