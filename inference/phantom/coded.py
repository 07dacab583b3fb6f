"""Findings as truth."""

from dataclasses import dataclass

from inference.contract import Certainty, Side


@dataclass(frozen=True)
class CodedFinding:
    """A finding as truth: structures are the masks that show it in some image of the study.

    extent and zone are words of `plan.EXTENTS` and `plan.zones`; size_mm is a lump's diameter or the width of
    a gap; tip_mm where a tube ends (see `devices`). change against the prior: new, larger, smaller,
    unchanged, resolved (then certainty is absent and there is no structure); empty without a prior.
    """

    finding: str
    side: Side
    certainty: Certainty
    structures: tuple[str, ...]
    extent: str = ""
    zone: str = ""
    size_mm: float | None = None
    tip_mm: float | None = None
    change: str = ""
