"""The text says what is coded, all of it, on its side, and nothing else; both languages say the same."""

import datetime
import re
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from inference.contract import Certainty, Section, Sentence, Side
from inference.phantom import phrases_en, phrases_ja, plan, reports
from inference.phantom.plan import PlannedFinding
from inference.phantom.reports import CodedFinding
from inference.structures import FINDINGS_BY_CODE, STRUCTURES
from inference.text import sentences as texts
from tests.inference.report_words import (
    CHANGED,
    DOUBT,
    ELSEWHERE,
    EXTENTS,
    NAMES,
    NEGATION,
    PLAIN,
    PRIOR,
    SIDES,
    ZONES,
)

BOOKS = (phrases_en.PHRASEBOOK, phrases_ja.PHRASEBOOK)
DATE = datetime.date(2025, 3, 4)
PLANS = 300
SEEN = {structure.code: "1.2" for structure in STRUCTURES}
TIPS = {"well_placed": 41.0, "too_low": 9.0, "too_high": 88.0, "bronchial": -20.0, "too_deep": 80.0}
OPACITIES = {"consolidation", "atelectasis", "pulmonary_edema", "nodule", "mass"}
NEVER_DENIED = {"nodule", "mass", "hiatus_hernia", "atelectasis", *plan.DEVICES}
Written = tuple[str, tuple[CodedFinding, ...], datetime.date | None, str, tuple[Sentence, ...]]


def _coded(one: PlannedFinding, change: str = "") -> CodedFinding:
    shown = tuple(s.code for s in STRUCTURES if s.finding == one.finding and s.side in (one.side, Side.NONE))
    return CodedFinding(
        one.finding,
        one.side,
        Certainty.UNCERTAIN if one.doubtful else Certainty.PRESENT,
        shown,
        one.extent,
        one.zone,
        size_mm={"nodule": 17.2, "mass": 48.0}.get(one.finding),
        tip_mm=TIPS.get(one.extent),
        change=change,
    )


def _gone(finding: str, side: Side = Side.NONE) -> CodedFinding:
    extent = plan.EXTENTS[finding][0]
    return CodedFinding(finding, side, Certainty.ABSENT, (), extent, change="resolved")


def _drawn(index: int, compared: bool) -> tuple[CodedFinding, ...]:
    rng = np.random.default_rng([31, index])
    now = plan.draw(rng)
    if not compared:
        return tuple(_coded(one) for one in now)
    before = {(one.finding, one.side): one for one in plan.earlier(rng, now)}
    coded = [_coded(one, plan.change(one, before.pop((one.finding, one.side), None))) for one in now]
    return (*coded, *(_gone(one.finding, one.side) for one in before.values()))


def _write(
    coded: Sequence[CodedFinding],
    seed: int = 0,
    language: str = "en",
    prior_date: datetime.date | None = None,
) -> tuple[str, tuple[Sentence, ...]]:
    rng = np.random.default_rng(seed)
    return reports.write(coded, SEEN, rng, language=language, prior_date=prior_date)


@pytest.fixture(scope="module")
def written() -> list[Written]:
    done: list[Written] = []
    for index in range(PLANS):
        for prior_date in (None, DATE):
            coded = _drawn(index, prior_date is not None)
            for language in reports.LANGUAGES:
                done.append((language, coded, prior_date, *_write(coded, index, language, prior_date)))
    return done


def _every_plan() -> Iterator[PlannedFinding]:
    for finding, extents in plan.EXTENTS.items():
        sides = (Side.RIGHT, Side.LEFT) if FINDINGS_BY_CODE[finding].sided else (Side.NONE,)
        for side in sides:
            for extent in extents:
                for zone in plan.zones(finding, side) or ("",):
                    for doubtful in (False, True):
                        yield PlannedFinding(finding, side, extent, zone, doubtful)


def _both(side: Side) -> set[Side]:
    return {Side.RIGHT, Side.LEFT} if side is Side.BILATERAL else {side}


def _sides_said(sentence: Sentence) -> set[Side]:
    text = re.sub(ELSEWHERE[sentence.language], "", sentence.text, flags=re.IGNORECASE)
    patterns = SIDES[sentence.language]
    return {side for side in patterns if re.search(patterns[side], text, re.IGNORECASE)}


def _says(sentence: Sentence, pattern: str) -> bool:
    return bool(re.search(pattern, sentence.text, re.IGNORECASE))


