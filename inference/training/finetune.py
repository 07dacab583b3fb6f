"""Train a MAIRA-Seg on, on one process or many:

    python -m inference.training.finetune --from BUNDLE --out FOLDER
    accelerate launch --config_file deploy/accelerate/ddp.yaml -m inference.training.finetune \\
        --from BUNDLE --out FOLDER --precision bf16 --gradient-checkpointing --lora 16

`--from` is a bundle or a folder `train_maira_seg` trained in. `--out` receives `checkpoints/` and, at the
end, `bundle/`. SIGTERM ends the run after the step it is at, with a checkpoint; `--resume` goes on from the
last whole one. See docs/training.md.
"""

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from inference.contract import InferenceError
from inference.maira_seg.config import PRESETS
from inference.maira_seg.model import MairaSeg, layout_for
from inference.training import lora, losses, progress, records, start
from inference.training.checkpoints import CheckpointError, Checkpoints, Losses
from inference.training.datasets import pad_id
from inference.training.draws import Draws, Eyes, Masks, Source
from inference.training.start import Start
from inference.training.train_maira_seg import CODE_WEIGHT

SEED_PHANTOMS = 15
RENDERING = timedelta(hours=4)
"""How long processes wait for the one that renders phantoms."""
TERMINATED = 128 + signal.SIGTERM


class Terminated:
    """Whether somebody asked the run to end, by SIGTERM while it listened."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Within it, SIGTERM ends nothing and is remembered."""
        before = signal.signal(signal.SIGTERM, self)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)


@dataclass(frozen=True)
class Run:
    """What a step needs. model, optimiser: as accelerate prepared them. accumulate: parts of a process's
    share of the batch that go through the model one after the other."""

    accelerator: Accelerator
    model: Any
    optimiser: Any
    schedule: LambdaLR
    source: Source
    batch: int
    accumulate: int
    terminated: Terminated

    def places(self) -> list[range]:
        """The places of the batch that fall to this process, part by part."""
        size = self.batch // (self.accelerator.num_processes * self.accumulate)
        first = self.accelerator.process_index * self.accumulate
        return [range(part * size, (part + 1) * size) for part in range(first, first + self.accumulate)]


def main(arguments: list[str] | None = None) -> None:
    parser = parser_of()
    options = parser.parse_args(arguments)
    accelerator = Accelerator(
        cpu=options.device == "cpu",
        mixed_precision=options.precision,
        gradient_accumulation_steps=options.accumulate,
        kwargs_handlers=[InitProcessGroupKwargs(timeout=RENDERING)],
    )
    refuse(parser, options, accelerator.num_processes)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    try:
        whole = finetune(accelerator, options)
    except (InferenceError, CheckpointError) as error:
        sys.exit(f"finetune: {error}")
    accelerator.end_training()
    if not whole:
        sys.exit(TERMINATED)


def parser_of() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    gpu = torch.cuda.is_available()
    add(
        "--from",
        type=Path,
        required=True,
        dest="start",
        metavar="FOLDER",
        help="a bundle, or trained weights",
    )
    add("--out", type=Path, required=True, help="folder that receives checkpoints/ and bundle/")
    add("--preset", choices=sorted(PRESETS), default="demo", help="sizes of a start that is no bundle")
    add("--cache", type=Path, default=Path("var/training"), help="rendered phantoms")
    add("--studies", type=int, default=3200, help="phantoms to train on")
    add("--masks", choices=list(Masks), default=Masks.MIXED, type=Masks, help="whose the prompt shows")
    add("--steps", type=int, default=1000)
    add("--batch", type=int, default=16, help="studies a step, all processes together")
    add("--accumulate", type=int, default=1, help="parts of a process's share, one after the other")
    add("--rate", type=float, default=2e-4, help="highest learning rate")
    add("--precision", choices=("no", "bf16"), default="no", help="bf16: mixed precision")
    add("--gradient-checkpointing", action="store_true", help="less memory, a forward pass more")
    add("--lora", type=int, default=0, metavar="RANK", help="0 trains every weight but the encoder's")
    add("--save-every", type=int, default=200, help="steps from checkpoint to checkpoint")
    add("--resume", action="store_true", help="go on from the last whole checkpoint in --out")
    add("--seed", type=int, default=0)
    add("--threads", type=int, default=2)
    add("--processes", type=int, default=2, help="that render phantoms")
    add("--device", choices=("cpu", "cuda"), default="cuda" if gpu else "cpu")
    return parser


def refuse(parser: argparse.ArgumentParser, options: argparse.Namespace, processes: int) -> None:
    """End with a message when options make no sense."""
    for name in ("steps", "batch", "accumulate", "save_every", "studies", "threads", "processes"):
        if getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    if options.lora < 0 or options.rate <= 0 or options.seed < 0:
        parser.error("--lora and --seed can't be negative, and --rate must be above 0")
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: torch sees no GPU here")
    if options.batch % (processes * options.accumulate):
        parser.error(
            f"--batch {options.batch} can't be divided among {processes} processes"
            f" in {options.accumulate} parts each"
        )


def finetune(accelerator: Accelerator, options: argparse.Namespace) -> bool:
    """The whole run; false when it was asked to end before its last step."""
    begun = start.load(options.start, options.preset)
    settings = settings_of(options)
    run = prepared(accelerator, begun, options)
    checkpoints = Checkpoints(options.out / "checkpoints", accelerator, settings)
    checkpoints.register()
    accelerator.register_for_checkpointing(run.schedule)
    if not options.resume and checkpoints.whole():
        raise CheckpointError(f"{checkpoints.folder} holds a run: --resume goes on with it")
    step = checkpoints.load()
    with run.terminated.listening():
        step = train(run, checkpoints, step, options)
    if step < options.steps:
        return False
    leave(run, options, settings)
    return True


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    """What must be the same when a run goes on, as it stands in checkpoints and in the bundle's `about`."""
    names = ("studies", "masks", "steps", "batch", "rate", "precision", "lora", "seed")
    return {"start": start.digest(options.start)} | {name: getattr(options, name) for name in names}


