"""Checkpoints of a run: written aside, renamed when whole, the last two kept.

FOLDER/step-00000200/   state.json (step, settings, every file with its size), what accelerate saves,
                        and the weights that train (with FSDP the shards of all)
FOLDER/losses.jsonl     one line a step, cut back to the checkpoint a run goes on from
"""

import json
import os
import pickle
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

KEPT = 2
STATE, TRAINED, LOSSES = "state.json", "trained.safetensors", "losses.jsonl"
Settings = dict[str, Any]


class CheckpointError(Exception):
    """A checkpoint can't be used; the message names the folder and says what to do."""


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of the run that `settings` describe. Every process of the run calls save and load."""

    folder: Path
    accelerator: Accelerator
    settings: Settings

    def register(self) -> None:
        """Keep only weights that train, by their own names, so that one process can go on from two.

        The others are those of the folder the run started from. With FSDP no process holds them all, and
        accelerate writes every process's shards.
        """
        if self.accelerator.distributed_type != DistributedType.FSDP:
            self.accelerator.register_save_state_pre_hook(self._save_weights)
            self.accelerator.register_load_state_pre_hook(self._load_weights)

    def whole(self) -> list[Path]:
        """The renamed ones, oldest first."""
        found = self.folder.glob("step-*")
        return sorted(path for path in found if re.fullmatch(r"step-\d{8}", path.name))

    def save(self, step: int) -> None:
        target = self.folder / f"step-{step:08}"
        part = target.with_suffix(".part")
        if self.accelerator.is_main_process:
            for left in (*self.folder.glob("step-*.part"), target):
                shutil.rmtree(left, ignore_errors=True)
            part.mkdir(parents=True)
        self.accelerator.wait_for_everyone()
        self.accelerator.save_state(str(part))
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            files = {str(p.relative_to(part)): p.stat().st_size for p in part.rglob("*") if p.is_file()}
            state = {"step": step, "settings": self.settings, "files": files}
            (part / STATE).write_text(json.dumps(state, indent=1, sort_keys=True) + "\n")
            _flush(part)
            part.rename(target)
            for old in self.whole()[:-KEPT]:
                shutil.rmtree(old)
        self.accelerator.wait_for_everyone()

    def load(self) -> int:
        """Go back to the last whole checkpoint and return its step; 0 when there is none.

        Raises
        ------
        CheckpointError
            When it is damaged or belongs to a run of other settings.
        """
        whole = self.whole()
        if not whole:
            return 0
        last = whole[-1]
        step = self._checked(last)
        try:
            self.accelerator.load_state(str(last))
        except (OSError, ValueError, KeyError, RuntimeError, EOFError) as error:
            raise _damaged(last, str(error)) from error
        except (pickle.UnpicklingError, SafetensorError) as error:
            raise _damaged(last, str(error)) from error
        return step

    def _checked(self, path: Path) -> int:
        try:
            state = json.loads((path / STATE).read_text())
            step, settings, files = int(state["step"]), dict(state["settings"]), dict(state["files"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(path, f"{STATE} is missing or not as written") from error
        for name, size in files.items():
            if not (path / name).is_file() or (path / name).stat().st_size != size:
                raise _damaged(path, f"{name} is missing or cut short")
        other = [name for name, value in self.settings.items() if settings.get(name) != value]
        if other:
            was = ", ".join(f"{name} {settings.get(name)}" for name in other)
            raise CheckpointError(
                f"{path} belongs to a run with {was}: give the same, or another folder to start anew"
            )
        return step

    def _save_weights(self, models: list[nn.Module], weights: list[Any], folder: str) -> None:
        if self.accelerator.is_main_process:
            save_file(_trained(self.accelerator.unwrap_model(models[0])), Path(folder) / TRAINED)
        weights.clear()

    def _load_weights(self, models: list[nn.Module], folder: str) -> None:
        into = _trained(self.accelerator.unwrap_model(models.pop()))
        state = load_file(Path(folder) / TRAINED)
        if set(into) != set(state):
            raise ValueError(f"{TRAINED} holds other weights: {sorted(set(into) ^ set(state))[:3]}")
        with torch.no_grad():
            for name, parameter in into.items():
                parameter.copy_(state[name])


class Losses:
    """`losses.jsonl`: the loss and learning rate of every step, in full precision, one process writing."""

    def __init__(self, folder: Path, *, start: int) -> None:
        """Keeps the lines up to step `start`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / LOSSES
        lines = self.path.read_text().splitlines() if self.path.is_file() else []
        kept = [line for line in lines[:start] if line.endswith("}") and json.loads(line)["step"] <= start]
        self.path.write_text("".join(f"{line}\n" for line in kept))

    def add(self, step: int, loss: float, rate: float) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps({"step": step, "loss": loss, "rate": rate}) + "\n")


def _trained(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: p.data for name, p in model.named_parameters() if p.requires_grad}


def _flush(folder: Path) -> None:
    """To the disk, so that the rename is not there before the files are."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _damaged(path: Path, what: str) -> CheckpointError:
    return CheckpointError(f"{path}: {what}. Delete this folder to go on from the checkpoint before it")
