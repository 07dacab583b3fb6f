"""Fluid and air around a lung: what is left of the lung is the stretch inside a smaller solid."""

import numpy as np

from inference.contract import Side
from inference.phantom.frame import GRID, Curve, Mask
from inference.phantom.lofts import Loft
from inference.phantom.person import sign
from inference.phantom.plan import PlannedFinding
from inference.phantom.rendered import Rendered
from inference.phantom.scene import Scene
from inference.phantom.tables import smooth

_FLUID = 9.0
"""mm of fluid along a ray from which it shows."""


def effusion(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    """Upright: a level with a meniscus. Supine: a layer along the back that hazes the whole side."""
    draws = rng.uniform(0, 1, 3)
    faint = 0.75 if planned.doubtful else 1.0
    make = _layer if scene.body.supine else _meniscus
    limit = make(scene, planned, draws, faint)
    side = planned.side
    before = scene.lung[side]
    scene.open[side] = scene.open[side] & limit.span(scene.frame)
    after = np.minimum(scene.aerated(side, scene.open[side]), before)
    fluid = before - after
    scene.lung[side] = after
    code = f"pleural_effusion_{side}"
    scene.mark(code, (fluid > _FLUID) & scene.masks[f"lung_{side}"])
    return Rendered((code,))


def _meniscus(scene: Scene, planned: PlannedFinding, draws: Curve, faint: float) -> Loft:
    """The lung floats in a bowl of fluid."""
    chest, person, s = scene.body.chest, scene.body.chest.person, sign(planned.side)
    low, high = {"small": (0.02, 0.2), "moderate": (0.55, 1.0), "large": (1.4, 2.3)}[planned.extent]
    crest = person.dome(planned.side)
    level = crest - person.recess * (low + (high - low) * draws[0]) * faint
    depth = (16 if planned.extent == "small" else 26) + 14 * draws[1]
    f = np.clip((GRID - level) / depth, 0, 1)
    share = np.where(f < 1, np.sqrt(1 - f**2), -1e-3)
    above = 1.6 * np.maximum(level - GRID, 0)
    centre_x, centre_z = s * 0.4 * chest.wide, (chest.front + chest.back) / 2
    across = 0.62 * chest.wide * share + above
    deep = 0.54 * (chest.back - chest.front) * share + above
    return Loft(centre_x - across, centre_x + across, centre_z - deep, centre_z + deep)


def _layer(scene: Scene, planned: PlannedFinding, draws: Curve, faint: float) -> Loft:
    """Fluid along the back, deepest towards the base."""
    chest, person = scene.body.chest, scene.body.chest.person
    low, high = {"small": (22, 32), "moderate": (44, 60), "large": (80, 104)}[planned.extent]
    thick = (low + (high - low) * draws[0]) * faint
    crest = person.dome(planned.side)
    rise = smooth((GRID - (person.apex + (0.3 + 0.2 * draws[1]) * (crest - person.apex))) / 150)
    layer = thick * (0.25 + 0.75 * rise) if planned.extent != "small" else thick * rise
    wide = chest.wide - (0.25 * layer if planned.extent != "small" else 0.5 * layer)
    return Loft(-wide - 0 * GRID, wide, chest.front - 20, chest.back - layer, boxy=True)


def pneumothorax(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    """Air around a fallen lung, whose pleura shows as a line where the beam grazes it."""
    side = planned.side
    drop, gap, reach = _collapse(planned, rng)
    wall, top = _fallen(scene, side, drop, gap, reach)
    frame, lung = scene.frame, scene.masks[f"lung_{side}"]
    inner = wall.span(frame) & top.span(frame)
    before = scene.lung[side]
    shell = wall.grown(-1.0).span(frame) & top.grown(-1.0).span(frame)
    whole, core = scene.open[side] & inner, scene.open[side] & shell
    after = np.minimum(scene.aerated(side, whole), before)
    scene.open[side] = whole
    scene.lung[side] = after
    gas = before - after
    scene.air += gas
    rim = np.minimum(np.maximum(whole.length - core.length, 0), 14) * (gas > 4)
    scene.air -= rim * np.float32(0.35 if planned.doubtful else 0.62)
    code = f"pneumothorax_{side}"
    scene.mark(code, lung & (gas > 4) & _outside(inner.length))
    return Rendered((code,), size_mm=round(gap, 1))


def _outside(length: np.ndarray) -> Mask:
    outside: Mask = length <= 0
    return outside


def _collapse(planned: PlannedFinding, rng: np.random.Generator) -> tuple[float, float, float]:
    """How far the apex falls, how wide the gap is at the side (mm), and how far down it goes (share)."""
    drops, gaps, reaches = {
        "small": ((14, 24), (8, 14), (0.45, 0.62)),
        "moderate": ((30, 46), (19, 31), (0.75, 0.95)),
        "large": ((54, 80), (42, 60), (1.1, 1.3)),
        "tension": ((70, 95), (58, 76), (1.3, 1.5)),
    }[planned.extent]
    drop, gap, reach = (float(rng.uniform(*r)) for r in (drops, gaps, reaches))
    return drop, gap, reach


def _fallen(scene: Scene, side: Side, drop: float, gap: float, reach: float) -> tuple[Loft, Loft]:
    chest, person, s = scene.body.chest, scene.body.chest.person, sign(side)
    t = (GRID - person.apex) / (person.bottom - person.apex)
    fade = np.clip(1 - t / reach, 0, 1) ** 0.8
    outer = np.interp(GRID - drop * fade, GRID, chest.wide) + 3 * (fade <= 0) - gap * fade
    centre = 0.36 * outer
    right, left = s * outer, s * (2 * centre - outer)
    if side is Side.LEFT:
        right, left = left, right
    ahead, behind = chest.front + 0.3 * gap * fade - 4, chest.back - 0.15 * gap * fade + 4
    wall = Loft(right, left, ahead, behind, boxy=True)
    return wall, chest.apices[side].shifted_down(drop)
