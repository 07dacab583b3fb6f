"""Train the segmenter of a view: `python -m inference.training.train_segmenter --out FOLDER`.

Phantoms teach every structure. Real frontal radiographs with lung masks, where given, teach the lungs alone:
side by side where the two lie apart in the mask, and their union otherwise.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from monai.networks.nets.unet import UNet
from torch import Tensor

from inference.maira_seg.checkpoint import SEGMENTER, load_weights, save_weights
from inference.segmentation.model import SegmenterConfig, build
from inference.segmentation.views import STRUCTURES_OF, View
from inference.training import losses, progress, radiographs, records
from inference.training.datasets import ImageBatch, RealBatch, phantom_batches, real_batches

SEED_PHANTOMS = 11
REAL_SHARE = 1 / 8
"""Share of a batch that is real radiographs."""
REAL_WEIGHT = 0.5


def main(arguments: list[str] | None = None) -> None:
    parser = progress.arguments(__doc__ or "", steps=2000, batch=8, rate=3e-3)
    parser.add_argument("--real", type=Path, default=None, help="folder of real radiographs with lung masks")
    parser.add_argument("--half-share", type=float, default=0.3, help="share of the run spent at half size")
    parser.add_argument("--view", type=View, choices=tuple(View), default=View.FRONTAL)
    options = parser.parse_args(arguments)
    if options.real and options.view is not View.FRONTAL:
        parser.error("--real radiographs are frontal: leave them out, or --view")
    generator = progress.prepare(options)
    config = config_of(options.view)
    network = build(config).to(options.device)
    if options.resume:
        load_weights(network, options.out / SEGMENTER)
    phantoms = records.phantoms(
        options.cache,
        SEED_PHANTOMS,
        options.studies,
        size=config.image_size,
        processes=options.processes,
        view=options.view,
    ).to(options.device)
    real = real_training_squares(options.real, config.image_size)
    fit(network, phantoms, real, options, generator)
    save_weights(network, options.out / SEGMENTER)
    (options.out / "segmenter.json").write_text(json.dumps(config.to_dict()) + "\n")


def config_of(view: View) -> SegmenterConfig:
    """Of a view's segmenter before it is calibrated. On real lateral radiographs nothing was measured."""
    config = SegmenterConfig(structures=STRUCTURES_OF[view])
    return config if view is View.FRONTAL else replace(config, validated_outside=())


def real_training_squares(folder: Path | None, size: int) -> radiographs.Squares | None:
    """Radiographs with drawn lungs of patients that are not held out."""
    if folder is None:
        return None
    usable = [r for r in radiographs.read(folder) if r.lungs is not None and not r.held_out]
    return radiographs.squares(usable, size)


def fit(
    network: UNet,
    phantoms: records.Phantoms,
    real: radiographs.Squares | None,
    options: argparse.Namespace,
    generator: torch.Generator,
) -> None:
    """The training loop; the network is left in evaluation mode."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=options.rate, weight_decay=1e-4)
    schedule = progress.Schedule(optimiser, options)
    log = progress.Progress("segmenter")
    share = max(1, round(REAL_SHARE * options.batch)) if real is not None else 0
    batches = phantom_batches(phantoms, options.batch - share, generator)
    reals = real_batches(real.to(generator.device), share, generator) if real is not None else None
    network.train()
    while not schedule.over:
        schedule.advance()
        batch, extra = next(batches), next(reals) if reals else None
        if schedule.share < options.half_share:
            batch, extra = halved(batch), halved_real(extra) if extra else None
        loss = step_loss(network, batch, extra)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        log.report(step=schedule.step, share=schedule.share, loss=float(loss.detach()))
    network.eval()
    log.report(force=True, step=schedule.step, share=1.0, loss=float(loss.detach()))


def halved(batch: ImageBatch) -> ImageBatch:
    """The batch at half size, four times as cheap: most of what there is to learn is large."""
    return ImageBatch(F.avg_pool2d(batch.images, 2), F.max_pool2d(batch.masks, 2), batch.rows)


def halved_real(batch: RealBatch) -> RealBatch:
    lungs = F.max_pool2d(batch.lungs[:, None], 2)[:, 0]
    return RealBatch(F.avg_pool2d(batch.images, 2), lungs, F.max_pool2d(batch.sides, 2), batch.known)


def step_loss(network: UNet, batch: ImageBatch, real: RealBatch | None) -> Tensor:
    """The loss of one step. Real radiographs are seen in the same pass as phantoms."""
    images = batch.images if real is None else torch.cat([batch.images, real.images])
    logits = network(images)
    count = len(batch.images)
    known = torch.ones(batch.masks.shape[:2], dtype=torch.bool, device=images.device)
    loss = losses.dice_and_bce(logits[:count], batch.masks, known)
    if real is None:
        return loss
    lungs = logits[count:, list(radiographs.lung_channels())]
    sided, drawn = real.known[:, 1], real.known[:, 0]
    taught = losses.dice_and_bce(lungs, real.sides, sided[:, None].expand(-1, 2))
    taught = taught + losses.union_loss(lungs, real.lungs, drawn & ~sided)
    return loss + REAL_WEIGHT * taught


if __name__ == "__main__":
    main()
