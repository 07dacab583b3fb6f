"""Which masks a sentence rests on: those the model cites after writing it, and, by ablation, those without
which it would be less sure of it.

Ablation turns one slot of the prompt that shows a mask to "withheld", a state the model was trained with, and
lets the model read the same draft again: the words are given, so that only the mask differs. A later sentence
is read after the earlier ones, and leans on them too: what a mask does to an impression is small where the
findings have already said it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from inference.contract import Evidence
from inference.maira_seg import confidence
from inference.maira_seg.model import MairaSeg
from inference.maira_seg.prompt import PRESENT, WITHHELD, PromptInputs, PromptLayout

PROMPTS_AT_ONCE = 48
"""Prompts in one pass: every mask of a radiograph together, and a bound on memory for several."""


@dataclass(frozen=True)
class Ablation:
    """slots (A, 2): image and structure, as indices, of each slot that shows a mask. drops (K, A): by how
    many nats the log-probability of the codes of each of K sentences falls without it."""

    slots: Tensor
    drops: Tensor


def cited(cites: Sequence[str], citable: Sequence[str], sop_instance_uid: str) -> tuple[Evidence, ...]:
    """One piece of evidence per cited structure that has a mask to show; the weight is split evenly."""
    shown = [structure for structure in dict.fromkeys(cites) if structure in citable]
    return tuple(Evidence(structure, sop_instance_uid, 1.0 / len(shown)) for structure in shown)


@torch.inference_mode()
def ablate(
    model: MairaSeg, layout: PromptLayout, inputs: PromptInputs, ids: Sequence[int], spans: Sequence[range]
) -> Ablation:
    """Withhold each mask in turn, all in one batch.

    inputs: the prompt of one study. ids: its draft; spans: the places of the ids of each sentence.
    """
    assert len(inputs.states) == 1, f"one study at a time, got {len(inputs.states)}"
    slots = torch.nonzero(inputs.states[0] == PRESENT)
    states = inputs.states.repeat(len(slots) + 1, 1, 1)
    states[torch.arange(1, len(states)), slots[:, 0], slots[:, 1]] = WITHHELD
    report = torch.tensor(ids, device=states.device)
    parts = []
    for some in states.split(PROMPTS_AT_ONCE):
        shown = inputs.select(torch.zeros(len(some), dtype=torch.long))
        logits = model(layout, replace(shown, states=some), report.expand(len(some), -1))
        parts.append(confidence.code_log_probabilities(logits, report, spans).sum(dim=-1))
    whole, without = torch.cat(parts).split([1, len(slots)])
    return Ablation(slots, (whole - without).T)