def _hint(language: str, indication: str, sentences: Sequence[Sentence]) -> str:
    """What hints at a prior study, if anything does."""
    whole = re.sub(PLAIN, "", " ".join([indication, *(s.text for s in sentences)]))
    found = re.search(PRIOR[language], whole, re.IGNORECASE)
    return found.group() if found else ""


def _agree(sentence: Sentence) -> bool:
    """Finding, side and certainty as read from the words are those that are coded."""
    language = sentence.language
    named = {code for code, pattern in NAMES[language].items() if _says(sentence, pattern)}
    if named != ({sentence.finding} if sentence.finding else set()):
        return False
    if not sentence.finding:
        return True
    said, coded = _sides_said(sentence), _both(sentence.side) - {Side.NONE}
    if said != coded and (coded or len(said) == 1):
        return False
    doubtful = _says(sentence, DOUBT[language])
    if doubtful or sentence.certainty is Certainty.UNCERTAIN:
        return doubtful and sentence.certainty is Certainty.UNCERTAIN
    return _says(sentence, NEGATION[language]) == (sentence.certainty is Certainty.ABSENT)


def _of_section(sentences: Sequence[Sentence], section: Section) -> list[Sentence]:
    return [sentence for sentence in sentences if sentence.section is section]


@pytest.mark.parametrize("language", reports.LANGUAGES)
def test_every_finding_is_stated_once_with_side_certainty_extent_and_zone(language: str) -> None:
    for one in _every_plan():
        for seed in range(6):
            _, sentences = _write([_coded(one)], seed, language)
            found = _of_section(sentences, Section.FINDINGS)
            said = [s for s in found if s.finding == one.finding and s.certainty is not Certainty.ABSENT]
            wanted = Certainty.UNCERTAIN if one.doubtful else Certainty.PRESENT
            assert [(s.side, s.certainty) for s in said] == [(one.side, wanted)], one
            assert all(_agree(s) and s.language == language for s in sentences), (one, sentences)
            if not one.doubtful:
                assert _says(said[0], EXTENTS[language].get(one.extent, "")), (one, said)
                placed = one.zone and one.extent != "subsegmental"
                assert not placed or _says(said[0], ZONES[language][one.zone]), (one, said)


@pytest.mark.parametrize("language", reports.LANGUAGES)
@pytest.mark.parametrize("zone", ["upper", "mid", "lower"])
def test_sizes_are_rounded(language: str, zone: str) -> None:
    known = {"nodule": (17.2, "15"), "mass": (48.0, "5")}
    for finding, (size, said) in known.items():
        one = CodedFinding(finding, Side.LEFT, Certainty.PRESENT, (finding,), zone=zone, size_mm=size)
        numbers = set()
        for seed in range(30):
            _, sentences = _write([one], seed, language)
            numbers |= {n for s in sentences for n in re.findall(r"(\d+) ?[cm]m", s.text)}
        assert numbers == {said}


@pytest.mark.parametrize("language", reports.LANGUAGES)
def test_without_a_measure_no_number_is_stated(language: str) -> None:
    for one in _every_plan():
        bare = CodedFinding(one.finding, one.side, Certainty.PRESENT, (), one.extent, one.zone)
        for seed in range(6):
            _, sentences = _write([bare], seed, language)
            words = " ".join(re.sub(r"less than 2 cm|2cm未満|\d(本|か所)", "", s.text) for s in sentences)
            assert not re.search(r"\d", words), words


def test_every_drawn_finding_is_stated_once(written: list[Written]) -> None:
    for _, coded, prior_date, _, sentences in written:
        found = _of_section(sentences, Section.FINDINGS)
        said = [
            (s.finding, side, s.certainty)
            for s in found
            for side in _both(s.side)
            if s.finding and (s.certainty is not Certainty.ABSENT or _gone(s.finding, s.side) in coded)
        ]
        stated = [(c.finding, c.side, c.certainty) for c in coded]
        assert sorted(said) == sorted(stated), (prior_date, sentences)


def test_nothing_absent_is_asserted_and_nothing_present_denied(written: list[Written]) -> None:
    for _, coded, _, _, sentences in written:
        there = {(c.finding, c.side) for c in coded if c.certainty is not Certainty.ABSENT}
        gone = {(c.finding, c.side) for c in coded if c.certainty is Certainty.ABSENT}
        for sentence in (s for s in sentences if s.finding):
            stated = {(sentence.finding, side) for side in _both(sentence.side)}
            if sentence.certainty is not Certainty.ABSENT:
                assert stated <= there, sentence
                continue
            assert not stated & there, sentence
            assert sentence.side or sentence.finding not in {finding for finding, _ in there}, sentence
            assert sentence.finding not in NEVER_DENIED or stated <= gone, sentence


