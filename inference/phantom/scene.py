"""One view of a body: the mm of air, tissue, bone and metal each ray meets, and the exact masks."""

from dataclasses import dataclass, field

import numpy as np

from inference.contract import Side, ViewPosition
from inference.phantom import skeleton, tubes, vessels
from inference.phantom.body import Body
from inference.phantom.frame import Frame, Mask, Plane
from inference.phantom.lofts import Loft, Part, Span, around, halfspace, left
from inference.phantom.person import SIDES, sign
from inference.phantom.tables import noise

LUNG_SHARE = 0.45
"""A pixel shows lung where at least so much of the ray through the chest lies above the diaphragm: the edge
then follows the crest, and the heart hides nothing, as readers draw it."""
AIR_SHARE = 0.76
_DIAPHRAGM = 4.0
"""mm of thickness given to the line of a dome."""


@dataclass
class Scene:
    """float32 (rows, cols) in mm along the beam. organs: heart, mediastinum, aorta; core: from the first to
    the last of heart and mediastinum. air: of gas; lung: of aerated lung by side; open: where a lung could
    be, by side."""

    frame: Frame
    body: Body
    trunk: Plane
    air: Plane
    bone: Plane
    metal: Plane
    organs: tuple[Span, Span, Span]
    core: Span
    domes: dict[Side, Span]
    open: dict[Side, Span]
    lung: dict[Side, Plane] = field(default_factory=dict)
    masks: dict[str, Mask] = field(default_factory=dict)

    def aerated(self, side: Side, span: Span) -> Plane:
        """The part of a stretch in lung: what heart, mediastinum and diaphragm leave of it."""
        return left(span, self.core, self.domes[side])

    def mark(self, code: str, mask: Mask) -> None:
        self.masks[code] = self.masks[code] | mask if code in self.masks else mask


def lay_out(body: Body, frame: Frame) -> Scene:
    """The healthy chest of a body; findings are rendered on top."""
    chest = body.chest
    heart, mediastinum = chest.heart.span(frame), chest.mediastinum.span(frame)
    cage = chest.cage.span(frame)
    open_ = {}
    for side in SIDES:
        half = halfspace(frame, (-sign(side), 0.0, 0.0), -sign(side) * 0.8 * chest.person.shift, cage.part)
        open_[side] = cage & chest.apices[side].span(frame, cage.part) & half
    zeros = np.zeros(frame.shape, np.float32)
    scene = Scene(
        frame=frame,
        body=body,
        trunk=_trunk(body, frame),
        air=zeros.copy(),
        bone=zeros.copy(),
        metal=zeros.copy(),
        organs=(heart, mediastinum, chest.aorta.span(frame)),
        core=heart.hull(mediastinum),
        domes={side: chest.domes[side].span(frame) for side in SIDES},
        open=open_,
    )
    _bones(scene)
    _lungs(scene)
    _airways(scene)
    _belly(scene)
    _organ_masks(scene)
    return scene


def _trunk(body: Body, frame: Frame) -> Plane:
    """mm of body, air and all."""
    chest, person = body.chest, body.chest.person
    trunk = chest.trunk.span(frame)
    total = np.maximum(trunk.length, chest.neck.span(frame).length)
    if person.breast > 6:
        for side in SIDES:
            _add_breast(body, frame, side, (trunk, total))
    if frame.pose.view is ViewPosition.LEFT_LATERAL:
        return total
    arms = []
    for side in SIDES:
        bone = skeleton.arm_line(chest, side, body.raised)
        radii = (30 + 0.55 * person.wall) * person.muscle * np.linspace(1.25, 1.0, len(bone))
        arms.append(tubes.Tube(bone, radii))
    return np.maximum(total, tubes.draw(frame, arms))


