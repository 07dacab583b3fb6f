"""How good are lungs on real radiographs when only phantoms taught them?

    python -m inference.training.lungs_real --real FOLDER --out FOLDER [--minutes 8] [--write]

Trains a small network for the two lungs on phantoms alone (`inference.phantom`), and measures
the union of both on every real radiograph whose lungs a person drew, lung behind the heart included. No real
pixel is trained on; the generator was made by people who looked at these radiographs, so the patients held
out elsewhere are reported apart. Experiment `lungs-real`, arm `phantom-only`.
"""

import argparse
import multiprocessing
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from monai.networks.nets.unet import UNet
from torch import Tensor

from inference import measures
from inference.contract import ImageInput, ViewPosition
from inference.maira_seg.checkpoint import load_weights, save_weights
from inference.phantom import study as phantom
from inference.segmentation.geometry import to_square
from inference.segmentation.model import SegmenterConfig, build
from inference.training import augment, losses, progress, radiographs, records, results
from inference.training.radiographs import Radiograph

COMMAND = "python -m inference.training.lungs_real"
WEIGHTS = "lungs_real.safetensors"
SEED_PHANTOMS = 33
LUNGS = ("lung_right", "lung_left")
CONFIG = SegmenterConfig(image_size=128, channels=(16, 32, 64, 128, 128), structures=LUNGS)
SHAPES = (256, (320, 260), (288, 300), (260, 320), 224, (300, 256), (300, 310))
CLEAN_EVERY = 3
"""One phantom in so many has no grain: a large image loses its grain when it is shrunk."""


def main(arguments: list[str] | None = None) -> None:
    parser = progress.arguments(__doc__ or "", steps=10**6, batch=16, rate=2e-3)
    parser.add_argument("--real", type=Path, required=True, help="folder of real radiographs with lung masks")
    parser.add_argument("--measure-only", action="store_true", help="take the weights that lie in --out")
    parser.add_argument("--write", action="store_true", help="put the rows into docs/results.json")
    parser.set_defaults(minutes=8.0, studies=1400)
    options = parser.parse_args(arguments)
    generator = progress.prepare(options)
    network = build(CONFIG)
    if options.measure_only:
        load_weights(network, options.out / WEIGHTS)
    else:
        fit(network, *phantoms(options.cache, options.studies), options, generator)
        save_weights(network, options.out / WEIGHTS)
    drawn = [radiograph for radiograph in radiographs.read(options.real) if radiograph.lungs is not None]
    found = rows(dices(network.eval(), drawn), drawn, options)
    shown = {row["population"]: row["mean"] for row in found}
    progress.Progress("lungs-real").report(force=True, **shown)
    if options.write:
        results.put(found)


def phantoms(cache: Path, count: int) -> tuple[Tensor, Tensor]:
    """images (N, 1, S, S) uint8 and masks (N, 2, S, S) bool of the first studies, rendered once."""
    path = cache / f"lungs-{SEED_PHANTOMS}-{count}-{CONFIG.image_size}-{records.generator_digest()}.npz"
    if not path.is_file():
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            made = pool.map(_render, range(count), chunksize=32)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(
            path, images=np.stack([one[0] for one in made]), masks=np.stack([one[1] for one in made])
        )
    kept = np.load(path)
    return torch.from_numpy(kept["images"]), torch.from_numpy(kept["masks"])


def _render(index: int) -> tuple[np.ndarray, np.ndarray]:
    torch.set_num_threads(1)
    clean = index % CLEAN_EVERY == 0
    view = ViewPosition.AP if index % 5 < 2 else ViewPosition.PA
    image = phantom.generate(
        SEED_PHANTOMS,
        index,
        size=SHAPES[index * 7919 % len(SHAPES)],
        views=[view],
        with_prior=False,
        with_noise=not clean,
    ).images[0]
    seen, box = to_square(ImageInput("phantom", image.grayscale()), CONFIG.image_size)
    masks = torch.zeros(len(LUNGS), box.size, box.size, dtype=torch.bool)
    for channel, code in enumerate(LUNGS):
        if code in image.masks:
            whole = torch.from_numpy(image.masks[code].astype(np.float32))[None]
            masks[channel] = box.shrink(whole)[0] >= 0.5
    return (seen * 255).round().to(torch.uint8).numpy(), masks.numpy()


