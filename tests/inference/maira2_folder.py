"""A MAIRA-2 folder, small: the published layout of files, names, counts and ids, random weights."""

import itertools
import json
import string
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers
from torch import nn
from transformers import Dinov2Backbone, Dinov2Config, LlamaConfig, LlamaForCausalLM

SHARDS, PIECES, VOCABULARY = 6, 32_000, 32_207
IMAGE = 32_204
VISION = {
    "model_type": "dinov2", "hidden_size": 16, "num_hidden_layers": 12, "num_attention_heads": 2,
    "image_size": 56, "patch_size": 14, "num_channels": 3, "layerscale_value": 1.0, "layer_norm_eps": 1e-6,
    "apply_layernorm": True, "reshape_hidden_states": False, "out_features": ["stage12"],
}  # fmt: skip
TEXT = {
    "model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": 16, "intermediate_size": 24,
    "num_hidden_layers": 32, "num_attention_heads": 4, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5,
    "rope_scaling": {"type": "linear", "factor": 1.5}, "rope_theta": 10_000.0,
}  # fmt: skip
PREPROCESSOR = {
    "do_convert_rgb": True, "size": {"shortest_edge": 56}, "crop_size": {"height": 56, "width": 56},
    "resample": 3, "image_mean": [0.5307] * 3, "image_std": [0.2583] * 3,
}  # fmt: skip


class Composed(nn.Module):
    """The three parts as transformers builds them, put together as a Llava."""

    def __init__(self) -> None:
        super().__init__()
        told = {key: value for key, value in VISION.items() if key != "model_type"}
        self.vision_tower = Dinov2Backbone(Dinov2Config(**told))
        width = TEXT["hidden_size"]
        steps = [nn.Linear(VISION["hidden_size"], width)]
        for _ in range(3):
            steps += [nn.GELU(), nn.Linear(width, width)]
        self.multi_modal_projector = nn.ModuleDict({"layers": nn.Sequential(*steps)})
        rope = {"rope_type": "linear", "factor": 1.5, "rope_theta": 10_000.0}
        told = {key: value for key, value in TEXT.items() if not key.startswith(("rope", "model"))}
        self.language_model = LlamaForCausalLM(LlamaConfig(**told, rope_parameters=rope))

    @torch.inference_mode()
    def forward(self, ids: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        """ids (B, P), images (B, I, 3, S, S) standardised -> logits; as many images as the ids have room
        for."""
        features = self.vision_tower(images.flatten(0, 1)).feature_maps[-1][:, 1:]
        tokens = self.multi_modal_projector["layers"](features)
        embedded = self.language_model.get_input_embeddings()(ids)
        embedded = embedded.masked_scatter((ids == IMAGE)[..., None], tokens.reshape(-1, tokens.shape[-1]))
        return self.language_model(inputs_embeds=embedded).logits


def composed(seed: int = 0) -> Composed:
    torch.manual_seed(seed)
    made = Composed().eval()
    for parameter in made.parameters():  # far from the constants that norms and biases start with
        nn.init.normal_(parameter, mean=float(parameter.detach().float().mean()), std=0.1)
    return made


def published(made: Composed) -> dict[str, torch.Tensor]:
    """Its state under the names on disk."""
    renamed = {}
    for name, tensor in made.state_dict().items():
        for ours, theirs in (
            ("attention.q_proj", "attention.attention.query"),
            ("attention.k_proj", "attention.attention.key"),
            ("attention.v_proj", "attention.attention.value"),
            ("attention.o_proj", "attention.output.dense"),
        ):
            name = name.replace(ours, theirs) if name.startswith("vision_tower.") else name
        renamed[name] = tensor.clone().contiguous()
    return renamed


def tokenizer() -> Tokenizer:
    """Llama's kind: pieces with a mark for a space, bytes for what no piece holds, ids as published."""
    pieces = [
        "<unk>",
        "<s>",
        "</s>",
        *(f"<0x{byte:02X}>" for byte in range(256)),
        "▁",
        *string.printable[:94],
    ]
    letters = itertools.product(string.ascii_lowercase, repeat=4)
    pieces += ["▁" + "".join(some) for some in itertools.islice(letters, PIECES - len(pieces))]
    made = Tokenizer(
        models.BPE(
            {piece: place for place, piece in enumerate(pieces)}, [], unk_token="<unk>", byte_fallback=True
        )
    )
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    made.add_special_tokens([AddedToken(token, special=True) for token in pieces[:3]])
    boxes = [f"<{axis}{place}>" for axis in "xy" for place in range(100)]
    added = ["<obj>", "</obj>", *boxes, "<box>", "</box>", "<image>", "<prev_im>", "<lat_image>"]
    made.add_special_tokens([AddedToken(token, special=True) for token in added])
    return made


def write(folder: Path, made: Composed) -> Path:
    """The whole folder."""
    folder.mkdir(parents=True, exist_ok=True)
    state = published(made)
    names = list(state)
    size = -(-len(names) // SHARDS)
    weight_map = {}
    for shard in range(SHARDS):
        file = f"model-{shard + 1:05d}-of-{SHARDS:05d}.safetensors"
        part = {name: state[name] for name in names[shard * size : (shard + 1) * size]}
        save_file(part, folder / file)
        weight_map |= dict.fromkeys(part, file)
    about = {"model_type": "maira2", "projector_n_layers": 4, "image_token_index": IMAGE, "hidden_size": 16}
    made_tokenizer = tokenizer()
    made_tokenizer.save(str(folder / "tokenizer.json"))
    added = {
        token.content: place
        for place, token in made_tokenizer.get_added_tokens_decoder().items()
        if place >= PIECES
    }
    for name, told in {
        "config.json": {**about, "vision_config": VISION, "text_config": TEXT},
        "preprocessor_config.json": PREPROCESSOR,
        "added_tokens.json": added,
        "model.safetensors.index.json": {"metadata": {}, "weight_map": weight_map},
    }.items():
        (folder / name).write_text(json.dumps(told))
    return folder
