"""Published weights: a small MAIRA-2 folder of the whole layout gives what transformers' own parts give."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Dinov2Config, Dinov2Model

from inference.contract import Certainty, InferenceError, Section, Side
from inference.maira_seg import checkpoint, decode, pretrained
from inference.maira_seg import processor as words
from inference.maira_seg.config import PRESETS
from inference.maira_seg.model import MairaSeg, layout_for
from inference.maira_seg.processor import CodedSentence, Processor
from inference.maira_seg.projector import pool_patches
from inference.maira_seg.prompt import ABSENT, PRESENT
from tests.inference import maira2_folder, tiny_model

GRID = 4
INDEX = "model.safetensors.index.json"


@pytest.fixture(scope="module")
def composed():
    return maira2_folder.composed()


@pytest.fixture(scope="module")
def folder(composed, tmp_path_factory):
    return maira2_folder.write(tmp_path_factory.mktemp("weights") / "maira-2", composed)


@pytest.fixture(scope="module")
def loaded(folder):
    return pretrained.from_maira2(folder)


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "maira-2")


def test_the_folder_has_the_published_layout(folder):
    index = json.loads((folder / INDEX).read_text())["weight_map"]
    # 9 in each of 32 Llama layers and 3 besides; 4 linear layers; 18 in each of 12 encoder layers and 7.
    assert len(index) == 32 * 9 + 3 + 4 * 2 + 12 * 18 + 7 == 522
    assert len(set(index.values())) == 6
    assert {
        "language_model.model.layers.31.mlp.down_proj.weight",
        "language_model.lm_head.weight",
        "vision_tower.encoder.layer.11.attention.attention.query.weight",
        "vision_tower.layernorm.bias",
        "multi_modal_projector.layers.6.bias",
    } <= set(index)
    added = json.loads((folder / "added_tokens.json").read_text())
    assert (added["<obj>"], added["</obj>"], added["<box>"], added["</box>"]) == (32000, 32001, 32202, 32203)
    assert (added["<image>"], added["<lat_image>"], len(added)) == (32204, 32206, 207)


@pytest.mark.parametrize("views", [1, 2])
def test_logits_are_those_of_transformers_own_parts(composed, loaded, views):
    model, _ = loaded
    generator = torch.Generator().manual_seed(views)
    gray = torch.rand(3, views, 1, 56, 56, generator=generator)
    text = torch.randint(3, 32_000, (3, 1 + views, 7), generator=generator)
    image = torch.full((3, GRID**2), maira2_folder.IMAGE)
    pieces = [text[:, 0]]
    for view in range(views):
        pieces += [image, text[:, 1 + view]]
    ids = torch.cat(pieces, dim=1)
    standardised = ((gray - 0.5307) / 0.2583).expand(-1, -1, 3, -1, -1)
    expected = composed(ids, standardised)
    with torch.inference_mode():
        features = model.vision(gray.flatten(0, 1))
        patches = pool_patches(features[:, -1], GRID, GRID).unflatten(0, (3, views))
        logits = model.language_model(inputs_embeds=model.embed(ids, maira2_folder.IMAGE, patches)).logits
    torch.testing.assert_close(logits[..., : maira2_folder.VOCABULARY], expected, atol=1e-5, rtol=1e-5)
    assert expected.std() > 0.1


def test_names_of_the_fifth_transformers_are_read_too(composed, copy, loaded):
    renames = (
        ("language_model.model.", "model.language_model."),
        ("language_model.lm_head.", "lm_head."),
        ("vision_tower.", "model.vision_tower."),
        ("multi_modal_projector.", "model.multi_modal_projector."),
    )
    for file in copy.glob("*.safetensors"):
        state = load_file(file)
        for theirs, newer in renames:
            state = {
                name.replace(theirs, newer, 1) if name.startswith(theirs) else name: t
                for name, t in state.items()
            }
        save_file(state, file)
    model, _ = pretrained.from_maira2(copy)
    for name, tensor in loaded[0].state_dict().items():
        if not name.startswith(("extractor.", "slots.")):
            assert torch.equal(tensor, model.state_dict()[name]), name


def test_sizes_and_settings_come_from_the_folder(loaded):
    model, processor = loaded
    config = model.config
    assert (config.vision.levels, config.vision.channels) == ((3, 6, 9, 12), 3)
    assert (config.vision.mean, config.vision.std) == (0.5307, 0.2583)
    assert (config.language.rope_scaling, config.language.norm_eps) == (1.5, 1e-5)
    assert processor.words == range(3, 32_000)
    assert processor.id(words.IMAGE) == maira2_folder.IMAGE
    new = [token for token in processor.controls if token != maira2_folder.IMAGE]
    assert new == list(range(32_207, config.language.vocabulary))


def test_the_rope_is_read_under_its_newer_name_too():
    text = {key: value for key, value in maira2_folder.TEXT.items() if not key.startswith("rope")}
    rope = {"rope_type": "linear", "factor": 1.5, "rope_theta": 20_000.0}
    read = pretrained.language_config({**text, "rope_parameters": rope})
    assert (read.rope_scaling, read.rope_theta) == (1.5, 20_000.0)
    older = pretrained.language_config(maira2_folder.TEXT)
    assert (older.rope_scaling, older.rope_theta) == (1.5, 10_000.0)


def test_control_tokens_begin_as_the_mean_of_all_and_as_those_that_begin_and_end(composed, loaded):
    model, processor = loaded
    for ours, theirs in zip(
        (model.language_model.model.embed_tokens, model.language_model.lm_head),
        (composed.language_model.model.embed_tokens, composed.language_model.lm_head),
        strict=True,
    ):
        torch.testing.assert_close(ours.weight[processor.id(words.END)], theirs.weight.mean(dim=0))
        assert torch.equal(ours.weight[processor.id(words.BOS)], theirs.weight[1])
        assert torch.equal(ours.weight[processor.id(words.EOS)], theirs.weight[2])
        assert torch.equal(ours.weight[: maira2_folder.VOCABULARY], theirs.weight)


def test_text_goes_through_the_published_pieces_and_back(loaded):
    _, processor = loaded
    sentence = CodedSentence(
        Section.FINDINGS, "nodule", Side.RIGHT, Certainty.UNCERTAIN, "Nodule, 8 mm (右).", ("nodule",)
    )
    ids = processor.encode([sentence])
    assert set(ids) <= {*processor.words, *processor.controls}
    assert processor.decode(ids) == [sentence]


def test_a_whole_prompt_is_drafted_under_the_grammar(loaded):
    model, processor = loaded
    images = torch.rand(1, 1, 56, 56)
    states = torch.full((1, len(model.config.structures)), ABSENT)
    states[0, 0] = PRESENT
    masks = torch.zeros(1, len(model.config.structures), 56, 56)
    masks[0, 0, 10:30, 10:30] = 1
    with torch.inference_mode():
        prompt = model.prompt(
            layout_for(model.config, processor), model.look(model.vision(images), masks, states)
        )
    grammar = decode.DraftGrammar(processor, model.config.language.vocabulary, [model.config.structures[0]])
    ids = decode.greedy(model.language_model, prompt, stop=processor.id(words.EOS), limit=12, grammar=grammar)
    assert ids[0] in {processor.id(f"<section:{section}>") for section in Section}
    assert set(ids[4:]) <= {*processor.words, *processor.controls}


def test_what_was_read_is_written_and_read_as_ours(loaded, tmp_path):
    model, processor = loaded
    checkpoint.save_weights(model, tmp_path / "model.safetensors")
    processor.save(tmp_path / "tokenizer.json")
    again = MairaSeg(model.config)
    checkpoint.load_weights(again, tmp_path / "model.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))
    read = Processor.load(tmp_path / "tokenizer.json", processor.structures, processor.findings)
    assert (read.words, read.controls) == (processor.words, processor.controls)


def test_what_was_read_trains_but_for_the_encoder(loaded):
    model, _ = loaded
    trains = {name.split(".")[0] for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert trains == {"projector", "extractor", "slots", "language_model"}


# Broken folders


def _first(folder):
    return folder / "model-00001-of-00006.safetensors"


def _change_tensors(folder, change):
    state = load_file(_first(folder))
    save_file(change(state), _first(folder))


def _edit_json(folder, name, **values):
    told = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**told, **values}))


def _edit_text(folder, **values):
    _edit_json(folder, "config.json", text_config={**maira2_folder.TEXT, **values})


NORM = "vision_tower.encoder.layer.0.norm1.weight"
BROKEN = {
    "no config.json": (lambda f: (f / "config.json").unlink(), "config.json"),
    "no shard": (lambda f: _first(f).unlink(), "no model-00001-of-00006.safetensors"),
    "torn shard": (lambda f: _first(f).write_bytes(_first(f).read_bytes()[:500]), "maira-2"),
    "missing": (
        lambda f: _change_tensors(f, lambda s: {k: v for k, v in s.items() if k != NORM}),
        "missing vision.backbone.encoder.layer.0.norm1.weight",
    ),
    "left over": (
        lambda f: _change_tensors(f, lambda s: {**s, "adapter.weight": torch.ones(1)}),
        "unexpected adapter.weight",
    ),
    "shape": (
        lambda f: _change_tensors(f, lambda s: {**s, NORM: torch.ones(17)}),
        r"norm1.weight is \(17,\), \(16,\) expected",
    ),
    "another rope": (
        lambda f: _edit_text(f, rope_scaling={"type": "yarn"}),
        "rope scaling yarn",
    ),
    "grouped heads": (
        lambda f: _edit_text(f, num_key_value_heads=2),
        "grouped key-value heads",
    ),
    "another activation": (
        lambda f: _edit_text(f, hidden_act="gelu"),
        "hidden_act is gelu, only silu is read",
    ),
    "biased attention": (
        lambda f: _edit_text(f, attention_bias=True),
        "attention_bias is True, only False is read",
    ),
    "wide heads": (
        lambda f: _edit_text(f, head_dim=8),
        "head_dim is 8, only 4 is read",
    ),
    "gated vision": (
        lambda f: _edit_json(
            f, "config.json", vision_config={**maira2_folder.VISION, "use_swiglu_ffn": True}
        ),
        "use_swiglu_ffn is True, only False is read",
    ),
    "vocabulary": (
        lambda f: _edit_text(f, vocab_size=32_000),
        "tokenizer.json has 32207 ids, config.json says 32000",
    ),
    "no vision": (
        lambda f: (f / "config.json").write_text(json.dumps({"text_config": maira2_folder.TEXT})),
        "has no 'vision_config'",
    ),
    "colour": (
        lambda f: _edit_json(f, "preprocessor_config.json", image_mean=[0.4, 0.5, 0.6]),
        "differ from channel to channel",
    ),
    "crop": (
        lambda f: _edit_json(f, "preprocessor_config.json", crop_size={"height": 224, "width": 224}),
        "crops to 224 px, config.json says 56 px",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_folder_is_refused_with_what_is_wrong(copy, what):
    breaks, message = BROKEN[what]
    breaks(copy)
    with pytest.raises(InferenceError, match=message) as raised:
        pretrained.from_maira2(copy)
    assert raised.value.code == "bad-weights"
    assert raised.value.permanent


# RAD-DINO


@pytest.fixture(scope="module")
def dino(tmp_path_factory):
    torch.manual_seed(3)
    told = {key: value for key, value in maira2_folder.VISION.items() if key != "model_type"}
    model = Dinov2Model(Dinov2Config(**told)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, mean=float(parameter.detach().mean()), std=0.1)
    folder = tmp_path_factory.mktemp("weights") / "rad-dino"
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(maira2_folder.PREPROCESSOR))
    return model, folder


def test_a_rad_dino_folder_gives_the_features_of_its_own_model(dino):
    model, folder = dino
    encoder = pretrained.from_rad_dino(folder)
    gray = torch.rand(2, 1, 56, 56)
    with torch.inference_mode():
        ours = encoder(gray)
        theirs = model(((gray - 0.5307) / 0.2583).expand(-1, 3, -1, -1), output_hidden_states=True)
        third = model.layernorm(theirs.hidden_states[3])
    torch.testing.assert_close(ours[:, -1], theirs.last_hidden_state, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(ours[:, 0], third, atol=1e-5, rtol=1e-5)
    assert not any(parameter.requires_grad for parameter in encoder.parameters())


def test_a_rad_dino_folder_without_a_tensor_is_refused(dino, tmp_path):
    folder = shutil.copytree(dino[1], tmp_path / "rad-dino")
    state = load_file(folder / "model.safetensors")
    del state["layernorm.bias"]
    save_file(state, folder / "model.safetensors")
    with pytest.raises(InferenceError, match=r"missing vision.backbone.layernorm.bias"):
        pretrained.from_rad_dino(folder)


# The published scale


def test_7b_has_the_published_numbers_of_parameters():
    with torch.device("meta"):
        model = MairaSeg(PRESETS["7b"])

    def count(module):
        return sum(parameter.numel() for parameter in module.parameters())

    # Two vocabularies of 32,207 x 4,096; in each of 32 layers four 4,096 x 4,096, three 4,096 x 11,008 and
    # two norms; a norm.
    assert (
        count(model.language_model)
        == 2 * 32_207 * 4096 + 32 * (4 * 4096**2 + 3 * 4096 * 11_008 + 2 * 4096) + 4096
    )
    assert count(model.language_model) == 6_740_111_360
    assert len(model.language_model.state_dict()) == 291
    assert count(model.projector) == (768 + 1) * 4096 + 3 * (4096 + 1) * 4096 == 53_493_760
    # Four levels of 768 to 1,024, one layer to 4,096; 112 x 112 to 1,024 to 1,024 to 4,096.
    spatial = (112**2 + 1) * 1024 + (1024 + 1) * 1024 + (1024 + 1) * 4096
    assert count(model.extractor) == 4 * (768 + 1) * 1024 + (1024 + 1) * 4096 + spatial == 25_442_304
    # Patches, class, mask and 1,370 places; 12 layers of attention, MLP, norms and scales; a norm.
    layer = 4 * (768 + 1) * 768 + (768 + 1) * 3072 + (3072 + 1) * 768 + 6 * 768
    assert count(model.vision) == (3 * 14 * 14 + 1) * 768 + (1 + 1 + 1370) * 768 + 12 * layer + 2 * 768
    assert count(model.vision) == 86_580_480


def test_the_shipped_tokenizers_words_are_still_those_behind_its_control_tokens():
    processor = tiny_model.processor()
    assert processor.words == range(len(processor.controls), processor.tokenizer.get_vocab_size())
    assert processor.controls == tuple(range(len(processor.controls)))
