"""Where fine-tuning starts, and what it leaves: a bundle, or the folder `train_maira_seg` trained in."""

import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch import nn

from inference.contract import BUNDLE_CONFIG, InferenceError
from inference.maira_seg import checkpoint
from inference.maira_seg.checkpoint import MAIRA_SEG, SEGMENTER, TOKENIZER, Bundle
from inference.maira_seg.config import PRESETS
from inference.maira_seg.model import MairaSeg
from inference.maira_seg.processor import Processor
from inference.maira_seg.vision import VisionEncoder
from inference.segmentation.segmenter import Segmenter
from inference.training import lora
from inference.training.train_maira_seg import load_segmenter


@dataclass(frozen=True)
class Start:
    """A trained model and what goes with it. bundle: None when the folder is none. segmenter: None where the
    folder has none."""

    folder: Path
    model: MairaSeg
    processor: Processor
    segmenter: Segmenter | None
    bundle: Bundle | None


def load(folder: Path, preset: str) -> Start:
    """The start in a folder; `preset` names the sizes of a model whose folder does not.

    Raises
    ------
    InferenceError
        Permanent: `bad-bundle`, when the folder holds no model or one that can't be read.
    """
    if (folder / BUNDLE_CONFIG).is_file():
        bundle = checkpoint.load(folder)
        return Start(folder, bundle.model, bundle.processor, bundle.segmenter, bundle)
    for name in (MAIRA_SEG, TOKENIZER):
        if not (folder / name).is_file():
            said = f"{folder} holds no {BUNDLE_CONFIG}, so it is no bundle, and no {name}"
            raise InferenceError("bad-bundle", said, permanent=True)
    config = PRESETS[preset]
    try:
        model = MairaSeg(config)
        checkpoint.load_weights(model, folder / MAIRA_SEG)
        processor = Processor.load(folder / TOKENIZER, config.structures, config.findings, config.languages)
        segmenter = load_segmenter(folder) if (folder / SEGMENTER).is_file() else None
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise InferenceError("bad-bundle", f"{folder} ({preset}): {error}", permanent=True) from error
    return Start(folder, model.eval(), processor, segmenter, None)


def adapt(model: MairaSeg, processor: Processor, rank: int, *, half: bool) -> VisionEncoder:
    """Make a loaded model ready to train and take its frozen encoder out, which is returned.

    rank: of LoRA, 0 to train every weight. half: with LoRA, hold the weights that do not train in bfloat16.
    """
    encoder = model.vision
    nothing: Any = nn.Identity()
    model.vision = nothing
    model.language_model.set_attn_implementation("sdpa")
    if rank:
        if half:
            model.language_model.bfloat16()
        lora.attach(model, rank, processor.controls)
    return encoder


def finish(model: MairaSeg, encoder: VisionEncoder, rank: int) -> MairaSeg:
    """The opposite: LoRA merged, the encoder back in its place, on the processor, in evaluation mode."""
    if rank:
        lora.merge(model)
    model.vision = encoder
    return model.cpu().eval()


def digest(folder: Path) -> str:
    """SHA-256 (hex) of the model's weights a run started from."""
    with (folder / MAIRA_SEG).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save(start: Start, model: MairaSeg, folder: Path, about: dict[str, Any]) -> None:
    """Write the folder a run leaves: all that it started from, with other weights. An older one is replaced.

    A bundle gets no card: that of the bundle it came from speaks of other weights.
    """
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    if start.bundle is not None:
        said = {**start.bundle.about, "finetuned": about}
        checkpoint.save(replace(start.bundle, model=model, about=said, confidence=None), part)
    else:
        part.mkdir(parents=True)
        for path in start.folder.iterdir():
            if path.is_file() and path.name != MAIRA_SEG:
                shutil.copy2(path, part)
        checkpoint.save_weights(model, part / MAIRA_SEG)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
