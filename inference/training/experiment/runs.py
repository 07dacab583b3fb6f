"""One run: a setting and a seed, trained from nothing on cached features, then its drafts of the test set.

A run is a folder with the weights, the drafts and `run.json`, written last: a run without it starts again.
"""

import argparse
import itertools
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from inference.contract import Certainty, Section, Side
from inference.maira_seg import decode, model
from inference.maira_seg import processor as words
from inference.maira_seg.checkpoint import load_weights, save_weights
from inference.maira_seg.config import MairaSegConfig
from inference.maira_seg.model import MairaSeg
from inference.maira_seg.processor import CodedSentence, Processor
from inference.maira_seg.prompt import PRESENT, PromptInputs
from inference.training import features, train_maira_seg
from inference.training.datasets import Reports
from inference.training.experiment import damaged
from inference.training.experiment.arms import SETTINGS, Arm, Setting, Views
from inference.training.experiment.cached import Cached, CachedStudies, shown
from inference.training.experiment.plans import Plan

DRAFTED_AT_ONCE = 250
START_SEED = 1000
T = TypeVar("T")
POOL = 8
"""Batches drawn at once and sorted by length."""
CONTEXT = 96
"""Ids of a prior report that a prompt has room for; longer ones are cut."""
POSITIONS = 1152
"""Longest sequence of any setting: three images of 64 tokens, their slots, a prior report and a report."""
WEIGHTS, DRAFTS, RUN = "model.safetensors", "drafts", "run.json"


@dataclass(frozen=True)
class Material:
    """What all runs of a plan share. plain (N,) bool: studies with nothing to find; language: what the
    language model of a warm plan begins with; device: where models learn and write, and where all else
    lies."""

    config: MairaSegConfig
    processor: Processor
    train: Cached | CachedStudies
    test: Cached | CachedStudies
    reports: Reports
    plain: Tensor
    language: Mapping[str, Tensor] | None = None
    device: str = "cpu"

    def config_for(self, setting: Setting) -> MairaSegConfig:
        """The configuration of a setting's models, with room for its image tokens."""
        room = replace(self.config.language, positions=max(self.config.language.positions, POSITIONS))
        return replace(
            self.config,
            pooled_grid=setting.grid or self.config.pooled_grid,
            language=room,
            context_tokens=CONTEXT if setting.views is Views.MULTI else 0,
        )


def run(plan: Plan, setting: Setting, seed: int, material: Material, folder: Path, threads: int) -> None:
    """Train and draft, unless the folder says that this is done."""
    if (folder / RUN).is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(threads)
    started = time.monotonic()
    trained = begun(plan, setting, seed, material, folder.parent)
    stream = batches(plan, setting, seed, material)
    options = argparse.Namespace(rate=plan.rate, steps=plan.steps, minutes=0.0)
    train_maira_seg.learn(trained, material.processor, stream, options, bfloat16=plan.bfloat16)
    save_weights(trained, folder / WEIGHTS)
    learned = time.monotonic()
    written = draft(trained, setting, plan.masks, material)
    save(written, folder / drafts_file())
    about = {
        **plan.arguments(),
        "seed": seed,
        "seconds_training": round(learned - started, 1),
        "seconds_drafting": round(time.monotonic() - learned, 1),
        "tokens": sum(tokens for tokens, _ in written) / len(written),
    }
    (folder / RUN).write_text(json.dumps(about) + "\n")


def begun(plan: Plan, setting: Setting, seed: int, material: Material, folder: Path) -> MairaSeg:
    """Where the runs of a setting begin: their shared start, trained when a plan wants one. What of a
    seed differs then is the order of studies, words and withheld slots."""
    trained = fresh(setting, seed, material)
    if plan.start_steps:
        path = start(plan, setting, material, folder)
        load_weights(trained, path)
    return trained


def start(plan: Plan, like: Setting, material: Material, folder: Path) -> Path:
    """The weights that all settings with the encoder, views and image tokens of this one begin with, trained
    on the prompts of all of them in turn: what a report is and where in a prompt to look is learned once, and
    among them no arm has seen more of its own prompts than another. Shuffled masks are left out: their
    prompts look like those of `seg`, and would teach every arm but the baseline that one mask in so many
    lies. Several processes may ask; make it before them (`prepare`)."""
    kind = "masks" if like.mask_encoder else "labels"
    several = "-multi" if like.views is Views.MULTI else ""
    path = folder / f"start-{kind}{like.grid or ''}{several}.safetensors"
    if path.is_file():
        return path
    shared = like.mask_encoder, like.grid, like.views
    settings = [
        setting
        for setting in map(SETTINGS.__getitem__, plan.settings)
        if (setting.mask_encoder, setting.grid, setting.views) == shared and setting.arm is not Arm.SHUFFLED
    ]
    trained = fresh(settings[0], START_SEED, material)
    options = argparse.Namespace(rate=plan.rate, steps=plan.start_steps, minutes=0.0)
    stream = in_turn(
        [batches(plan, setting, START_SEED + place, material) for place, setting in enumerate(settings)]
    )
    train_maira_seg.learn(trained, material.processor, stream, options, bfloat16=plan.bfloat16)
    part = path.with_suffix(".part")
    save_weights(trained, part)
    part.rename(path)
    return path


