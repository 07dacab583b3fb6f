"""One view of a body: the mm of air, tissue, bone and metal each ray meets, and the exact masks."""

from dataclasses import dataclass, field

import numpy as np

from inference.contract import Side, ViewPosition
from inference.phantom.solid import skeleton, tubes, vessels
from inference.phantom.solid.body import Body
from inference.phantom.solid.frame import Frame, Mask, Plane
from inference.phantom.solid.lofts import Loft, Span, covered, halfspace
from inference.phantom.solid.person import SIDES, sign
from inference.phantom.solid.tables import noise

LUNG_SHARE = 0.45
"""A pixel shows lung where at least so much of the ray through the chest lies above the diaphragm: the edge
then follows the crest, and the heart hides nothing, as readers draw it."""
AIR_SHARE = 0.76
_DIAPHRAGM = 4.0
"""mm of thickness given to the line of a dome."""


@dataclass
class Scene:
    """float32 (rows, cols) in mm along the beam. organs: heart, mediastinum, domes; core: from the first to
    the last of heart and mediastinum. air: of gas; lung: of aerated lung by side; soft: tissue on
    top of the body's own; open: where a lung could be, by side."""

    frame: Frame
    body: Body
    trunk: Plane
    air: Plane
    bone: Plane
    metal: Plane
    organs: tuple[Span, Span, dict[Side, Span]]
    core: Span
    open: dict[Side, Span]
    lung: dict[Side, Plane] = field(default_factory=dict)
    grain: Plane | None = None
    masks: dict[str, Mask] = field(default_factory=dict)

    def aerated(self, side: Side, span: Span) -> Plane:
        """The part of a stretch in lung: what heart, mediastinum and diaphragm leave of it."""
        return span.length - covered(span, self.core, self.organs[2][side])

    def mark(self, code: str, mask: Mask) -> None:
        self.masks[code] = self.masks[code] | mask if code in self.masks else mask


