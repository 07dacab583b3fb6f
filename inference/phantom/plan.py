"""What is wrong with a phantom patient: planned findings, drawn or asked for, now and at an earlier visit."""

from dataclasses import dataclass, replace

import numpy as np

from inference.contract import Side
from inference.structures import FINDINGS_BY_CODE

NORMAL_SHARE = 0.35
EXTENTS: dict[str, tuple[str, ...]] = {
    "pleural_effusion": ("small", "moderate", "large"),
    "pneumothorax": ("small", "moderate", "large", "tension"),
    "consolidation": ("patchy", "dense"),
    "nodule": ("",),
    "cardiomegaly": ("mild", "marked"),
    "endotracheal_tube": ("well_placed", "too_low", "too_high", "bronchial"),
    "central_line": ("well_placed", "too_deep"),
    "pacemaker": ("single_lead", "dual_lead"),
    "mass": ("",),
    "atelectasis": ("subsegmental", "lobar"),
    "pulmonary_edema": ("mild", "moderate", "severe"),
    "hiatus_hernia": ("small", "large"),
    "rib_fracture": ("single", "multiple"),
    "free_air": ("small", "large"),
    "tracheostomy_tube": ("well_placed",),
    "nasogastric_tube": ("well_placed", "too_high", "bronchial"),
    "chest_drain": ("well_placed",),
}
LEVELS = ("upper", "mid", "lower")
LOBES = {
    Side.RIGHT: ("upper_lobe", "middle_lobe", "lower_lobe"),
    Side.LEFT: ("upper_lobe", "lower_lobe"),
}
DEVICES = (
    "endotracheal_tube",
    "central_line",
    "pacemaker",
    "tracheostomy_tube",
    "nasogastric_tube",
    "chest_drain",
)
_SHORT_STAY = {"endotracheal_tube", "nasogastric_tube", "chest_drain", "pneumothorax"}
_ZONES: dict[str, tuple[str, ...]] = {
    "nodule": LEVELS,
    "mass": LEVELS,
    "central_line": ("jugular", "subclavian", "picc"),
    "chest_drain": ("apical", "basal"),
}
_LOBAR = ("consolidation", "atelectasis")
_RATES = {
    "pleural_effusion": 0.24,
    "pneumothorax": 0.12,
    "consolidation": 0.28,
    "nodule": 0.13,
    "cardiomegaly": 0.2,
    "endotracheal_tube": 0.12,
    "central_line": 0.18,
    "pacemaker": 0.09,
    "mass": 0.07,
    "atelectasis": 0.13,
    "pulmonary_edema": 0.12,
    "hiatus_hernia": 0.05,
    "rib_fracture": 0.07,
    "free_air": 0.04,
    "tracheostomy_tube": 0.04,
    "nasogastric_tube": 0.12,
    "chest_drain": 0.06,
}
_BOTH = {"pleural_effusion": 0.3, "consolidation": 0.3}
_HEDGED = {
    "pleural_effusion": 0.2,
    "pneumothorax": 0.12,
    "consolidation": 0.2,
    "nodule": 0.25,
    "atelectasis": 0.25,
    "rib_fracture": 0.2,
    "pulmonary_edema": 0.2,
}


@dataclass(frozen=True)
class PlannedFinding:
    """One finding to render, on one side: what is bilateral is planned as two.

    extent is one of `EXTENTS[finding]`, zone one of `zones(finding, side)`; empty means the first. doubtful
    makes it faint, and its sentence hedged.
    """

    finding: str
    side: Side = Side.NONE
    extent: str = ""
    zone: str = ""
    doubtful: bool = False


def zones(finding: str, side: Side) -> tuple[str, ...]:
    """Places a finding can have: lobes, levels of a lung, ways of a catheter; none for most."""
    if finding in _LOBAR:
        return LOBES[side]
    return _ZONES.get(finding, ())


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
    if planned.side not in ((Side.RIGHT, Side.LEFT) if known.sided else (Side.NONE,)):
        raise ValueError(f"{planned.finding} cannot have the side {planned.side.value!r}")
    extent = planned.extent or EXTENTS[planned.finding][0]
    if extent not in EXTENTS[planned.finding]:
        raise ValueError(f"{planned.finding} cannot have the extent {extent!r}")
    places = zones(planned.finding, planned.side)
    zone = planned.zone or (places[0] if places else "")
    if zone not in (places or ("",)):
        raise ValueError(f"{planned.finding} cannot have the zone {zone!r}")
    return replace(planned, side=Side(planned.side), extent=extent, zone=zone)


