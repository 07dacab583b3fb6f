"""The comparison of arms: what each shows, that runs repeat and go on, and that scores are right."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from inference.contract import Certainty, Section, Side
from inference.maira_seg.processor import CodedSentence
from inference.maira_seg.prompt import ABSENT, PRESENT, WITHHELD
from inference.phantom.coded import CodedFinding
from inference.structures import STRUCTURES, Group
from inference.training import records
from inference.training.datasets import Reports
from inference.training.experiment import cached, damaged, marks, runs, scores
from inference.training.experiment.arms import SETTINGS, Arm
from inference.training.experiment.plans import PLANS, Plan
from inference.training.records import Truth
from tests.inference import tiny_model

COUNT = 6
WANTED = cached.Wanted(("true", "predicted"))
LANDMARK = torch.tensor([s.group != Group.FINDING for s in STRUCTURES])
PLAN = Plan("tiny", ("baseline", "seg"), (0,), "true", COUNT, COUNT, 3, steps=2, batch=3, wordings=2)


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    return records.phantoms(tmp_path_factory.mktemp("cache"), 3, COUNT, size=64, processes=1)


@pytest.fixture(scope="module")
def features(phantoms, tmp_path_factory):
    return build(tmp_path_factory.mktemp("features"), phantoms)


@pytest.fixture(scope="module")
def material(phantoms, features):
    written = records.wordings(phantoms, PLAN.wordings, processes=1)
    processor = tiny_model.processor()
    return runs.Material(
        config=tiny_model.CONFIG,
        processor=processor,
        train=features,
        test=features,
        reports=Reports.of(processor, [[processor.encode(report) for report in study] for study in written]),
        plain=torch.tensor([not truth.findings for truth in phantoms.truths]),
    )


def build(folder, phantoms):
    return cached.build(folder, phantoms, tiny_model.model(), tiny_model.segmenter(), WANTED)


def inputs(features, name):
    return features.inputs(SETTINGS[name], "true", torch.arange(COUNT))


# What an arm shows


def test_every_arm_has_the_same_shapes_and_only_seg_and_shuffled_show_tokens(features):
    shapes = {tuple(inputs(features, arm).states.shape) for arm in map(str, Arm)}
    assert shapes == {(COUNT, 1, len(STRUCTURES))}
    shown = {str(arm) for arm in Arm if any(inputs(features, arm).tokens)}
    assert shown == {"seg", "shuffled"}


def test_the_baseline_is_told_nothing_and_names_is_told_what_seg_is(features):
    assert (inputs(features, "baseline").states == WITHHELD).all()
    assert torch.equal(inputs(features, "names").states, inputs(features, "seg").states)


def test_findings_stay_hidden_from_the_headline_arms(features):
    assert (inputs(features, "seg").states[..., ~LANDMARK] == WITHHELD).all()
    assert (inputs(features, "seg-findings").states[..., ~LANDMARK] != WITHHELD).all()
    anatomy = torch.tensor([s.group == Group.ANATOMY for s in STRUCTURES])
    assert (inputs(features, "seg-anatomy").states[..., ~anatomy] == WITHHELD).all()


def test_only_the_marked_image_differs_for_set_of_marks(features):
    plain, marked = inputs(features, "names"), inputs(features, "som")
    assert torch.equal(plain.states, marked.states)
    assert not torch.allclose(plain.patches, marked.patches)
    assert torch.equal(inputs(features, "seg").patches, plain.patches)


def test_shuffled_shows_the_masks_of_the_study_before_and_no_study_its_own(features):
    seg, shuffled = inputs(features, "seg"), inputs(features, "shuffled")
    assert torch.equal(shuffled.shrunk, seg.shrunk.roll(1, 0))
    assert torch.equal(shuffled.states, seg.states.roll(1, 0))
    assert torch.equal(shuffled.patches, seg.patches)
    assert not torch.allclose(shuffled.pooled, seg.pooled)
    assert not torch.allclose(shuffled.pooled, seg.pooled.roll(1, 0))


def test_features_interrupted_go_on_and_end_the_same(phantoms, features, tmp_path, monkeypatch):
    monkeypatch.setattr(cached, "BATCH", 4)
    real, calls = cached._features, []

    def breaks(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(cached, "_features", breaks)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path, phantoms)
    assert json.loads((tmp_path / "progress.json").read_text()) == {"studies": 4}
    whole = build(tmp_path, phantoms)
    assert len(calls) == 3
    build(tmp_path, phantoms)
    assert len(calls) == 3
    for name, values in features.arrays.items():
        np.testing.assert_allclose(
            np.asarray(whole.arrays[name], float), np.asarray(values, float), atol=2e-3
        )


# Marks


def test_marks_are_outlines_and_numbers_of_what_is_shown():
    images = torch.full((1, 1, 64, 64), 0.5)
    masks = torch.zeros(1, len(STRUCTURES), 64, 64)
    masks[0, 2, 10:50, 10:50] = 1
    masks[0, 5, 0:5, 60:] = 1
    shown = torch.zeros(1, len(STRUCTURES), dtype=torch.bool)
    shown[0, 2] = True
    marked = marks.draw(images, masks, shown)
    assert (marked[0, 0, 10, 10:50] == marks.SHADE).all()
    assert (marked[0, 0, 10:50, 49] == marks.SHADE).all()
    assert marked[0, 0, 12, 12] == 0.5
    assert marked[0, 0, 2, 62] == 0.5
    middle = marked[0, 0, 24:36, 24:36]
    assert middle.max() > 0.9
    assert middle.min() == 0
    assert (images == 0.5).all()


# Runs


def test_a_run_repeats_and_is_not_done_twice(material, tmp_path, monkeypatch):
    for name in ("one", "other"):
        runs.run(PLAN, SETTINGS["seg"], 0, material, tmp_path / name, 1)
    drafts = [(tmp_path / name / "drafts.jsonl").read_text() for name in ("one", "other")]
    assert drafts[0] == drafts[1]
    assert len(runs.load(tmp_path / "one" / "drafts.jsonl")) == COUNT
    monkeypatch.setattr(runs, "fresh", None)
    runs.run(PLAN, SETTINGS["seg"], 0, material, tmp_path / "one", 1)


def test_the_same_weights_draft_with_other_masks(material, tmp_path):
    runs.run(PLAN, SETTINGS["seg"], 0, material, tmp_path, 1)
    runs.again(SETTINGS["seg"], "predicted", material, tmp_path)
    runs.again(SETTINGS["seg"], "true", material, tmp_path)
    assert runs.load(tmp_path / "drafts-true.jsonl") == runs.load(tmp_path / "drafts.jsonl")
    assert len(runs.load(tmp_path / "drafts-predicted.jsonl")) == COUNT


def test_spoiled_prompts_show_less_and_the_rest_as_before(features):
    plain = inputs(features, "seg")
    seed = torch.Generator().manual_seed(1)
    fewer, none = damaged.half_missing(plain, seed), damaged.all_gone(plain, seed)
    hidden = plain.states == WITHHELD
    for spoiled in (fewer, none):
        assert torch.equal(spoiled.states == WITHHELD, hidden)
        assert torch.equal(spoiled.patches, plain.patches)
    lost = (plain.states == PRESENT) & (fewer.states == ABSENT)
    assert 0.3 < lost.sum() / (plain.states == PRESENT).sum() < 0.7
    assert (fewer.states[~lost] == plain.states[~lost]).all()
    assert not (none.states == PRESENT).any()
    assert damaged.shown(SETTINGS["seg"], damaged.ANOTHER).arm is Arm.SHUFFLED
    assert damaged.shown(SETTINGS["seg"], "all gone") is SETTINGS["seg"]


def test_spoiled_drafts_are_written_once_of_the_same_weights(material, tmp_path, monkeypatch):
    runs.run(PLAN, SETTINGS["seg"], 0, material, tmp_path, 1)
    for damage in damaged.DAMAGES:
        runs.spoiled(PLAN, SETTINGS["seg"], damage, material, tmp_path)
        assert len(runs.load(tmp_path / runs.drafts_file(damage))) == COUNT
    assert len({runs.drafts_file(damage) for damage in damaged.DAMAGES}) == len(damaged.DAMAGES)
    monkeypatch.setattr(runs, "fresh", None)
    runs.spoiled(PLAN, SETTINGS["seg"], "all gone", material, tmp_path)


def test_settings_share_a_start_that_is_trained_once_on_the_prompts_of_all(material, tmp_path, monkeypatch):
    plan = replace(PLAN, start_steps=3)
    seen = []
    real = runs.batches

    def batches(plan, setting, seed, material):
        for inputs, report in real(plan, setting, seed, material):
            seen.append(setting.arm)
            yield inputs, report

    monkeypatch.setattr(runs, "batches", batches)
    path = runs.start(plan, SETTINGS["seg"], material, tmp_path)
    assert seen[:3] == [Arm.BASELINE, Arm.SEG, Arm.BASELINE]
    written = path.read_bytes()
    models = [runs.begun(plan, SETTINGS[name], 0, material, tmp_path) for name in ("baseline", "seg")]
    assert path.read_bytes() == written
    for one, other in zip(*(model.state_dict().values() for model in models), strict=True):
        assert torch.equal(one, other)
    fresh = runs.begun(PLAN, SETTINGS["seg"], 0, material, tmp_path)
    assert not torch.equal(fresh.slots.state.weight, models[0].slots.state.weight)


def test_shuffled_masks_take_no_part_in_the_shared_start(material, tmp_path, monkeypatch):
    seen = set()
    real = runs.batches

    def batches(plan, setting, seed, material):
        seen.add(setting.arm)
        return real(plan, setting, seed, material)

    monkeypatch.setattr(runs, "batches", batches)
    plan = replace(PLAN, settings=("baseline", "shuffled", "seg"), start_steps=1)
    runs.start(plan, SETTINGS["shuffled"], material, tmp_path)
    assert seen == {Arm.BASELINE, Arm.SEG}


def test_a_warm_run_begins_with_the_given_language_model_and_new_eyes(material):
    given = tiny_model.model()
    warm = replace(material, language=given.language_model.state_dict())
    begun, other = (runs.fresh(SETTINGS["seg"], seed, warm) for seed in (11, 12))
    for ours, theirs in zip(
        begun.language_model.parameters(), given.language_model.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)
    assert not torch.equal(begun.slots.state.weight, given.slots.state.weight)
    assert not torch.equal(begun.slots.state.weight, other.slots.state.weight)


def test_half_precision_trains_single_precision_weights(material, tmp_path):
    runs.run(replace(PLAN, bfloat16=True), SETTINGS["seg"], 0, material, tmp_path, 1)
    trained = runs.fresh(SETTINGS["seg"], 0, material)
    begun = trained.slots.state.weight.clone()
    runs.load_weights(trained, tmp_path / runs.WEIGHTS)
    assert trained.slots.state.weight.dtype == torch.float32
    assert not torch.equal(trained.slots.state.weight, begun)


def test_reports_of_like_length_share_a_batch(material):
    whole = replace(material, config=replace(material.config, max_report_tokens=2000))
    stream = runs.batches(PLAN, SETTINGS["baseline"], 5, whole)
    lengths = [(next(stream)[1] != 0).sum(dim=1) for _ in range(runs.POOL)]
    apart = sorted(lengths, key=lambda some: int(some.min()))
    for shorter, longer in itertools.pairwise(apart):
        assert shorter.max() <= longer.min() + 16  # citations are taken out after sorting
    assert len({tuple(some.tolist()) for some in lengths}) > 1


def test_all_settings_of_a_seed_train_on_the_same_studies_and_words(material):
    whole = replace(material, config=replace(material.config, max_report_tokens=2000))

    def reports(name):
        stream = runs.batches(PLAN, SETTINGS[name], 4, whole)
        cites = set(material.processor.cite_ids)
        return [
            [t for t in row.tolist() if t not in cites and t] for _ in range(3) for row in next(stream)[1]
        ]

    assert reports("baseline") == reports("seg") == reports("shuffled")
    states = {
        name: next(runs.batches(PLAN, SETTINGS[name], 4, material))[0].states for name in ("seg", "names")
    }
    assert torch.equal(states["seg"], states["names"])
    assert (states["seg"] == PRESENT).any()


def test_every_setting_of_every_plan_is_known():
    assert {name for plan in PLANS.values() for name in plan.settings} <= set(SETTINGS)
    assert {plan.name: plan for plan in PLANS.values()} == PLANS


# Scores


def sentence(finding, side=Side.NONE, certainty=Certainty.PRESENT, text="x", section=Section.FINDINGS):
    return CodedSentence(section, finding, side, certainty, text)


def finding(code, side=Side.NONE, **more):
    return CodedFinding(code, side, Certainty.PRESENT, (), **more)


TRUTHS = (
    Truth((finding("nodule", zone="upper", size_mm=14.0), finding("pleural_effusion", Side.RIGHT)), ()),
    Truth((finding("endotracheal_tube", tip_mm=-20.0),), ()),
    Truth((), ()),
)
DRAFTS = (
    (
        sentence("nodule", text="A nodule of 20 mm in the left upper zone."),
        sentence("pleural_effusion", Side.LEFT),
    ),
    (
        sentence("endotracheal_tube", text="The tube ends 3 cm above the carina."),
        sentence("pneumothorax", certainty=Certainty.ABSENT),
    ),
    (sentence("", text="The lungs are clear."),),
)


def scored(drafts=DRAFTS):
    return scores.Scored(drafts, TRUTHS, [(sentence("", text="the lungs are clear"),)] * 3)


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        ("macro_f1", 1.0),
        ("micro_f1", 1.0),
        ("side", 0.0),
        ("place", 1.0),
        ("size_mm", 6.0),
        ("tip_mm", 10.0),
        ("normal_kept_normal", 1.0),
    ],
)
def test_scores_by_hand(measure, value):
    assert scored().value(measure, np.arange(3)) == pytest.approx(value)


def test_a_claim_too_many_and_one_too_few():
    wrong = (DRAFTS[0][1:], DRAFTS[1], (sentence("pneumothorax", Side.LEFT),))
    run = scored(wrong)
    everything = np.arange(3)
    assert run.value("precision", everything) == pytest.approx(2 / 3)
    assert run.value("recall", everything) == pytest.approx(2 / 3)
    assert run.value("macro_f1", everything) == pytest.approx((0 + 1 + 1 + 0) / 4)
    assert run.value("normal_kept_normal", everything) == 0


def test_rouge_l_by_hand():
    said = (sentence("", text="the heart is large"),)
    true = (sentence("", text="the heart is normal in size"),)
    assert scores.rouge_l(said, true) == pytest.approx(2 * 3 / (4 + 6))


def test_an_arm_is_no_better_than_itself_and_a_perfect_one_is_better_than_an_empty_one():
    none = scored(((), (), ()))
    same = scores.difference([scored()], [scored()], "macro_f1")
    assert (same.mean, same.low, same.high) == (0, 0, 0)
    better = scores.difference([scored(), scored()], [none, none], "macro_f1")
    assert better.mean == 1


def test_a_measure_counts_the_studies_it_looks_at():
    """One of the three studies is normal; findings are looked for in all of them."""
    run = scored()
    assert scores.interval([run], "macro_f1").n == 3
    assert scores.interval([run, run], "normal_kept_normal").n == 1
    assert scores.difference([run], [scored(((), (), ()))], "normal_kept_normal").n == 1


def test_the_truth_written_out_scores_full_marks(phantoms):
    reports = [truth.report((3, index, 0)) for index, truth in enumerate(phantoms.truths)]
    run = scores.Scored(reports, phantoms.truths, reports)
    rows = np.arange(COUNT)
    for measure in ("macro_f1", "micro_f1", "side", "place", "rouge_l", "normal_kept_normal"):
        assert run.value(measure, rows) == pytest.approx(1.0, nan_ok=True), measure