def lay_out(body: Body, frame: Frame) -> Scene:
    """The healthy chest of a body; findings are rendered on top."""
    chest = body.chest
    heart, mediastinum = chest.heart.span(frame), chest.mediastinum.span(frame)
    domes = {side: chest.domes[side].span(frame) for side in SIDES}
    cage = chest.cage.span(frame)
    open_ = {}
    for side in SIDES:
        half = halfspace(frame, (-sign(side), 0.0, 0.0), -sign(side) * 0.8 * chest.person.shift)
        open_[side] = cage & chest.apices[side].span(frame) & half
    zeros = np.zeros(frame.shape, np.float32)
    scene = Scene(
        frame=frame,
        body=body,
        trunk=_trunk(body, frame),
        air=zeros.copy(),
        bone=zeros.copy(),
        metal=zeros.copy(),
        organs=(heart, mediastinum, domes),
        core=heart.hull(mediastinum),
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
            total += _breast(body, frame, side, trunk)
    if frame.pose.view is ViewPosition.LEFT_LATERAL:
        return total
    arms = []
    for side in SIDES:
        bone = skeleton.arm_line(chest, side, body.raised)
        radii = (30 + 0.55 * person.wall) * person.muscle * np.linspace(1.25, 1.0, len(bone))
        arms.append(tubes.Tube(bone, radii))
    return np.maximum(total, tubes.draw(frame, arms))


def _breast(body: Body, frame: Frame, side: Side, trunk: Span) -> Plane:
    """What a breast adds in front of the trunk."""
    chest, person = body.chest, body.chest.person
    size, s = person.breast, sign(side)
    y = 48 + person.breast_drop
    z = chest.at(chest.trunk.front, y)
    wide = 50 + 0.5 * size
    centre = (s * (0.52 * person.half_width + 0.2 * size), y, z + 4)
    breast = Loft.ellipsoid(centre, (wide, 46 + 0.45 * size, size + 4)).span(frame)
    more = np.minimum(trunk.lo, breast.lo)
    # Pressed flat: its rim fades instead of standing out like a ball's.
    added = np.where(breast.hi > breast.lo, np.minimum(trunk.lo - more, breast.length), 0)
    share = np.minimum(breast.length * np.float32(0.45 / (size + 4)), 1)
    added *= share * share
    return added


def _bones(scene: Scene) -> None:
    """All bone, and its masks."""
    frame, body = scene.frame, scene.body
    lateral = frame.pose.view is ViewPosition.LEFT_LATERAL
    posterior, anterior = skeleton.ribs(body.chest, body.broken, lateral=lateral)
    scene.bone += tubes.draw(frame, posterior)
    scene.bone += tubes.draw(frame, anterior)
    scene.mark("ribs", scene.bone > 0)
    spine = skeleton.spine(body.chest, frame)
    scene.bone += spine
    scene.mark("spine", spine > 0.3)
    for side in SIDES:
        collar = tubes.draw(frame, [skeleton.clavicle(body.chest, side, body.raised)])
        flat, rims = skeleton.blade(chest=body.chest, side=side, overlap=body.overlap)
        blade = tubes.draw(frame, rims)
        blade += tubes.draw(frame, [flat])
        scene.bone += collar
        scene.bone += blade
        if not lateral:
            scene.mark(f"clavicle_{side}", collar > 0)
            scene.mark(f"scapula_{side}", blade > 0)
    if not lateral:
        arms = [skeleton.arm(body.chest, side, body.raised) for side in SIDES]
        scene.bone += tubes.draw(frame, arms)


def _lungs(scene: Scene) -> None:
    frame, body = scene.frame, scene.body
    _, mediastinum, domes = scene.organs
    aorta = body.chest.aorta.span(frame)
    lateral = frame.pose.view is ViewPosition.LEFT_LATERAL
    hidden = np.zeros(frame.shape, bool) if lateral else mediastinum.hi > mediastinum.lo
    for side in SIDES:
        span = scene.open[side]
        whole = span.length
        shown = whole - (span & domes[side]).length
        scene.mark(f"lung_{side}", (shown > LUNG_SHARE * whole) & (shown > 5) & ~hidden)
        if not lateral and side is Side.LEFT:
            scene.masks["lung_left"] &= ~scene.masks["lung_right"]
        lung = scene.aerated(side, span)
        if side is Side.LEFT:
            beside = span & aorta
            lung = np.maximum(lung - (beside.length - (beside & scene.core).length), 0)
        scene.lung[side] = lung
    scene.grain = texture(scene)


def texture(scene: Scene) -> Plane:
    """Air share of the lung along each ray: uneven, denser towards the base."""
    rng = np.random.default_rng([scene.body.chest.person.seed, 4, scene.frame.pose.view == "LL"])
    shape = scene.frame.shape
    rough = np.float32(0.02) * noise(rng, shape, 150)
    rough += np.float32(0.028) * noise(rng, shape, 70)
    rough += np.float32(0.03) * noise(rng, shape, 24)
    rough += np.float32(0.03) * noise(rng, shape, 7)
    rough += np.float32(AIR_SHARE + 0.01) - scene.frame.v * np.float32(0.00022)
    return rough


def _airways(scene: Scene) -> None:
    trachea, bronchi = vessels.airways(scene.body.chest)
    windpipe = tubes.draw(scene.frame, [trachea])
    scene.air += np.maximum(windpipe, tubes.draw(scene.frame, bronchi))
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
    dome = scene.organs[2][Side.LEFT]
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
        scene.air += gut.span(frame).length * np.float32(0.45)


def _organ_masks(scene: Scene) -> None:
    frame, chest = scene.frame, scene.body.chest
    heart, mediastinum, domes = scene.organs
    below = np.zeros(frame.shape, bool)
    rows = max(1, round(_DIAPHRAGM / frame.spacing))
    lateral = frame.pose.view is ViewPosition.LEFT_LATERAL
    between = below.copy() if lateral else mediastinum.hi > mediastinum.lo
    for side in SIDES:
        whole = scene.open[side].length
        under = (whole > 0) & ((scene.open[side] & domes[side]).length > (1 - LUNG_SHARE) * whole)
        line = under.copy()
        line[rows:] &= ~under[:-rows]
        scene.mark(f"diaphragm_{side}", line & ~between)
        below |= under
    scene.mark("heart", (heart.length > 1) & ~below)
    scene.mark("mediastinum", (mediastinum.length > 1) & ~below)
    scene.mark("aorta", chest.aorta.span(frame).length > 1)


def finish(scene: Scene) -> None:
    """Fill the lungs that findings have left: air, and the vessels that stand out against it."""
    large, small = vessels.tree(scene.body.chest)
    matter = tubes.draw(scene.frame, small)
    matter += tubes.draw(scene.frame, large)
    matter *= np.float32(1.25)
    lung = scene.lung[Side.RIGHT] + scene.lung[Side.LEFT]
    assert scene.grain is not None, "the lungs were not laid out"
    # Only where lung surrounds them: their stumps do not show through the mediastinum.
    matter *= np.clip(lung * np.float32(1 / 25) - 1, 0, 1)
    scene.air += np.maximum(lung * scene.grain - matter * np.float32(AIR_SHARE), 0)
