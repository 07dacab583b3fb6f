"""Training: what feeds it, what it minimises, what is set after it; and a few real steps of each part."""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from inference.contract import Certainty, Section, Side, ViewPosition
from inference.maira_seg.applicability import closed, fit, fit_plane, gate
from inference.maira_seg.processor import CodedSentence
from inference.maira_seg.prompt import ABSENT, PRESENT, WITHHELD
from inference.phantom import study as phantom
from inference.phantom.plan import PlannedFinding
from inference.phantom.reports import CodedFinding
from inference.structures import STRUCTURES
from inference.training import (
    augment,
    calibrate,
    datasets,
    features,
    losses,
    progress,
    radiographs,
    records,
    results,
    train_encoder,
    train_maira_seg,
    train_segmenter,
)
from inference.training.records import Phantoms, Truth
from tests.inference import tiny_model

SIZE = 64
EFFUSION = CodedSentence(
    Section.FINDINGS, "pleural_effusion", Side.RIGHT, Certainty.PRESENT, "Small right pleural effusion.",
    ("pleural_effusion_right", "lung_right"),
)  # fmt: skip


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def phantoms() -> Phantoms:
    """Six rendered phantoms, three of them with an effusion on the right."""
    pixels = torch.zeros(6, SIZE, SIZE, dtype=torch.uint8)
    packed = np.zeros((6, len(STRUCTURES), SIZE * SIZE // 8), np.uint8)
    truths = []
    for row in range(6):
        planned = [PlannedFinding("pleural_effusion", Side.RIGHT, "large")] if row % 2 else []
        made = phantom.generate(9, row, size=96, findings=planned, views=[ViewPosition.PA], with_prior=False)
        seen, masks = records.square(made.images[0], SIZE)
        pixels[row] = (seen[0] * 255).to(torch.uint8)
        packed[row] = np.packbits(masks.flatten(1).numpy(), axis=-1)
        truths.append(records.truth_of(records.truth_row(made)))
    return Phantoms(9, SIZE, pixels, torch.from_numpy(packed), tuple(truths))


def options(steps: int = 3, batch: int = 2) -> argparse.Namespace:
    return argparse.Namespace(
        steps=steps, minutes=0.0, batch=batch, rate=1e-3, half_share=0.4, bfloat16=False
    )


# What feeds it


def test_a_stored_phantom_is_the_picture_and_its_masks(phantoms):
    rows = torch.tensor([1])
    masks = phantoms.masks(rows)
    right = next(i for i, s in enumerate(STRUCTURES) if s.code == "lung_right")
    made = phantom.generate(
        9,
        1,
        size=96,
        findings=[PlannedFinding("pleural_effusion", Side.RIGHT, "large")],
        views=[ViewPosition.PA],
        with_prior=False,
    )
    pixels, expected = records.square(made.images[0], SIZE)
    assert torch.equal(masks[0], expected.float())
    assert float((phantoms.images(rows)[0] - pixels).abs().max()) <= 1 / 255
    columns = masks[0, right].nonzero()[:, 1].float()
    assert float(columns.mean()) < SIZE / 2, "the patient's right lies on the left of the picture"
    assert datasets.shows_findings(phantoms).tolist() == [False, True] * 3


def test_a_population_is_rendered_once_and_read_back(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "SHAPES", (64, (80, 64)))
    first = records.phantoms(tmp_path, 11, 3, size=SIZE, processes=2)
    monkeypatch.setattr(records.multiprocessing, "get_context", None)
    again = records.phantoms(tmp_path, 11, 3, size=SIZE, processes=2)
    assert torch.equal(first.pixels, again.pixels)
    assert torch.equal(first.packed, again.packed)
    assert first.truths == again.truths
    made = [records.rendered(11, index) for index in range(3)]
    assert [truth.findings for truth in again.truths] == [study.findings for study in made]
    assert all(set(t.seen) == set(m.images[0].masks) for t, m in zip(again.truths, made, strict=True))


def test_reports_of_a_study_say_the_same_in_other_words(phantoms):
    written = records.wordings(phantoms, 3, processes=1)
    assert written == records.wordings(phantoms, 3, processes=2)
    for truth, reports in zip(phantoms.truths, written, strict=True):
        assert len({tuple(s.text for s in report) for report in reports}) > 1
        for report in reports:
            stated = {s.finding for s in report if s.finding and s.certainty != Certainty.ABSENT}
            assert stated == {one.finding for one in truth.findings}
            assert {cite for s in report for cite in s.cites} <= set(truth.seen)


def test_reports_in_two_languages_take_turns_and_say_the_same(phantoms):
    written = records.wordings(phantoms, 4, processes=1, languages=("en", "ja"))
    for reports in written:
        for number, report in enumerate(reports):
            assert all(one.text.isascii() == (number % 2 == 0) for one in report)
        stated = [
            {(s.finding, s.side) for s in report if s.finding and s.certainty != Certainty.ABSENT}
            for report in reports
        ]
        assert all(said == stated[0] for said in stated)


def test_a_prompt_asks_for_the_language_of_its_report(phantoms):
    model, segmenter = tiny_model.model(), tiny_model.segmenter()
    processor = tiny_model.processor()
    written = records.wordings(phantoms, 2, processes=1, languages=tiny_model.CONFIG.languages)
    computed = features.compute(model, segmenter, phantoms)
    material = train_maira_seg.material(computed, phantoms, written, processor)
    stream = train_maira_seg.batches(tiny_model.CONFIG, material, len(phantoms), generator())
    asked = set()
    for _ in range(3):
        inputs, reports = next(stream)
        for language, ids in zip(inputs.languages.tolist(), reports.tolist(), strict=True):
            text = processor.tokenizer.decode([token for token in ids if token in processor.words])
            assert text.isascii() == (language == 0)
            asked.add(language)
    assert asked == {0, 1}


def test_targets_name_the_side():
    def found(code, side):
        return CodedFinding(code, side, Certainty.PRESENT, ())

    both = Truth((found("consolidation", Side.RIGHT), found("consolidation", Side.LEFT)), ())
    heart = Truth((found("cardiomegaly", Side.NONE),), ())
    gone = Truth((CodedFinding("pneumothorax", Side.LEFT, Certainty.ABSENT, (), change="resolved"),), ())
    targets = datasets.finding_targets([Truth((), ()), both, heart, gone])
    named = [{datasets.LABELS[i] for i in row.nonzero().flatten()} for row in targets]
    assert named == [
        set(),
        {("consolidation", "right"), ("consolidation", "left")},
        {("cardiomegaly", "")},
        set(),
    ]


def test_a_report_cites_only_what_the_prompt_shows():
    processor = tiny_model.processor()
    codes = tiny_model.CONFIG.structures
    states = [
        [WITHHELD if code == "pleural_effusion_right" else PRESENT for code in codes],
        [PRESENT] * len(codes),
    ]
    heart = replace(EFFUSION, text="The heart is enlarged.", cites=())
    written = [processor.encode([heart]), processor.encode([EFFUSION])]
    reports = datasets.Reports.of(processor, [written])
    shown = reports.shown(torch.tensor([0, 0]), torch.tensor([1, 1]), torch.tensor(states), 100)
    told = [processor.decode(row.tolist())[0] for row in shown]
    assert [one.cites for one in told] == [("lung_right",), ("pleural_effusion_right", "lung_right")]
    assert {one.text for one in told} == {EFFUSION.text}
    assert reports.lengths.tolist() == [[len(ids) for ids in written]]
    assert shown.shape[1] == len(written[1])
    cut = reports.shown(torch.tensor([0]), torch.tensor([0]), torch.tensor(states[:1]), 5)
    assert cut.tolist() == [written[0][:5]]


def test_reports_are_padded_on_the_right_and_cut():
    assert datasets.padded([[1, 2, 3], [4]], 0, 2).tolist() == [[1, 2], [4, 0]]


def test_lungs_that_lie_apart_are_told_apart_by_the_patients_side():
    lungs = np.zeros((20, 20), dtype=bool)
    lungs[5:15, 2:8] = lungs[5:15, 12:18] = True
    right, left = radiographs.two_lungs(lungs)
    assert right[10, 4]
    assert left[10, 14]
    lungs[9:11, 8:12] = True
    assert radiographs.two_lungs(lungs) is None


def test_the_split_keeps_a_patient_together(shared_data):
    everyone = radiographs.read(shared_data / "cxr")
    sides = {}
    for radiograph in everyone:
        sides.setdefault(radiograph.patient, set()).add(radiograph.held_out)
    assert len(everyone) == 152
    assert all(len(held) == 1 for held in sides.values())
    assert {True} in sides.values()


def test_augmentation_moves_masks_with_the_image_and_never_mirrors():
    masks = torch.zeros(16, 1, 64, 64)
    masks[:, :, 20:44, 8:24] = 1
    images, moved = augment.geometric(masks.clone(), masks, generator())
    assert ((images > 0.5).float() - moved).abs().mean() < 0.01
    centres = [float(mask[0].nonzero()[:, 1].float().mean()) for mask in moved]
    assert max(centres) < 32
    assert float(augment.photometric(images, generator()).min()) >= 0


# What it minimises


def test_what_nobody_annotated_teaches_nothing():
    logits = torch.randn(2, 3, 8, 8, generator=generator(), requires_grad=True)
    known = torch.tensor([[True, False, False], [False, False, False]])
    losses.dice_and_bce(logits, torch.ones(2, 3, 8, 8), known).backward()
    taught = logits.grad.abs().sum(dim=(-2, -1)) > 0
    assert taught.tolist() == known.tolist()


def test_the_union_is_satisfied_by_either_lung():
    union = torch.zeros(1, 8, 8)
    union[:, :, :4] = 1
    logits = torch.full((1, 2, 8, 8), -12.0)
    wrong = losses.union_loss(logits, union, torch.tensor([True]))
    logits[:, 0, :4, :4], logits[:, 1, 4:, :4] = 12.0, 12.0
    assert float(losses.union_loss(logits, union, torch.tensor([True]))) < 0.01 < float(wrong)


def test_padding_is_not_learned_and_codes_weigh_more():
    logits = torch.zeros(1, 3, 10)
    logits[0, 0, 5] = 9.0
    right_then_code = losses.report_loss(logits, torch.tensor([[5, 2, 0]]), 0, range(4, 10), 2.0)
    expected = 2.0 * float(np.log(10)) / 3.0
    assert float(right_then_code) == pytest.approx(expected, rel=1e-2)


def test_control_tokens_behind_the_words_weigh_more_too():
    weights = losses.report_weights(torch.tensor([[0, 3, 7, 8, 9]]), 0, range(3, 8), 2.0)
    assert weights.tolist() == [[0.0, 1.0, 1.0, 2.0, 2.0]]


# A few real steps


def test_the_segmenter_learns(phantoms, capsys):
    segmenter = tiny_model.segmenter()
    before = [p.clone() for p in segmenter.network.parameters()]
    train_segmenter.fit(segmenter.network, phantoms, None, options(), generator())
    assert all(not torch.equal(a, b) for a, b in zip(before, segmenter.network.parameters(), strict=True))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1]["run"] == "segmenter"
    assert lines[-1]["step"] == 3


def test_the_encoder_learns(phantoms):
    labeller = train_encoder.Labeller(tiny_model.CONFIG)
    before = labeller.vision.backbone.embeddings.cls_token.clone()
    lessons = train_encoder.Lessons(phantoms, datasets.finding_targets(phantoms.truths))
    train_encoder.fit(labeller, lessons, options(), generator())
    assert not torch.equal(before, labeller.vision.backbone.embeddings.cls_token)


@pytest.mark.parametrize("supervision", ["labels", "anatomy"])
def test_what_an_encoder_is_not_taught_stays_as_it_was(phantoms, supervision):
    labeller = train_encoder.Labeller(tiny_model.CONFIG)
    heads = {"labels": labeller.patches.weight, "anatomy": labeller.findings.weight}
    before = {name: head.detach().clone() for name, head in heads.items()}
    targets = datasets.finding_targets(phantoms.truths)
    optimised = train_encoder.Lessons(phantoms, targets, supervision)
    told, seen = next(optimised.losses(labeller, 3, generator()))
    (told + seen).backward()
    assert labeller.vision.backbone.embeddings.cls_token.grad is not None
    untaught = heads[supervision].grad
    assert untaught is None or not untaught.any()
    assert torch.equal(heads[supervision], before[supervision])


def test_only_the_studies_with_labels_teach_labels(phantoms):
    among = torch.arange(len(phantoms)) == 1
    drawn = datasets.image_batches(phantoms, 4, generator(), among)
    assert next(drawn)[1].tolist() == [1, 1, 1, 1]


def test_restoring_is_judged_on_hidden_patches_alone(phantoms):
    restorer = train_encoder.Restorer(tiny_model.CONFIG)
    images = phantoms.images(torch.arange(2)).clone()
    hidden = torch.zeros(2, 16, dtype=torch.bool)
    hidden[:, 5] = True
    loss = restorer(images, hidden)
    assert loss > 0
    images[:, :, 16:32, 16:32] = 0.9  # patch 5 of a 4 x 4 grid: what it holds must not be seen, only wanted
    flat = restorer(images, hidden)
    assert not torch.equal(loss, flat)
    seen = restorer.vision(images.masked_fill(_patch_five(images), 0.5))
    wanted = restorer.pixels(seen[:, -1, 1:])[:, 5].abs().mean()
    torch.testing.assert_close(flat, wanted)


def _patch_five(images):
    places = torch.zeros_like(images, dtype=torch.bool)
    places[:, :, 16:32, 16:32] = True
    return places


def test_the_language_model_learns_and_the_encoder_stays(phantoms):
    model, segmenter = tiny_model.model(), tiny_model.segmenter()
    computed = features.compute(model, segmenter, phantoms)
    written = records.wordings(phantoms, 2, processes=1)
    material = train_maira_seg.material(computed, phantoms, written, tiny_model.processor())
    frozen = {name: p.clone() for name, p in model.vision.named_parameters()}
    first = model.language_model.model.embed_tokens.weight.clone()
    train_maira_seg.fit(model, material, options(), generator())
    assert all(torch.equal(p, frozen[name]) for name, p in model.vision.named_parameters())
    assert not torch.equal(first, model.language_model.model.embed_tokens.weight)


def test_the_same_seed_trains_the_same_weights(phantoms):
    trained = []
    for _ in range(2):
        segmenter = tiny_model.segmenter()
        train_segmenter.fit(segmenter.network, phantoms, None, options(), generator(5))
        trained.append(segmenter.network.state_dict())
    assert all(torch.equal(trained[0][name], trained[1][name]) for name in trained[0])


def test_slots_are_withheld_whether_or_not_there_was_a_mask():
    states = torch.tensor([PRESENT, ABSENT]).repeat(4000, 1, 7)
    withheld = features.withhold(states, generator())
    assert torch.equal(withheld[withheld != WITHHELD], states[withheld != WITHHELD])
    taken = [float((withheld[states == state] == WITHHELD).float().mean()) for state in (PRESENT, ABSENT)]
    assert all(0.14 < share < 0.21 for share in taken)
    everything = (withheld == WITHHELD).flatten(1).all(dim=1).float().mean()
    assert 0.07 < float(everything) < 0.13


# What is set after it


def test_a_mask_is_shown_absent_or_withheld_by_its_trust():
    masks = torch.zeros(1, 3, 4, 4, dtype=torch.bool)
    masks[:, :2, 0] = True
    states = features.slot_states(masks, torch.tensor([[0.9, 0.3, 0.0]]), 0.6)
    assert states.tolist() == [[PRESENT, WITHHELD, ABSENT]]


def test_the_least_area_parts_specks_from_structures():
    area = torch.tensor([0, 3, 5, 90, 120, 200])
    assert calibrate._least_area(area, area > 50) == 8


def test_the_trust_threshold_parts_good_masks_from_bad():
    believed = torch.tensor([0.5, 0.55, 0.6, 0.8, 0.85, 0.9])
    threshold = calibrate._trust_threshold(believed, torch.tensor([0.1, 0.2, 0.3, 0.9, 0.9, 0.9]))
    assert 0.6 < threshold <= 0.8


def test_a_domain_is_open_inside_and_closed_outside():
    known, held_out = torch.randn(500, 8, generator=generator()), torch.randn(200, 8, generator=generator(1))
    domain = fit(known, held_out, quantile=0.99)
    inside = domain.score(torch.randn(300, 8, generator=generator(2))) <= 1
    assert float(inside.float().mean()) > 0.95
    shut = gate([domain], torch.full((8,), 5.0))
    assert (shut.open, shut.reason) == (False, "outside-domain")
    assert shut.score > shut.threshold
    far = fit(known + 5, held_out + 5, quantile=0.99)
    assert gate([domain, far], torch.full((8,), 5.0)).open
    assert not closed("no-frontal-view").open


def test_a_domain_from_few_images_leaves_patients_out():
    views = torch.randn(2, 40, 6, generator=generator())
    patients = [f"p{i // 2}" for i in range(40)]
    domain = calibrate.fit_by_patient(views, patients)
    assert float((domain.score(views[0]) <= 1).float().mean()) > 0.9


def test_progress_is_one_json_object_a_line(capsys):
    log = progress.Progress("x", every=3600)
    log.report(step=1, loss=0.123456789)
    log.report(step=2)
    log.report(step=3, force=True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["step"] for line in lines] == [1, 3]
    assert lines[0]["loss"] == 0.12346


def test_the_learning_rate_rises_and_falls():
    optimiser = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = progress.Schedule(optimiser, replace_steps(200))
    rates = []
    while not schedule.over:
        schedule.advance()
        rates.append(optimiser.param_groups[0]["lr"])
    assert rates.index(max(rates)) in range(40, 60)
    assert rates[-1] < 0.06 * 1e-3 + 1e-6


def replace_steps(steps: int) -> argparse.Namespace:
    return argparse.Namespace(**{**vars(options()), "steps": steps})


def test_results_replace_their_own_rows_and_keep_others(tmp_path):
    path = tmp_path / "results.json"
    other = results.spread("spine", "maira-web", "seconds", [3.0, 1.0, 2.0], command="other")
    mine = results.spread("draft", "seg", "share", [0.25], command="mine")
    results.put([other], path, bundle="abc")
    for value in (0.25, 0.5):
        results.put([{**mine, "mean": value}], path)
    document = json.loads(path.read_text())
    assert [(row["command"], row["mean"]) for row in document["rows"]] == [("other", 2.0), ("mine", 0.5)]
    assert document["bundle"] == "abc"
    shown = path.with_suffix(".md").read_text()
    assert "| maira-web |  | seconds | 2.000 | 1.000 to 3.000 | 3 |" in shown
    assert "`mine`" in shown


def test_the_page_of_results_is_the_one_made_from_them():
    folder = Path(__file__).resolve().parents[2] / "docs"
    document = json.loads((folder / "results.json").read_text())
    assert (folder / "results.md").read_text() == results.page(document)


def test_a_plane_parts_chests_as_they_hang_from_others():
    hanging = torch.randn(200, 6, generator=generator()) + torch.tensor([2.0, 0, 0, 0, 0, 0])
    others = torch.randn(600, 6, generator=generator(1)) - torch.tensor([2.0, 0, 0, 0, 0, 0])
    plane = fit_plane(hanging, others)
    assert sum(plane.holds(one) for one in hanging) > 190
    assert sum(plane.holds(one) for one in others) < 30
    again = type(plane).from_tensors(plane.tensors("upright"), "upright")
    assert [again.holds(one) for one in others[:50]] == [plane.holds(one) for one in others[:50]]


def test_an_image_is_turned_every_way_but_its_own():
    image = torch.arange(16.0).view(1, 1, 4, 4) / 15
    others = calibrate.turned(image)
    assert len(others) == 5
    assert not any(torch.equal(other, image) for other in others)
