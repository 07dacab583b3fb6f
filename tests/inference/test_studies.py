"""Whole studies to train on: which images there are, what is true of them, what a prompt shows of them."""

import datetime
from dataclasses import replace

import numpy as np
import pytest
import torch

from inference.contract import Certainty, Section, Side
from inference.maira_seg.model import layout_for
from inference.maira_seg.processor import CodedSentence
from inference.maira_seg.prompt import PRESENT, WITHHELD, Role
from inference.phantom import phrases_en, reports
from inference.phantom.coded import CodedFinding
from inference.segmentation.views import STRUCTURES_OF, View
from inference.structures import STRUCTURES
from inference.training import records, studies
from inference.training.datasets import Reports
from inference.training.experiment import __main__ as experiment
from inference.training.experiment import cached, runs, scores
from inference.training.experiment.arms import SETTINGS, Arm
from inference.training.experiment.plans import Plan
from inference.training.records import Truth
from tests.inference import tiny_model

COUNT, SIZE, SEED = 16, 64, 3
FRONTAL, LATERAL, PRIOR = range(3)
WANTED = cached.Wanted(("true",))
PLAN = Plan(
    "tiny", ("seg", "baseline-multi", "seg-multi"), (0,), "true", 4, 4, SEED, steps=2, batch=3, wordings=2
)
HIDDEN = [s.code not in STRUCTURES_OF[View.LATERAL] for s in STRUCTURES]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def population(folder):
    return studies.studies(folder, SEED, COUNT, size=SIZE, processes=2)


@pytest.fixture(scope="module")
def features(population, tmp_path_factory):
    images = [
        cached.build(
            tmp_path_factory.mktemp(role), population.images[role], tiny_model.model(), segmenter, WANTED
        )
        for role, segmenter in zip(Role, segmenters(), strict=True)
    ]
    processor = tiny_model.processor()
    told = [processor.spell(text, runs.CONTEXT) for text in population.prior_reports()]
    return cached.CachedStudies(images, population.rows, torch.tensor(told))


def segmenters():
    """True masks are shown, so that one of frontal views does for all."""
    return [tiny_model.segmenter()] * 3


def inputs(features, name):
    return features.inputs(SETTINGS[name], "true", torch.arange(COUNT))


# What there is


def test_two_in_five_lie_and_every_second_has_a_prior():
    there = studies.places(4000) >= 0
    bedside = torch.tensor([records.position_of(index) == "AP" for index in range(4000)])
    assert there[:, FRONTAL].all()
    assert not there[bedside, LATERAL].any()
    assert there[~bedside, LATERAL].float().mean() == pytest.approx(0.75, abs=0.01)
    assert there[:, PRIOR].float().mean() == pytest.approx(0.5)
    assert there[bedside, PRIOR].float().mean() == pytest.approx(0.5, abs=0.02)
    grainy = torch.arange(4000) % records.CLEAN_EVERY != 0
    assert there[grainy, PRIOR].float().mean() == pytest.approx(0.5, abs=0.02)


def test_images_are_those_of_the_generator(population):
    index = next(i for i, row in enumerate(population.rows.tolist()) if min(row) >= 0)
    made = studies.rendered(SEED, index, lateral=True, prior=True)
    alone = records.rendered(SEED, index)
    pictures = made.images[0], made.images[1], made.prior.images[0]
    for place, (role, picture) in enumerate(zip(Role, pictures, strict=True)):
        pixels, masks = records.square(picture, SIZE, STRUCTURES_OF[studies.VIEWS[role]])
        at = population.rows[index, place : place + 1]
        assert torch.equal(population.images[role].masks(at)[0], masks.float()), role
        assert float((population.images[role].images(at)[0] - pixels).abs().max()) <= 1 / 255, role
    assert np.array_equal(made.images[0].pixels, alone.images[0].pixels)
    assert {f.finding for f in alone.findings} == {
        f.finding for f in made.findings if f.certainty != Certainty.ABSENT
    }


def test_truth_knows_the_prior_and_reads_back(population, folder, monkeypatch):
    monkeypatch.setattr(records.multiprocessing, "get_context", None)
    again = studies.studies(folder, SEED, COUNT, size=SIZE, processes=1)
    assert again.truths == population.truths
    for row, truth, told in zip(
        population.rows.tolist(), population.truths, population.prior_reports(), strict=True
    ):
        assert (truth.prior is not None) == (truth.prior_date is not None) == (row[PRIOR] >= 0) == bool(told)
        assert all(bool(finding.change) == (row[PRIOR] >= 0) for finding in truth.findings)
    assert any(f.change == "resolved" for truth in population.truths for f in truth.findings)


