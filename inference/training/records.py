"""Phantoms and real radiographs, rendered once into memory-mapped arrays that training reads at random.

A cache folder holds one subfolder per population of phantoms, named by the seed, the count, the size and the
digest of the generator's source, so a changed generator never feeds on old pictures.
"""

import hashlib
import json
import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from inference.contract import Certainty, ImageInput, Section, Sentence, Side
from inference.maira_seg.processor import CodedSentence
from inference.phantom import study as phantom
from inference.segmentation.geometry import Letterbox, to_square
from inference.structures import STRUCTURES

CODES = tuple(structure.code for structure in STRUCTURES)
COVERED = 0.4
"""Share of a pixel of the square that a structure must cover to own it: thin devices keep their width."""
SHAPES: tuple[int | tuple[int, int], ...] = (256, (320, 260), 384, (260, 320), 512, 288, (416, 340))
"""Sizes phantoms are rendered at before they are shrunk: pixel noise and sharpness then vary as in life."""
CLEAN_EVERY = 4
"""One phantom in so many is rendered without grain: a large image loses its grain when it is shrunk."""
_TEXT_SIZE = 32
_TEXT_MODULES = {"reports.py", "patients.py"}


@dataclass(frozen=True)
class Phantoms:
    """A population: pixels (N, S, S) uint8, normalised; masks (N, M, S*S/8) uint8, packed bits."""

    seed: int
    size: int
    pixels: NDArray[np.uint8]
    packed: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.pixels)

    def masks(self, rows: Sequence[int] | NDArray[np.intp]) -> torch.Tensor:
        """(B, M, S, S) float of the studies at these rows."""
        bits = np.unpackbits(self.packed[rows], axis=-1)
        return torch.from_numpy(bits).float().unflatten(-1, (self.size, self.size))

    def images(self, rows: Sequence[int] | NDArray[np.intp]) -> torch.Tensor:
        """(B, 1, S, S) float in 0..1."""
        return torch.from_numpy(self.pixels[rows]).float().div_(255)[:, None]


@dataclass(frozen=True)
class Truth:
    """What is known about one phantom besides its pixels: findings as (code, side, certainty), and its
    report."""

    findings: tuple[tuple[str, str, str], ...]
    sentences: tuple[CodedSentence, ...]
    indication: str


def shape_of(index: int) -> int | tuple[int, int]:
    """The size study `index` is rendered at."""
    return SHAPES[(index * 7919) % len(SHAPES)]


def phantoms(cache: Path, seed: int, count: int, *, size: int = 256, processes: int = 2) -> Phantoms:
    """The first `count` studies of a seed, from the cache or rendered into it."""
    folder = cache / f"phantoms-{seed}-{count}-{size}-{_generator_digest()}"
    done = folder / "done.json"
    if not done.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        shapes = {"pixels": (count, size, size), "masks": (count, len(CODES), size * size // 8)}
        for name, shape in shapes.items():
            np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.uint8, shape).flush()
        jobs = [(str(folder), seed, size, range(i, count, processes)) for i in range(processes)]
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            pool.map(_render, jobs)
        done.write_text(json.dumps({"seed": seed, "count": count, "size": size}) + "\n")
    return Phantoms(
        seed,
        size,
        np.load(folder / "pixels.npy", mmap_mode="r"),
        np.load(folder / "masks.npy", mmap_mode="r"),
    )


def truths(cache: Path, seed: int, count: int, *, processes: int = 2) -> list[Truth]:
    """Findings and report of the first `count` studies of a seed; the same as those of the rendered
    pictures."""
    path = cache / f"truths-{seed}-{count}-{_generator_digest(texts=True)}.json"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            rows = pool.starmap(_truth_row, ((seed, index) for index in range(count)), chunksize=64)
        path.write_text(json.dumps(rows))
    return [_truth(row) for row in json.loads(path.read_text())]


def square(image: phantom.PhantomImage, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A phantom as a model sees it: pixels (1, S, S), and its masks (M, S, S) bool."""
    pixels, box = to_square(image_input(image), size)
    return pixels, shrink_masks(image, box)


def image_input(image: phantom.PhantomImage) -> ImageInput:
    return ImageInput(
        sop_instance_uid=image.sop_instance_uid,
        grayscale=image.grayscale(),
        view_position=image.view_position,
        pixel_spacing=image.pixel_spacing,
    )


def shrink_masks(image: phantom.PhantomImage, box: Letterbox) -> torch.Tensor:
    """(M, S, S) bool in the order of `CODES`; all false where the structure is absent."""
    masks = torch.zeros(len(CODES), box.size, box.size, dtype=torch.bool)
    for index, code in enumerate(CODES):
        if code in image.masks:
            full = torch.from_numpy(image.masks[code].astype(np.float32))[None]
            masks[index] = box.shrink(full)[0] >= COVERED
    return masks


def _render(job: tuple[str, int, int, range]) -> None:
    folder, seed, size, indices = job
    torch.set_num_threads(1)
    pixels = np.lib.format.open_memmap(Path(folder) / "pixels.npy", "r+")
    packed = np.lib.format.open_memmap(Path(folder) / "masks.npy", "r+")
    for index in indices:
        clean = index % CLEAN_EVERY == 0
        image = phantom.generate(seed, index, size=shape_of(index), with_noise=not clean).images[0]
        seen, masks = square(image, size)
        pixels[index] = (seen[0] * 255).round().to(torch.uint8).numpy()
        packed[index] = np.packbits(masks.flatten(1).numpy(), axis=-1)
    pixels.flush()
    packed.flush()


def _truth_row(seed: int, index: int) -> dict[str, object]:
    made = phantom.generate(seed, index, size=_TEXT_SIZE)
    return {
        "findings": [(f.finding, str(f.side), str(f.certainty)) for f in made.findings],
        "sentences": [_sentence_row(sentence) for sentence in made.sentences],
        "indication": made.indication,
    }


def _sentence_row(sentence: Sentence) -> list[object]:
    cites = [evidence.structure for evidence in sentence.evidence]
    coded = (sentence.section, sentence.finding, sentence.side, sentence.certainty, sentence.text)
    return [*map(str, coded), cites]


def _truth(row: dict[str, list[list[str]]]) -> Truth:
    return Truth(
        findings=tuple((code, side, certainty) for code, side, certainty in row["findings"]),
        sentences=tuple(coded(sentence) for sentence in row["sentences"]),
        indication=str(row["indication"]),
    )


def coded(row: Sequence[object]) -> CodedSentence:
    """A sentence from its stored row."""
    section, finding, side, certainty, text, cites = row
    assert isinstance(cites, Sequence), f"citations are {type(cites)}"
    return CodedSentence(
        section=Section(str(section)),
        finding=str(finding),
        side=Side(str(side)),
        certainty=Certainty(str(certainty)),
        text=str(text),
        cites=tuple(str(cite) for cite in cites),
    )


def _generator_digest(*, texts: bool = False) -> str:
    """Eight digits that change when the generator's source does (its words count for texts only)."""
    folder = Path(phantom.__file__).parent
    files = sorted(p for p in folder.glob("*.py") if texts or p.name not in _TEXT_MODULES)
    return hashlib.sha256(b"".join(p.read_bytes() for p in files)).hexdigest()[:8]