def fit(
    network: UNet, images: Tensor, masks: Tensor, options: argparse.Namespace, generator: torch.Generator
) -> None:
    """The training loop; the network is left in evaluation mode."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=options.rate, weight_decay=1e-4)
    schedule = progress.Schedule(optimiser, options)
    log = progress.Progress("lungs-real")
    known = torch.ones(options.batch, len(LUNGS), dtype=torch.bool)
    network.train()
    while not schedule.over:
        schedule.advance()
        picked = torch.randint(len(images), (options.batch,), generator=generator)
        seen, wanted = augment.geometric(images[picked].float() / 255, masks[picked].float(), generator)
        loss = losses.dice_and_bce(network(rooms(seen, generator)), wanted, known)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        log.report(step=schedule.step, share=schedule.share, loss=float(loss.detach()))
    network.eval()


def rooms(images: Tensor, generator: torch.Generator) -> Tensor:
    """As other rooms and other vendors' processing would show it: uneven light, local contrast, haze.

    (B, 1, S, S) in 0..1, the same again, stretched between its 1st and 99th percentile as the network's
    input always is.
    """
    seen = augment.photometric(images, generator)
    batch, size = len(seen), seen.shape[-2:]

    def field(cells: int, strength: float) -> Tensor:
        coarse = torch.randn(batch, 1, cells, cells, generator=generator) * strength
        return F.interpolate(coarse, size, mode="bicubic")

    def some(share: float) -> Tensor:
        return (torch.rand(batch, 1, 1, 1, generator=generator) < share).float()

    seen = seen + field(4, 0.12) * some(0.7)
    smooth = F.avg_pool2d(F.pad(seen, (15,) * 4, mode="reflect"), 31, 1)
    strength = (torch.rand(batch, 1, 1, 1, generator=generator) * 1.3 - 0.5).clamp_min(0) * 0.7
    seen = seen - strength * (smooth - smooth.mean(dim=(2, 3), keepdim=True))
    seen = seen + field(7, 1.0).clamp(0, 2) * 0.22 * some(0.5)
    low, high = (seen.flatten(1).quantile(q, dim=1).view(-1, 1, 1, 1) for q in (0.01, 0.99))
    return ((seen - low) / (high - low + 1e-3)).clamp(0, 1)


@torch.inference_mode()
def dices(network: UNet, drawn: Sequence[Radiograph]) -> list[float]:
    """Dice of the union of both lungs, image by image, in the pixels of the image."""
    found = []
    for radiograph in drawn:
        assert radiograph.lungs is not None, f"{radiograph.name} has no drawn lungs"
        seen, box = to_square(radiograph.image_input(), CONFIG.image_size)
        both = network(seen[None]).sigmoid()[0].amax(dim=0)
        found.append(measures.dice(box.grow(both[None])[0].numpy() >= 0.5, radiograph.lungs))
    return found


def rows(
    scores: Sequence[float], drawn: Sequence[Radiograph], options: argparse.Namespace
) -> list[results.Row]:
    """All of them, and those of patients that are held out wherever real radiographs are trained on."""
    populations = {
        "real": list(scores),
        "real, held-out patients": [s for s, r in zip(scores, drawn, strict=True) if r.held_out],
    }
    made = []
    for population, values in populations.items():
        mean = measures.bootstrap_mean(values)
        made.append(
            {
                "experiment": "lungs-real",
                "arm": "phantom-only",
                "views": "frontal",
                "population": population,
                "metric": "dice",
                **{name: round(getattr(mean, name), 4) for name in ("mean", "low", "high")},
                "n": mean.n,
                "seeds": 1,
                "command": f"{COMMAND} --real RADIOGRAPHS --out FOLDER --minutes {options.minutes:g}",
            }
        )
    return made


if __name__ == "__main__":
    main()
