"""Train projector, mask extractor and language model on a frozen encoder:

    python -m inference.training.train_maira_seg --out FOLDER

`--out` holds the encoder and segmenter already trained there. Image features and predicted masks are computed
once for phantoms that neither has seen; a step then costs the language model only.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from inference.maira_seg.checkpoint import MAIRA_SEG, SEGMENTER, TOKENIZER, load_weights, save_weights
from inference.maira_seg.config import PRESETS, MairaSegConfig
from inference.maira_seg.model import MairaSeg, layout_for
from inference.maira_seg.processor import CodedSentence, Processor
from inference.maira_seg.prompt import PromptInputs
from inference.segmentation.model import SegmenterConfig, build
from inference.segmentation.segmenter import Segmenter
from inference.training import calibrate, features, losses, progress, records, train_encoder
from inference.training.datasets import Reports, pad_id
from inference.training.features import Features

SEED_PHANTOMS = 12
TRUE_SHARE = 0.25
"""Share of steps' studies shown with their true masks instead of the segmenter's."""
CODE_WEIGHT = 4.0
PLAIN_CHANCE = 0.5
"""How often a normal study is drawn, against one with findings."""
WORDINGS = 4
"""Reports written of each study."""


@dataclass(frozen=True)
class Material:
    """What the language model is trained on."""

    features: Features
    reports: Reports
    """Of each study several, in other words, and in the languages of the model in turn."""
    plain: Tensor
    """(N,) bool: studies with nothing to find."""
    processor: Processor


def main(arguments: list[str] | None = None) -> None:
    parser = the_arguments(__doc__ or "")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="demo")
    options = parser.parse_args(arguments)
    segmenter = load_segmenter(options.out)
    teach(fresh(PRESETS[options.preset], options.out), segmenter, options)


def the_arguments(description: str) -> argparse.ArgumentParser:
    """The options of a command that ends in `teach`."""
    parser = progress.arguments(description, steps=2000, batch=16, rate=1e-3)
    parser.add_argument("--bfloat16", action="store_true", help="matrix products in half precision")
    return parser


def teach(
    model: MairaSeg,
    segmenter: Segmenter,
    options: argparse.Namespace,
    begin: Callable[[MairaSeg, Processor], None] | None = None,
) -> None:
    """Train a model that sees already, and leave its weights, its tokenizer and the descriptors of its
    phantoms in `--out`. `begin` may change the weights once the words are known."""
    generator = progress.prepare(options)
    config = model.config
    model.to(options.device)
    phantoms = records.phantoms(
        options.cache,
        SEED_PHANTOMS,
        options.studies,
        size=config.vision.image_size,
        processes=options.processes,
    )
    count = WORDINGS * len(config.languages)
    written = records.wordings(phantoms, count, processes=options.processes, languages=config.languages)
    processor = tokenizer(written, config, options)
    if begin is not None:
        begin(model, processor)
    if options.resume:
        seen = model.vision.state_dict()
        load_weights(model, options.out / MAIRA_SEG)
        model.vision.load_state_dict(seen)
    started = time.monotonic()
    segmenter.network.to(options.device)
    computed = features.compute(model, segmenter, phantoms.to(options.device))
    torch.save(calibrate.descriptors(computed), options.out / "descriptors.pt")
    progress.Progress("features").report(force=True, took=time.monotonic() - started, studies=len(phantoms))
    fit(model, material(computed, phantoms, written, processor), options, generator)
    save_weights(model, options.out / MAIRA_SEG)


def material(
    computed: Features,
    phantoms: records.Phantoms,
    written: list[list[tuple[CodedSentence, ...]]],
    processor: Processor,
) -> Material:
    """Features with the reports that go with them."""
    plain = torch.tensor([not truth.findings for truth in phantoms.truths])
    ids = [[processor.encode(report) for report in reports] for reports in written]
    return Material(computed, Reports.of(processor, ids), plain, processor)


def load_segmenter(folder: Path) -> Segmenter:
    """The segmenter trained in this folder, with its calibrated configuration."""
    config = SegmenterConfig.from_dict(calibrate.read_json(folder / "segmenter.json"))
    network = build(config)
    load_weights(network, folder / SEGMENTER)
    return Segmenter(config, network)


def fresh(config: MairaSegConfig, folder: Path) -> MairaSeg:
    """A model whose encoder is the trained one and whose other parts are new."""
    model = MairaSeg(config)
    load_encoder(model, config, folder)
    return model


def load_encoder(model: MairaSeg, config: MairaSegConfig, folder: Path) -> None:
    """Put the encoder trained in this folder into the model, frozen."""
    model.vision.load_state_dict(train_encoder.read(config, folder).state_dict())
    model.vision.freeze()


def tokenizer(
    written: list[list[tuple[CodedSentence, ...]]], config: MairaSegConfig, options: argparse.Namespace
) -> Processor:
    """The tokenizer of this folder; trained on the reports when there is none to resume with."""
    path = options.out / TOKENIZER
    if options.resume:
        return Processor.load(path, config.structures, config.findings, config.languages)
    texts = (sentence.text for study in written for report in study for sentence in report)
    processor = Processor.train(
        texts,
        vocabulary=config.language.vocabulary,
        structures=config.structures,
        findings=config.findings,
        languages=config.languages,
    )
    processor.save(path)
    return processor


def fit(model: MairaSeg, material: Material, options: argparse.Namespace, generator: torch.Generator) -> None:
    """Train on prompts with predicted and true masks; the model is left in evaluation mode."""
    stream = batches(model.config, material, options.batch, generator)
    learn(model, material.processor, stream, options, bfloat16=options.bfloat16)


def learn(
    model: MairaSeg,
    processor: Processor,
    stream: Iterator[tuple[PromptInputs, Tensor]],
    options: argparse.Namespace,
    *,
    bfloat16: bool = False,
) -> None:
    """The training loop over prompts and the reports that go with them, with matrix products in bfloat16 if
    wished; the model is left in evaluation mode."""
    layout = layout_for(model.config, processor)
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trainable, lr=options.rate, weight_decay=0.05)
    schedule = progress.Schedule(optimiser, options)
    log = progress.Progress("maira_seg")
    pad = pad_id(processor)
    model.train()
    while not schedule.over:
        schedule.advance()
        inputs, report = next(stream)
        with torch.autocast(report.device.type, torch.bfloat16, enabled=bfloat16):
            logits = model(layout, inputs, report).float()
        loss = losses.report_loss(logits, report, pad, processor.words, CODE_WEIGHT)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainable, 1.0)
        optimiser.step()
        log.report(step=schedule.step, share=schedule.share, loss=float(loss.detach()))
    model.eval()
    log.report(force=True, step=schedule.step, share=1.0, loss=float(loss.detach()))


def batches(
    config: MairaSegConfig, material: Material, batch: int, generator: torch.Generator
) -> Iterator[tuple[PromptInputs, Tensor]]:
    """Endless: prompts with predicted or true masks, some withheld, and the reports that go with them."""
    device = generator.device
    chances = torch.where(material.plain, PLAIN_CHANCE, 1.0).to(device)
    reports = material.reports.to(device)
    wordings = reports.ids.shape[1]
    while True:
        rows = torch.multinomial(chances, batch, generator=generator)
        true = torch.rand(len(rows), generator=generator, device=device) < TRUE_SHARE
        numbers = torch.randint(wordings, (batch,), generator=generator, device=device)
        inputs = mixed(material.features, rows, true)
        states = features.withhold(inputs.states, generator)
        report = reports.shown(rows, numbers, states[:, 0], config.max_report_tokens)
        yield replace(inputs, states=states, languages=numbers % len(config.languages)), report


def mixed(computed: Features, rows: Tensor, true: Tensor) -> PromptInputs:
    """Prompts of these studies, each with its true masks where `true` says so."""
    predicted, real = computed.predicted.select(rows), computed.true.select(rows)
    choose = true[:, None, None]
    return features.full(
        PromptInputs(
            predicted.patches,
            torch.where(choose[..., None, None], real.pooled, predicted.pooled),
            torch.where(choose[..., None], real.shrunk, predicted.shrunk),
            torch.where(choose, real.states, predicted.states),
        )
    )


if __name__ == "__main__":
    main()
