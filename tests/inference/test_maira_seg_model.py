"""The model: shapes, what reaches what, what trains, and the published sizes."""

from dataclasses import replace

import pytest
import torch
from transformers import GenerationConfig

from inference.maira_seg import decode, mask_extractor, processor
from inference.maira_seg.config import PRESETS, MairaSegConfig
from inference.maira_seg.model import MairaSeg, layout_for
from inference.maira_seg.prompt import ABSENT, PRESENT, WITHHELD, PromptInputs
from tests.inference import tiny_model
from tests.inference.tiny_model import CONFIG

SLOTS = len(CONFIG.structures)
PROCESSOR = tiny_model.processor()


@pytest.fixture
def model() -> MairaSeg:
    return tiny_model.model()


@pytest.fixture(scope="module")
def layout():
    return layout_for(CONFIG, PROCESSOR)


def looked(model: MairaSeg, *, states: int = PRESENT, seed: int = 0) -> PromptInputs:
    """Two studies with random pixels and blocks for masks."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.rand(2, 1, 64, 64, generator=generator)
    masks = (torch.rand(2, SLOTS, 8, 8, generator=generator) > 0.7).float()
    masks = masks.repeat_interleave(8, dim=-1).repeat_interleave(8, dim=-2)
    with torch.no_grad():
        features = model.vision(pixels)
    return model.look(features, masks, torch.full((2, SLOTS), states))


REPORT = torch.arange(60, 72).repeat(2, 1)


def test_the_published_size_has_the_published_parameters():
    with torch.device("meta"):
        model = MairaSeg(PRESETS["7b"])
    count = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    assert count["projector"] == 53_493_760
    assert count["extractor"] == 25_442_304
    assert 86e6 < count["vision"] < 88e6
    assert 6.7e9 < count["language_model"] < 6.8e9
    assert {n.split(".weight")[0] for n, _ in model.projector.named_parameters() if "weight" in n} == {
        "layers.0", "layers.2", "layers.4", "layers.6",
    }  # fmt: skip


def test_shapes(model, layout):
    inputs = looked(model)
    assert inputs.patches.shape == (2, 1, 4, 32)
    assert inputs.pooled.shape == (2, 1, SLOTS, 2, 32)
    assert inputs.shrunk.shape == (2, 1, SLOTS, 64)
    assert model.prompt(layout, inputs).shape == (2, layout.length(1), 32)
    assert model(layout, inputs, REPORT).shape == (2, 12, CONFIG.language.vocabulary)


def tensors(inputs):
    return inputs.patches, inputs.pooled, inputs.shrunk, inputs.states


@torch.no_grad()
def test_masks_really_change_the_output(model, layout):
    inputs = looked(model)
    moved = replace(inputs, shrunk=inputs.shrunk.flip(-1))
    repooled = replace(inputs, pooled=inputs.pooled + 1)
    before = model(layout, inputs, REPORT)
    for changed in (moved, repooled):
        assert not torch.allclose(before, model(layout, changed, REPORT), atol=1e-5)


@torch.no_grad()
def test_a_token_that_is_not_shown_tells_nothing(model, layout):
    inputs = looked(model)
    moved, repooled = (
        replace(inputs, shrunk=inputs.shrunk.flip(-1)),
        replace(inputs, pooled=inputs.pooled + 1),
    )

    def logits(changed, *tokens):
        return model(layout, replace(changed, tokens=tokens), REPORT)

    assert torch.equal(logits(inputs, True, False), logits(moved, True, False))
    assert not torch.equal(logits(inputs, True, False), logits(repooled, True, False))
    assert torch.equal(logits(inputs, False, True), logits(repooled, False, True))
    assert not torch.equal(logits(inputs, False, True), logits(moved, False, True))


@torch.no_grad()
@pytest.mark.parametrize("state", [ABSENT, WITHHELD])
def test_a_slot_without_a_mask_tells_nothing_of_the_mask(model, layout, state):
    inputs = looked(model, states=state)
    moved = replace(inputs, shrunk=inputs.shrunk.flip(-1), pooled=inputs.pooled + 1)
    assert torch.equal(model(layout, inputs, REPORT), model(layout, moved, REPORT))


@torch.no_grad()
def test_absent_and_withheld_are_told_apart(model, layout):
    absent, withheld = (model(layout, looked(model, states=s), REPORT) for s in (ABSENT, WITHHELD))
    assert not torch.allclose(absent, withheld, atol=1e-5)


def test_the_prompt_is_as_long_whatever_was_found(layout):
    lengths = {layout.ids(torch.full((1, 1, SLOTS), state)).shape[1] for state in (PRESENT, ABSENT, WITHHELD)}
    assert lengths == {layout.length(1)}


def test_the_last_token_of_a_prompt_asks_for_a_language(layout):
    ids = layout.ids(torch.full((3, 1, SLOTS), PRESENT), torch.tensor([0, 1, 0]))
    asked = [PROCESSOR.report_token(language) for language in ("en", "ja", "en")]
    assert ids[:, -1].tolist() == asked
    assert asked[0] == PROCESSOR.id("<report>") != asked[1]
    assert torch.equal(ids[0, :-1], ids[1, :-1])
    assert torch.equal(layout.ids(torch.full((3, 1, SLOTS), PRESENT))[:, -1], ids[[0, 0, 0], -1])


def test_a_tokenizer_of_other_languages_is_refused():
    english = processor.Processor(PROCESSOR.tokenizer, CONFIG.structures, CONFIG.findings)
    with pytest.raises(AssertionError, match="'ja'"):
        layout_for(CONFIG, english)


def test_a_configuration_written_before_there_were_languages_is_english():
    values = CONFIG.to_dict()
    del values["languages"]
    assert MairaSegConfig.from_dict(values).languages == ("en",)


@torch.no_grad()
def test_two_images_are_told_apart_by_their_index(model, layout):
    one, two = looked(model), looked(model, seed=1)
    pair = zip(tensors(one), tensors(two), strict=True)
    both = PromptInputs(*(torch.cat([a, b], dim=1) for a, b in pair))
    torch.nn.init.normal_(model.slots.image.weight)
    prompt = model.prompt(layout, both)
    assert prompt.shape == (2, layout.length(2), 32)
    swapped = model.prompt(layout, PromptInputs(*(t.flip(1) for t in tensors(both))))
    assert not torch.allclose(prompt, swapped)


def test_gradient_reaches_what_trains_and_nothing_frozen(model, layout):
    model.train()
    inputs = looked(model)
    states = inputs.states.clone()
    states[:, :, :2], states[:, :, 2:4] = ABSENT, WITHHELD
    model(layout, replace(inputs, states=states), REPORT).square().mean().backward()
    still = {name for name, p in model.named_parameters() if p.grad is None}
    assert still
    assert all(name.startswith("vision.") for name in still)
    assert all(name in still for name, _ in model.named_parameters() if name.startswith("vision."))
    for part in (model.projector, model.extractor, model.slots, model.language_model):
        assert all(float(p.grad.abs().sum()) > 0 for p in part.parameters() if p.ndim > 1)
    assert not model.vision.training


def test_a_thin_mask_survives_the_way_to_the_grid():
    features = torch.zeros(1, 1, 1 + 16, 3)
    features[0, 0, 1:] = torch.arange(16.0)[:, None]
    mask = torch.zeros(1, 2, 64, 64)
    mask[0, 0, :, 5] = 1.0
    pooled = mask_extractor.pool_under(features, mask, 4)
    assert pooled[0, 0, 0].tolist() == [6.0, 6.0, 6.0]
    assert pooled[0, 1].abs().sum() == 0
    assert mask_extractor.shrink_masks(mask, 8)[0, 0].sum() == pytest.approx(1.0)


@torch.no_grad()
def test_the_cached_loop_writes_what_generate_writes(model, layout):
    stop = tiny_model.processor().id(processor.EOS)
    for seed in range(3):
        prompt = model.prompt(layout, looked(model, seed=seed))[:1]
        ours = decode.greedy(model.language_model, prompt, stop=stop, limit=24)
        greedy = GenerationConfig(max_new_tokens=24, do_sample=False, eos_token_id=stop, pad_token_id=0)
        theirs = model.language_model.generate(inputs_embeds=prompt, generation_config=greedy)
        assert ours == theirs[0].tolist()


@torch.no_grad()
def test_a_batch_writes_what_each_study_alone_writes(model, layout):
    words = tiny_model.processor()
    stop, vocabulary = words.id(processor.EOS), CONFIG.language.vocabulary
    prompts = torch.cat([model.prompt(layout, looked(model, seed=seed)) for seed in range(3)])
    prompts = prompts * torch.linspace(0.5, 3, len(prompts))[:, None, None]  # they end at different lengths

    def grammar():
        return decode.DraftGrammar(words, vocabulary, ["heart"])

    alone = [
        decode.greedy(model.language_model, one[None], stop=stop, limit=90, grammar=grammar())
        for one in prompts
    ]
    together = decode.greedy_batch(
        model.language_model, prompts, stop=stop, limit=90, grammars=[grammar() for _ in prompts]
    )
    assert together == alone
    assert len({len(tokens) for tokens in alone}) > 1


def test_the_configuration_survives_its_file():
    for preset in PRESETS.values():
        assert MairaSegConfig.from_dict(preset.to_dict()) == preset


def test_initialisation_is_the_same_every_time():
    one, other = (tiny_model.model(seed=3).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
