"""A bundle on disk: weights as safetensors, one readable config.json, the tokenizer, a card. Nothing
else is needed.

config.json  segmenter.safetensors  maira_seg.safetensors  applicability.safetensors  tokenizer.json
README.md, and lateral.safetensors where lateral views are outlined too
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import LlamaForCausalLM

from inference.contract import BUNDLE_CONFIG, InferenceError
from inference.maira_seg.applicability import Domain, Plane
from inference.maira_seg.confidence import Confidence
from inference.maira_seg.config import MairaSegConfig
from inference.maira_seg.model import MairaSeg
from inference.maira_seg.processor import Processor
from inference.segmentation.model import SegmenterConfig
from inference.segmentation.model import build as build_segmenter
from inference.segmentation.segmenter import Segmenter

FORMAT = 2
SEGMENTER, MAIRA_SEG, APPLICABILITY = (
    "segmenter.safetensors",
    "maira_seg.safetensors",
    "applicability.safetensors",
)
LATERAL = "lateral.safetensors"
TOKENIZER = "tokenizer.json"
DRAFT_DOMAINS = ("draft.phantom",)
UPRIGHT, PHANTOM_LIKE = "upright", "phantom-like"
MASK_DOMAINS = ("masks.phantom", "masks.real")
LATERAL_DOMAIN = "masks.lateral"


@dataclass(frozen=True)
class Bundle:
    """Everything a drafter runs on. domains: by name, see `DRAFT_DOMAINS` and `MASK_DOMAINS`. Planes on the
    features of the draft domains, None in a bundle fitted without: upright, of both gates; phantom_like, of
    the draft gate of a bundle that learned drafting from phantoms. confidence: None where none was fitted.
    lateral: the segmenter of lateral views, None in a bundle that leaves them alone; it has a domain of its
    own, `LATERAL_DOMAIN`."""

    segmenter: Segmenter
    model: MairaSeg
    processor: Processor
    domains: dict[str, Domain]
    about: dict[str, Any]
    upright: Plane | None = None
    phantom_like: Plane | None = None
    confidence: Confidence | None = None
    lateral: Segmenter | None = None


def save(bundle: Bundle, folder: Path) -> None:
    """Write every file but the card; an older bundle in the folder is overwritten file by file."""
    folder.mkdir(parents=True, exist_ok=True)
    save_weights(bundle.segmenter.network, folder / SEGMENTER)
    save_weights(bundle.model, folder / MAIRA_SEG)
    (folder / LATERAL).unlink(missing_ok=True)
    if bundle.lateral is not None:
        save_weights(bundle.lateral.network, folder / LATERAL)
        (folder / LATERAL).chmod(0o644)
    tensors = {key: t for name, domain in bundle.domains.items() for key, t in domain.tensors(name).items()}
    for name, plane in ((UPRIGHT, bundle.upright), (PHANTOM_LIKE, bundle.phantom_like)):
        tensors |= {} if plane is None else plane.tensors(name)
    save_file({key: tensor.contiguous() for key, tensor in sorted(tensors.items())}, folder / APPLICABILITY)
    bundle.processor.save(folder / TOKENIZER)
    for name in (SEGMENTER, MAIRA_SEG, APPLICABILITY):
        (folder / name).chmod(0o644)  # safetensors writes for its owner alone
    config: dict[str, Any] = {
        "format": FORMAT,
        "segmenter": bundle.segmenter.config.to_dict(),
        "maira_seg": bundle.model.config.to_dict(),
        "domains": sorted(bundle.domains),
        "about": bundle.about,
    }
    if bundle.lateral is not None:
        config["lateral"] = bundle.lateral.config.to_dict()
    _write_config(folder, config, bundle.confidence)


def set_confidence(folder: Path, fitted: Confidence) -> None:
    """Put other curves into a bundle, which thereby gets another digest; its weights stay as they are."""
    _write_config(folder, json.loads((folder / BUNDLE_CONFIG).read_text()), fitted)


def _write_config(folder: Path, config: dict[str, Any], fitted: Confidence | None) -> None:
    if fitted is not None:
        config["confidence"] = fitted.to_dict()
    (folder / BUNDLE_CONFIG).write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")


def load(folder: Path) -> Bundle:
    """The bundle in a folder, in evaluation mode.

    Raises
    ------
    InferenceError
        Permanent: `no-bundle`, `bad-bundle` (unreadable, incomplete, or weights that don't fit the
        configuration).
    """
    if not (folder / BUNDLE_CONFIG).is_file():
        raise InferenceError("no-bundle", f"{folder} holds no {BUNDLE_CONFIG}", permanent=True)
    try:
        return _load(folder)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise InferenceError("bad-bundle", f"{folder.name}: {error}", permanent=True) from error


def _load(folder: Path) -> Bundle:
    config = json.loads((folder / BUNDLE_CONFIG).read_text())
    if config["format"] != FORMAT:
        raise ValueError(f"bundle format {config['format']}, this program reads {FORMAT}")
    lateral = _segmenter(config["lateral"], folder / LATERAL) if "lateral" in config else None
    model_config = MairaSegConfig.from_dict(config["maira_seg"])
    model = MairaSeg(model_config)
    load_weights(model, folder / MAIRA_SEG)
    tensors = load_file(folder / APPLICABILITY)
    if not (folder / TOKENIZER).is_file():
        raise ValueError(f"no {TOKENIZER}")
    told = model_config.structures, model_config.findings, model_config.languages
    processor = Processor.load(folder / TOKENIZER, *told)
    return Bundle(
        segmenter=_segmenter(config["segmenter"], folder / SEGMENTER),
        model=model.eval(),
        processor=processor,
        domains={name: Domain.from_tensors(tensors, name) for name in config["domains"]},
        about=config["about"],
        upright=_plane(tensors, UPRIGHT),
        phantom_like=_plane(tensors, PHANTOM_LIKE),
        confidence=Confidence.from_dict(config["confidence"]) if "confidence" in config else None,
        lateral=lateral,
    )


def _segmenter(values: dict[str, Any], path: Path) -> Segmenter:
    config = SegmenterConfig.from_dict(values)
    network = build_segmenter(config)
    load_weights(network, path)
    return Segmenter(config, network)


def _plane(tensors: dict[str, Tensor], name: str) -> Plane | None:
    return Plane.from_tensors(tensors, name) if f"{name}.weight" in tensors else None


def save_weights(module: nn.Module, path: Path) -> None:
    """State as safetensors. A tied output layer is the embedding again and is not written twice."""
    tied = _tied_names(module)
    state = {name: tensor.contiguous() for name, tensor in module.state_dict().items() if name not in tied}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(dict(sorted(state.items())), path)


def load_weights(module: nn.Module, path: Path) -> None:
    """Strict: every weight present, none left over, shapes equal."""
    state: dict[str, Tensor] = load_file(path)
    missing, unexpected = module.load_state_dict(state, strict=False)
    lost = sorted(set(missing) - _tied_names(module))
    if lost or unexpected:
        raise ValueError(f"{path.name}: missing {lost[:3]}, unexpected {sorted(unexpected)[:3]}")
    if not all(torch.isfinite(tensor).all() for tensor in state.values() if tensor.is_floating_point()):
        raise ValueError(f"{path.name}: weights are not finite")


def _tied_names(module: nn.Module) -> set[str]:
    names = set()
    for name, part in module.named_modules():
        if isinstance(part, LlamaForCausalLM) and part.config.tie_word_embeddings:
            names.add(f"{name}.lm_head.weight" if name else "lm_head.weight")
    return names
