"""The model divided among two processes as accelerate's FSDP divides it: torch's `fully_shard`, over gloo.

accelerate itself shards on GPUs only; what it would do to the model is done here by hand.
"""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import distributed, multiprocessing
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from inference.maira_seg.model import MairaSeg, layout_for
from inference.maira_seg.processor import Processor
from inference.maira_seg.prompt import ABSENT, PRESENT, WITHHELD
from inference.training import lora, losses, start
from tests.inference import tiny_model

CASES = [(rank, tied) for rank in (0, 3) for tied in (True, False)]
"""LoRA's rank, and whether the output layer is the embedding again."""


def ready(rank: int, tied: bool) -> tuple[MairaSeg, Processor]:
    """A model as fine-tuning prepares it."""
    language = replace(tiny_model.CONFIG.language, tied_embeddings=tied)
    torch.manual_seed(0)
    model, processor = MairaSeg(replace(tiny_model.CONFIG, language=language)), tiny_model.processor()
    start.adapt(model, processor, rank, half=False)
    lora.checkpoint_activations(model)
    return model.train(), processor


def three_steps(model: MairaSeg, processor: Processor) -> list[float]:
    """The losses of three steps on two made-up studies."""
    generator = torch.Generator().manual_seed(3)
    vision = model.config.vision
    features = torch.randn(2, len(vision.levels), 1 + vision.grid**2, vision.width, generator=generator)
    masks = (torch.rand(2, len(model.config.structures), 64, 64, generator=generator) < 0.2).float()
    states = torch.tensor([PRESENT, ABSENT, WITHHELD]).repeat(2, 20)[:, : masks.shape[1]]
    report = torch.randint(1, 400, (2, 12), generator=generator)
    inputs, layout = model.look(features, masks, states), layout_for(model.config, processor)
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    found = []
    for _ in range(3):
        loss = losses.report_loss(model(layout, inputs, report), report, 0, processor.words, 4.0)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        found.append(float(loss.detach()))
    return found


def shard(process: int, folder: str) -> None:
    """What one of the processes does; the first writes the losses and the gathered weights of every case."""
    torch.set_num_threads(1)
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=process, world_size=2)
    mesh = init_device_mesh("cpu", (2,))
    for rank, tied in CASES:
        model, processor = ready(rank, tied)
        layers = [part for part in model.modules() if type(part).__name__ == "LlamaDecoderLayer"]
        for part in (*layers, model):
            fully_shard(part, mesh=mesh)
        found = three_steps(model, processor)
        options = StateDictOptions(full_state_dict=True, broadcast_from_rank0=True, cpu_offload=True)
        state = get_model_state_dict(model, options=options)
        if process == 0:
            Path(folder, f"{rank}-{tied}.json").write_text(json.dumps(found))
            torch.save(state, Path(folder, f"{rank}-{tied}.pt"))
    distributed.barrier()  # neither hangs up on the other
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def sharded(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sharded")
    multiprocessing.spawn(shard, args=(str(folder),), nprocs=2)
    return folder


@pytest.mark.parametrize(("rank", "tied"), CASES)
def test_sharded_it_learns_what_it_learns_whole(sharded, rank, tied):
    model, processor = ready(rank, tied)
    expected = three_steps(model, processor)
    assert expected[-1] < expected[0]
    found = json.loads((sharded / f"{rank}-{tied}.json").read_text())
    assert found == pytest.approx(expected, abs=1e-5)
    again, _ = ready(rank, tied)
    again.load_state_dict(torch.load(sharded / f"{rank}-{tied}.pt", weights_only=True))
    for name, weight in model.state_dict().items():
        assert torch.allclose(again.state_dict()[name], weight, atol=1e-3), name
    if rank:
        lora.merge(again)