def test_the_words_agree_with_the_code(written: list[Written]) -> None:
    for *_, sentences in written:
        for sentence in sentences:
            assert _agree(sentence), sentence


def test_clear_lungs_and_normal_parts_are_said_only_when_true(written: list[Written]) -> None:
    clear = {"en": r"clear lung|lungs are|no focal lung opacity", "ja": r"^(両|両側)?肺野(は清明|に異常)"}
    middle = {"en": r"^(?!.*aorta).*(midline|trachea is|mediastin)", "ja": r"気管(は|の?偏)|縦隔"}
    bones = {"en": r"\bbon(es|y)\b", "ja": r"骨に|胸郭の?骨|骨性"}
    said = 0
    for language, coded, _, _, sentences in written:
        there = {c.finding for c in coded if c.certainty is not Certainty.ABSENT}
        shifted = any((c.finding, c.extent) in _SHIFTS and c.certainty is not Certainty.ABSENT for c in coded)
        for sentence in sentences:
            if _says(sentence, clear[language]) and not _says(sentence, r"free of|lungs show|疑"):
                assert not there & OPACITIES, sentence
                said += 1
            if not sentence.finding and _says(sentence, middle[language]):
                assert not shifted, sentence
            if not sentence.finding and _says(sentence, bones[language]):
                assert "rib_fracture" not in there, sentence
    assert said > 100


_SHIFTS = {("pneumothorax", "tension"), ("atelectasis", "lobar"), ("pleural_effusion", "large")}


def test_without_a_prior_nothing_hints_at_one(written: list[Written]) -> None:
    hinted = 0
    for language, _, prior_date, indication, sentences in written:
        hint = _hint(language, indication, sentences)
        assert prior_date or not hint, (hint, indication, sentences)
        hinted += bool(hint)
    assert hinted > PLANS


@pytest.mark.parametrize("language", reports.LANGUAGES)
def test_coded_changes_are_silent_without_a_date(language: str) -> None:
    for seed in range(60):
        coded = [_coded(PlannedFinding("nodule", Side.LEFT, "", "mid"), "new"), _gone("free_air")]
        indication, sentences = _write(coded, seed, language)
        assert not _hint(language, indication, sentences), sentences


@pytest.mark.parametrize("change", ["new", "larger", "smaller", "unchanged"])
@pytest.mark.parametrize("language", reports.LANGUAGES)
def test_a_change_is_worded_in_the_sentence_of_its_finding(language: str, change: str) -> None:
    for one in _every_plan():
        if one.finding in plan.DEVICES and change in ("larger", "smaller"):
            continue
        for seed in range(4):
            _, sentences = _write([_coded(one, change)], seed, language, DATE)
            said = next(s for s in sentences if s.finding == one.finding and s.certainty != "absent")
            for word, pattern in CHANGED[language].items():
                text = re.sub(PLAIN, "", said.text)
                assert bool(re.search(pattern, text, re.IGNORECASE)) == (word == change), (word, said)
            assert _agree(said), said


@pytest.mark.parametrize("language", reports.LANGUAGES)
def test_what_has_gone_is_said_to_have_gone(language: str) -> None:
    for finding, known in FINDINGS_BY_CODE.items():
        side = Side.LEFT if known.sided else Side.NONE
        for seed in range(12):
            _, sentences = _write([_gone(finding, side)], seed, language, DATE)
            said = [s for s in sentences if (s.finding, s.side) == (finding, side)]
            assert said, finding
            assert all(_agree(s) and s.certainty is Certainty.ABSENT for s in said), said
            assert _says(said[0], PRIOR[language]), said


def test_a_normal_report_may_name_the_study_compared_with() -> None:
    for language, date in (("en", "4 March 2025"), ("ja", "2025年3月4日")):
        dated = sum(date in str(_write((), seed, language, DATE)) for seed in range(40))
        assert 5 < dated < 35


def test_no_change_is_said_only_when_nothing_changed(written: list[Written]) -> None:
    said = 0
    for language, coded, _, _, sentences in written:
        same = {"en": r"no change|is unchanged|^unchanged from", "ja": r"変なし|化なし|変化を認めない|著変を"}
        if any(not s.finding and _says(s, same[language]) for s in sentences):
            said += 1
            assert {c.change for c in coded} <= {"unchanged"}
    assert said > 20


