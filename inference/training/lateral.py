"""Give a bundle a segmenter of lateral views:

    python -m inference.training.lateral --bundle inference/weights/demo --out inference/weights/demo

Trained on phantoms from nothing, calibrated on others, with a domain of its own: an image unlike them gets no
masks. All else of the bundle stays as it is.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from monai.networks.nets.unet import UNet

from inference.maira_seg import checkpoint
from inference.maira_seg.applicability import fit
from inference.maira_seg.checkpoint import LATERAL_DOMAIN, Bundle
from inference.segmentation.model import build
from inference.segmentation.segmenter import Segmenter
from inference.segmentation.views import View
from inference.training import calibrate, progress, records, train_segmenter


def main(arguments: list[str] | None = None) -> None:
    parser = progress.arguments(__doc__ or "", steps=2000, batch=8, rate=3e-3)
    parser.formatter_class = argparse.RawTextHelpFormatter
    parser.add_argument("--bundle", type=Path, required=True, help="what --out gets besides")
    parser.add_argument("--held-out", type=int, default=400, help="phantoms to calibrate on")
    parser.add_argument("--measure-only", action="store_true", help="take the bundle's lateral segmenter")
    parser.add_argument("--half-share", type=float, default=0.3, help="share of the run spent at half size")
    options = parser.parse_args(arguments)
    bundle = checkpoint.load(options.bundle)
    if options.measure_only and bundle.lateral is None:
        parser.error(f"{options.bundle} has no segmenter of lateral views to measure")
    known = bundle.lateral.network if options.measure_only and bundle.lateral else None
    checkpoint.save(with_lateral(bundle, options, known), options.out)


def with_lateral(bundle: Bundle, options: argparse.Namespace, known: UNet | None = None) -> Bundle:
    """The bundle with a segmenter of lateral views and its domain: a new one, or one measured anew."""
    generator = progress.prepare(options)
    config = train_segmenter.config_of(View.LATERAL)
    network = (known or build(config)).to(options.device)
    train, held_out = (
        records.phantoms(
            options.cache,
            seed,
            count,
            size=config.image_size,
            processes=options.processes,
            view=View.LATERAL,
        ).to(options.device)
        for seed, count in (
            (train_segmenter.SEED_PHANTOMS, options.studies),
            (calibrate.SEED_PHANTOMS, options.held_out),
        )
    )
    if known is None:
        train_segmenter.fit(network, train, None, options, generator)
    calibrated = calibrate.thresholds(Segmenter(config, network), held_out)
    unproven = calibrate.unproven(Segmenter(calibrated, network), held_out)
    lateral = Segmenter(replace(calibrated, unproven=unproven), network)
    near, unknown = (
        calibrate.described(lateral, some.images(torch.arange(min(len(some), calibrate.DESCRIBED))))
        for some in (train, held_out)
    )
    network.cpu()
    domain = fit(near.float(), unknown, quantile=calibrate.QUANTILE_PHANTOM)
    return replace(bundle, lateral=lateral, domains={**bundle.domains, LATERAL_DOMAIN: domain})


if __name__ == "__main__":
    main()