def _add_breast(body: Body, frame: Frame, side: Side, to: tuple[Span, Plane]) -> None:
    """Add to a trunk and its mm what a breast has in front of it."""
    chest, person = body.chest, body.chest.person
    trunk, total = to
    size, s = person.breast, sign(side)
    y = 48 + person.breast_drop
    z = chest.at(chest.trunk.front, y)
    wide = 50 + 0.5 * size
    centre = (s * (0.52 * person.half_width + 0.2 * size), y, z + 4)
    breast = Loft.ellipsoid(centre, (wide, 46 + 0.45 * size, size + 4)).span(frame)
    skin, length = trunk.over(breast.part)[0], breast.length[breast.part]
    # Pressed flat: its rim fades instead of standing out like a ball's.
    added = np.where(length > 0, np.minimum(skin - np.minimum(skin, breast.near), length), 0)
    share = np.minimum(length * np.float32(0.45 / (size + 4)), 1)
    added *= share * share
    total[breast.part] += added


def _bones(scene: Scene) -> None:
    """All bone, and its masks."""
    frame, chest, body = scene.frame, scene.body.chest, scene.body
    lateral = frame.pose.view is ViewPosition.LEFT_LATERAL
    collars = [[skeleton.clavicle(chest, side, body.raised)] for side in SIDES]
    blades = [part for side in SIDES for part in skeleton.blade(chest, side, body.overlap)]
    arms = [] if lateral else [skeleton.arm(chest, side, body.raised) for side in SIDES]
    posterior, anterior, processes, arm, *others = tubes.draw_apart(
        frame,
        *skeleton.ribs(chest, body.broken, lateral=lateral),
        skeleton.processes(chest),
        arms,
        *collars,
        *blades,
    )
    scene.bone += posterior
    scene.bone += anterior
    scene.mark("ribs", scene.bone > 0)
    spine = skeleton.spine(chest, frame, processes)
    scene.bone += spine
    scene.mark("spine", spine > 0.3)
    for place, side in enumerate(SIDES):
        collar, rims, flat = others[place], *others[2 + 2 * place : 4 + 2 * place]
        blade = rims + flat
        scene.bone += collar
        scene.bone += blade
        if not lateral:
            scene.mark(f"clavicle_{side}", collar > 0)
            scene.mark(f"scapula_{side}", blade > 0)
    scene.bone += arm


def _lungs(scene: Scene) -> None:
    aorta = scene.organs[2]
    for side in SIDES:
        span = scene.open[side]
        lung = scene.aerated(side, span)
        if side is Side.LEFT:
            beside = span & aorta
            lung = np.maximum(lung - (beside.length - (beside & scene.core).length), 0)
        scene.lung[side] = lung


def _airways(scene: Scene) -> None:
    trachea, bronchi = vessels.airways(scene.body.chest)
    windpipe, branches = tubes.draw_apart(scene.frame, [trachea], bronchi)
    scene.air += np.maximum(windpipe, branches)
    scene.mark("trachea", windpipe > 0)
    tip = scene.frame.pixels(scene.frame.view(trachea.points[-1:]))[0]
    scene.mark("carina", disc(scene.frame, tip, 4.0))


def disc(frame: Frame, centre: np.ndarray, radius: float) -> Mask:
    mask = np.zeros(frame.shape, bool)
    reach = max(radius / frame.spacing, 0.8)
    r0, c0 = (max(int(x - reach), 0) for x in centre)
    r1, c1 = (max(int(x + reach) + 2, 0) for x in centre)
    rows = np.arange(r0, min(r1, frame.shape[0]))[:, None] - centre[0]
    cols = np.arange(c0, min(c1, frame.shape[1]))[None, :] - centre[1]
    mask[r0:r1, c0:c1] = rows * rows + cols * cols <= reach * reach
    return mask