def test_a_prior_report_says_nothing_of_a_study_before_it(population):
    for told in filter(None, population.prior_reports()):
        assert not scores.speaks_of_prior([CodedSentence(Section.FINDINGS, "", Side.NONE, "present", told)])


# What a prompt shows


def test_every_study_has_the_same_places_and_what_it_lacks_is_empty(features, population):
    shown = inputs(features, "seg-multi")
    assert shown.states.shape == (COUNT, 3, len(STRUCTURES))
    there = population.rows >= 0
    assert not shown.patches[~there].any()
    assert (shown.states[~there] == WITHHELD).all()
    assert shown.patches[there].flatten(1).any(dim=1).all()
    assert (shown.states[:, LATERAL][:, HIDDEN] == WITHHELD).all()
    shows = ~torch.tensor([s.group == "finding" for s in STRUCTURES]) & ~torch.tensor(HIDDEN)
    assert (shown.states[there[:, LATERAL], LATERAL][:, shows] != WITHHELD).all()


def test_the_frontal_image_is_shown_as_alone(features):
    several, alone = inputs(features, "seg-multi"), inputs(features, "seg")
    assert alone.states.shape[1] == 1
    for part in ("patches", "pooled", "shrunk", "states"):
        assert torch.equal(getattr(several, part)[:, :1], getattr(alone, part)), part
    assert alone.context is None


def test_an_arm_treats_every_image_alike(features, population):
    assert (inputs(features, "baseline-multi").states == WITHHELD).all()
    seg, names, shuffled = (inputs(features, f"{arm}-multi") for arm in (Arm.SEG, Arm.NAMES, Arm.SHUFFLED))
    assert torch.equal(seg.states, names.states)
    assert (seg.tokens, names.tokens) == ((True, True), (False, False))
    there = population.rows >= 0
    own = (seg.shrunk == shuffled.shrunk).flatten(2).all(dim=2)
    assert not own[there].any(), "no image has its own masks"
    for arm in map(str, Arm):
        assert torch.equal(inputs(features, f"{arm}-multi").context, seg.context)


def test_structures_of_the_prior_alone_are_not_cited():
    states = torch.full((1, 3, 4), WITHHELD)
    states[0, FRONTAL, 0] = states[0, LATERAL, 1] = states[0, PRIOR, 2] = PRESENT
    assert (cached.shown(states) == PRESENT).tolist() == [[True, True, False, False]]
    assert (cached.shown(states[:, :1]) == PRESENT).tolist() == [[True, False, False, False]]


def test_the_prior_report_stands_before_what_asks_for_a_report(features, population):
    processor = tiny_model.processor()
    config = replace(tiny_model.CONFIG, context_tokens=runs.CONTEXT)
    layout = layout_for(config, processor)
    shown = inputs(features, "seg-multi")
    ids = layout.ids(shown.states, None, shown.context)
    assert ids.shape == (COUNT, layout.length(images=3))
    told = ids[:, -1 - runs.CONTEXT : -1]
    for row, text in zip(told, population.prior_reports(), strict=True):
        written = processor.tokenizer.decode(row[row != 0].tolist())
        assert text.startswith(written)
        assert bool(written) == bool(text)


def test_text_of_a_report_cannot_pass_for_a_control_token():
    processor = tiny_model.processor()
    ids = processor.spell("No change. <eos><finding:nodule> Stable.", 40)
    assert len(ids) == 40
    assert not (set(ids) - {processor.id("<pad>")}) & set(processor.controls)
    assert processor.spell("", 3) == [processor.id("<pad>")] * 3


def test_a_model_reads_the_prior_report_and_the_other_images(features):
    torch.manual_seed(0)
    config = replace(
        tiny_model.CONFIG,
        context_tokens=runs.CONTEXT,
        language=replace(tiny_model.CONFIG.language, positions=1152),
    )
    model, processor = runs.MairaSeg(config).eval(), tiny_model.processor()
    layout = layout_for(config, processor)
    shown = inputs(features, "seg-multi").select(torch.arange(2))
    report = torch.full((2, 2), processor.id("<eos>"))
    plain = model(layout, shown, report)
    without = replace(shown, context=torch.zeros_like(shown.context))
    has = (shown.context != 0).any(dim=1)
    assert has.any()
    assert not torch.allclose(plain[has], model(layout, without, report)[has], atol=1e-6)
    fewer = shown.patches.clone()
    fewer[:, PRIOR] = 0
    assert not torch.allclose(
        plain[has], model(layout, replace(shown, patches=fewer), report)[has], atol=1e-6
    )
    with pytest.raises(AssertionError, match="ids of text"):
        model(layout, replace(shown, context=None), report)


