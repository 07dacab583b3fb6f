"""What the runs of a plan need, made once: phantoms, their reports as ids, features of both encoders."""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import torch

from inference.maira_seg import checkpoint
from inference.maira_seg.config import PRESETS, MairaSegConfig
from inference.maira_seg.model import MairaSeg
from inference.maira_seg.processor import Processor
from inference.training import records, train_maira_seg
from inference.training.datasets import Reports
from inference.training.experiment import cached, runs
from inference.training.experiment.arms import SETTINGS
from inference.training.experiment.plans import TRAIN_SEED, Plan

REPORTS = "reports.json"
_DEMO = PRESETS["demo"]
CONFIG = replace(_DEMO, languages=("en",), language=replace(_DEMO.language, vocabulary=1280))
"""Of every model that is compared: the sizes of the shipped bundle, English alone."""


def prepare(plan: Plan, options: argparse.Namespace, *, mask_encoder: bool) -> runs.Material:
    """Everything for the runs with one of the two encoders; what is there already is not made again."""
    bundle = checkpoint.load(options.bundle)
    config = bundle.model.config if plan.warm else CONFIG
    model = MairaSeg(config).eval()
    if mask_encoder:
        model.vision.load_state_dict(bundle.model.vision.state_dict())
    else:
        train_maira_seg.load_encoder(model, config, options.encoder)
    train, test = populations(plan, options)
    processor, reports = written(plan, train, config, options, bundle.processor if plan.warm else None)
    networks = model.vision, bundle.segmenter.network
    wanted = cached.Wanted.by(
        (setting for name in plan.settings if (setting := SETTINGS[name]).mask_encoder == mask_encoder),
        ("true",) if plan.masks == "true" else ("true", "predicted"),
    )
    key = cached.digest(networks, bundle.segmenter.config.to_dict(), records.generator_digest(), vars(wanted))
    for network in networks:
        network.to(options.device)
    features = [
        cached.build(
            options.cache / f"features-{len(some)}-{some.seed}-{key}",
            some,
            model,
            bundle.segmenter,
            wanted,
            options.device,
        )
        for some in (train, test)
    ]
    plain = torch.tensor([not truth.findings for truth in train.truths])
    language = bundle.model.language_model.state_dict() if plan.warm else None
    device = options.device
    told = Reports.of(processor, reports).to(device)
    train_on, test_on = (some.to(device) for some in features)
    return runs.Material(config, processor, train_on, test_on, told, plain, language, device)


def populations(plan: Plan, options: argparse.Namespace) -> tuple[records.Phantoms, records.Phantoms]:
    """Studies to train on and to test with."""
    wanted = ((TRAIN_SEED, plan.train_studies), (plan.test_seed, plan.test_studies))
    train, test = (
        records.phantoms(options.cache, seed, count, processes=options.processes) for seed, count in wanted
    )
    return train, test


def written(
    plan: Plan,
    train: records.Phantoms,
    config: MairaSegConfig,
    options: argparse.Namespace,
    given: Processor | None = None,
) -> tuple[Processor, list[list[list[int]]]]:
    """One tokenizer for all runs of a plan, the given one or a new one, and per training study its reports as
    ids. Both are kept in the plan's folder: an experiment speaks one language from its first run to its
    last."""
    folder = options.out / plan.name
    path, words = folder / REPORTS, folder / checkpoint.TOKENIZER
    if path.is_file():
        kept = Processor.load(words, config.structures, config.findings, config.languages)
        return kept, json.loads(path.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    reports = records.wordings(train, plan.wordings, processes=options.processes)
    processor = given or Processor.train(
        (sentence.text for study in reports for report in study for sentence in report),
        vocabulary=config.language.vocabulary,
        structures=config.structures,
        findings=config.findings,
    )
    processor.save(words)
    ids = [[processor.encode(report) for report in study] for study in reports]
    part = _part(path)
    part.write_text(json.dumps(ids))
    part.rename(path)
    return processor, ids


def _part(path: Path) -> Path:
    return path.with_suffix(".part")
