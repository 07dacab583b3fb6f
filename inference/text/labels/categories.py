"""The 14 categories of CheXpert, and what a sentence says of one: a state and the patient's side.

The categories and their names are those of J. Irvin et al., "CheXpert: A Large Chest Radiograph Dataset with
Uncertainty Labels and Expert Comparison", AAAI 2019. A category that a sentence does not mention has no
label: the fourth state, unmentioned, is a missing entry. See docs/labels.md for what counts as what.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from inference.contract import Certainty, Side


class Category(StrEnum):
    NO_FINDING = "No Finding"
    ENLARGED_CARDIOMEDIASTINUM = "Enlarged Cardiomediastinum"
    CARDIOMEGALY = "Cardiomegaly"
    LUNG_OPACITY = "Lung Opacity"
    LUNG_LESION = "Lung Lesion"
    EDEMA = "Edema"
    CONSOLIDATION = "Consolidation"
    PNEUMONIA = "Pneumonia"
    ATELECTASIS = "Atelectasis"
    PNEUMOTHORAX = "Pneumothorax"
    PLEURAL_EFFUSION = "Pleural Effusion"
    PLEURAL_OTHER = "Pleural Other"
    FRACTURE = "Fracture"
    SUPPORT_DEVICES = "Support Devices"


UNSIDED = (Category.NO_FINDING, Category.ENLARGED_CARDIOMEDIASTINUM, Category.CARDIOMEGALY)
"""Their label never has a side."""


@dataclass(frozen=True)
class Label:
    state: Certainty
    side: Side = Side.NONE


Labels = dict[Category, Label]

OF_FINDING: Mapping[str, tuple[Category, ...]] = {
    "pleural_effusion": (Category.PLEURAL_EFFUSION,),
    "pneumothorax": (Category.PNEUMOTHORAX,),
    "consolidation": (Category.CONSOLIDATION,),
    "nodule": (Category.LUNG_LESION,),
    "mass": (Category.LUNG_LESION,),
    "cardiomegaly": (Category.CARDIOMEGALY,),
    "atelectasis": (Category.ATELECTASIS,),
    "pulmonary_edema": (Category.EDEMA,),
    "rib_fracture": (Category.FRACTURE,),
    "hiatus_hernia": (),
    "free_air": (),
    "endotracheal_tube": (Category.SUPPORT_DEVICES,),
    "central_line": (Category.SUPPORT_DEVICES,),
    "pacemaker": (Category.SUPPORT_DEVICES,),
    "tracheostomy_tube": (Category.SUPPORT_DEVICES,),
    "nasogastric_tube": (Category.SUPPORT_DEVICES,),
    "chest_drain": (Category.SUPPORT_DEVICES,),
}
"""Of the findings of `inference.structures`; none for those CheXpert has no category for."""

_STRENGTH = (Certainty.PRESENT, Certainty.UNCERTAIN, Certainty.ABSENT)


@dataclass(frozen=True)
class Mention:
    """One place that speaks of a category.

    sign: not the finding itself but what hints at it, a blunted costophrenic angle; it counts only where
    the sentence names neither the effusion nor another cause.
    """

    category: Category
    state: Certainty
    side: Side = Side.NONE
    sign: bool = False


def merge(mentions: Iterable[Mention]) -> Labels:
    """The labels of a sentence or a report: present beats uncertain beats absent, and No Finding is left out
    beside anything present or uncertain but Support Devices.

    The side is that of the mentions that win; left and right together are bilateral.
    """
    found: dict[Category, list[Mention]] = {}
    for mention in _without_explained_signs(tuple(mentions)):
        found.setdefault(mention.category, []).append(mention)
    labels = {category: _strongest(category, found[category]) for category in Category if category in found}
    no_finding = labels.pop(Category.NO_FINDING, None)
    if no_finding and no_finding.state is Certainty.PRESENT and not _abnormal(labels):
        return {Category.NO_FINDING: no_finding, **labels}
    return labels


def mentions_of(labels: Labels) -> tuple[Mention, ...]:
    """Labels once more as mentions, to be merged with those of other sentences."""
    return tuple(Mention(category, label.state, label.side) for category, label in labels.items())


def union(sides: Iterable[Side]) -> Side:
    known = {side for side in sides if side is not Side.NONE}
    return Side.BILATERAL if len(known) > 1 else next(iter(known), Side.NONE)


def _strongest(category: Category, mentions: list[Mention]) -> Label:
    state = min((mention.state for mention in mentions), key=_STRENGTH.index)
    side = union(mention.side for mention in mentions if mention.state is state)
    return Label(state, Side.NONE if category in UNSIDED else side)


def _abnormal(labels: Labels) -> bool:
    return any(
        label.state is not Certainty.ABSENT and category is not Category.SUPPORT_DEVICES
        for category, label in labels.items()
    )


def _without_explained_signs(mentions: tuple[Mention, ...]) -> tuple[Mention, ...]:
    explained = any(
        mention.category in (Category.PLEURAL_EFFUSION, Category.PLEURAL_OTHER)
        and mention.state is not Certainty.ABSENT
        for mention in mentions
        if not mention.sign
    )
    return tuple(mention for mention in mentions if not (mention.sign and explained))
