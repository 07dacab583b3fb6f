"""Frozen features of a population, computed once into memory-mapped arrays and read by every arm.

A folder per population, encoder and segmenter. It says in `progress.json` how many studies are done, and goes
on from there.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from inference.contract import SlotState
from inference.maira_seg import projector
from inference.maira_seg.model import MairaSeg
from inference.maira_seg.prompt import ABSENT, CURRENT, PRESENT, STATES, PromptInputs
from inference.segmentation import trust
from inference.segmentation.segmenter import Segmenter
from inference.structures import BY_CODE, STRUCTURES, Group
from inference.training import progress
from inference.training.experiment import marks
from inference.training.experiment.arms import EVERYTHING, LANDMARKS, Arm, Setting, Views
from inference.training.features import slot_states
from inference.training.records import Phantoms

BATCH = 16
WITHHELD = STATES.index(SlotState.WITHHELD)
GROUPS: dict[str, tuple[Group, ...]] = {"landmarks": LANDMARKS, "everything": EVERYTHING}
"""Whose marks are drawn."""


@dataclass(frozen=True)
class Shape:
    """N studies, P patches, T image tokens, C features, M structures, L levels, S cells of a shrunken
    mask."""

    studies: int
    patches: int
    tokens: int
    width: int
    structures: int
    levels: int
    cells: int

    def arrays(
        self, masks: Sequence[str], marked: Iterable[str]
    ) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
        """Every array by its name. `other` is pooled under the masks of the study before."""
        half, byte = np.dtype(np.float16), np.dtype(np.uint8)
        every = ((self.studies, self.patches, self.width), half)
        drawn = ((self.studies, self.tokens, self.width), half)
        pooled = ((self.studies, self.structures, self.levels, self.width), half)
        found: dict[str, tuple[tuple[int, ...], np.dtype]] = {"plain": every}
        for kind in masks:
            found[f"{kind}-pooled"] = found[f"{kind}-other"] = pooled
            found[f"{kind}-shrunk"] = ((self.studies, self.structures, self.cells), byte)
            found[f"{kind}-states"] = ((self.studies, self.structures), byte)
        found |= {f"{masks[0]}-marked-{groups}": drawn for groups in marked}
        return found


class Cached:
    """The arrays of one population, mapped from files or on a device. grid: image tokens along one side,
    unless a setting says otherwise."""

    def __init__(self, arrays: Mapping[str, Tensor], grid: int) -> None:
        self.arrays, self.grid = arrays, grid

    def to(self, device: torch.device | str) -> "Cached":
        return Cached({name: array.to(device) for name, array in self.arrays.items()}, self.grid)

    def __len__(self) -> int:
        return len(self.arrays["plain"])

    def take(self, name: str, rows: Tensor) -> Tensor:
        array = self.arrays[name]
        return array[rows.to(array.device)]

    def inputs(self, setting: Setting, kind: str, rows: Tensor) -> PromptInputs:
        """The prompts of these studies in one arm, with masks of a kind (`true`, `predicted`)."""
        masks_of = self.before(rows) if setting.arm is Arm.SHUFFLED else rows
        states = self.take(f"{kind}-states", masks_of).long()
        told = torch.tensor([s.group in setting.groups for s in STRUCTURES])
        if setting.arm is Arm.BASELINE:
            told = torch.zeros_like(told)
        pooled = f"{kind}-other" if setting.arm is Arm.SHUFFLED else f"{kind}-pooled"
        return PromptInputs(
            self.images(setting, kind, rows)[:, None],
            self.take(pooled, rows).float()[:, None],
            self.take(f"{kind}-shrunk", masks_of).float().div_(255)[:, None],
            torch.where(told.to(states.device), states, WITHHELD)[:, None],
            setting.tokens,
        )

    def images(self, setting: Setting, kind: str, rows: Tensor) -> Tensor:
        """Image tokens (B, T, C): pooled patches, or those of the image with marks."""
        if setting.arm is Arm.SOM:
            return self.take(f"{kind}-marked-{_drawn(setting)}", rows).float()
        patches = self.take("plain", rows).float()
        return projector.pool(patches, math.isqrt(patches.shape[1]), setting.grid or self.grid)

    def before(self, rows: Tensor) -> Tensor:
        """The study whose masks each study gets when they are shuffled: no study gets its own."""
        return (rows - 1) % len(self)


class CachedStudies:
    """The arrays of whole studies. images: in the order of `Role`; rows: as in `studies.Studies`; reports (N,
    C): the prior's, as ids."""

    def __init__(self, images: Sequence[Cached], rows: Tensor, reports: Tensor) -> None:
        self.images, self.rows, self.reports = tuple(images), rows, reports

    def to(self, device: torch.device | str) -> "CachedStudies":
        return CachedStudies([one.to(device) for one in self.images], self.rows, self.reports.to(device))

    def __len__(self) -> int:
        return len(self.rows)

    def inputs(self, setting: Setting, kind: str, rows: Tensor) -> PromptInputs:
        """As of `Cached`; with `multi` views of all images, those that a study lacks left empty."""
        if setting.views is Views.FRONTAL:
            return self.images[0].inputs(setting, kind, rows)
        parts = []
        for cached, where in zip(self.images, self.rows[rows].unbind(dim=1), strict=True):
            part = cached.inputs(setting, kind, where.clamp_min(0))
            there = (where >= 0).to(part.states.device)
            parts.append(
                replace(
                    part,
                    patches=part.patches * there[:, None, None, None],
                    states=torch.where(there[:, None, None], part.states, WITHHELD),
                )
            )
        return PromptInputs(
            torch.cat([part.patches for part in parts], dim=1),
            torch.cat([part.pooled for part in parts], dim=1),
            torch.cat([part.shrunk for part in parts], dim=1),
            torch.cat([part.states for part in parts], dim=1),
            setting.tokens,
            context=self.reports[rows.to(self.reports.device)],
        )