def in_turn(streams: Sequence[Iterator[T]]) -> Iterator[T]:
    """One of each, again and again."""
    for stream in itertools.cycle(streams):
        yield next(stream)


def again(setting: Setting, kind: str, material: Material, folder: Path) -> None:
    """Drafts of the same weights with other masks, `true` beside `predicted`."""
    path = folder / drafts_file(kind)
    if not path.is_file():
        trained = fresh(setting, 0, material)
        load_weights(trained, folder / WEIGHTS)
        save(draft(trained.eval(), setting, kind, material), path)


def fresh(setting: Setting, seed: int, material: Material) -> MairaSeg:
    """The same beginning for every setting. The encoder is never asked: its features are cached."""
    torch.manual_seed(seed)
    model = MairaSeg(material.config_for(setting))
    if material.language is not None:
        model.language_model.load_state_dict(material.language)
    return model.to(material.device)


def batches(
    plan: Plan, setting: Setting, seed: int, material: Material
) -> Iterator[tuple[PromptInputs, Tensor]]:
    """Endless prompts and reports: the same studies in the same words for every setting of a seed. Reports
    of like length share a batch, which saves a fifth of the padding."""
    generator = torch.Generator().manual_seed(seed)
    chances = torch.where(material.plain, train_maira_seg.PLAIN_CHANCE, 1.0)
    lengths = material.reports.lengths.cpu()
    while True:
        drawn = torch.multinomial(chances, plan.batch * POOL, replacement=True, generator=generator)
        numbers = torch.randint(plan.wordings, (len(drawn),), generator=generator)
        alike = lengths[drawn, numbers].argsort(stable=True).split(plan.batch)
        for batch in torch.randperm(POOL, generator=generator).tolist():
            rows, words_of_it = drawn[alike[batch]], numbers[alike[batch]]
            inputs = material.train.inputs(setting, plan.masks, rows)
            states = features.withhold(inputs.states, generator)
            longest = material.config.max_report_tokens
            ids = material.reports.shown(rows, words_of_it, shown(states), longest)
            yield replace(inputs, states=states), ids


def spoiled(plan: Plan, setting: Setting, damage: str, material: Material, folder: Path) -> None:
    """Drafts of the same weights from spoiled prompts (`damaged`)."""
    path = folder / drafts_file(damage)
    if not path.is_file():
        trained = fresh(setting, 0, material)
        load_weights(trained, folder / WEIGHTS)
        generator = torch.Generator().manual_seed(0)

        def change(inputs: PromptInputs) -> PromptInputs:
            return damaged.DAMAGES[damage](inputs, generator)

        altered = damaged.shown(setting, damage)
        save(draft(trained.eval(), altered, plan.masks, material, change), path)


def drafts_file(kind: str = "") -> str:
    """The file of a run's drafts: as its plan says, or of another kind of masks, or of a damage."""
    plain = re.sub(r"[^a-z]+", "-", kind)
    return f"{DRAFTS}-{plain}.jsonl" if kind else f"{DRAFTS}.jsonl"


@torch.inference_mode()
def draft(
    trained: MairaSeg,
    setting: Setting,
    kind: str,
    material: Material,
    change: Callable[[PromptInputs], PromptInputs] | None = None,
) -> list[tuple[int, list[CodedSentence]]]:
    """Tokens and sentences of each test study, as the model writes them: nothing is left out afterwards."""
    layout = model.layout_for(trained.config, material.processor)
    vocabulary = material.config.language.vocabulary
    found = []
    for rows in torch.arange(len(material.test)).split(DRAFTED_AT_ONCE):
        inputs = material.test.inputs(setting, kind, rows)
        inputs = change(inputs) if change else inputs
        grammars = [
            decode.DraftGrammar(material.processor, vocabulary, citable(material.config, states))
            for states in shown(inputs.states)
        ]
        written = decode.greedy_batch(
            trained.language_model,
            trained.prompt(layout, inputs),
            stop=material.processor.id(words.EOS),
            limit=material.config.max_report_tokens,
            grammars=grammars,
        )
        found += [(len(ids), material.processor.decode(ids)) for ids in written]
    return found


def citable(config: MairaSegConfig, states: Tensor) -> list[str]:
    """The structures that the slots (M,) say are there."""
    return [code for code, state in zip(config.structures, states.tolist(), strict=True) if state == PRESENT]


def save(written: list[tuple[int, list[CodedSentence]]], path: Path) -> None:
    lines = (json.dumps({"tokens": t, "sentences": [vars(s) for s in sentences]}) for t, sentences in written)
    part = path.with_suffix(".part")
    part.write_text("\n".join(lines) + "\n")
    part.rename(path)


def load(path: Path) -> list[list[CodedSentence]]:
    """The drafts of a run, a study each."""
    return [
        [_sentence(values) for values in json.loads(line)["sentences"]]
        for line in path.read_text().splitlines()
    ]


def _sentence(values: dict[str, Any]) -> CodedSentence:
    return CodedSentence(
        section=Section(values["section"]),
        finding=values["finding"],
        side=Side(values["side"]),
        certainty=Certainty(values["certainty"]),
        text=values["text"],
        cites=tuple(values["cites"]),
    )
