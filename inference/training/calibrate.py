"""What is set after training, on phantoms and radiographs no network was trained on: the least area of
a structure, the trust below which a mask is not believed, and the edges of the domains."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inference.contract import Certainty, StudyInput
from inference.maira_seg import vision
from inference.maira_seg.applicability import Domain, Plane, distance, fit, fit_plane
from inference.maira_seg.checkpoint import DRAFT_DOMAINS, MASK_DOMAINS
from inference.maira_seg.drafter import MairaSegDrafter
from inference.maira_seg.record import overlap
from inference.maira_seg.vision import VisionEncoder
from inference.phantom import study as phantom
from inference.segmentation import trust
from inference.segmentation.model import SegmenterConfig
from inference.segmentation.segmenter import Segmenter
from inference.structures import BY_CODE, FINDINGS_BY_CODE, Group
from inference.training import augment
from inference.training.features import BATCH, Features
from inference.training.radiographs import Squares
from inference.training.records import Phantoms, image_input

SEED_PHANTOMS = 13
AREAS = (1, 8, 16, 24, 32, 48, 64, 96, 128, 192)
"""Pixels of the square tried as the least area of a structure."""
BELIEVABLE_DICE = 0.5
DESCRIBED = 4000
"""Studies of a population that its domain is fitted on, at most."""
TRUST_RANGE = (0.4, 0.85)
QUANTILE_PHANTOM, QUANTILE_REAL = 0.99, 0.97
SHRINKAGE_REAL = 0.3
FOLDS = 5
LEAST_RECALL = 0.5
LEAST_TRUSTED, MOST_FALSE = 5, 0.2
"""Masks of a structure that must have been trusted, and the share of them that may have been false."""
DRAFTED_SIZE = 512
VIEWS_OF_REAL = 4
"""Augmented looks at each real radiograph: few images must stand for many."""


def read_json(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(path.read_text())
    return values


def descriptors(computed: Features) -> dict[str, Tensor]:
    """What the domains of a population are fitted on."""
    both = {"draft": computed.draft_descriptors, "masks": computed.mask_descriptors}
    return {name: rows[:DESCRIBED].half().cpu() for name, rows in both.items()}


@torch.inference_mode()
def thresholds(segmenter: Segmenter, phantoms: Phantoms) -> SegmenterConfig:
    """The configuration with its least areas and its trust threshold set on these phantoms."""
    open_config = replace(segmenter.config, min_area=(), trust_threshold=0.0)
    unlimited = Segmenter(open_config, segmenter.network)
    areas, truth, believed, dices = [], [], [], []
    for rows in torch.arange(len(phantoms)).split(BATCH):
        true = phantoms.masks(rows)
        probabilities, _ = unlimited.probabilities(phantoms.images(rows))
        masks = unlimited.cut(probabilities)
        areas.append(masks.flatten(2).sum(dim=-1).cpu())
        truth.append(true.flatten(2).any(dim=-1).cpu())
        believed.append(
            torch.stack([trust.soft_dice(p, m) for p, m in zip(probabilities, masks, strict=True)]).cpu()
        )
        dices.append(_dice(masks.float(), true).cpu())
    area, present = torch.cat(areas), torch.cat(truth)
    least = tuple(_least_area(area[:, i], present[:, i]) for i in range(area.shape[1]))
    found = area >= torch.tensor(least)
    limit = _trust_threshold(torch.cat(believed)[found], torch.cat(dices)[found])
    return replace(segmenter.config, min_area=least, trust_threshold=limit)


@torch.inference_mode()
def unproven(segmenter: Segmenter, phantoms: Phantoms) -> tuple[str, ...]:
    """Findings and devices whose masks cannot be trusted, by those that the segmenter would trust on these
    phantoms: fewer than `LEAST_TRUSTED` of them, or more than `MOST_FALSE` with nothing of the kind below."""
    trusted, false = [], []
    for rows in torch.arange(len(phantoms)).split(BATCH):
        probabilities, _ = segmenter.probabilities(phantoms.images(rows))
        masks = segmenter.cut(probabilities)
        believed = torch.stack([trust.soft_dice(p, m) for p, m in zip(probabilities, masks, strict=True)])
        sure = (believed >= segmenter.config.trust_threshold) & masks.flatten(2).any(dim=-1)
        trusted.append(sure.cpu())
        false.append((sure & ~(masks & phantoms.masks(rows).bool()).flatten(2).any(dim=-1)).cpu())
    count, wrong = (torch.cat(some).sum(dim=0).tolist() for some in (trusted, false))
    return tuple(
        code
        for code, n, missed in zip(segmenter.config.structures, count, wrong, strict=True)
        if BY_CODE[code].group != Group.ANATOMY and (n < LEAST_TRUSTED or missed > MOST_FALSE * n)
    )


def _dice(one: Tensor, other: Tensor) -> Tensor:
    overlap = (one * other).sum(dim=(-2, -1))
    return 2 * overlap / (one.sum(dim=(-2, -1)) + other.sum(dim=(-2, -1))).clamp_min(1)


def _least_area(area: Tensor, present: Tensor) -> int:
    """The area whose cut tells presence best (F1); the smallest of equals."""
    scores = []
    for least in AREAS:
        found = area >= least
        hits = (found & present).sum()
        scores.append(float(2 * hits / (found.sum() + present.sum()).clamp_min(1)))
    return AREAS[scores.index(max(scores))]


def _trust_threshold(believed: Tensor, dices: Tensor) -> float:
    """The trust that best parts masks of Dice below one half from the rest (balanced accuracy)."""
    good = dices >= BELIEVABLE_DICE
    candidates = torch.linspace(*TRUST_RANGE, 51)
    kept = (believed[None] >= candidates[:, None]).float()
    right = (kept * good).sum(dim=1) / good.sum().clamp_min(1)
    wrong = ((1 - kept) * ~good).sum(dim=1) / (~good).sum().clamp_min(1)
    return round(float(candidates[int((right + wrong).argmax())]), 3)


def domains(
    population: dict[str, Tensor], held_out: dict[str, Tensor], real: tuple[Tensor, list[str]] | None
) -> dict[str, Domain]:
    """The draft domain (phantoms) and the mask domains (phantoms and, where given, real chests)."""
    (draft,), (phantom, chest) = DRAFT_DOMAINS, MASK_DOMAINS
    made = {
        draft: fit(population["draft"].float(), held_out["draft"], quantile=QUANTILE_PHANTOM),
        phantom: fit(population["masks"].float(), held_out["masks"], quantile=QUANTILE_PHANTOM),
    }
    if real is not None:
        made[chest] = fit_by_patient(*real)
    return made


def fit_by_patient(features: Tensor, patients: list[str]) -> Domain:
    """A domain from few images: its edge is the quantile of distances to a fit without the image's own
    patient.

    features (V, N, D): V views of each of N images, the first as it is.
    """
    order = {patient: i % FOLDS for i, patient in enumerate(dict.fromkeys(patients))}
    fold = torch.tensor([order[patient] for patient in patients])
    apart = []
    for number in range(FOLDS):
        inside = features[:, fold != number].flatten(0, 1)
        part = fit(inside, inside, quantile=1.0, shrinkage=SHRINKAGE_REAL)
        apart.append(distance(features[0, fold == number].double(), part.mean, part.precision))
    everything = features.flatten(0, 1)
    whole = fit(everything, everything, quantile=1.0, shrinkage=SHRINKAGE_REAL)
    return Domain(whole.mean, whole.precision, torch.quantile(torch.cat(apart), QUANTILE_REAL))


@torch.inference_mode()
def real_descriptors(segmenter: Segmenter, squares: Squares, generator: torch.Generator) -> Tensor:
    """(V, N, E) of real radiographs, as they are and augmented."""
    views = _looks(squares, generator)
    return torch.stack([described(segmenter, images) for images in views])


def turned(images: Tensor) -> list[Tensor]:
    """What a chest must not be taken for: inverted, on either side, upside down, both. (B, 1, S, S) each."""
    quarter, half, back = (torch.rot90(images, times, (2, 3)) for times in (1, 2, 3))
    return [1 - images, quarter, half, back, 1 - half]


def upright(
    encoder: VisionEncoder, phantoms: Tensor, squares: Squares | None, generator: torch.Generator
) -> Plane:
    """The plane between chests as they hang and turned ones, from phantoms (N, 1, S, S) and real chests.

    On the encoder's features: on the segmenter's the least certain of 38 held-out radiographs lay beyond the
    least certain of their turned copies.
    """
    views = [phantoms, *(_looks(squares, generator) if squares is not None else ())]
    hanging = [encoded(encoder, images) for images in views]
    others = [encoded(encoder, other) for images in views for other in turned(images)]
    return fit_plane(torch.cat(hanging), torch.cat(others))


def phantom_like(
    encoder: VisionEncoder, population: Tensor, squares: Squares, generator: torch.Generator
) -> Plane:
    """The plane between a population of phantoms (its descriptors) and real chests: who learned to draft from
    phantoms drafts phantoms alone, however alike they have become."""
    real = [encoded(encoder, images) for images in _looks(squares, generator)]
    return fit_plane(population, torch.cat(real))


def _looks(squares: Squares, generator: torch.Generator) -> list[Tensor]:
    """Real chests as they are, and augmented."""
    views = [squares.images]
    for _ in range(VIEWS_OF_REAL - 1):
        moved, _ = augment.geometric(squares.images, squares.lungs[:, None], generator)
        views.append(augment.photometric(moved, generator))
    return views


@torch.inference_mode()
def encoded(encoder: VisionEncoder, images: Tensor) -> Tensor:
    """(N, D) what the draft gate looks at, on the processor; a copy that gradients may touch."""
    device = next(encoder.parameters()).device
    return torch.cat(
        [vision.descriptor(encoder(part.to(device))).cpu() for part in images.split(BATCH)]
    ).clone()


@torch.inference_mode()
def described(segmenter: Segmenter, images: Tensor) -> Tensor:
    """(N, E) what the mask gates look at, on the processor; a copy that gradients may touch."""
    device = next(segmenter.network.parameters()).device
    found = [segmenter.probabilities(part.to(device))[1].cpu() for part in images.split(BATCH)]
    return torch.cat(found).clone()


def not_denied(loaded: MairaSegDrafter, studies: int) -> tuple[str, ...]:
    """Findings of which the drafter states less than half where they are, or that never were: it may not say
    that they are absent. One stated on the wrong side was missed."""
    there: Counter[str] = Counter()
    stated: Counter[str] = Counter()
    for index in range(studies):
        made = phantom.generate(SEED_PHANTOMS, index, size=DRAFTED_SIZE, with_prior=False)
        seen = tuple(image_input(image) for image in made.images)
        output = loaded.draft(StudyInput(made.study_instance_uid, seen))
        said = [s for s in output.sentences if s.certainty != Certainty.ABSENT]
        there.update(one.finding for one in made.findings)
        stated.update(
            one.finding
            for one in made.findings
            if any(s.finding == one.finding and overlap(s.side, one.side) for s in said)
        )
    return tuple(code for code in FINDINGS_BY_CODE if _is_missed(stated[code], there[code]))


def _is_missed(stated: int, there: int) -> bool:
    return not there or stated < LEAST_RECALL * there


@torch.inference_mode()
def phantom_descriptors(
    encoder: VisionEncoder, segmenter: Segmenter, phantoms: Phantoms
) -> dict[str, Tensor]:
    """What both gates look at, for a population no network was trained on."""
    draft, masks = [], []
    for rows in torch.arange(len(phantoms)).split(BATCH):
        images = phantoms.images(rows)
        draft.append(encoded(encoder, images))
        masks.append(described(segmenter, images))
    return {"draft": torch.cat(draft), "masks": torch.cat(masks)}
