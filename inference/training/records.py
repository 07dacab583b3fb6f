"""Phantoms, rendered once into memory-mapped arrays that training reads at random.

A cache folder holds one subfolder per population, named by the seed, the count, the size and the digest of
the generator's source, so a changed generator never feeds on old pictures. Kept with the pictures is their
coded truth; reports are written from it when they are needed, as often and in as many words as wanted.
"""

import datetime
import hashlib
import itertools
import json
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inference import structures
from inference.contract import Certainty, ImageInput, Sentence, Side, ViewPosition
from inference.maira_seg.processor import CodedSentence
from inference.phantom import reports
from inference.phantom import study as phantom
from inference.phantom.reports import CodedFinding
from inference.segmentation.geometry import Letterbox, to_square
from inference.segmentation.views import STRUCTURES_OF, View
from inference.structures import STRUCTURES

CODES = tuple(structure.code for structure in STRUCTURES)
COVERED = 0.4
"""Share of a pixel of the square that a structure must cover to own it: thin devices keep their width."""
SHAPES: tuple[int | tuple[int, int], ...] = (256, (320, 260), 384, (260, 320), 512, 288, (416, 340))
"""Sizes phantoms are rendered at before they are shrunk: pixel noise and sharpness then vary as in life."""
CLEAN_EVERY = 4
"""One phantom in so many is rendered without grain: a large image loses its grain when it is shrunk."""
BEDSIDE_EVERY, BEDSIDE_OF_THEM = 5, 2
"""Two phantoms in five are AP, whatever is wrong with them."""
_WORDS = ("reports", "wording", "phrases")
"""How the names of those sources of the generator begin that change no picture."""


class Manner(TypedDict):
    """Of `phantom.generate`."""

    size: int | tuple[int, int]
    with_noise: bool


@dataclass(frozen=True)
class Truth:
    """What is known about one phantom besides its pixels: its findings, and the structures to be seen. prior:
    of the earlier study it is compared with, whose date is prior_date."""

    findings: tuple[CodedFinding, ...]
    seen: tuple[str, ...]
    prior: "Truth | None" = None
    prior_date: datetime.date | None = None

    def report(self, seed: Sequence[int], language: str = "en") -> tuple[CodedSentence, ...]:
        """A true report, in words that hang on the seed."""
        rng = np.random.default_rng(list(seed))
        seen = dict.fromkeys(self.seen, "image")
        _, sentences = reports.write(self.findings, seen, rng, language=language, prior_date=self.prior_date)
        return tuple(coded(sentence) for sentence in sentences)


@dataclass(frozen=True)
class Phantoms:
    """A population on one device: pixels (N, S, S) uint8, normalised; packed (N, M, S*S/8) uint8, masks of
    the M structures as bits."""

    seed: int
    size: int
    pixels: Tensor
    packed: Tensor
    truths: tuple[Truth, ...] = ()
    structures: tuple[str, ...] = CODES

    def __len__(self) -> int:
        return len(self.pixels)

    def to(self, device: torch.device | str) -> "Phantoms":
        return replace(self, pixels=self.pixels.to(device), packed=self.packed.to(device))

    def masks(self, rows: Tensor) -> Tensor:
        """(B, M, S, S) float of the studies at these rows."""
        packed = self.packed[rows.to(self.packed.device)]
        places = torch.arange(7, -1, -1, dtype=torch.uint8, device=packed.device)
        bits = (packed[..., None] >> places) & 1
        return bits.flatten(-2).float().unflatten(-1, (self.size, self.size))

    def images(self, rows: Tensor) -> Tensor:
        """(B, 1, S, S) float in 0..1."""
        return self.pixels[rows.to(self.pixels.device)].float().div_(255)[:, None]


def shape_of(index: int) -> int | tuple[int, int]:
    """The size study `index` is rendered at."""
    return SHAPES[(index * 7919) % len(SHAPES)]


