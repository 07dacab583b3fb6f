"""Large heart, hiatus hernia, rib fractures, free air: what is not lung or pleura."""

import numpy as np

from inference.contract import Side
from inference.phantom import skeleton
from inference.phantom.lofts import Loft
from inference.phantom.plan import PlannedFinding
from inference.phantom.rendered import Rendered
from inference.phantom.scene import Scene, disc
from inference.phantom.tubes import off

_WALL = 2.5
"""mm of diaphragm over free air."""


def cardiomegaly(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    """The heart was drawn large (see `body`)."""
    return Rendered(("heart",))


def hernia(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    """Stomach behind the heart, with air over a fluid level."""
    person, chest = scene.body.chest.person, scene.body.chest
    size = rng.uniform(24, 32) if planned.extent == "small" else rng.uniform(38, 52)
    y = person.dome_left - 0.55 * size
    centre = (rng.uniform(4, 16), y, chest.at(chest.back, y) - 52)
    sac = Loft.ellipsoid(centre, (1.15 * size, size, 0.9 * size)).span(scene.frame)
    for side in (Side.RIGHT, Side.LEFT):
        gone = scene.aerated(side, scene.open[side] & sac)
        scene.lung[side] = np.maximum(scene.lung[side] - gone, 0)
    gas = Loft.ellipsoid(centre, (1.05 * size, 0.9 * size, 0.8 * size))
    gas = gas if scene.body.supine else gas.cut(-400, y - 0.1 * size)
    scene.air += gas.span(scene.frame).length * np.float32(0.5 if scene.body.supine else 0.9)
    scene.mark("hiatus_hernia", sac.hi > sac.lo)
    return Rendered(("hiatus_hernia",), size_mm=round(2 * size, 1))


def fracture(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    """The ribs were drawn with a step; the mask is a disc round each."""
    code = f"rib_fracture_{planned.side}"
    for broken in scene.body.broken:
        if broken.side != planned.side:
            continue
        way = skeleton.rib(scene.body.chest, broken.side, broken.rib)
        place = int(broken.share * (len(way) - 1))
        point = off(way[place : place + 1], 0, broken.step / 2, 0)
        scene.mark(code, disc(scene.frame, scene.frame.pixels(scene.frame.view(point))[0], 10.0))
    return Rendered((code,))


def free_air(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    """Air between diaphragm and liver."""
    thick = rng.uniform(5, 9) if planned.extent == "small" else rng.uniform(14, 24)
    person, frame, total = scene.body.chest.person, scene.frame, np.zeros(scene.frame.shape, np.float32)
    sides = (Side.RIGHT,) if planned.extent == "small" else (Side.RIGHT, Side.LEFT)
    for side in sides:
        dome = scene.body.chest.domes[side]
        x = 0.48 * person.half_width * (-1 if side is Side.RIGHT else 1)
        reach = 0.3 * person.half_width + thick
        around = Loft.ellipsoid((x, person.dome(side) + 6, -10), (reach, thick + 16, 0.7 * person.half_depth))
        above, below = dome.shifted_down(_WALL), dome.shifted_down(_WALL + thick)
        part = above.span(frame) & around.span(frame)
        total += part.length - (part & below.span(frame)).length
    scene.air += total
    scene.mark("free_air", total > 3)
    return Rendered(("free_air",), size_mm=round(float(thick), 1))
