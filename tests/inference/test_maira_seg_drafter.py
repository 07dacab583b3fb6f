"""The drafter as the application meets it: gates, masks, people's masks, errors; and the shipped bundle."""

from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch

from inference.contract import (
    Certainty,
    ImageInput,
    InferenceError,
    Mask,
    Section,
    Side,
    StudyInput,
    ViewPosition,
)
from inference.imaging import masks as rle
from inference.maira_seg import drafter
from inference.maira_seg.drafter import MairaSegDrafter
from inference.maira_seg.processor import CodedSentence
from inference.maira_seg.prompt import ABSENT, PRESENT, WITHHELD
from inference.phantom import study as phantom
from inference.phantom.plan import PlannedFinding
from inference.structures import BY_CODE, STRUCTURES, Group
from inference.training import radiographs, records
from tests.inference import tiny_model

DEMO = Path(__file__).resolve().parents[2] / "inference" / "weights" / "demo"


def image(shape=(90, 70), *, uid="1.1", view=ViewPosition.PA) -> ImageInput:
    pixels = np.random.default_rng(0).random(shape, dtype=np.float32)
    return ImageInput(uid, pixels, view)


def human(structure: str, shape=(90, 70), *, filled=True, uid="1.1") -> Mask:
    drawn = np.zeros(shape, dtype=bool)
    drawn[10:30, 5:20] = filled
    return Mask(structure, uid, shape, rle.encode(drawn))


def study(*images: ImageInput, masks: tuple[Mask, ...] = ()) -> StudyInput:
    return StudyInput("1", images, human_masks=masks)


@pytest.fixture(scope="module")
def tiny() -> MairaSegDrafter:
    return MairaSegDrafter(tiny_model.bundle(), "0" * 64)


def without_seconds(output):
    return replace(output, seconds={})


def test_the_same_study_gives_the_same_draft(tiny):
    one, other = (tiny.draft(study(image())) for _ in range(2))
    assert without_seconds(one) == without_seconds(other)


@pytest.mark.parametrize(("wanted", "written"), [("ja", "ja"), ("ja-JP", "ja"), ("en", "en"), ("de", "en")])
def test_the_draft_is_in_the_language_asked_for_if_the_bundle_writes_it(tiny, monkeypatch, wanted, written):
    said = CodedSentence(Section.FINDINGS, "", Side.NONE, Certainty.PRESENT, "The lungs are clear.")
    asked = []

    def tokens(inputs, citable):
        asked.append(inputs.languages.tolist())
        return tiny.bundle.processor.encode([said])

    monkeypatch.setattr(tiny, "tokens", tokens)
    (sentence,) = tiny.draft(replace(study(image()), language=wanted)).sentences
    assert sentence.language == written
    assert asked == [[["en", "ja"].index(written)]]


def test_a_draft_is_explained_in_its_own_language(tiny, monkeypatch):
    one = CodedSentence(Section.FINDINGS, "", Side.NONE, Certainty.PRESENT, "The lungs are clear.")
    monkeypatch.setattr(tiny, "tokens", lambda inputs, citable: tiny.bundle.processor.encode([one]))
    japanese = replace(study(image()), language="ja")
    drafted = tiny.draft(japanese).sentences
    assert tiny.ablate(japanese, drafted) == tiny.ablate(study(image()), drafted)
    english = [replace(sentence, language="en") for sentence in drafted]
    assert tiny.ablate(japanese, drafted) != tiny.ablate(japanese, english)


def test_masks_are_in_the_pixels_of_their_image(tiny):
    output = tiny.draft(study(image()))
    assert output.masks
    for mask in output.masks:
        assert mask.size == (90, 70)
        assert rle.area(mask.counts, mask.size) > 0
        assert mask.trust is not None


