"""LoRA and checkpointed activations of one model, without a run around it."""

from dataclasses import replace

import pytest
import torch

from inference.maira_seg.model import MairaSeg, layout_for
from inference.maira_seg.prompt import ABSENT, PRESENT, WITHHELD, PromptInputs
from inference.training import lora, losses, start
from tests.inference import tiny_model


def inputs_and_report(model: MairaSeg) -> tuple[PromptInputs, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    images = torch.rand(2, 1, 64, 64, generator=generator)
    masks = (torch.rand(2, len(model.config.structures), 64, 64, generator=generator) < 0.2).float()
    states = torch.tensor([PRESENT, ABSENT, WITHHELD]).repeat(2, 20)[:, : masks.shape[1]]
    with torch.no_grad():
        inputs = model.look(model.vision(images), masks, states)
    return inputs, torch.randint(1, 400, (2, 12), generator=generator)


@pytest.mark.parametrize("tied", [True, False])
def test_merged_lora_gives_the_logits_of_unmerged(tied):
    processor = tiny_model.processor()
    language = replace(tiny_model.CONFIG.language, tied_embeddings=tied)
    torch.manual_seed(0)
    model = MairaSeg(replace(tiny_model.CONFIG, language=language)).eval()
    inputs, report = inputs_and_report(model)
    layout = layout_for(model.config, processor)
    plain = model(layout, inputs, report)
    lora.attach(model, 3, processor.controls)
    assert torch.equal(model(layout, inputs, report), plain), "at first it adds nothing"
    for parameter in model.language_model.parameters():
        if parameter.requires_grad:
            parameter.data += 0.05 * torch.randn(parameter.shape)
    unmerged = model(layout, inputs, report)
    assert not torch.allclose(unmerged, plain, atol=1e-2)
    lora.merge(model)
    assert torch.allclose(model(layout, inputs, report), unmerged, atol=1e-5)
    assert type(model.language_model).__name__ == "LlamaForCausalLM"


@pytest.mark.parametrize("rank", [0, 2])
def test_checkpointed_activations_give_the_same_gradients(rank):
    processor = tiny_model.processor()
    found = []
    for checkpointed in (False, True):
        model = tiny_model.model()
        inputs, report = inputs_and_report(model)
        torch.manual_seed(1)
        start.adapt(model, processor, rank, half=False)
        counted = count_forwards(model)
        if checkpointed:
            lora.checkpoint_activations(model)
        model.train()
        logits = model(layout_for(model.config, processor), inputs, report)
        losses.report_loss(logits, report, 0, processor.words, 4.0).backward()
        assert len(counted) == (2 if checkpointed else 1), "the first layer runs again going backward"
        found.append({name: p.grad for name, p in model.named_parameters() if p.requires_grad})
    assert found[0].keys() == found[1].keys()
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def count_forwards(model: MairaSeg) -> list[None]:
    """One entry for every pass through the first layer's attention."""
    counted: list[None] = []
    attention = next(part for name, part in model.named_modules() if name.endswith("layers.0.self_attn"))
    attention.register_forward_hook(lambda *_: counted.append(None))
    return counted


def test_it_attends_by_scaled_dot_product():
    model = tiny_model.model()
    start.adapt(model, tiny_model.processor(), 0, half=False)
    assert model.language_model.config._attn_implementation == "sdpa"