def shown(states: Tensor) -> Tensor:
    """(B, I, M) -> (B, M): `PRESENT` where an image of the study itself, not of its prior, shows it."""
    there = (states[:, : len(CURRENT)] == PRESENT).any(dim=1)
    return torch.where(there, PRESENT, ABSENT)


def _drawn(setting: Setting) -> str:
    """Whose marks a setting wants."""
    return next(name for name, groups in GROUPS.items() if groups == setting.groups)


@dataclass(frozen=True)
class Wanted:
    """What of a population is computed. masks: kinds, `true` and `predicted`. marked: whose marks are drawn,
    names in `GROUPS`; only those of the first kind are."""

    masks: tuple[str, ...]
    marked: tuple[str, ...] = tuple(GROUPS)

    @classmethod
    def by(cls, settings: Iterable[Setting], masks: tuple[str, ...]) -> "Wanted":
        drawn = {_drawn(setting) for setting in settings if setting.arm is Arm.SOM}
        return cls(masks, tuple(sorted(drawn)))


def build(
    folder: Path,
    phantoms: Phantoms,
    model: MairaSeg,
    segmenter: Segmenter,
    wanted: Wanted,
    device: str = "cpu",
) -> Cached:
    """The features of a population, from the folder or computed into it; interrupted, it goes on. Model and
    segmenter are on the device."""
    config = model.config
    shape = Shape(
        len(phantoms),
        config.vision.grid**2,
        config.pooled_grid**2,
        config.vision.width,
        len(config.structures),
        len(config.vision.levels),
        config.spatial_size**2,
    )
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "progress.json"
    done = json.loads(note.read_text())["studies"] if note.is_file() else 0
    arrays = {
        name: _mapped(folder / f"{name}.npy", *what, fresh=not done)
        for name, what in shape.arrays(wanted.masks, wanted.marked).items()
    }
    log = progress.Progress("features")
    if done < len(phantoms):
        phantoms = phantoms.to(device)
    for first in range(done, len(phantoms), BATCH):
        rows = torch.arange(first, min(first + BATCH, len(phantoms)))
        for name, values in _features(model, segmenter, phantoms, rows, wanted).items():
            arrays[name][rows.numpy()] = values.cpu().numpy()
        note.write_text(json.dumps({"studies": int(rows[-1]) + 1}))
        log.report(studies=int(rows[-1]) + 1)
    return Cached({name: torch.from_numpy(array) for name, array in arrays.items()}, config.pooled_grid)