def test_a_lateral_view_alone_is_not_drafted(tiny):
    output = tiny.draft(study(image(view=ViewPosition.LEFT_LATERAL)))
    assert (output.masks, output.sentences) == ((), ())
    assert output.draft_gate.reason == output.masks_gate.reason == "no-frontal-view"


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (image((40, 400)), "image-too-small"),
        (ImageInput("1.1", np.ones((128, 128), np.float32)), "blank-image"),
    ],
)
def test_what_cannot_be_looked_at_closes_both_gates(tiny, picture, reason):
    output = tiny.draft(study(picture))
    assert output.draft_gate.reason == output.masks_gate.reason == reason
    assert not output.draft_gate.open


def test_a_study_without_images_has_no_frontal_view(tiny):
    assert tiny.draft(study()).draft_gate.reason == "no-frontal-view"


def test_every_frontal_image_gets_masks_and_the_lateral_none(tiny):
    output = tiny.draft(
        study(
            image(uid="1.1", view=ViewPosition.AP),
            image(uid="1.2", view=ViewPosition.PA),
            image(uid="1.3", view=ViewPosition.LEFT_LATERAL),
        )
    )
    assert {mask.sop_instance_uid for mask in output.masks} == {"1.1", "1.2"}
    cited = {evidence.sop_instance_uid for s in output.sentences for evidence in s.evidence}
    assert cited <= {"1.2"}


def test_a_mask_on_any_image_of_the_study_speaks_against_its_denial(tiny, monkeypatch):
    """The draft reads the PA; the mask is drawn on the AP beside it."""
    denial = CodedSentence(Section.FINDINGS, "consolidation", Side.NONE, Certainty.ABSENT, "Clear.")
    monkeypatch.setattr(MairaSegDrafter, "_write", lambda *_: {denial: 0.9})
    both = [image(uid="1.1", view=ViewPosition.AP), image(uid="1.2", view=ViewPosition.PA)]
    every = [human(s.code, uid=uid, filled=False) for s in STRUCTURES for uid in ("1.1", "1.2")]
    assert [s.text for s in tiny.draft(study(*both, masks=tuple(every))).sentences] == ["Clear."]
    drawn = [m for m in every if (m.structure, m.sop_instance_uid) != ("consolidation_left", "1.1")]
    drawn.append(human("consolidation_left", uid="1.1"))
    assert tiny.draft(study(*both, masks=tuple(drawn))).sentences == ()


def test_a_persons_mask_replaces_the_models(tiny):
    drawn = human("heart")
    masks = [m for m in tiny.draft(study(image(), masks=(drawn,))).masks if m.structure == "heart"]
    assert [mask.counts for mask in masks] == [drawn.counts]
    assert masks[0].trusted


def test_a_mask_a_person_emptied_is_gone(tiny):
    output = tiny.draft(study(image(), masks=(human("heart", filled=False),)))
    assert "heart" not in {mask.structure for mask in output.masks}


def test_a_persons_mask_reaches_the_prompt(tiny):
    picture, drawn, emptied = image(), human("heart"), human("nodule", filled=False)
    given = study(picture, masks=(drawn, emptied))
    masks, square, _, gate, _ = tiny._segment(picture, given)
    slots = tiny._slots(square, masks, given.human_masks, "1.1")
    heart, nodule = (tiny.bundle.segmenter.config.structures.index(c) for c in ("heart", "nodule"))
    assert (int(slots.states[heart]), int(slots.states[nodule])) == (PRESENT, ABSENT)
    rows, cols = torch.nonzero(slots.coverage[heart] > 0.5, as_tuple=True)
    assert gate.open
    assert (int(rows.min()), int(rows.max())) == (7, 20)
    assert (int(cols.min()), int(cols.max())) == (11, 20)


def test_an_untrusted_mask_is_kept_marked_and_withheld(tiny):
    doubting = MairaSegDrafter(tiny_model.bundle(), "0" * 64)
    config = replace(doubting.bundle.segmenter.config, trust_threshold=2.0)
    doubting.bundle.segmenter.config = config
    masks, square, _, _, _ = doubting._segment(image(), study(image()))
    slots = doubting._slots(square, masks, (), "1.1")
    assert masks
    assert not any(mask.trusted for mask in masks)
    assert set(slots.states.tolist()) <= {WITHHELD, ABSENT}
    assert slots.citable == ()


