"""Train the image encoder: `python -m inference.training.train_encoder --out FOLDER`.

`--supervision` says by what:
- `labels`: which findings the study has, per side, told by the class token and by every patch, whose answers
  are pooled by a soft maximum;
- `masks`, as the shipped bundle is trained: that, and which structures touch each patch. It keeps small
  things alive in a small ViT, and lets the encoder know about masks: an experiment that asks what masks in
  the prompt add must do without it;
- `anatomy`: which anatomy touches each patch, and nothing else;
- `none`: patches that were grayed out are restored (after SimMIM, arXiv:2111.09886, in pixel space).

The last two are starts for `--start`. The heads are thrown away; the encoder is frozen from then on.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inference.maira_seg.checkpoint import load_weights, save_weights
from inference.maira_seg.config import PRESETS, MairaSegConfig
from inference.maira_seg.vision import VisionEncoder
from inference.structures import STRUCTURES, Group
from inference.training import progress, records
from inference.training.datasets import LABELS, ImageBatch, finding_targets, image_batches, phantom_batches

SEED_PHANTOMS = 11
ENCODER = "encoder.safetensors"
SUPERVISION = ("masks", "labels", "anatomy", "none")
SHARPNESS = 4.0
"""Of the soft maximum over patches: log-mean-exp of answers times this."""
RARE = -3.0
"""Where answers start: most findings are absent from most studies."""
HIDDEN = 0.6
"""Share of the patches that `--supervision none` grays out."""


class Labeller(nn.Module):
    """The encoder with the two heads it is trained by."""

    def __init__(self, config: MairaSegConfig) -> None:
        super().__init__()
        self.vision = VisionEncoder(config.vision)
        self.findings = nn.Linear(config.vision.width, len(LABELS))
        self.places = nn.Linear(config.vision.width, len(LABELS))
        self.patches = nn.Linear(config.vision.width, len(config.structures))
        nn.init.zeros_(self.findings.bias)
        nn.init.constant_(self.places.bias, RARE)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 1, S, S) -> findings (B, labels), structures per patch (B, M, G*G); logits."""
        last = self.vision(images)[:, -1]
        each = self.places(last[:, 1:]) * SHARPNESS
        strongest = (each.logsumexp(dim=1) - math.log(each.shape[1])) / SHARPNESS
        return self.findings(last[:, 0]) + strongest, self.patches(last[:, 1:]).transpose(1, 2)


class Restorer(nn.Module):
    """The encoder with the head that restores what was grayed out."""

    def __init__(self, config: MairaSegConfig) -> None:
        super().__init__()
        self.vision = VisionEncoder(config.vision)
        self.pixels = nn.Linear(config.vision.width, config.vision.patch_size**2)

    def forward(self, images: Tensor, hidden: Tensor) -> Tensor:
        """images (B, 1, S, S), hidden (B, G*G) bool -> mean absolute error of the hidden patches, each
        standardised by its own mean and spread."""
        config = self.vision.config
        grid, patch = config.grid, config.patch_size
        gray = hidden.view(-1, 1, grid, grid).repeat_interleave(patch, -1).repeat_interleave(patch, -2)
        shown = torch.where(gray, config.mean, images)
        restored = self.pixels(self.vision(shown)[:, -1, 1:])
        wanted = F.unfold(images, patch, stride=patch).transpose(1, 2)
        wanted = (wanted - wanted.mean(-1, keepdim=True)) / (wanted.std(-1, keepdim=True) + 0.05)
        return (restored - wanted).abs().mean(-1)[hidden].mean()


def main(arguments: list[str] | None = None) -> None:
    parser = progress.arguments(__doc__ or "", steps=1200, batch=16, rate=8e-4)
    parser.add_argument("--preset", choices=sorted(PRESETS), default="demo")
    parser.add_argument("--supervision", choices=SUPERVISION, default="masks")
    parser.add_argument("--start", type=Path, default=None, help="folder of an encoder to start from")
    options = parser.parse_args(arguments)
    generator = progress.prepare(options)
    config = PRESETS[options.preset]
    labeller = Labeller(config).to(options.device)
    path = options.out / ENCODER
    if options.resume:
        load_weights(labeller, path)
    elif options.start:
        labeller.vision.load_state_dict(read(config, options.start).state_dict())
    size = config.vision.image_size
    phantoms = records.phantoms(
        options.cache, SEED_PHANTOMS, options.studies, size=size, processes=options.processes
    ).to(options.device)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.supervision == "none":
        labeller.vision = restore(labeller.vision, config, phantoms, options, generator)
    else:
        targets = finding_targets(phantoms.truths).to(options.device)
        fit(labeller, Lessons(phantoms, targets, options.supervision), options, generator)
    save_weights(labeller, path)


