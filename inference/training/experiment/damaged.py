"""What of a setting's prompts is spoiled, to see whether it is then worse than being told nothing.

From cached features alone, so of the damages of `inference.training.damage` only those that need no mask
drawn anew: masks that are gone, and another patient's. The trust gate has no say in the first, and is off in
the last.
"""

from collections.abc import Callable
from dataclasses import replace

import torch

from inference.maira_seg.prompt import ABSENT, PRESENT, WITHHELD, PromptInputs
from inference.training.damage import DROPPED
from inference.training.experiment.arms import Arm, Setting

Damage = Callable[[PromptInputs, torch.Generator], PromptInputs]
ANOTHER = "another patient's, no gate"


def half_missing(inputs: PromptInputs, generator: torch.Generator) -> PromptInputs:
    """Every other mask was not found."""
    lost = torch.rand(inputs.states.shape, generator=generator) < DROPPED
    states = inputs.states.cpu()
    states = torch.where(lost & (states == PRESENT), ABSENT, states)
    return replace(inputs, states=states.to(inputs.states.device))


def all_gone(inputs: PromptInputs, generator: torch.Generator) -> PromptInputs:
    """No mask was found of what may be told of at all."""
    told = (inputs.states != WITHHELD).flatten(0, -2).any(dim=0)
    states = torch.where(told, ABSENT, WITHHELD)
    return replace(inputs, states=states.expand_as(inputs.states))


def untouched(inputs: PromptInputs, generator: torch.Generator) -> PromptInputs:
    return inputs


DAMAGES: dict[str, Damage] = {"half missing": half_missing, "all gone": all_gone, ANOTHER: untouched}


def shown(setting: Setting, damage: str) -> Setting:
    """What the prompt of a damaged setting shows: another patient's masks are those of `shuffled`."""
    return replace(setting, arm=Arm.SHUFFLED) if damage == ANOTHER else setting