def phantoms(
    cache: Path,
    seed: int,
    count: int,
    *,
    size: int = 256,
    processes: int = 2,
    view: View = View.FRONTAL,
) -> Phantoms:
    """One view of each of the first `count` studies of a seed, from the cache or rendered into it."""
    kind = "phantoms" if view is View.FRONTAL else f"phantoms-{view}"
    codes = STRUCTURES_OF[view]
    folder = cache / f"{kind}-{seed}-{count}-{size}-{generator_digest()}"
    shapes = {"pixels": (count, size, size), "masks": (count, len(codes), size * size // 8)}
    rows = rendered_into(folder, shapes, partial(_render, seed=seed, size=size, view=view), count, processes)
    pixels, packed = (read_array(folder / f"{name}.npy") for name in ("pixels", "masks"))
    return Phantoms(seed, size, pixels, packed, tuple(truth_of(row) for row in rows), codes)


Row = dict[str, Any]
Render = Callable[[Path, range], list[Row]]


def rendered_into(
    folder: Path, shapes: Mapping[str, tuple[int, ...]], render: Render, count: int, processes: int
) -> list[Row]:
    """What is known of `count` studies whose arrays (bytes of these shapes) lie in the folder, or are
    rendered into it by several processes, each a share of the studies."""
    truths = folder / "truths.json"
    if not truths.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        for name, shape in shapes.items():
            np.lib.format.open_memmap(folder / f"{name}.npy", "w+", np.uint8, shape).flush()
        jobs = [(folder, range(i, count, processes)) for i in range(processes)]
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            done = pool.starmap(render, jobs)
        rows = [done[index % processes][index // processes] for index in range(count)]
        written = folder / "truths.part"
        written.write_text(json.dumps(rows))
        written.rename(truths)  # it says that all is there
    return list(json.loads(truths.read_text()))


def read_array(path: Path) -> Tensor:
    """An array of a folder of phantoms, mapped from its file."""
    return torch.from_numpy(np.load(path, mmap_mode="c"))


def open_array(path: Path) -> NDArray[np.uint8]:
    """An array that is being rendered into."""
    return np.lib.format.open_memmap(path, "r+")


def wordings(
    population: Phantoms, count: int, *, processes: int = 2, languages: Sequence[str] = ("en",)
) -> list[list[tuple[CodedSentence, ...]]]:
    """`count` reports of each study, each in other words, and in the languages in turn."""
    write = partial(_wordings, seed=population.seed, count=count, languages=languages)
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return pool.map(write, enumerate(population.truths), chunksize=64)


def _wordings(
    row: tuple[int, Truth], *, seed: int, count: int, languages: Sequence[str]
) -> list[tuple[CodedSentence, ...]]:
    index, truth = row
    asked = itertools.cycle(languages)
    return [truth.report((seed, index, number), next(asked)) for number in range(count)]


def square(image: phantom.PhantomImage, size: int, codes: Sequence[str] = CODES) -> tuple[Tensor, Tensor]:
    """A phantom as a model sees it: pixels (1, S, S), and the masks (M, S, S) bool of these structures."""
    pixels, box = to_square(image_input(image), size)
    return pixels, shrink_masks(image, box, codes)


def image_input(image: phantom.PhantomImage) -> ImageInput:
    return ImageInput(
        sop_instance_uid=image.sop_instance_uid,
        grayscale=image.grayscale(),
        view_position=image.view_position,
        pixel_spacing=image.pixel_spacing,
    )


def shrink_masks(image: phantom.PhantomImage, box: Letterbox, codes: Sequence[str] = CODES) -> Tensor:
    """(M, S, S) bool in the order of `codes`; all false where the structure is absent."""
    masks = torch.zeros(len(codes), box.size, box.size, dtype=torch.bool)
    for index, code in enumerate(codes):
        if code in image.masks:
            full = torch.from_numpy(image.masks[code].astype(np.float32))[None]
            masks[index] = box.shrink(full)[0] >= COVERED
    return masks


def rendered(seed: int, index: int, view: View = View.FRONTAL) -> phantom.PhantomStudy:
    """Study `index` as training renders it: one view and no prior."""
    position = position_of(index) if view is View.FRONTAL else ViewPosition.LEFT_LATERAL
    return phantom.generate(seed, index, views=[position], with_prior=False, **manner_of(index))


def position_of(index: int) -> ViewPosition:
    """How study `index` is taken from the front."""
    bedside = (index * 3) % BEDSIDE_EVERY < BEDSIDE_OF_THEM
    return ViewPosition.AP if bedside else ViewPosition.PA


def manner_of(index: int) -> Manner:
    """What else rendering study `index` is told."""
    return {"size": shape_of(index), "with_noise": index % CLEAN_EVERY != 0}


def _render(folder: Path, indices: range, *, seed: int, size: int, view: View) -> list[Row]:
    torch.set_num_threads(1)
    pixels, packed = (open_array(folder / f"{name}.npy") for name in ("pixels", "masks"))
    rows = []
    for index in indices:
        made = rendered(seed, index, view)
        pixels[index], packed[index] = as_bytes(made.images[0], size, STRUCTURES_OF[view])
        rows.append(truth_row(made))
    return rows


def as_bytes(
    image: phantom.PhantomImage, size: int, codes: Sequence[str]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Pixels (S, S) and packed masks (M, S*S/8), as they are kept."""
    seen, masks = square(image, size, codes)
    return (seen[0] * 255).round().to(torch.uint8).numpy(), np.packbits(masks.flatten(1).numpy(), axis=-1)


def truth_row(made: phantom.PhantomStudy) -> Row:
    """The truth of a study, as it is kept: what any of its images shows, and what its prior was."""
    row: Row = {
        "findings": [asdict(one) for one in made.findings],
        "seen": sorted({code for image in made.images for code in image.masks}),
    }
    if made.prior is not None:
        row |= {"prior": truth_row(made.prior), "prior_date": made.prior.study_date.isoformat()}
    return row


def truth_of(row: Row) -> Truth:
    """The opposite."""
    known = tuple(_finding(one) for one in row["findings"]), tuple(row["seen"])
    if "prior" not in row:
        return Truth(*known)
    return Truth(*known, truth_of(row["prior"]), datetime.date.fromisoformat(row["prior_date"]))


def _finding(values: dict[str, Any]) -> CodedFinding:
    kept = {"side": Side(values["side"]), "certainty": Certainty(values["certainty"])}
    return CodedFinding(**{**values, **kept, "structures": tuple(values["structures"])})


def coded(sentence: Sentence) -> CodedSentence:
    """A phantom's sentence as the model writes it."""
    return CodedSentence(
        section=sentence.section,
        finding=sentence.finding,
        side=sentence.side,
        certainty=sentence.certainty,
        text=sentence.text,
        cites=tuple(evidence.structure for evidence in sentence.evidence),
    )


def generator_digest() -> str:
    """Eight digits that change when the source of the pictures does."""
    files = sorted(p for p in Path(phantom.__file__).parent.glob("*.py") if not p.name.startswith(_WORDS))
    files.append(Path(structures.__file__))  # its order is that of the channels
    return hashlib.sha256(b"".join(p.read_bytes() for p in files)).hexdigest()[:8]