def read(config: MairaSegConfig, folder: Path) -> VisionEncoder:
    """The encoder trained in this folder."""
    labeller = Labeller(config)
    load_weights(labeller, folder / ENCODER)
    return labeller.vision


def restore(
    vision: VisionEncoder,
    config: MairaSegConfig,
    phantoms: records.Phantoms,
    options: argparse.Namespace,
    generator: torch.Generator,
) -> VisionEncoder:
    """Train without labels; gives the encoder back in evaluation mode."""
    restorer = Restorer(config).to(options.device)
    restorer.vision = vision
    optimiser = torch.optim.AdamW(restorer.parameters(), lr=options.rate, weight_decay=0.02)
    schedule = progress.Schedule(optimiser, options)
    log = progress.Progress("encoder")
    batches = image_batches(phantoms, options.batch, generator)
    restorer.train()
    while not schedule.over:
        schedule.advance()
        images, _ = next(batches)
        chance = torch.rand(len(images), vision.config.grid**2, generator=generator, device=images.device)
        loss = restorer(images, chance < HIDDEN)
        take_step(optimiser, loss)
        log.report(step=schedule.step, share=schedule.share, restored=float(loss.detach()))
    log.report(force=True, step=schedule.step, share=1.0, restored=float(loss.detach()))
    return restorer.vision.eval()


@dataclass(frozen=True)
class Lessons:
    """What an encoder learns from: phantoms, targets (N, labels) and a kind of supervision. among (N,) bool:
    the studies whose labels there are, all when left out; looked at with `labels` only."""

    phantoms: records.Phantoms
    targets: Tensor
    supervision: str = "masks"
    among: Tensor | None = None

    def losses(
        self, labeller: Labeller, batch: int, generator: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Endless: the losses of findings and of patches, zero for what is not taught."""
        if self.supervision == "labels":
            return _of_labels(labeller, self, image_batches(self.phantoms, batch, generator, self.among))
        return _of_masks(labeller, self, phantom_batches(self.phantoms, batch, generator))


def fit(
    labeller: Labeller, lessons: Lessons, options: argparse.Namespace, generator: torch.Generator
) -> None:
    """The training loop; the model is left in evaluation mode."""
    optimiser = torch.optim.AdamW(labeller.parameters(), lr=options.rate, weight_decay=0.02)
    schedule = progress.Schedule(optimiser, options)
    log = progress.Progress("encoder")
    losses = lessons.losses(labeller, options.batch, generator)
    labeller.train()
    while not schedule.over:
        schedule.advance()
        told, seen = next(losses)
        take_step(optimiser, told + seen)
        log.report(
            step=schedule.step,
            share=schedule.share,
            findings=float(told.detach()),
            patches=float(seen.detach()),
        )
    labeller.eval()
    log.report(
        force=True, step=schedule.step, share=1.0, findings=float(told.detach()), patches=float(seen.detach())
    )


def _of_labels(
    labeller: Labeller, lessons: Lessons, batches: Iterator[tuple[Tensor, Tensor]]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Losses of findings, and none of patches."""
    for images, rows in batches:
        findings, patches = labeller(images)
        yield F.binary_cross_entropy_with_logits(findings, lessons.targets[rows]), patches.new_zeros(())


def _of_masks(
    labeller: Labeller, lessons: Lessons, batches: Iterator[ImageBatch]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Losses of findings, where findings are outlined at all, and of patches."""
    grid, weight = labeller.vision.config.grid, torch.tensor(3.0, device=lessons.targets.device)
    groups = (Group.ANATOMY,) if lessons.supervision == "anatomy" else tuple(Group)
    wanted = [i for i, structure in enumerate(STRUCTURES) if structure.group in groups]
    share = float(Group.FINDING in groups)
    for drawn in batches:
        findings, patches = labeller(drawn.images)
        touched = F.adaptive_max_pool2d(drawn.masks[:, wanted], grid).flatten(2)
        yield (
            share * F.binary_cross_entropy_with_logits(findings, lessons.targets[drawn.rows]),
            F.binary_cross_entropy_with_logits(patches[:, wanted], touched, pos_weight=weight),
        )


def take_step(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step down, the gradient clipped."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    for group in optimiser.param_groups:
        torch.nn.utils.clip_grad_norm_(group["params"], 1.0)
    optimiser.step()


if __name__ == "__main__":
    main()
