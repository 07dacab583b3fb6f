"""Reports cut into sections. The English layouts are those MIMIC-CXR and Open-i are described with."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.text import headings, sections
from inference.text.sections import Name, Sections

MIMIC = """                                 FINAL REPORT
 EXAMINATION:  CHEST (PA AND LAT)

 INDICATION:  ___ year old woman with cough // pneumonia?

 TECHNIQUE:  Chest PA and lateral

 COMPARISON:  Chest radiograph from ___.

 FINDINGS:

 The lungs are well expanded and there is no focal consolidation, effusion or
 pneumothorax.  The heart is normal in size.

 IMPRESSION:

 No acute cardiopulmonary process.
"""
UNHEADED = """                                 FINAL REPORT
 HISTORY:  Chest pain.

 COMPARISON:  None.

 PORTABLE CHEST

 Heart size is normal.  There is a small right
 pleural effusion.

 IMPRESSION:  Small right pleural effusion.
"""
ONE_LINE = "INDICATION: Cough. COMPARISON: None. FINDINGS: Lungs are clear. IMPRESSION: Normal chest."
WET_READ = """ WET READ: ___ 8:13 PM
 IMPRESSION: Edema, to be confirmed.
 ______________________________________________________________________________
                                 FINAL REPORT
 FINDINGS: No edema.
 NOTIFICATION:  Told to the ward by telephone.
