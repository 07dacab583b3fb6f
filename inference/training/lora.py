"""LoRA on the Llama (peft), and what trains in full beside it.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models" (arXiv:2106.09685). Low-rank matrices stand
beside every attention and MLP projection of the language model, whose own weights stay as they are. The words
of a report are known to a pretrained Llama, the control tokens are not: their rows of the embedding, and of
the output layer where it is another matrix, train in full, as do projector, extractor and slots.
"""

from collections.abc import Sequence
from typing import Any

from peft import LoraConfig, get_peft_model

from inference.maira_seg.model import MairaSeg

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
ALPHA = 2
"""The update is scaled by alpha / rank; alpha is this many ranks, so the scale does not hang on the rank."""


def attach(model: MairaSeg, rank: int, control_tokens: Sequence[int]) -> None:
    """Freeze the language model but for low-rank matrices of `rank` and the ids of control tokens.

    What trains is held in single precision, whatever the rest is held in.
    """
    ids = list(control_tokens)
    rows = {"embed_tokens": ids}
    if not model.config.language.tied_embeddings:
        rows["lm_head"] = ids
    config = LoraConfig(
        r=rank,
        lora_alpha=ALPHA * rank,
        target_modules=list(PROJECTIONS),
        trainable_token_indices=rows,
    )
    adapted: Any = get_peft_model(model.language_model, config)  # it stands in for the Llama
    model.language_model = adapted
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def checkpoint_activations(model: MairaSeg) -> None:
    """Keep only what enters each layer of the language model, and compute the rest again going backward."""
    llama: Any = model.language_model
    # Renamed within the fifth series of transformers; the older name warns in the newer ones.
    enable = getattr(llama, "activation_checkpointing_enable", None) or llama.gradient_checkpointing_enable
    enable({"use_reentrant": False})


def merge(model: MairaSeg) -> None:
    """Add what was learned to the weights: the language model is a plain Llama again, in single precision."""
    adapted: Any = model.language_model
    model.language_model = adapted.float().merge_and_unload()
    model.language_model.requires_grad_(True)