def test_all_clear_is_said_only_beside_well_placed_devices(written: list[Written]) -> None:
    for _, coded, _, _, sentences in written:
        worth = [
            c
            for c in coded
            if c.certainty is not Certainty.ABSENT
            and (c.finding not in plan.DEVICES or re.search("too_|bronchial", c.extent))
        ]
        impression = _of_section(sentences, Section.IMPRESSION)
        cleared = [s for s in impression if not s.finding]
        assert [s.certainty for s in cleared] == ([] if worth else [Certainty.ABSENT])
        stated = {(s.finding, side) for s in impression for side in _both(s.side) if s.certainty != "absent"}
        assert {f for f, _ in stated if f} == {c.finding for c in worth}
        assert impression


@pytest.mark.parametrize("language", reports.LANGUAGES)
def test_the_impression_begins_with_what_is_most_urgent(language: str) -> None:
    order = [
        PlannedFinding("nasogastric_tube", extent="bronchial"),
        PlannedFinding("pneumothorax", Side.LEFT, "tension"),
        PlannedFinding("endotracheal_tube", extent="too_low"),
        PlannedFinding("free_air", extent="large"),
        PlannedFinding("pleural_effusion", Side.LEFT, "small"),
        PlannedFinding("hiatus_hernia", extent="small"),
    ]
    for seed in range(10):
        _, sentences = _write([_coded(one) for one in reversed(order)], seed, language)
        impression = _of_section(sentences, Section.IMPRESSION)
        assert [s.finding for s in impression] == [one.finding for one in order]
        assert _says(impression[0], "urgent|at once|緊急|直ちに")
        assert _says(impression[1], "emergency|immediate|urgent|at once|緊急|直ちに")
        assert _says(impression[2], "withdraw|reposition|引き抜き|位置調整")


@pytest.mark.parametrize("language", reports.LANGUAGES)
def test_both_sides_alike_become_one_statement(language: str) -> None:
    for finding, zone in (("pleural_effusion", ""), ("consolidation", "lower_lobe")):
        for doubtful in (False, True):
            pair = [PlannedFinding(finding, side, "", zone, doubtful) for side in (Side.RIGHT, Side.LEFT)]
            for seed in range(10):
                _, sentences = _write([_coded(plan.checked(one)) for one in pair], seed, language)
                said = [s for s in sentences if s.finding == finding]
                assert [s.side for s in said] == [Side.BILATERAL, Side.BILATERAL]
                assert all(_agree(s) for s in said), said
                assert len(said[0].evidence) == 2


def test_sides_that_differ_stay_apart() -> None:
    right = _coded(PlannedFinding("pleural_effusion", Side.RIGHT, "small"), "new")
    for left in (
        _coded(PlannedFinding("pleural_effusion", Side.LEFT, "large"), "new"),
        _coded(PlannedFinding("pleural_effusion", Side.LEFT, "small"), "unchanged"),
        _coded(PlannedFinding("pleural_effusion", Side.LEFT, "small", doubtful=True), "new"),
    ):
        _, sentences = _write([right, left], 0, "en", DATE)
        said = {s.side for s in sentences if s.finding == "pleural_effusion"}
        assert said == {Side.RIGHT, Side.LEFT}


def test_the_other_side_is_sometimes_denied() -> None:
    one = _coded(PlannedFinding("pneumothorax", Side.RIGHT, "small"))
    denied = [
        s
        for seed in range(40)
        for s in _write([one], seed)[1]
        if (s.finding, s.certainty) == ("pneumothorax", Certainty.ABSENT)
    ]
    assert 5 < len(denied) < 35
    assert {s.side for s in denied} == {Side.LEFT}


def test_the_languages_say_the_same(written: list[Written]) -> None:
    for english, japanese in zip(written[::2], written[1::2], strict=True):
        coded = [
            [(s.section, s.finding, s.side, s.certainty, s.evidence) for s in one[-1]]
            for one in (english, japanese)
        ]
        assert coded[0] == coded[1]
        assert all(re.search(r"[ぁ-ん一-龥ァ-ヶ]", s.text) for s in japanese[-1])
        assert all(s.text.isascii() for s in english[-1])


def test_the_same_dice_write_the_same_report() -> None:
    coded = _drawn(4, compared=True)
    assert _write(coded, 5, "ja", DATE) == _write(coded, 5, "ja", DATE)
    assert _write(coded, 5, "ja", DATE) != _write(coded, 6, "ja", DATE)


