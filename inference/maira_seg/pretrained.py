"""Published weights, read as they are published: a MAIRA-2 folder as a MAIRA-Seg, a RAD-DINO folder as an
image encoder.

MAIRA-2 (arXiv:2406.04449, microsoft/maira-2) is a Llava: DINOv2, four linear layers, Vicuna. What MAIRA-Seg
adds, the segmentation tokens extractor, the slots and the control tokens, starts fresh and must be trained
(`inference.training.finetune`). Files are read one at a time; nothing is fetched and no code of theirs is
run. The real folder is gated and was not at hand: the layout is that of published copies of its code and
configuration, and tests make a small folder of the same."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from inference.contract import InferenceError
from inference.maira_seg import processor as words
from inference.maira_seg.config import PRESETS, LanguageConfig, MairaSegConfig, VisionConfig
from inference.maira_seg.mask_extractor import MaskExtractor
from inference.maira_seg.model import MairaSeg, SlotEmbeddings
from inference.maira_seg.processor import Processor
from inference.maira_seg.vision import VisionEncoder

CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"
INDEX, ONE_FILE, TOKENIZER = "model.safetensors.index.json", "model.safetensors", "tokenizer.json"
VOCABULARY = ("language_model.model.embed_tokens.weight", "language_model.lm_head.weight")
LLAMA = {"hidden_act": "silu", "attention_bias": False, "mlp_bias": False}
DINO = {
    "hidden_act": "gelu", "mlp_ratio": 4, "qkv_bias": True, "use_swiglu_ffn": False, "layer_norm_eps": 1e-6,
    "apply_layernorm": True,
}  # fmt: skip
"""What our two models do and their weights do not tell."""
LIKE = {words.BOS: "<s>", words.EOS: "</s>"}
"""Control tokens that begin as tokens which the language model knows already."""
_PREFIXES = (
    ("model.language_model.", "language_model.model."),
    ("lm_head.", "language_model.lm_head."),
    ("model.vision_tower.", "vision.backbone."),
    ("vision_tower.", "vision.backbone."),
    ("model.multi_modal_projector.", "projector."),
    ("multi_modal_projector.", "projector."),
)
"""Beginnings of published names, those of transformers 4 and 5, and ours."""
_INSIDE = (
    (".attention.attention.query.", ".attention.q_proj."),
    (".attention.attention.key.", ".attention.k_proj."),
    (".attention.attention.value.", ".attention.v_proj."),
    (".attention.output.dense.", ".attention.o_proj."),
)
"""DINOv2's names on disk, and in this version of transformers."""


def from_maira2(folder: Path) -> tuple[MairaSeg, Processor]:
    """The model and its processor, in evaluation mode and single precision.

    Raises
    ------
    InferenceError
        Permanent: `bad-weights`, naming what is missing, left over, of another shape or not understood.
    """
    try:
        return _maira2(folder)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise _bad(folder, error) from error


