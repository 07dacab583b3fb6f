"""Teach a bundle to write anew:

    python -m inference.training.rewrite train --bundle inference/weights/demo --out var/rewritten
    python -m inference.training.rewrite finish --bundle inference/weights/demo --out var/rewritten

Projector, extractor, slots, language model and tokenizer are trained from nothing, with the sizes and the
languages of `PRESETS`, on what the bundle's encoder and segmenter see. Those two and the domains fitted on
them stay as they are. `finish` measures the drafts of the new weights and puts them into the bundle; its card
is written by hand.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from inference.maira_seg import checkpoint
from inference.maira_seg.checkpoint import MAIRA_SEG, TOKENIZER, Bundle
from inference.maira_seg.config import PRESETS, MairaSegConfig
from inference.maira_seg.model import MairaSeg
from inference.maira_seg.processor import Processor
from inference.training import train_all, train_maira_seg


def main(arguments: list[str] | None = None) -> None:
    parser = train_maira_seg.the_arguments(__doc__ or "")
    parser.formatter_class = argparse.RawTextHelpFormatter
    parser.add_argument("verb", choices=("train", "finish"))
    parser.add_argument("--bundle", type=Path, required=True)
    options = parser.parse_args(arguments)
    bundle = checkpoint.load(options.bundle)
    config = sized(bundle, PRESETS["demo"])
    if options.verb == "train":
        model = MairaSeg(config)
        model.vision.load_state_dict(bundle.model.vision.state_dict())
        options.out.mkdir(parents=True, exist_ok=True)
        train_maira_seg.teach(model, bundle.segmenter, options)
    else:
        torch.set_num_threads(options.threads)
        checkpoint.save(train_all.measured(taught(bundle, config, options.out)), options.bundle)


def sized(bundle: Bundle, preset: MairaSegConfig) -> MairaSegConfig:
    """The preset, around the bundle's encoder and of the structures that its segmenter draws."""
    return replace(preset, vision=bundle.model.config.vision, structures=bundle.model.config.structures)


def taught(bundle: Bundle, config: MairaSegConfig, folder: Path) -> Bundle:
    """The bundle with the weights and the tokenizer that were trained in this folder."""
    model = MairaSeg(config)
    checkpoint.load_weights(model, folder / MAIRA_SEG)
    told = config.structures, config.findings, config.languages
    return replace(
        bundle,
        model=model.eval(),
        processor=Processor.load(folder / TOKENIZER, *told),
        about={**bundle.about, "languages": list(config.languages)},
        confidence=None,
    )


if __name__ == "__main__":
    main()
