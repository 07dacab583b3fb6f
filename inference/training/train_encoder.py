"""Train the image encoder: `python -m inference.training.train_encoder --out FOLDER`.

Supervised by labels: which findings the study has, per side, read off the class token and the strongest
patches; and with `--supervision masks`, as the shipped bundle is trained, which structures touch each patch.
The second keeps small things alive in a small ViT, and lets the encoder know about masks: an experiment that
asks what masks in the prompt add must do without it. The heads are thrown away; the encoder is frozen from
then on.
"""

import argparse

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inference.maira_seg.checkpoint import load_weights, save_weights
from inference.maira_seg.config import PRESETS, MairaSegConfig
from inference.maira_seg.vision import VisionEncoder
from inference.training import progress, records
from inference.training.datasets import LABELS, finding_targets, phantom_batches

SEED_PHANTOMS = 11
ENCODER = "encoder.safetensors"


class Labeller(nn.Module):
    """The encoder with the two heads it is trained by."""

    def __init__(self, config: MairaSegConfig) -> None:
        super().__init__()
        self.vision = VisionEncoder(config.vision)
        self.findings = nn.Linear(2 * config.vision.width, len(LABELS))
        self.patches = nn.Linear(config.vision.width, len(config.structures))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 1, S, S) -> findings (B, labels), structures per patch (B, M, G*G); logits."""
        last = self.vision(images)[:, -1]
        whole = torch.cat([last[:, 0], last[:, 1:].amax(dim=1)], dim=-1)
        return self.findings(whole), self.patches(last[:, 1:]).transpose(1, 2)


def main(arguments: list[str] | None = None) -> None:
    parser = progress.arguments(__doc__ or "", steps=1200, batch=16, rate=8e-4)
    parser.add_argument("--preset", choices=sorted(PRESETS), default="demo")
    parser.add_argument("--supervision", choices=("labels", "masks"), default="masks")
    options = parser.parse_args(arguments)
    generator = progress.prepare(options)
    config = PRESETS[options.preset]
    labeller = Labeller(config).to(options.device)
    path = options.out / ENCODER
    if options.resume:
        load_weights(labeller, path)
    size = config.vision.image_size
    phantoms = records.phantoms(
        options.cache, SEED_PHANTOMS, options.studies, size=size, processes=options.processes
    )
    targets = finding_targets(phantoms.truths).to(options.device)
    fit(labeller, phantoms.to(options.device), targets, options, generator, options.supervision)
    save_weights(labeller, path)


def fit(
    labeller: Labeller,
    phantoms: records.Phantoms,
    targets: Tensor,
    options: argparse.Namespace,
    generator: torch.Generator,
    supervision: str = "masks",
) -> None:
    """The training loop; the model is left in evaluation mode."""
    optimiser = torch.optim.AdamW(labeller.parameters(), lr=options.rate, weight_decay=0.02)
    schedule = progress.Schedule(optimiser, options)
    log = progress.Progress("encoder")
    batches = phantom_batches(phantoms, options.batch, generator)
    grid, weight = labeller.vision.config.grid, torch.tensor(3.0, device=targets.device)
    labeller.train()
    while not schedule.over:
        schedule.advance()
        batch = next(batches)
        findings, patches = labeller(batch.images)
        told = F.binary_cross_entropy_with_logits(findings, targets[batch.rows])
        touched = F.adaptive_max_pool2d(batch.masks, grid).flatten(2)
        seen = F.binary_cross_entropy_with_logits(patches, touched, pos_weight=weight)
        loss = told + seen if supervision == "masks" else told
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(labeller.parameters(), 1.0)
        optimiser.step()
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


if __name__ == "__main__":
    main()
