"""How good are lungs on real radiographs, taught by phantoms alone and then by other patients' radiographs?

    python -m inference.training.lungs_real --real FOLDER --out FOLDER --minutes 8
    python -m inference.training.lungs_real --arm cross-validated --real FOLDER --out FOLDER --minutes 3

The union of both lungs is measured on every real radiograph whose lungs a person drew, lung behind the heart
included. Experiment `lungs-real` (`--write` keeps the rows), arms:

- `phantom-only`: a small network for the two lungs, trained on phantoms (`inference.phantom`). No real pixel
  is trained on; the generator was made by people who looked at these radiographs, so the patients held out
  elsewhere are reported apart.
- `cross-validated`: that network, trained on in five folds by patient: half of each batch are radiographs of
  the other four folds, each lung where the two lie apart in the drawing and their union otherwise, half are
  phantoms. Each radiograph is measured by the network that never saw its patient. `--minutes` is a fold's.

Two cores that do other work besides take fewer steps in a minute: `--minutes 0 --steps N` asks for N of them.
"""

import argparse
import hashlib
import json
import multiprocessing
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from monai.networks.nets.unet import UNet
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from inference import measures
from inference.contract import ImageInput, ViewPosition
from inference.maira_seg.checkpoint import load_weights, save_weights
from inference.phantom import study as phantom
from inference.segmentation.geometry import to_square
from inference.segmentation.model import SegmenterConfig, build
from inference.training import augment, losses, progress, radiographs, records, results
from inference.training.datasets import RealBatch, real_batches
from inference.training.radiographs import Radiograph, Squares

COMMAND = "python -m inference.training.lungs_real"
WEIGHTS = "lungs_real.safetensors"
PHANTOM_ONLY, CROSS_VALIDATED = "phantom-only", "cross-validated"
FOLDS = 5
SEED_PHANTOMS = 33
LUNGS = ("lung_right", "lung_left")
CONFIG = SegmenterConfig(image_size=128, channels=(16, 32, 64, 128, 128), structures=LUNGS)
SHAPES = (256, (320, 260), (288, 300), (260, 320), 224, (300, 256), (300, 310))
CLEAN_EVERY = 3
"""One phantom in so many has no grain: a large image loses its grain when it is shrunk."""


def main(arguments: list[str] | None = None) -> None:
    parser = progress.arguments(__doc__ or "", steps=10**6, batch=16, rate=2e-3)
    parser.add_argument("--real", type=Path, required=True, help="folder of real radiographs with lung masks")
    parser.add_argument("--arm", choices=(PHANTOM_ONLY, CROSS_VALIDATED), default=PHANTOM_ONLY)
    parser.add_argument("--measure-only", action="store_true", help="take the weights that lie in --out")
    parser.add_argument("--write", action="store_true", help="put the rows into docs/results.json")
    parser.set_defaults(minutes=8.0, studies=1400)
    options = parser.parse_args(arguments)
    drawn = [radiograph for radiograph in radiographs.read(options.real) if radiograph.lungs is not None]
    scores = (_phantom_only if options.arm == PHANTOM_ONLY else _cross_validated)(drawn, options)
    found = rows(scores, drawn, options)
    shown = {f"{row['population']}, {row['metric']}": row["mean"] for row in found}
    progress.Progress("lungs-real").report(force=True, **shown)
    if options.write:
        results.put(found)


def _phantom_only(drawn: Sequence[Radiograph], options: argparse.Namespace) -> list[float]:
    """Dice of each radiograph by the network that phantoms taught; its weights are kept in `--out`."""
    generator = progress.prepare(options)
    network = build(CONFIG)
    if options.measure_only:
        load_weights(network, options.out / WEIGHTS)
    else:
        fit(network, *phantoms(options.cache, options.studies), options, generator)
        save_weights(network, options.out / WEIGHTS)
    return dices(network.eval(), drawn)


def _cross_validated(drawn: Sequence[Radiograph], options: argparse.Namespace) -> list[float]:
    """Dice of each radiograph by the network of its fold, which is kept in `--out` and not trained twice."""
    folds = folds_of([radiograph.patient for radiograph in drawn])
    images, masks = phantoms(options.cache, options.studies)
    found = [0.0] * len(drawn)
    for fold in range(FOLDS):
        network = build(CONFIG)
        path = options.out / of_fold(fold)
        seen = [r for r, other in zip(drawn, folds, strict=True) if other != fold]
        taught = json.dumps(sorted(f"{r.patient} {r.name}" for r in seen))
        note = path.with_suffix(".json")
        if path.is_file() and note.is_file():
            if note.read_text() != taught:
                sys.exit(f"{path} was taught by other radiographs: delete it, or take another --out")
            load_weights(network, path)
        else:
            load_weights(network, options.out / WEIGHTS)
            generator = progress.prepare(options)
            real = radiographs.squares(seen, CONFIG.image_size)
            fit(network, images, masks, options, generator, real)
            save_weights(network, path)
            note.write_text(taught)
        unseen = [place for place, other in enumerate(folds) if other == fold]
        for place, value in zip(unseen, dices(network.eval(), [drawn[p] for p in unseen]), strict=True):
            found[place] = value
    return found