def _mapped(path: Path, shape: tuple[int, ...], dtype: np.dtype, *, fresh: bool) -> np.memmap:
    return np.lib.format.open_memmap(path, "w+" if fresh else "r+", dtype, shape if fresh else None)


@torch.inference_mode()
def _features(
    model: MairaSeg, segmenter: Segmenter, phantoms: Phantoms, rows: Tensor, wanted: Wanted
) -> dict[str, Tensor]:
    images = phantoms.images(rows)
    features = model.vision(images)
    with_one_before = torch.cat([(rows[:1] - 1) % len(phantoms), rows])
    found: dict[str, Tensor] = {}
    for kind in wanted.masks:
        both, told_of_both = _masks(segmenter, phantoms, with_one_before, kind)
        drawn, others, states = both[1:], both[:-1], told_of_both[1:]
        looked = model.look(features, drawn.float(), states)
        found["plain"] = features[:, -1, 1:].half()
        found[f"{kind}-pooled"] = looked.pooled[:, 0].half()
        found[f"{kind}-other"] = model.look(features, others.float(), states).pooled[:, 0].half()
        found[f"{kind}-shrunk"] = (looked.shrunk[:, 0] * 255).round().to(torch.uint8)
        found[f"{kind}-states"] = states.to(torch.uint8)
        for name in wanted.marked if kind == wanted.masks[0] else ():
            told = torch.tensor([s.group in GROUPS[name] for s in STRUCTURES], device=images.device)
            marked = model.vision(marks.draw(images, drawn, (states == PRESENT) & told))
            found[f"{kind}-marked-{name}"] = model.look(marked, drawn.float(), states).patches[:, 0].half()
    return found


def _masks(segmenter: Segmenter, phantoms: Phantoms, rows: Tensor, kind: str) -> tuple[Tensor, Tensor]:
    """Masks (B, M, S, S) bool and the states (B, M) of their slots, those of structures that are not outlined
    in this view withheld."""
    masks, told = _outlined(segmenter, phantoms, rows, kind)
    places = torch.tensor([STRUCTURES.index(BY_CODE[code]) for code in phantoms.structures])
    every = masks.new_zeros(len(masks), len(STRUCTURES), *masks.shape[2:])
    states = torch.full((len(masks), len(STRUCTURES)), WITHHELD, device=told.device)
    every[:, places], states[:, places] = masks, told
    return every, states


def _outlined(segmenter: Segmenter, phantoms: Phantoms, rows: Tensor, kind: str) -> tuple[Tensor, Tensor]:
    if kind == "true":
        true = phantoms.masks(rows).bool()
        return true, torch.where(true.flatten(2).any(dim=-1), PRESENT, ABSENT)
    images = phantoms.images(rows)
    at_once = images.split(1 if images.device.type == "cpu" else BATCH)  # one by one fits the caches
    probabilities = torch.cat([segmenter.probabilities(some)[0] for some in at_once])
    masks = segmenter.cut(probabilities, tidy=False)
    believed = torch.stack([trust.soft_dice(p, m) for p, m in zip(probabilities, masks, strict=True)])
    return masks, slot_states(masks, believed, segmenter.config.trust_threshold)


def digest(networks: Sequence[nn.Module], *others: object) -> str:
    """Ten digits that name the weights of networks and whatever else features depend on."""
    hashed = hashlib.sha256(json.dumps(others, sort_keys=True).encode())
    for network in networks:
        for name, tensor in sorted(network.state_dict().items()):
            hashed.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return hashed.hexdigest()[:10]
