"""What masks do to a draft's sentences: the ablation, the drafter's door to it, and how it is judged."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.contract import (
    Certainty,
    DraftOutput,
    Evidence,
    Gate,
    ImageInput,
    InferenceError,
    Mask,
    Section,
    Sentence,
    Side,
    StudyInput,
    ViewPosition,
)
from inference.imaging import masks as rle
from inference.maira_seg import drafter, evidence
from inference.maira_seg.drafter import LEAST_SUPPORT, MairaSegDrafter
from inference.maira_seg.model import layout_for
from inference.maira_seg.processor import END, CodedSentence
from inference.maira_seg.prompt import ABSENT, PRESENT, WITHHELD
from inference.phantom import study as phantom
from inference.phantom.plan import PlannedFinding
from inference.training import evidence as judged
from inference.training import records
from tests.inference import tiny_model

DEMO = Path(__file__).resolve().parents[2] / "inference" / "weights" / "demo"
PROCESSOR = tiny_model.processor()
STRUCTURES = tiny_model.CONFIG.structures
SEEN = (2, 5, 9)
"""Slots that show a mask."""
DRAFT = [
    CodedSentence(Section.FINDINGS, "pleural_effusion", Side.RIGHT, Certainty.PRESENT, "Small effusion."),
    CodedSentence(Section.IMPRESSION, "cardiomegaly", Side.NONE, Certainty.ABSENT, "The heart is normal."),
]


@pytest.fixture(scope="module")
def model():
    return tiny_model.model()


@pytest.fixture(scope="module")
def layout():
    return layout_for(tiny_model.CONFIG, PROCESSOR)


def looked(model, states):
    generator = torch.Generator().manual_seed(3)
    pixels = torch.rand(1, 1, 64, 64, generator=generator)
    masks = (torch.rand(1, len(STRUCTURES), 64, 64, generator=generator) > 0.7).float()
    with torch.no_grad():
        return model.look(model.vision(pixels), masks, states[None])


def states(**changed: int):
    told = torch.full((len(STRUCTURES),), ABSENT)
    told[list(SEEN)] = PRESENT
    for name, state in changed.items():
        told[int(name[1:])] = state
    return told


def ids_and_spans():
    ids = PROCESSOR.encode(DRAFT)
    return ids, [span for _, span in PROCESSOR.decode_spans(ids)]


@torch.no_grad()
def log_probability(model, layout, told, span) -> float:
    """Of finding, side and certainty of one sentence, read token by token after a prompt of these states."""
    ids, _ = ids_and_spans()
    logits = model(layout, looked(model, told), torch.tensor([ids]))[0].double()
    codes = range(span.start + 1, span.start + 4)
    return sum(float(logits[place].log_softmax(dim=0)[ids[place]]) for place in codes)


def test_support_is_what_the_sentence_loses_without_the_mask(model, layout):
    ids, spans = ids_and_spans()
    found = evidence.ablate(model, layout, looked(model, states()), ids, spans)
    assert found.slots.tolist() == [[0, slot] for slot in SEEN]
    for place, span in enumerate(spans):
        whole = log_probability(model, layout, states(), span)
        for column, slot in enumerate(SEEN):
            without = log_probability(model, layout, states(**{f"s{slot}": WITHHELD}), span)
            assert float(found.drops[place, column]) == pytest.approx(whole - without, abs=1e-4)
    assert found.drops.abs().max() > 1e-3, "else nothing was compared"


def test_the_same_draft_gives_the_same_numbers(model, layout):
    ids, spans = ids_and_spans()
    one, other = (evidence.ablate(model, layout, looked(model, states()), ids, spans) for _ in range(2))
    assert torch.equal(one.drops, other.drops)


def test_in_parts_it_is_the_same(model, layout, monkeypatch):
    ids, spans = ids_and_spans()
    whole = evidence.ablate(model, layout, looked(model, states()), ids, spans)
    monkeypatch.setattr(evidence, "PROMPTS_AT_ONCE", 2)
    parts = evidence.ablate(model, layout, looked(model, states()), ids, spans)
    torch.testing.assert_close(parts.drops, whole.drops, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_slot_that_tells_nothing_supports_nothing(layout):
    """No tokens of the mask are shown, and "present" and "withheld" look alike to this model."""
    blind = tiny_model.model()
    words = blind.language_model.get_input_embeddings().weight
    told = layout.states
    words[told[WITHHELD]] = words[told[PRESENT]]
    blind.slots.state.weight[WITHHELD] = blind.slots.state.weight[PRESENT]
    ids, spans = ids_and_spans()
    inputs = replace(looked(blind, states()), tokens=(False, False))
    drops = evidence.ablate(blind, layout, inputs, ids, spans).drops
    torch.testing.assert_close(drops, torch.zeros_like(drops), atol=1e-5, rtol=0)


def test_without_a_mask_there_is_nothing_to_withhold(model, layout):
    ids, spans = ids_and_spans()
    none = torch.full((len(STRUCTURES),), ABSENT)
    found = evidence.ablate(model, layout, looked(model, none), ids, spans)
    assert (found.slots.shape, found.drops.shape) == ((0, 2), (2, 0))


@given(st.lists(st.sampled_from(DRAFT), max_size=4), st.integers(0, 6))
@settings(deadline=None)
def test_a_span_holds_the_ids_of_its_sentence(draft, junk):
    ids = [PROCESSOR.id(END)] * junk + PROCESSOR.encode(draft)
    found = PROCESSOR.decode_spans(ids)
    assert [sentence for sentence, _ in found] == draft
    for sentence, span in found:
        alone = [ids[place] for place in span]
        assert PROCESSOR.decode([*alone, PROCESSOR.id(END)]) == [sentence]
        assert ids[span.stop] == PROCESSOR.id(END)


# The drafter's door.


def image(view=ViewPosition.PA) -> ImageInput:
    return ImageInput("1.1", np.random.default_rng(0).random((90, 70), dtype=np.float32), view)


def human(structure: str) -> Mask:
    drawn = np.zeros((90, 70), dtype=bool)
    drawn[10:30, 5:20] = True
    return Mask(structure, "1.1", (90, 70), rle.encode(drawn))


def sentence(*cites: str, finding="pleural_effusion", side=Side.RIGHT) -> Sentence:
    return Sentence(
        Section.FINDINGS,
        "Small right pleural effusion.",
        finding=finding,
        side=side,
        evidence=tuple(Evidence(structure, "1.1", 1 / len(cites)) for structure in cites),
    )


STUDY = StudyInput("1", (image(),), human_masks=(human("heart"), human("pleural_effusion_right")))


@pytest.fixture(scope="module")
def tiny() -> MairaSegDrafter:
    return MairaSegDrafter(tiny_model.bundle(), "0" * 64)


def test_every_shown_mask_is_measured_for_every_sentence(tiny):
    given_ = (sentence("heart"), sentence())
    found = tiny.ablate(STUDY, given_)
    shown = {mask.structure for mask in tiny.draft(STUDY).masks if mask.trusted}
    assert {"heart", "pleural_effusion_right"} <= shown
    assert {(one.sentence, one.structure) for one in found} == {(k, s) for k in (0, 1) for s in shown}
    assert {one.sop_instance_uid for one in found} == {"1.1"}
    assert found == tiny.ablate(STUDY, given_)


def test_a_cited_mask_is_told_however_little_it_does_and_others_only_when_they_matter(tiny):
    given_ = (sentence("heart"), sentence())
    everything, told = tiny.ablate(STUDY, given_), tiny.explain(STUDY, given_)
    cited = {(0, "heart")}
    assert cited <= {(one.sentence, one.structure) for one in told}
    assert set(told) == {
        one for one in everything if (one.sentence, one.structure) in cited or abs(one.nats) >= LEAST_SUPPORT
    }


def test_a_draft_without_sentences_has_no_support(tiny):
    assert tiny.explain(STUDY, ()) == ()


@pytest.mark.parametrize(
    ("study", "given_"),
    [
        (StudyInput("1", (image(ViewPosition.LEFT_LATERAL),)), (sentence(),)),
        (STUDY, (replace(sentence(), text=" "),)),
    ],
)
def test_what_is_no_draft_of_the_study_is_refused_for_good(tiny, study, given_):
    with pytest.raises(InferenceError) as refused:
        tiny.explain(study, given_)
    assert (refused.value.code, refused.value.permanent) == ("not-its-draft", True)


def test_a_study_outside_the_domain_has_no_draft_to_explain():
    bundle = tiny_model.bundle()
    narrow = {name: replace(domain, reach=domain.reach * 0 + 1e-9) for name, domain in bundle.domains.items()}
    closed = MairaSegDrafter(replace(bundle, domains=narrow), "0" * 64)
    with pytest.raises(InferenceError, match="sentences"):
        closed.explain(STUDY, (sentence(),))


@pytest.fixture(scope="module")
def shipped() -> MairaSegDrafter:
    return drafter.load(DEMO)


def test_the_shipped_bundle_states_a_nodule_less_surely_without_its_mask(shipped):
    """The first statement of it rests on the mask that it cites, more than on all others together."""
    planned = PlannedFinding("nodule", side="left")
    made = phantom.generate(4242, 5, size=512, findings=(planned,), views=[ViewPosition.PA], with_prior=False)
    study = StudyInput("1", (records.image_input(made.images[0]),))
    sentences = shipped.draft(study).sentences
    place, stated = next((k, s) for k, s in enumerate(sentences) if s.finding == "nodule")
    support = {one.structure: one.nats for one in shipped.explain(study, sentences) if one.sentence == place}
    assert [one.structure for one in stated.evidence] == ["nodule"]
    cited = support.pop("nodule")
    assert cited > sum(abs(nats) for nats in support.values())


# How it is judged.


def test_cited_masks_are_held_against_the_mean_and_the_best_of_the_others():
    better = judged.Citation(Section.FINDINGS, "nodule", (1.0, 0.2), (0.1, 0.7), touches=True)
    assert (better.over_mean(), better.over_every()) == (True, True)
    between = judged.Citation(Section.FINDINGS, "nodule", (0.5,), (0.1, 0.7), touches=True)
    assert (between.over_mean(), between.over_every()) == (True, False)
    worse = judged.Citation(Section.FINDINGS, "nodule", (0.1,), (0.1, 0.7), touches=True)
    assert (worse.over_mean(), worse.over_every()) == (False, False)


def test_each_finding_has_its_row_of_the_findings_alone():
    found = [
        judged.Citation(Section.FINDINGS, "nodule", (2.0, 1.0), (0.0,), touches=True),
        judged.Citation(Section.IMPRESSION, "nodule", (0.0,), (0.0,), touches=True),
        judged.Citation(Section.FINDINGS, "mass", (0.25,), (0.0,), touches=True),
    ]
    rows = dict(judged.citation_rows([judged.Study(tuple(found), (), 1.0), judged.Study((), (), 1.0)]))
    assert (rows["cited_nats:nodule"].mean, rows["cited_nats:nodule"].n) == (1.5, 1)
    assert rows["cited_nats:mass"].mean == 0.25
    assert rows["cited_nats"].mean == pytest.approx((1.5 + 0.0 + 0.25) / 3)
    assert "cited_nats:cardiomegaly" not in rows


def test_a_cited_mask_touches_the_finding_only_where_it_truly_is():
    planned = PlannedFinding("pleural_effusion", side="right", extent="large")
    made = phantom.generate(4242, 5, size=256, findings=(planned,), views=[ViewPosition.PA], with_prior=False)
    (shown,) = made.images
    true = shown.masks["pleural_effusion_right"]
    apart = np.zeros_like(true)
    apart[:4, :4] = True
    gate = Gate(open=True, score=0.0, threshold=1.0)

    def touched(structure, pixels, side=Side.RIGHT) -> bool:
        mask = Mask(structure, shown.sop_instance_uid, pixels.shape, rle.encode(pixels))
        said = replace(
            sentence(structure, side=side), evidence=(Evidence(structure, shown.sop_instance_uid, 1.0),)
        )
        return judged.touches(said, DraftOutput((mask,), (said,), gate, gate), made)

    assert touched("pleural_effusion_right", true)
    assert touched("lung_right", shown.masks["lung_right"] | true)
    assert not touched("pleural_effusion_right", apart)
    assert not touched("pleural_effusion_left", true, side=Side.LEFT), "there is none on that side"


def test_the_command_gives_rows_that_can_be_made_again(tmp_path, capsys):
    written = tmp_path / "results.json"
    arguments = ["--bundle", str(DEMO), "--studies", "2", "--threads", "1", "--results", str(written)]
    judged.main([*arguments, "--write"])
    rows = json.loads(written.read_text())["rows"]
    metrics = {row["metric"]: row for row in rows}
    assert {"cited_over_mean_uncited", "cited_over_every_uncited", "cited_touches_finding"} <= set(metrics)
    assert {f"calibration_error:{kind}:before" for kind in ("stated", "denied", "all")} <= set(metrics)
    for row in rows:
        assert row["experiment"] == "evidence"
        assert math.isnan(row["mean"]) or row["low"] <= row["mean"] <= row["high"] or row["n"] < 2
        assert "--studies 2" in row["command"]
    assert '"run": "evidence"' in capsys.readouterr().out