def of_fold(fold: int) -> str:
    """The file of a fold's network."""
    return f"fold-{fold}-{WEIGHTS}"


def folds_of(patients: Sequence[str]) -> list[int]:
    """The fold of each radiograph: all of a patient in one, patients dealt out in the order of a hash."""
    ordered = sorted(set(patients), key=lambda patient: hashlib.sha256(patient.encode()).hexdigest())
    return [ordered.index(patient) % FOLDS for patient in patients]


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
    network: UNet,
    images: Tensor,
    masks: Tensor,
    options: argparse.Namespace,
    generator: torch.Generator,
    real: Squares | None = None,
) -> None:
    """The training loop; the network is left in evaluation mode."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=options.rate, weight_decay=1e-4)
    schedule = progress.Schedule(optimiser, options)
    log = progress.Progress("lungs-real")
    count = options.batch if real is None else options.batch // 2
    known = torch.ones(count, len(LUNGS), dtype=torch.bool)
    reals = None if real is None else real_batches(real, options.batch - count, generator)
    network.train()
    while not schedule.over:
        schedule.advance()
        picked = torch.randint(len(images), (count,), generator=generator)
        seen, wanted = augment.geometric(images[picked].float() / 255, masks[picked].float(), generator)
        loss = losses.dice_and_bce(network(rooms(seen, generator)), wanted, known)
        loss = loss if reals is None else loss + of_real(network, next(reals))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        log.report(step=schedule.step, share=schedule.share, loss=float(loss.detach()))
    network.eval()


def of_real(network: UNet, batch: RealBatch) -> Tensor:
    """The loss of radiographs, of which only part of the truth is known."""
    logits, sided = network(batch.images), batch.known[:, 1]
    taught = losses.dice_and_bce(logits, batch.sides, sided[:, None].expand(-1, 2))
    return taught + losses.union_loss(logits, batch.lungs, batch.known[:, 0] & ~sided)


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
def probabilities(network: UNet, seen: Tensor) -> Tensor:
    """(1, S, S) -> (2, S, S): of the right and the left lung, the mean of what is said of the picture and of
    its mirror image."""
    mirrored = network(seen[None].flip(-1)).sigmoid()[0].flip(-1, 0)
    return (network(seen[None]).sigmoid()[0] + mirrored) / 2


def dices(network: UNet, drawn: Sequence[Radiograph]) -> list[float]:
    """Dice of the union of both lungs, image by image, in the pixels of the image."""
    found = []
    for radiograph in drawn:
        assert radiograph.lungs is not None, f"{radiograph.name} has no drawn lungs"
        seen, box = to_square(radiograph.image_input(), CONFIG.image_size)
        both = probabilities(network, seen).amax(dim=0)
        outlined = largest(box.grow(both[None])[0].numpy() >= 0.5, pieces=2)
        found.append(measures.dice(outlined, radiograph.lungs))
    return found


def largest(mask: NDArray[np.bool_], pieces: int = 1) -> NDArray[np.bool_]:
    """The largest pieces of a mask, without holes: a lung is in one piece, and whole."""
    labels, count = ndimage.label(mask)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    kept: NDArray[np.bool_] = ndimage.binary_fill_holes(
        np.isin(labels, 1 + np.argsort(sizes)[-pieces:]) & mask
    )
    return kept


def rows(
    scores: Sequence[float], drawn: Sequence[Radiograph], options: argparse.Namespace
) -> list[results.Row]:
    """All of them, the worst of them, and those of patients held out wherever radiographs are trained on."""
    values = {
        ("real", "dice"): measures.bootstrap_mean(scores),
        ("real", "dice_worst"): single(min(scores), len(scores)),
    }
    if options.arm == PHANTOM_ONLY:
        held_out = [s for s, r in zip(scores, drawn, strict=True) if r.held_out]
        values["real, held-out patients", "dice"] = measures.bootstrap_mean(held_out)
    return [row(options.arm, *of, value, COMMAND, options) for of, value in values.items()]


def single(value: float, count: int) -> measures.Interval:
    """A value of `count` radiographs together, without a range."""
    return measures.Interval(value, value, value, count)


def row(
    arm: str,
    population: str,
    metric: str,
    value: measures.Interval,
    command: str,
    options: argparse.Namespace,
) -> results.Row:
    length = f"--minutes {options.minutes:g}" if options.minutes else f"--minutes 0 --steps {options.steps}"
    told = "" if options.arm == PHANTOM_ONLY else f" --arm {options.arm} --rate {options.rate:g}"
    return {
        "experiment": "lungs-real",
        "arm": arm,
        "views": "frontal",
        "population": population,
        "metric": metric,
        **{name: round(getattr(value, name), 4) for name in ("mean", "low", "high")},
        "n": value.n,
        "seeds": 1,
        "command": f"{command}{told} --real RADIOGRAPHS --out FOLDER {length}",
    }


if __name__ == "__main__":
    main()