def _belly(scene: Scene) -> None:
    """Gas in stomach and gut, below the left dome."""
    body, frame = scene.body, scene.frame
    person = body.chest.person
    dome = scene.domes[Side.LEFT]
    if person.bubble:
        y = person.dome_left + 12 + person.bubble
        x = 0.42 * person.half_width
        stomach = Loft.ellipsoid((x, y, 0), (1.5 * person.bubble, person.bubble, 1.3 * person.bubble))
        if not body.supine:
            stomach = stomach.cut(-400, y + 0.35 * person.bubble)
        gas = (stomach.span(frame) & dome).length
        scene.air += gas * np.float32(0.6)
        scene.mark("stomach_bubble", gas > 4)
    rng = np.random.default_rng([person.seed, 5])
    for _ in range(int(rng.integers(0, 7))):
        x, y = rng.uniform(-0.2, 0.85) * person.half_width, person.dome_left + rng.uniform(45, 150)
        size = rng.uniform(7, 18)
        gut = Loft.ellipsoid((x, y, -30), (size * rng.uniform(1, 2), size, size))
        span = gut.span(frame)
        scene.air[span.part] += span.length[span.part] * np.float32(0.45)


def _organ_masks(scene: Scene) -> None:
    heart, mediastinum, aorta = scene.organs
    lateral = scene.frame.pose.view is ViewPosition.LEFT_LATERAL
    between = np.zeros(scene.frame.shape, bool) if lateral else mediastinum.length > 0
    below = np.zeros(scene.frame.shape, bool)
    for side in SIDES:
        below |= _lung_mask(scene, side, ~between)
    if not lateral:
        scene.masks["lung_left"] &= ~scene.masks["lung_right"]
    scene.mark("heart", (heart.length > 1) & ~below)
    scene.mark("mediastinum", (mediastinum.length > 1) & ~below)
    scene.mark("aorta", aorta.length > 1)


def _lung_mask(scene: Scene, side: Side, beside: Mask) -> Mask:
    """Mark a lung and the line of its dome beside the mediastinum; what lies below the dome."""
    span = scene.open[side]
    whole, hidden = span.length[span.part], (span & scene.domes[side]).length[span.part]
    lung, under = np.zeros_like(beside), np.zeros_like(beside)
    lung[span.part] = (whole - hidden > LUNG_SHARE * whole) & (whole - hidden > 5)
    under[span.part] = (whole > 0) & (hidden > (1 - LUNG_SHARE) * whole)
    line, rows = under.copy(), max(1, round(_DIAPHRAGM / scene.frame.spacing))
    line[rows:] &= ~under[:-rows]
    scene.mark(f"lung_{side}", lung & beside)
    scene.mark(f"diaphragm_{side}", line & beside)
    return under


def finish(scene: Scene) -> None:
    """Fill the lungs that findings have left: air, and the vessels that stand out against it."""
    part = around(*(scene.open[side].part for side in SIDES))
    large, small = (plane[part] for plane in tubes.draw_apart(scene.frame, *vessels.tree(scene.body.chest)))
    matter = small + large
    matter *= np.float32(1.25)
    lung = scene.lung[Side.RIGHT][part] + scene.lung[Side.LEFT][part]
    # Only where lung surrounds them: their stumps do not show through the mediastinum.
    matter *= np.clip(lung * np.float32(1 / 25) - 1, 0, 1)
    scene.air[part] += np.maximum(lung * texture(scene, part) - matter * np.float32(AIR_SHARE), 0)


def texture(scene: Scene, part: Part) -> Plane:
    """Air share of the lung along each ray of a part: uneven, denser towards the base."""
    rng = np.random.default_rng([scene.body.chest.person.seed, 4, scene.frame.pose.view == "LL"])
    shape = scene.frame.shape
    rough = np.float32(0.02) * noise(rng, shape, 150, part)
    rough += np.float32(0.028) * noise(rng, shape, 70, part)
    rough += np.float32(0.03) * noise(rng, shape, 24, part)
    rough += np.float32(0.03) * noise(rng, shape, 7, part)
    rough += np.float32(AIR_SHARE + 0.01) - scene.frame.v[part] * np.float32(0.00022)
    return rough