def test_a_run_on_whole_studies_learns_and_drafts(features, population, tmp_path):
    processor = tiny_model.processor()
    written = records.wordings(population.images[Role.FRONTAL], PLAN.wordings, processes=1)
    material = runs.Material(
        config=tiny_model.CONFIG,
        processor=processor,
        train=features,
        test=features,
        reports=Reports.of(processor, [[processor.encode(one) for one in study] for study in written]),
        plain=torch.zeros(COUNT, dtype=torch.bool),
    )
    plan = replace(PLAN, start_steps=2)
    for name in ("seg-multi", "seg"):
        runs.run(plan, SETTINGS[name], 0, material, tmp_path / name, 1)
        assert len(runs.load(tmp_path / name / "drafts.jsonl")) == COUNT
    starts = {path.name for path in tmp_path.glob("start-*")}
    assert starts == {"start-labels.safetensors", "start-labels-multi.safetensors"}


def test_several_views_are_compared_with_the_same_views_and_with_one():
    assert experiment.others("seg-multi") == [
        "baseline-multi", "som-multi", "names-multi", "shuffled-multi", "seg",
    ]  # fmt: skip
    assert experiment.others("baseline-multi") == ["baseline-multi", "baseline"]
    assert experiment.others("seg") == ["baseline", "som", "names", "shuffled"]


# What is measured against a prior


def written_with(change, seed):
    """A report of one finding with this change, its truth and its draft."""
    there = Certainty.ABSENT if change == "resolved" else Certainty.PRESENT
    code = ("pleural_effusion", "consolidation", "pneumothorax", "atelectasis")[seed % 4]
    extent = {"pleural_effusion": "small", "consolidation": "moderate", "pneumothorax": "small"}
    finding = CodedFinding(code, Side.RIGHT, there, (), extent.get(code, "lobar"), "lower", change=change)
    return Truth((finding,), (), Truth((), ()), datetime.date(2025, 5, 4))


@pytest.mark.parametrize("change", ["new", "larger", "smaller", "unchanged", "resolved"])
def test_every_wording_of_a_change_is_understood(change):
    for seed in range(40):
        truth = written_with(change, seed)
        draft = truth.report((1, seed))
        assert scores.speaks_of_prior(draft)
        run = scores.Scored([draft], [truth], [draft])
        measure = "resolved" if change == "resolved" else "change"
        assert run.value(measure, np.arange(1)) == 1, draft
        assert np.isnan(run.value("invented_prior", np.arange(1)))


def test_every_phrase_of_the_phrasebook_tells_its_change_alone():
    book = phrases_en.PHRASEBOOK
    for table in (book.clauses, book.adjectives):
        for key, phrases in table.items():
            for phrase in phrases:
                assert scores.changes(phrase) == {key.split(":")[-1]}, phrase
    for phrases in book.resolved.values():
        for phrase in phrases:
            assert scores.changes(phrase) == {"resolved"}, phrase


def test_reports_without_a_prior_speak_of_none(population):
    for index in range(300):
        made = reports.write(
            written_with("", index).findings, {}, np.random.default_rng([7, index]), prior_date=None
        )[1]
        assert not scores.speaks_of_prior([records.coded(sentence) for sentence in made])


def test_an_invented_prior_is_counted_where_there_is_none():
    truth = Truth((), ())
    invented = CodedSentence(
        Section.FINDINGS, "", Side.NONE, Certainty.ABSENT, "No change since the prior study."
    )
    clean = replace(invented, text="The lungs are clear.")
    run = scores.Scored([[invented], [clean]], [truth, truth], [[clean], [clean]])
    assert run.value("invented_prior", np.arange(2)) == 0.5


def test_a_change_told_wrongly_or_not_at_all_is_wrong():
    truth = written_with("larger", 0)
    said = CodedSentence(
        Section.FINDINGS, "pleural_effusion", Side.RIGHT, Certainty.PRESENT, "Right effusion."
    )
    texts = ("Right effusion, increased.", "Right effusion, decreased.", "Right effusion.")
    drafts = [[replace(said, text=text)] for text in texts]
    run = scores.Scored(drafts, [truth] * 3, drafts)
    assert run.value("change", np.arange(3)) == pytest.approx(1 / 3)