def compatible(planned: tuple[PlannedFinding, ...]) -> tuple[PlannedFinding, ...]:
    """The same findings, if one body can have them all.

    Raises
    ------
    ValueError
        When a finding is asked for twice on one side, or two tubes share the windpipe.
    """
    kinds = [(one.finding, one.side) for one in planned]
    if len(set(kinds)) < len(kinds):
        raise ValueError(f"a finding is asked for twice: {kinds}")
    if {"endotracheal_tube", "tracheostomy_tube"} <= {one.finding for one in planned}:
        raise ValueError("endotracheal_tube and tracheostomy_tube cannot share a windpipe")
    return planned


def draw(rng: np.random.Generator) -> tuple[PlannedFinding, ...]:
    """Nothing at all in about a third of studies, else findings that can be seen side by side."""
    if rng.uniform() < NORMAL_SHARE:
        return ()
    chosen: list[str] = []
    while not chosen:
        chosen = [code for code, rate in _RATES.items() if rng.uniform() < rate]
    if "endotracheal_tube" in chosen:
        chosen = [code for code in chosen if code != "tracheostomy_tube"]
    planned: list[PlannedFinding] = []
    for code in chosen:
        planned += [_one(rng, code, side) for side in _sides(rng, code)]
    return tuple(planned)


def _sides(rng: np.random.Generator, code: str) -> tuple[Side, ...]:
    if not FINDINGS_BY_CODE[code].sided:
        return (Side.NONE,)
    right_share = 0.65 if code == "central_line" else 0.25 if code == "pacemaker" else 0.5
    side = Side.RIGHT if rng.uniform() < right_share else Side.LEFT
    return (Side.RIGHT, Side.LEFT) if rng.uniform() < _BOTH.get(code, 0) else (side,)


def _one(rng: np.random.Generator, code: str, side: Side) -> PlannedFinding:
    extents, places = EXTENTS[code], zones(code, side)
    weights = np.array([0.4 if e in ("tension", "severe", "bronchial") else 1.0 for e in extents])
    extent = extents[int(rng.choice(len(extents), p=weights / weights.sum()))]
    zone = places[int(rng.integers(len(places)))] if places else ""
    doubtful = bool(rng.uniform() < _HEDGED.get(code, 0))
    return PlannedFinding(code, side, extents[0] if doubtful else extent, zone, doubtful)


def earlier(rng: np.random.Generator, now: tuple[PlannedFinding, ...]) -> tuple[PlannedFinding, ...]:
    """What an earlier visit showed: some of it was not there yet, some smaller, larger or the same, and
    something may have gone since."""
    before: list[PlannedFinding] = []
    for one in now:
        chance, extents = rng.uniform(), EXTENTS[one.finding]
        if chance < 0.35:
            continue
        place = extents.index(one.extent)
        if chance > 0.6 and one.finding not in DEVICES and len(extents) > 1:
            place = min(max(place + (1 if chance > 0.8 else -1), 0), len(extents) - 1)
        before.append(replace(one, extent=extents[place], doubtful=False))
    if rng.uniform() < 0.4:
        taken = {one.finding for one in now} | {"cardiomegaly", "tracheostomy_tube", "endotracheal_tube"}
        gone = [one for one in draw(rng) if one.finding not in taken]
        before += gone[:1]
    return tuple(before)


def short_stay(planned: tuple[PlannedFinding, ...]) -> bool:
    """Whether something is there that stays for days, not for months: a tube, a drain, a line of the neck."""
    lines = any(one.finding == "central_line" and one.zone != "picc" for one in planned)
    return lines or bool(_SHORT_STAY & {one.finding for one in planned})


def change(now: PlannedFinding | None, before: PlannedFinding | None) -> str:
    """new, larger, smaller, unchanged or resolved."""
    if before is None:
        return "new"
    if now is None:
        return "resolved"
    extents = EXTENTS[now.finding]
    grown = extents.index(now.extent) - extents.index(before.extent)
    if now.finding in DEVICES or grown == 0:
        return "unchanged"
    return "larger" if grown > 0 else "smaller"


def dice(base: int, one: PlannedFinding, stage: int) -> np.random.Generator:
    """The draws of one finding: the same in every view, whatever else the patient has."""
    return np.random.default_rng([base, stage, _ORDER[one.finding], one.side is Side.LEFT])


_ORDER = {code: place for place, code in enumerate(FINDINGS_BY_CODE)}