"""
JAPANESE = """【検査目的】咳嗽精査
【比較】2025年4月1日
【所見】
右下肺野に浸潤影を認める。
胸水なし。
【診断】右下葉肺炎疑い
"""
HEADED = st.lists(
    st.one_of(
        st.sampled_from(
            ["FINDINGS:", "Impression:", "COMPARISON: ", "FINAL REPORT", "WET READ:", "所見：", "【診断】"]
        ),
        st.sampled_from(["\n", "\n\n", " ", "  ", "。", ". ", "CHEST, TWO VIEWS:", "Findings", "STUDY"]),
        st.text(max_size=20),
    ),
    max_size=20,
).map("".join)


def test_a_report_of_mimic_is_cut_at_its_headings_and_its_wrapped_lines_are_put_together() -> None:
    assert sections.read(MIMIC) == Sections(
        indication="___ year old woman with cough // pneumonia?",
        technique="CHEST (PA AND LAT)\nChest PA and lateral",
        comparison="Chest radiograph from ___.",
        findings="The lungs are well expanded and there is no focal consolidation, effusion or "
        "pneumothorax. The heart is normal in size.",
        impression="No acute cardiopulmonary process.",
    )


def test_findings_without_a_heading_are_the_paragraphs_after_the_comparison() -> None:
    report = sections.read(UNHEADED)
    assert report.comparison == "None."
    assert report.findings == (
        "PORTABLE CHEST\nHeart size is normal. There is a small right pleural effusion."
    )
    assert report.impression == "Small right pleural effusion."


def test_headings_within_a_line_are_found() -> None:
    report = sections.read(ONE_LINE)
    assert (report.indication, report.comparison) == ("Cough.", "None.")
    assert (report.findings, report.impression) == ("Lungs are clear.", "Normal chest.")


def test_a_preliminary_reading_is_no_finding_and_no_impression() -> None:
    report = sections.read(WET_READ)
    assert report.findings == "No edema."
    assert report.impression == ""
    assert "to be confirmed" in report.other
    assert "telephone" in report.other


@pytest.mark.parametrize(
    "heading", ["FINDINGS AND IMPRESSION", "FINDINGS/IMPRESSION", "Findings & Conclusion", "所見・診断"]
)
def test_findings_and_impression_in_one_are_findings(heading: str) -> None:
    report = sections.read(f"{heading}:\nNo effusion.")
    assert (report.findings, report.impression) == ("No effusion.", "")


def test_a_japanese_report_in_brackets() -> None:
    assert sections.read(JAPANESE) == Sections(
        indication="咳嗽精査",
        comparison="2025年4月1日",
        findings="右下肺野に浸潤影を認める。\n胸水なし。",
        impression="右下葉肺炎疑い",
    )


@pytest.mark.parametrize(
    "report",
    [
        "所見：異常なし。\n診断：正常。",
        "所見：異常なし。診断：正常。",
        "■所見\n異常なし。\n■診断\n正常。",
        "[所見] 異常なし。\n[印象] 正常。",
        "＜画像所見＞異常なし。\n＜画像診断＞：正常。",
        "所見\u3000:\u3000異常なし。\r\nまとめ\r\n正常。",
        "【所見】異常なし。【結論】正常。",
        "【Findings】異常なし。\n【Impression】正常。",
    ],
)
def test_the_ways_japanese_headings_are_written(report: str) -> None:
    assert sections.read(report) == Sections(findings="異常なし。", impression="正常。")


def test_clinical_findings_are_the_indication_and_no_image_finding() -> None:
    """臨床所見 and 臨床診断 are what the ward knows."""
    report = sections.read("臨床所見：発熱\n臨床診断：肺炎疑い\n所見：浸潤影なし。")
    assert report == Sections(indication="発熱\n肺炎疑い", findings="浸潤影なし。")


@pytest.mark.parametrize(
    ("title", "section"),
    [
        ("PA AND LATERAL CHEST RADIOGRAPHS: The lungs are clear.", Name.FINDINGS),
        ("PA AND LATERAL CHEST RADIOGRAPHS:\n\n", Name.TECHNIQUE),
    ],
)
def test_a_title_of_views_opens_the_findings_only_where_text_follows(title: str, section: Name) -> None:
    assert sections.split(f"HISTORY: Cough.\n{title}")[1].section == section


def test_a_subheading_within_the_findings_stays_there() -> None:
    report = sections.read("FINDINGS:\nLUNGS: Clear.\nCHEST: No fracture.\nHEART: Normal.")
    assert report.findings == "LUNGS: Clear.\nCHEST: No fracture.\nHEART: Normal."


@pytest.mark.parametrize(
    "report",
    [
        "The lungs are clear. The findings: none of note.",
        "Unchanged in\ncomparison\nto the earlier study.",
        "The history of cough is known; the study is compared.",
        "No change.",
        "",
    ],
)
def test_words_in_a_sentence_are_no_headings_and_nothing_is_guessed_without_any(report: str) -> None:
    assert {part.section for part in sections.split(report)} <= {Name.OTHER}


def test_a_comparison_with_a_prior_study_keeps_those_words() -> None:
    assert sections.read("COMPARISON: Prior study").comparison == "Prior study"


@pytest.mark.parametrize(
    ("wrapped", "flow"),
    [
        ("Lungs clear\nHeart normal", "Lungs clear\nHeart normal"),
        ("There is a small\nright effusion.", "There is a small right effusion."),
        ("x" * 49 + "\nY", "x" * 49 + "\nY"),
        ("x" * 50 + "\nY", "x" * 50 + " Y"),
        ("Edema\n2. effusion", "Edema\n2. effusion"),
        ("あ" * 50 + "\nい。", "あ" * 50 + "い。"),
        ("One.\n\n  \nTwo.", "One.\nTwo."),
    ],
)
def test_only_line_ends_that_the_width_made_are_taken_out(wrapped: str, flow: str) -> None:
    assert sections.flowing(wrapped) == flow


@given(HEADED)
def test_the_parts_lie_end_to_end_and_hold_the_whole_text(report: str) -> None:
    parts = sections.split(report)
    assert [part.heading for part in parts] == [0, *(part.end for part in parts[:-1])][: len(parts)]
    assert (parts[-1].end if parts else 0) == len(report)
    assert all(part.heading <= part.start <= part.end for part in parts)
    assert all(part.text == report[part.start : part.end].strip() for part in parts)


@given(HEADED)
def test_every_word_outside_headings_comes_through_reading(report: str) -> None:
    parts = sections.split(sections.normal.normalise(report))
    texts = vars(sections.read(report)).values()
    assert sorted("".join("".join(texts).split())) == sorted("".join("".join(p.text for p in parts).split()))


@given(HEADED)
def test_a_part_holds_no_further_heading(report: str) -> None:
    """Cutting again changes nothing. Findings may hold a title of views; preliminary text, anything."""
    for part in sections.split(report):
        if part.section != Name.OTHER:
            assert all(heading.view for heading in headings.find(part.text)), part


@pytest.mark.parametrize(
    "hostile",
    [
        "FINDINGS ",
        "FINDINGS:\n",
        "  ",
        ". F",
        "CHEST",
        "CHEST:",
        "【",
        "【所見",
        "所見。",
        "\n",
        "\n \n",
        "。　",
        "A" * 60 + "\nb",
    ],
)
def test_a_megabyte_of_anything_takes_time_that_grows_with_its_length(hostile: str) -> None:
    """A tenth is timed beside it: a quadratic search would take a hundred times as long, not ten."""
    seconds = []
    for size in (100_000, 1_000_000):
        report = hostile * (size // len(hostile))
        started = time.process_time()
        sections.read(report)
        seconds.append(time.process_time() - started)
    assert seconds[1] < 40 * seconds[0] + 1.0


@pytest.mark.parametrize(
    ("text", "language"),
    [("The lungs are clear.", "en"), ("右肺に結節を認める。", "ja"), ("CTR 55%。CABG後。", "ja"), ("", "en")],
)
def test_the_language_is_told_by_its_letters(text: str, language: str) -> None:
    assert sections.language(text) == language
