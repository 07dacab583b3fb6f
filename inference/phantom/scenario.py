"""What is wrong with a phantom patient: planned findings, drawn or asked for."""

from dataclasses import dataclass, replace

import numpy as np

from inference.contract import Side
from inference.structures import FINDINGS_BY_CODE

NORMAL_SHARE = 0.4
EXTENTS: dict[str, tuple[str, ...]] = {
    "pleural_effusion": ("small", "moderate", "large"),
    "pneumothorax": ("small", "moderate", "large"),
    "consolidation": ("patchy", "dense"),
    "nodule": ("",),
    "cardiomegaly": ("mild", "marked"),
    "endotracheal_tube": ("well_placed", "too_low"),
    "central_line": ("well_placed", "too_deep"),
    "pacemaker": ("single_lead", "dual_lead"),
}
ZONES = ("upper", "mid", "lower")
ZONED = ("consolidation", "nodule")
DEVICES = ("endotracheal_tube", "central_line", "pacemaker")
_RATES = {
    "pleural_effusion": 0.34,
    "pneumothorax": 0.18,
    "consolidation": 0.34,
    "nodule": 0.2,
    "cardiomegaly": 0.28,
    "endotracheal_tube": 0.14,
    "central_line": 0.22,
    "pacemaker": 0.13,
}
_BILATERAL = {"pleural_effusion": 0.3, "consolidation": 0.25}
_ALIKE = 0.6
_HEDGED = {"pleural_effusion": 0.25, "pneumothorax": 0.15, "consolidation": 0.2, "nodule": 0.25}


@dataclass(frozen=True)
class PlannedFinding:
    """One finding to render, on one side: `bilateral` is planned as two.

    extent is one of `EXTENTS[finding]`, zone one of `ZONES` for consolidation and nodule; empty means the
    first. doubtful makes it faint, and its sentence hedged.
    """

    finding: str
    side: Side = Side.NONE
    extent: str = ""
    zone: str = ""
    doubtful: bool = False


def checked(planned: PlannedFinding) -> PlannedFinding:
    """The finding with its defaults filled in.

    Raises
    ------
    ValueError
        When the finding is unknown, or its side, extent or zone does not belong to it.
    """
    known = FINDINGS_BY_CODE.get(planned.finding)
    if known is None:
        raise ValueError(f"unknown finding {planned.finding!r}; known: {', '.join(FINDINGS_BY_CODE)}")
    allowed = (Side.RIGHT, Side.LEFT) if known.sided else (Side.NONE,)
    if planned.side not in allowed:
        raise ValueError(f"{planned.finding} cannot have the side {planned.side.value!r}")
    extent = planned.extent or EXTENTS[planned.finding][0]
    if extent not in EXTENTS[planned.finding] and extent:
        raise ValueError(f"{planned.finding} cannot have the extent {extent!r}")
    zone = planned.zone or ("mid" if planned.finding in ZONED else "")
    if zone not in (ZONES if planned.finding in ZONED else ("",)):
        raise ValueError(f"{planned.finding} cannot have the zone {zone!r}")
    return PlannedFinding(planned.finding, Side(planned.side), extent, zone, planned.doubtful)


def draw(rng: np.random.Generator) -> tuple[PlannedFinding, ...]:
    """Nothing at all in about 40 % of studies, else one finding or several that can be seen side by side."""
    if rng.uniform() < NORMAL_SHARE:
        return ()
    while True:
        chosen = [code for code, rate in _RATES.items() if rng.uniform() < rate]
        if chosen:
            break
    planned: list[PlannedFinding] = []
    for code in chosen:
        for side in _sides(rng, code, planned):
            planned.append(_one(rng, code, side, planned))
    return tuple(planned)


def _sides(rng: np.random.Generator, code: str, planned: list[PlannedFinding]) -> tuple[Side, ...]:
    if not FINDINGS_BY_CODE[code].sided:
        return (Side.NONE,)
    right_share = 0.65 if code == "central_line" else 0.3 if code == "pacemaker" else 0.5
    side = Side.RIGHT if rng.uniform() < right_share else Side.LEFT
    other = Side.LEFT if side is Side.RIGHT else Side.RIGHT
    both = rng.uniform() < _BILATERAL.get(code, 0)
    wet = {p.side for p in planned if p.finding == "pleural_effusion"}
    if code == "pneumothorax" and wet:
        return (other,) if side in wet and other not in wet else () if len(wet) == 2 else (side,)
    return (Side.RIGHT, Side.LEFT) if both else (side,)


def _one(rng: np.random.Generator, code: str, side: Side, planned: list[PlannedFinding]) -> PlannedFinding:
    extents = EXTENTS[code]
    extent = extents[int(rng.integers(len(extents)))]
    twin = next((p for p in planned if p.finding == code), None)
    zones = _zones(code, side, planned)
    zone = zones[int(rng.integers(len(zones)))] if zones else ""
    doubtful = bool(rng.uniform() < _HEDGED.get(code, 0))
    if doubtful and code in ("pleural_effusion", "pneumothorax", "consolidation"):
        extent = extents[0]
    if twin and rng.uniform() < _ALIKE and (twin.zone in zones or not zones):
        return replace(twin, side=side)
    return PlannedFinding(code, side, extent, zone, doubtful)


def _zones(code: str, side: Side, planned: list[PlannedFinding]) -> tuple[str, ...]:
    """Zones of a lung not already hidden by another finding of that side."""
    if code not in ZONED:
        return ()
    here = {p.finding: p for p in planned if p.side == side}
    free = set(ZONES)
    effusion = here.get("pleural_effusion")
    if effusion and effusion.extent != "small":
        free.discard("lower")
    if "pneumothorax" in here:
        free.discard("upper")
    if "consolidation" in here and len(free) > 1:
        free.discard(here["consolidation"].zone)
    return tuple(zone for zone in ZONES if zone in free) or ("mid",)