def from_rad_dino(folder: Path) -> VisionEncoder:
    """The image encoder of a RAD-DINO folder (a `Dinov2Model`), frozen. Its levels are four, evenly spaced.

    Raises
    ------
    InferenceError
        Permanent: `bad-weights`, as above.
    """
    try:
        shape = vision_config(_json(folder, CONFIG), _json(folder, PREPROCESSOR))
        with torch.device("meta"):
            encoder = VisionEncoder(shape)
        _assign(
            encoder, {f"vision.{name}" for name in encoder.state_dict()}, _tensors(folder, "vision_tower.")
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise _bad(folder, error) from error
    return encoder.freeze()


def _maira2(folder: Path) -> tuple[MairaSeg, Processor]:
    told = _json(folder, CONFIG)
    plain = config_of(told, _json(folder, PREPROCESSOR))
    processor = _processor(folder, plain)
    size = processor.tokenizer.get_vocab_size()
    config = replace(plain, language=replace(plain.language, vocabulary=size))
    with torch.device("meta"):
        model = MairaSeg(config)
    # What has no published weights, and what a state does not hold, is made anew off the meta device.
    model.extractor, model.slots = MaskExtractor(config), SlotEmbeddings(config)
    model.language_model.model.rotary_emb = LlamaRotaryEmbedding(config=model.language_model.config)
    wanted = {name for name in model.state_dict() if not name.startswith(("extractor.", "slots."))}
    _assign(model, wanted, _extended(_tensors(folder), processor, plain.language.vocabulary))
    return model.eval(), processor


def config_of(told: dict[str, Any], preprocessor: dict[str, Any]) -> MairaSegConfig:
    """The sizes of a MAIRA-2 folder, with the `7b` preset's where it has none; before the vocabulary
    grows."""
    vision = vision_config(told["vision_config"], preprocessor)
    return replace(
        PRESETS["7b"],
        name="maira-2",
        vision=vision,
        language=language_config(told["text_config"]),
        pooled_grid=vision.grid,
        projector_layers=told.get("projector_n_layers", 4),
    )


def language_config(told: dict[str, Any]) -> LanguageConfig:
    """From a Llama's configuration; what it leaves out has Llama's defaults."""
    scaling = told.get("rope_parameters") or told.get("rope_scaling") or {}  # transformers 5, and before
    kind = scaling.get("rope_type", scaling.get("type", "linear"))
    if kind not in ("linear", "default"):
        raise ValueError(f"{CONFIG}: rope scaling {kind} is not read, linear is")
    if told.get("num_key_value_heads", told["num_attention_heads"]) != told["num_attention_heads"]:
        raise ValueError(f"{CONFIG}: grouped key-value heads are not read")
    width_of_a_head = told["hidden_size"] // told["num_attention_heads"]
    _insist(told, {**LLAMA, "head_dim": width_of_a_head})
    return LanguageConfig(
        vocabulary=told["vocab_size"],
        width=told["hidden_size"],
        feed_forward=told["intermediate_size"],
        depth=told["num_hidden_layers"],
        heads=told["num_attention_heads"],
        positions=told.get("max_position_embeddings", 4096),
        rope_scaling=float(scaling.get("factor", 1.0)),
        rope_theta=float(scaling.get("rope_theta", told.get("rope_theta", 10_000.0))),
        norm_eps=float(told.get("rms_norm_eps", 1e-6)),
    )


def _insist(told: dict[str, Any], known: dict[str, Any]) -> None:
    """That a configuration says what our models do: other weights would fit, and mean something else."""
    for name, value in known.items():
        if told.get(name, value) not in (value, None):
            raise ValueError(f"{CONFIG}: {name} is {told[name]}, only {value} is read")


def vision_config(told: dict[str, Any], preprocessor: dict[str, Any]) -> VisionConfig:
    """From the configuration of a DINOv2 and of its preprocessor."""
    _insist(told, DINO)
    mean, spread = set(preprocessor["image_mean"]), set(preprocessor["image_std"])
    if len(mean) != 1 or len(spread) != 1:
        raise ValueError(f"{PREPROCESSOR}: mean and spread differ from channel to channel: no gray images")
    crop = preprocessor.get("crop_size", {}).get("height", told["image_size"])
    if crop != told["image_size"]:
        raise ValueError(f"{PREPROCESSOR}: crops to {crop} px, {CONFIG} says {told['image_size']} px")
    depth = told["num_hidden_layers"]
    return VisionConfig(
        image_size=told["image_size"],
        patch_size=told["patch_size"],
        width=told["hidden_size"],
        depth=depth,
        heads=told["num_attention_heads"],
        levels=tuple(math.ceil(depth * quarter / 4) for quarter in range(1, 5)),
        channels=told.get("num_channels", 3),
        mean=float(*mean),
        std=float(*spread),
    )


def _processor(folder: Path, config: MairaSegConfig) -> Processor:
    tokenizer = Tokenizer.from_str((folder / TOKENIZER).read_text())
    if tokenizer.get_vocab_size() != config.language.vocabulary:
        raise ValueError(
            f"{TOKENIZER} has {tokenizer.get_vocab_size()} ids, {CONFIG} says {config.language.vocabulary}"
        )
    return Processor.around(tokenizer, config.structures, config.findings, config.languages)


def _extended(
    tensors: Iterator[tuple[str, Tensor]], processor: Processor, known: int
) -> Iterator[tuple[str, Tensor]]:
    """The same, the vocabulary's rows (known, H) followed by a row for each control token that is new;
    MAIRA-2's `<image>` is ours.

    A new row is the mean of the others: a control token is then neither likelier nor less likely than words
    are on average, where a random one would disturb a trained model. `LIKE` names the exceptions.
    """
    size = processor.tokenizer.get_vocab_size()
    for name, tensor in tensors:
        if name in VOCABULARY and len(tensor) == known:
            new = tensor.float().mean(dim=0).to(tensor.dtype).repeat(size - known, 1)
            for token, other in LIKE.items():
                place = processor.tokenizer.token_to_id(other)
                if place is None:
                    raise ValueError(f"{TOKENIZER} has no {other}")
                new[processor.id(token) - known] = tensor[place]
            tensor = torch.cat([tensor, new])
        yield name, tensor


def _tensors(folder: Path, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """Our name and value of every tensor, file by file. prefix: what the files leave out before a name."""
    files = [folder / ONE_FILE]
    if (folder / INDEX).is_file():
        files = [folder / name for name in sorted(set(_json(folder, INDEX)["weight_map"].values()))]
    for file in files:
        if not file.is_file():
            raise ValueError(f"no {file.name}")
        with safe_open(file, framework="pt") as opened:
            for name in opened.keys():  # noqa: SIM118 - it is no mapping
                yield _ours(prefix + name), opened.get_tensor(name)


def _ours(name: str) -> str:
    for theirs, ours in _PREFIXES:
        if name.startswith(theirs):
            name = ours + name.removeprefix(theirs)
            break
    for theirs, ours in _INSIDE:
        name = name.replace(theirs, ours)
    return name


def _assign(module: nn.Module, wanted: set[str], tensors: Iterator[tuple[str, Tensor]]) -> None:
    """Put tensors in the place of a module's; every one that is wanted, once, and no other."""
    shapes = {name: tensor.shape for name, tensor in module.state_dict().items()}
    left = set(wanted)
    within = "" if isinstance(module, MairaSeg) else "vision."
    for name, tensor in tensors:
        own = name.removeprefix(within)
        if name not in wanted:
            raise ValueError(f"unexpected {name}")
        if name not in left:
            raise ValueError(f"{name} is there twice")
        if tensor.shape != shapes[own]:
            raise ValueError(f"{name} is {tuple(tensor.shape)}, {tuple(shapes[own])} expected")
        left.remove(name)
        module.load_state_dict({own: tensor.float()}, strict=False, assign=True)
    if left:
        raise ValueError(f"missing {', '.join(sorted(left)[:3])}" + (" and more" if len(left) > 3 else ""))


def _json(folder: Path, name: str) -> dict[str, Any]:
    told = json.loads((folder / name).read_text())
    if not isinstance(told, dict):
        raise ValueError(f"{name} is no object")
    return told


def _bad(folder: Path, error: Exception) -> InferenceError:
    reason = f"has no {error}" if isinstance(error, KeyError) else str(error)
    return InferenceError("bad-weights", f"{folder.name}: {reason}", permanent=True)
