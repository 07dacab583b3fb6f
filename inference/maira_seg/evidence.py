"""Which masks a sentence rests on: those the model cites after writing it."""

from collections.abc import Sequence

from inference.contract import Evidence


def cited(cites: Sequence[str], citable: Sequence[str], sop_instance_uid: str) -> tuple[Evidence, ...]:
    """One piece of evidence per cited structure that has a mask to show; the weight is split evenly."""
    shown = [structure for structure in dict.fromkeys(cites) if structure in citable]
    return tuple(Evidence(structure, sop_instance_uid, 1.0 / len(shown)) for structure in shown)
