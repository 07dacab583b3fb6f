"""Teach a bundle to write anew:

    python -m inference.training.rewrite train --bundle inference/weights/demo --out var/rewritten
    python -m inference.training.rewrite finish --bundle inference/weights/demo --out var/rewritten

The words are new: a tokenizer of the languages and the size of `PRESETS`. Projector, extractor, slots and
language model go on from the bundle's own weights; a new piece of text begins as the mean of the old pieces
it is made of. `--anew` starts them from nothing. Encoder, segmenter and the domains fitted on them stay as
they are. `finish` measures the drafts of the new weights and puts them into the bundle; its card is written
by hand.
"""

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from inference.maira_seg import checkpoint
from inference.maira_seg.checkpoint import MAIRA_SEG, TOKENIZER, Bundle
from inference.maira_seg.config import PRESETS, MairaSegConfig
from inference.maira_seg.model import MairaSeg
from inference.maira_seg.processor import REPORT, Processor
from inference.training import train_all, train_maira_seg

WORDS = ("language_model.model.embed_tokens.weight", "language_model.lm_head.weight")
"""The parts with a row per id."""


def main(arguments: list[str] | None = None) -> None:
    parser = train_maira_seg.the_arguments(__doc__ or "")
    parser.formatter_class = argparse.RawTextHelpFormatter
    parser.add_argument("verb", choices=("train", "finish"))
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--anew", action="store_true", help="forget the bundle's language model")
    options = parser.parse_args(arguments)
    bundle = checkpoint.load(options.bundle)
    config = sized(bundle, PRESETS["demo"])
    if options.verb == "train":
        model = MairaSeg(config)
        model.vision.load_state_dict(bundle.model.vision.state_dict())
        options.out.mkdir(parents=True, exist_ok=True)
        begin = None if options.anew or options.resume else partial(go_on, bundle)
        train_maira_seg.teach(model, bundle.segmenter, options, begin)
    else:
        torch.set_num_threads(options.threads)
        checkpoint.save(train_all.measured(taught(bundle, config, options.out)), options.bundle)


def sized(bundle: Bundle, preset: MairaSegConfig) -> MairaSegConfig:
    """The preset, around the bundle's encoder and of the structures that its segmenter draws."""
    return replace(preset, vision=bundle.model.config.vision, structures=bundle.model.config.structures)


def go_on(bundle: Bundle, model: MairaSeg, processor: Processor) -> None:
    """Give a model of other words, but of the same sizes, what the bundle's model knows.

    Raises
    ------
    ValueError
        A part of the model has another shape in the bundle.
    """
    known, fresh = bundle.model.state_dict(), model.state_dict()
    for name, tensor in fresh.items():
        if name in WORDS:
            tensor[: processor.tokenizer.get_vocab_size()] = respelled(
                known[name], bundle.processor.tokenizer, processor.tokenizer
            )
        elif name in known and known[name].shape == tensor.shape:
            tensor.copy_(known[name])
        else:
            raise ValueError(f"{name} does not fit the bundle's: train it --anew")


def respelled(rows: Tensor, old: Tokenizer, new: Tokenizer) -> Tensor:
    """Rows (old ids, H) for the ids of another tokenizer over the same bytes: a piece that both have keeps
    its row, another gets the mean of the old pieces that spell it. What asks for a language that the old one
    has no name for begins as what asks for its first."""
    found = rows.new_empty(new.get_vocab_size(), rows.shape[1])
    controls = new.get_added_tokens_decoder()
    for piece, place in new.get_vocab().items():
        same = old.token_to_id(REPORT if place in controls and old.token_to_id(piece) is None else piece)
        if same is not None:
            found[place] = rows[same]
        else:
            found[place] = rows[[token.id for token in old.model.tokenize(piece)]].mean(dim=0)
    return found


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