def test_evidence_changes_no_word_and_its_weights_sum_to_one(written: list[Written]) -> None:
    for language, coded, prior_date, indication, sentences in written[::17]:
        rng = np.random.default_rng(written.index((language, coded, prior_date, indication, sentences)) // 4)
        bare = reports.write(coded, {}, rng, language=language, prior_date=prior_date)
        assert (bare[0], [s.text for s in bare[1]]) == (indication, [s.text for s in sentences])
        assert not any(s.evidence for s in bare[1])
    for *_, sentences in written:
        for sentence in (s for s in sentences if s.finding):
            assert sum(e.weight for e in sentence.evidence) == pytest.approx(1)
            if sentence.certainty is not Certainty.ABSENT:
                kinds = {s.finding for s in STRUCTURES for e in sentence.evidence if s.code == e.structure}
                assert kinds == {sentence.finding}


def test_indications_fit_half_the_time_and_follow_up_only_what_was_known() -> None:
    one = _coded(PlannedFinding("rib_fracture", Side.LEFT, "single"), "unchanged")
    for book in BOOKS:
        without = [_write([one], seed, book.language)[0] for seed in range(80)]
        fits = set(book.indications["rib_fracture"])
        assert 25 < sum(said in fits for said in without) < 55
        compared = [_write([one], seed, book.language, DATE)[0] for seed in range(80)]
        followed = [said for said in compared if _hint(book.language, said, ())]
        assert 8 < len(followed) < 40


def test_normal_reports_vary() -> None:
    for language in reports.LANGUAGES:
        normal = {
            tuple(reports.compose(_write((), seed, language)[1], language=language).values())
            for seed in range(60)
        }
        assert len(normal) > 54


def test_denials_are_the_rule_for_four_and_occasional_for_three() -> None:
    said = [{s.finding for s in _write((), seed)[1]} for seed in range(200)]
    for finding in ("pleural_effusion", "pneumothorax", "consolidation", "cardiomegaly"):
        assert sum(finding in one for one in said) > 170, finding
    for finding in ("pulmonary_edema", "rib_fracture", "free_air"):
        assert 15 < sum(finding in one for one in said) < 120, finding


def test_sentences_are_short_and_one_each(written: list[Written]) -> None:
    for language, *_, sentences in written:
        for sentence in sentences:
            assert len(sentence.text.split()) <= 25
            assert len(sentence.text) < 200 if language == "en" else len(sentence.text) < 70
            assert [span.text for span in texts.split(sentence.text)] == [sentence.text]
            assert not re.search(r"  | [.,]|[{}]|、、|、。", sentence.text), sentence


def test_reports_stay_of_a_readable_length(written: list[Written]) -> None:
    for language, *_, sentences in written:
        words = sum(len(s.text.split()) for s in sentences)
        assert len(sentences) <= 20
        assert language == "ja" or words <= 160


def test_the_vocabulary_is_small(written: list[Written]) -> None:
    whole = " ".join(s.text for language, *_, said in written for s in said if language == "en")
    assert 150 < len(set(re.findall(r"[a-z]+", whole.lower()))) < 350


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.language)
def test_every_statement_has_many_phrasings(book: phrases_en.Phrasebook) -> None:
    for table, least in (
        (book.present, 5),
        (book.impression, 5),
        (book.uncertain, 4),
        (book.impression_uncertain, 4),
        (book.absent, 4),
        (book.absent_side, 4),
        (book.resolved, 4),
        (book.anatomy, 4),
    ):
        for name, choices in table.items():
            assert len(set(choices)) == len(choices) >= least, name
    for choices in (book.all_clear, book.normal, book.comparison, book.no_change):
        assert len(set(choices)) >= 4


def test_both_books_hold_the_same_statements() -> None:
    english, japanese = BOOKS
    for name in ("absent", "absent_side", "resolved", "anatomy", "indications"):
        assert set(getattr(english, name)) == set(getattr(japanese, name)), name
    assert set(english.nouns) == set(japanese.nouns) == set(FINDINGS_BY_CODE)


def test_only_several_impressions_are_numbered() -> None:
    one, two = (Sentence(Section.IMPRESSION, text) for text in ("Cardiomegaly.", "Small left effusion."))
    assert reports.compose([one])[Section.IMPRESSION] == "Cardiomegaly."
    assert reports.compose([one, two])[Section.IMPRESSION] == "1. Cardiomegaly.\n2. Small left effusion."


def test_japanese_sentences_are_joined_without_spaces() -> None:
    said = [Sentence(Section.FINDINGS, text) for text in ("胸水なし。", "気胸なし。")]
    assert reports.compose(said, language="ja")[Section.FINDINGS] == "胸水なし。気胸なし。"
    assert reports.compose(said, language="en")[Section.FINDINGS] == "胸水なし。 気胸なし。"


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="'xx'"):
        _write((), language="xx")