@pytest.mark.parametrize(
    "mask",
    [
        human("heart", (70, 90)),
        replace(human("heart"), structure="spleen"),
        replace(human("heart"), counts="!"),
    ],
)
def test_a_mask_that_does_not_fit_is_an_error_for_good(tiny, mask):
    with pytest.raises(InferenceError) as refused:
        tiny.draft(study(image(), masks=(mask,)))
    assert (refused.value.code, refused.value.permanent) == ("bad-mask", True)


def test_an_image_with_no_numbers_is_an_error_for_good(tiny):
    broken = np.full((128, 128), np.nan, dtype=np.float32)
    with pytest.raises(InferenceError) as refused:
        tiny.draft(study(ImageInput("1.1", broken)))
    assert (refused.value.code, refused.value.permanent) == ("bad-image", True)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: not enough memory")])
def test_too_little_memory_is_worth_another_try(tiny, error):
    with (
        patch.object(tiny.bundle.segmenter, "look", side_effect=error),
        pytest.raises(InferenceError) as refused,
    ):
        tiny.draft(study(image()))
    assert (refused.value.code, refused.value.permanent) == ("out-of-memory", False)


def test_other_errors_rise_as_they_are(tiny):
    wrong = RuntimeError("shapes cannot be multiplied")
    with (
        patch.object(tiny.bundle.segmenter, "look", side_effect=wrong),
        pytest.raises(RuntimeError, match="shapes"),
    ):
        tiny.draft(study(image()))


@pytest.fixture(scope="module")
def shipped() -> MairaSegDrafter:
    return drafter.load(DEMO)


def drafted(shipped: MairaSegDrafter, *planned: PlannedFinding, index: int = 5):
    made = phantom.generate(
        4242, index, size=512, findings=planned, views=[ViewPosition.PA], with_prior=False
    )
    return shipped.draft(study(records.image_input(made.images[0])))


def stated(output) -> set[tuple[str, str]]:
    return {
        (s.finding, str(s.side)) for s in output.sentences if s.finding and s.certainty != Certainty.ABSENT
    }


def test_the_shipped_draft_follows_the_image(shipped):
    normals = [drafted(shipped, index=index) for index in range(6)]
    ill = drafted(shipped, PlannedFinding("pleural_effusion", side="right", extent="large"))
    other = drafted(shipped, PlannedFinding("pleural_effusion", side="left", extent="large"))
    for output in (*normals, ill, other):
        assert output.draft_gate.open
        assert {"findings", "impression"} == {str(s.section) for s in output.sentences}
    assert sum(not stated(output) for output in normals) >= 5, "docs/results.md: normal_kept_normal"
    assert ("pleural_effusion", "right") in stated(ill)
    assert ("pleural_effusion", "left") in stated(other)
    shown = {mask.structure for mask in ill.masks if mask.trusted}
    assert "pleural_effusion_right" in shown
    assert all(e.structure in shown for s in ill.sentences for e in s.evidence)
    assert any(e.structure == "pleural_effusion_right" for s in ill.sentences for e in s.evidence)


def test_the_shipped_bundle_stays_silent_on_real_chests_and_shows_their_lungs(shipped, shared_data):
    held_out = [r for r in radiographs.read(shared_data / "cxr") if r.held_out][:3]
    for radiograph in held_out:
        output = shipped.draft(study(radiograph.image_input()))
        assert output.sentences == ()
        assert output.draft_gate.reason == "outside-domain"
        assert output.masks_gate.open
        assert {BY_CODE[mask.structure].group for mask in output.masks} == {Group.ANATOMY}
        assert {"lung_right", "lung_left"} <= {mask.structure for mask in output.masks if mask.trusted}


def test_the_shipped_bundle_is_small_and_has_a_card():
    assert sum(path.stat().st_size for path in DEMO.iterdir()) < 40e6
    card = (DEMO / "README.md").read_text()
    assert "not for clinical use" in card.lower()
    assert "CC BY" in card