def prepared(accelerator: Accelerator, begun: Start, options: argparse.Namespace) -> Run:
    """Data, model, optimiser and learning rate."""
    model, config = begun.model, begun.model.config
    encoder = start.adapt(model, begun.processor, options.lora, half=options.precision == "bf16")
    if options.gradient_checkpointing:
        lora.checkpoint_activations(model)
    eyes = eyes_of(begun, encoder, options.masks, accelerator.device)
    with accelerator.main_process_first():
        phantoms = records.phantoms(
            options.cache,
            SEED_PHANTOMS,
            options.studies,
            size=config.vision.image_size,
            processes=options.processes,
        )
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trainable, lr=options.rate, weight_decay=0.0 if options.lora else 0.05)
    # Not handed to accelerate: a schedule it prepared would step once for every process.
    schedule = LambdaLR(optimiser, partial(rate_at, steps=options.steps))
    draws = Draws(phantoms, options.seed, options.masks)
    source = Source(phantoms, draws, eyes, begun.processor, config, accelerator.device)
    ready, optimiser = accelerator.prepare(model, optimiser)
    shares = options.batch, options.accumulate
    return Run(accelerator, ready, optimiser, schedule, source, *shares, Terminated())


def eyes_of(begun: Start, encoder: Any, masks: Masks, device: torch.device) -> Eyes:
    """The frozen parts on the device.

    Raises
    ------
    InferenceError
        Permanent: `bad-bundle`, when the segmenter's masks are wanted and there is none that fits.
    """
    if masks is Masks.TRUE:
        return Eyes(encoder.to(device), None, begun.model)
    if begun.segmenter is None:
        raise InferenceError("bad-bundle", f"{begun.folder} has no segmenter: --masks true", permanent=True)
    sizes = begun.segmenter.config.image_size, encoder.config.image_size
    if sizes[0] != sizes[1]:
        said = f"the segmenter sees {sizes[0]} px squares, the encoder {sizes[1]}: --masks true"
        raise InferenceError("bad-bundle", f"{begun.folder}: {said}", permanent=True)
    begun.segmenter.network.to(device)
    return Eyes(encoder.to(device), begun.segmenter, begun.model)


def rate_at(done: int, steps: int) -> float:
    """The factor of the learning rate for the step after `done` steps."""
    return progress.rate_factor(done + 1, min(1.0, (done + 1) / steps))


def train(run: Run, checkpoints: Checkpoints, step: int, options: argparse.Namespace) -> int:
    """Steps from `step` on; returns the last one done."""
    main_process = run.accelerator.is_main_process
    log = progress.Progress("finetune")
    history = Losses(checkpoints.folder, start=step) if main_process else None
    run.model.train()
    saved, asked = step, False
    while step < options.steps and not asked:
        rate = float(run.schedule.get_last_lr()[0])
        loss, asked = one_step(run, step)
        step += 1
        last = step == options.steps or asked
        if history is not None:
            history.add(step, loss, rate)  # before the checkpoint: what is gone on from has its losses
        if last or step % options.save_every == 0:
            checkpoints.save(step)
            saved = step
        if history is not None:
            share = step / options.steps
            log.report(force=last or saved == step, step=step, share=share, loss=loss, checkpoint=saved)
    return step


def one_step(run: Run, step: int) -> tuple[float, bool]:
    """Forward, backward and update over the whole batch: the loss, and whether any process was asked to
    end."""
    processor, accelerator = run.source.processor, run.accelerator
    parts = [run.source.batch(step, places) for places in run.places()]
    weights = [
        losses.report_weights(report, pad_id(processor), processor.words, CODE_WEIGHT) for _, report in parts
    ]
    total: Tensor = accelerator.reduce(torch.stack([w.sum() for w in weights]).sum(), "sum")
    # Gradients are averaged over processes, and accelerate divides by the parts: both are taken back.
    scale = accelerator.num_processes * run.accumulate / total.clamp_min(1)
    layout = layout_for(run.source.config, processor)
    summed = torch.zeros((), device=accelerator.device)
    for (inputs, report), weight in zip(parts, weights, strict=True):
        with accelerator.accumulate(run.model):
            logits = run.model(layout, inputs, report).float()  # sharded, it may answer in bfloat16
            loss = losses.report_sum(logits, report, weight)
            accelerator.backward(loss * scale)
            summed += loss.detach()
            if accelerator.sync_gradients:
                accelerator.clip_grad_norm_(run.model.parameters(), 1.0)
            run.optimiser.step()
            run.optimiser.zero_grad()
    run.schedule.step()
    asked = torch.tensor(float(run.terminated.asked), device=accelerator.device)
    told = accelerator.reduce(torch.stack([summed, asked]), "sum")
    return float(told[0] / total.clamp_min(1)), bool(told[1] > 0)


def leave(run: Run, options: argparse.Namespace, settings: dict[str, Any]) -> None:
    """Write the folder that the run leaves, from the weights of all processes."""
    state = run.accelerator.get_state_dict(run.model)
    if not run.accelerator.is_main_process:
        return
    again = start.load(options.start, options.preset)
    encoder = start.adapt(again.model, again.processor, options.lora, half=options.precision == "bf16")
    again.model.load_state_dict(state)
    model: MairaSeg = start.finish(again.model, encoder, options.lora)
    start.save(again, model, options.out / "bundle", settings)


if __name__ == "__main__":
    main()
