"""What the runs of a plan need, made once: phantoms, their reports as ids, features of both encoders."""

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from inference.contract import Certainty, InferenceError
from inference.maira_seg import checkpoint
from inference.maira_seg.checkpoint import Bundle
from inference.maira_seg.config import PRESETS, MairaSegConfig
from inference.maira_seg.model import MairaSeg
from inference.maira_seg.processor import Processor
from inference.maira_seg.prompt import Role
from inference.segmentation.segmenter import Segmenter
from inference.training import records, studies, train_maira_seg
from inference.training.datasets import Reports
from inference.training.experiment import cached, runs
from inference.training.experiment.arms import SETTINGS
from inference.training.experiment.plans import TRAIN_SEED, Plan
from inference.training.studies import Studies

Population = records.Phantoms | Studies
REPORTS = "reports.json"
_DEMO = PRESETS["demo"]
CONFIG = replace(_DEMO, languages=("en",), language=replace(_DEMO.language, vocabulary=1280))
"""Of every model that is compared: the sizes of the shipped bundle, English alone."""


def prepare(plan: Plan, options: argparse.Namespace, *, mask_encoder: bool) -> runs.Material:
    """Everything for the runs with one of the two encoders; what is there already is not made again."""
    bundle = checkpoint.load(options.bundle)
    train, test = populations(plan, options)
    model = eyes(plan, bundle, options, mask_encoder=mask_encoder)
    given = bundle.processor if plan.warm else None
    processor, reports = written(plan, front(train), model.config, options, given)
    made = Features(plan, model, bundle, processor, mask_encoder)
    train_on, test_on = (made.of(some, options).to(options.device) for some in (train, test))
    plain = torch.tensor([not claimed(truth) for truth in train.truths])
    language = bundle.model.language_model.state_dict() if plan.warm else None
    told = Reports.of(processor, reports).to(options.device)
    return runs.Material(model.config, processor, train_on, test_on, told, plain, language, options.device)


def front(population: Population) -> records.Phantoms:
    """The frontal images of a population."""
    return population.images[Role.FRONTAL] if isinstance(population, Studies) else population


def claimed(truth: records.Truth) -> bool:
    """Is there anything to find?"""
    return any(finding.certainty != Certainty.ABSENT for finding in truth.findings)


def eyes(plan: Plan, bundle: Bundle, options: argparse.Namespace, *, mask_encoder: bool) -> MairaSeg:
    """A model with one of the two encoders; nothing else of it is trained."""
    model = MairaSeg(bundle.model.config if plan.warm else CONFIG).eval()
    if mask_encoder:
        model.vision.load_state_dict(bundle.model.vision.state_dict())
    else:
        train_maira_seg.load_encoder(model, model.config, options.encoder)
    return model


@dataclass(frozen=True)
class Features:
    """What the settings of one encoder show of a population."""

    plan: Plan
    model: MairaSeg
    bundle: Bundle
    processor: Processor
    mask_encoder: bool

    def of(self, population: Population, options: argparse.Namespace) -> cached.Cached | cached.CachedStudies:
        """From the cache or computed into it. True masks are kept of the test set alone, unless the plan
        trains with them."""
        if not isinstance(population, Studies):
            return self._of_images(population, Role.FRONTAL, options)
        images = [self._of_images(population.images[role], role, options) for role in Role]
        told = [self.processor.spell(text, runs.CONTEXT) for text in population.prior_reports()]
        return cached.CachedStudies(images, population.rows, torch.tensor(told))

    def _of_images(self, images: records.Phantoms, role: Role, options: argparse.Namespace) -> cached.Cached:
        settings = [SETTINGS[name] for name in self.plan.settings]
        kinds: tuple[str, ...] = (self.plan.masks,)
        if images.seed == self.plan.test_seed:
            kinds = tuple(dict.fromkeys((*kinds, "true")))
        wanted = cached.Wanted.by((s for s in settings if s.mask_encoder == self.mask_encoder), kinds)
        segmenter = self.segmenter(role)
        networks = self.model.vision, segmenter.network
        known = segmenter.config.to_dict(), records.generator_digest(), vars(wanted)
        key = cached.digest(networks, *known)
        for network in networks:
            network.to(options.device)
        kind = "features" if role is Role.FRONTAL else f"features-{role}"
        folder = options.cache / f"{kind}-{len(images)}-{images.seed}-{key}"
        return cached.build(folder, images, self.model, segmenter, wanted, options.device)

    def segmenter(self, role: Role) -> Segmenter:
        """Of the view that images of this role have.

        Raises
        ------
        InferenceError
            Permanent: `no-lateral-segmenter`, when the bundle has none.
        """
        if role is not Role.LATERAL:
            return self.bundle.segmenter
        if self.bundle.lateral is None:
            said = "the bundle outlines no lateral view; give it one with `inference.training.lateral`"
            raise InferenceError("no-lateral-segmenter", said, permanent=True)
        return self.bundle.lateral


def populations(plan: Plan, options: argparse.Namespace) -> tuple[Population, Population]:
    """Studies to train on and to test with."""
    make = studies.studies if plan.whole else records.phantoms
    wanted = ((TRAIN_SEED, plan.train_studies), (plan.test_seed, plan.test_studies))
    train, test = (make(options.cache, seed, count, processes=options.processes) for seed, count in wanted)
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
