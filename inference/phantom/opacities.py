"""Lung that lost its air: consolidation by lobe, atelectasis, oedema, nodules and masses."""

import math
from dataclasses import dataclass

import numpy as np

from inference.contract import Side
from inference.phantom import tubes
from inference.phantom.frame import Plane, Points
from inference.phantom.lofts import Loft, Span, halfspace
from inference.phantom.person import SIDES, Person, sign
from inference.phantom.plan import PlannedFinding
from inference.phantom.rendered import Rendered
from inference.phantom.scene import Scene
from inference.phantom.tables import noise, smooth
from inference.phantom.tubes import Tube, off
from inference.phantom.vessels import hilum

Triple = tuple[float, float, float]
_SEEN = 0.22
"""Share of its deepest point from which an opacity counts as seen."""


def consolidation(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    """Airless lung inside one lobe: where it touches heart or diaphragm their border is lost by itself."""
    side, patchy = planned.side, planned.extent == "patchy"
    size = rng.uniform(0.8, 1.15) * (0.72 if patchy else 1.0)
    jitter, seed = rng.uniform(-0.07, 0.07, 3), int(rng.integers(2**31))
    strength = 0.4 if planned.doubtful else rng.uniform(0.55, 0.7) if patchy else rng.uniform(0.8, 0.95)
    centre, axes = _lobe(scene.body.chest.person, side, planned.zone, jitter)
    blob = Loft.ellipsoid(centre, (axes[0] * size, axes[1] * size, axes[2] * size)).span(scene.frame)
    part = _within_lobe(scene, blob, side, planned.zone)
    lost = _opacify(scene, side, part, _Filling(strength, seed, patchy))
    if not patchy:
        _bronchogram(scene, side, centre, lost)
    return Rendered((_shown(scene, f"consolidation_{side}", side, lost),))


def _lobe(person: Person, side: Side, zone: str, jitter: Points) -> tuple[Triple, Triple]:
    """Centre and half axes of a lobe's bulk."""
    w, d, crest, s = person.half_width, person.half_depth, person.dome(side), sign(side)
    x, y, z = {
        "upper_lobe": (0.56, 0.5 * person.apex, -0.1),
        "middle_lobe": (0.48, 0.66 * crest, -0.62),
        "lower_lobe": (0.56, 0.62 * crest, 0.42),
    }[zone]
    axes = {
        "upper_lobe": (0.34 * w, -0.42 * person.apex, 0.6 * d),
        "middle_lobe": (0.36 * w, 0.3 * crest, 0.5 * d),
        "lower_lobe": (0.38 * w, 0.42 * crest, 0.55 * d),
    }[zone]
    at = (s * (x + jitter[0]) * w, y + 2 * jitter[1] * crest, (z + jitter[2]) * d)
    return at, axes


def _within_lobe(scene: Scene, blob: Span, side: Side, zone: str) -> Span:
    """Cut by the oblique fissure and, on the right, the horizontal one."""
    person = scene.body.chest.person
    run = (person.dome(side) + 24.0, -1.72 * person.half_depth)
    size = math.hypot(*run)
    normal = (0.0, -run[1] / size, run[0] / size)  # down and back: into the lower lobe
    offset = normal[1] * -28.0 + normal[2] * 0.86 * person.half_depth
    if zone == "lower_lobe":
        blob = blob & halfspace(scene.frame, (0.0, -normal[1], -normal[2]), -offset)
    else:
        blob = blob & halfspace(scene.frame, normal, offset)
    if side is Side.RIGHT and zone == "upper_lobe":
        blob = blob & halfspace(scene.frame, (0.0, 1.0, 0.05), 20.0)
    if zone == "middle_lobe":
        blob = blob & halfspace(scene.frame, (0.0, -1.0, -0.05), -20.0)
    return blob


@dataclass(frozen=True)
class _Filling:
    """How a stretch of lung fills: strength 0..1, seed of its grain, patchy or even, soft: steepness of its
    edge."""

    strength: float
    seed: int
    patchy: bool
    soft: float = 2.0


def _opacify(scene: Scene, side: Side, blob: Span, filling: _Filling) -> Plane:
    """Take the air out of a stretch; mm of lung lost."""
    patchy, soft = filling.patchy, filling.soft
    rng = np.random.default_rng(filling.seed)
    part = np.minimum(scene.aerated(side, scene.open[side] & blob), scene.lung[side])
    shape = scene.frame.shape
    field = noise(rng, shape, 12) * np.float32(0.5) + noise(rng, shape, 30) * np.float32(0.35)
    field += noise(rng, shape, 64) * np.float32(0.25)
    field *= np.float32((1.5 if patchy else 0.8) * min(soft / 2, 1) ** 2)
    depth = max(float(part.max(initial=0.0)), 20.0)
    edge = (part * np.float32(1 / depth) - np.float32(0.38 if patchy else 0.24)) * np.float32(soft)
    lost: Plane = part * (smooth(edge + field) * np.float32(filling.strength)).astype(np.float32)
    scene.lung[side] = scene.lung[side] - lost
    return lost


def _shown(scene: Scene, code: str, side: Side, lost: Plane, share: float = _SEEN) -> str:
    scene.mark(code, (lost > max(share * float(lost.max(initial=0.0)), 2.5)) & scene.masks[f"lung_{side}"])
    return code


def _bronchogram(scene: Scene, side: Side, centre: Triple, lost: Plane) -> None:
    root = hilum(scene.body.chest, side)
    tips = np.array(centre) + np.array([[0, -12, 0], [sign(side) * 8, 14, 6], [0, 4, -10]])
    ways = np.stack([root + (tip - root) * np.linspace(0.1, 1, 6)[:, None] for tip in tips])
    airway = tubes.draw(scene.frame, [Tube(ways, np.broadcast_to(np.linspace(2.6, 1.2, 6), ways.shape[:2]))])
    scene.air += airway * np.minimum(lost * np.float32(1 / 30), 1)


def atelectasis(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    """A plate above the diaphragm, or a lobe that has shrunk (mediastinum and dome follow: see `body`)."""
    side, code = planned.side, f"atelectasis_{planned.side}"
    seed, share = int(rng.integers(2**31)), rng.uniform(0.3, 0.6)
    tilt, length, thick = rng.uniform(-14, 14), rng.uniform(48, 80), rng.uniform(2.2, 3.8)
    if planned.extent == "lobar":
        centre, axes = _collapsed(scene.body.chest.person, side, planned.zone)
        blob = Loft.ellipsoid(centre, axes).span(scene.frame)
        lost = _opacify(scene, side, blob, _Filling(0.88, seed, patchy=False))
        return Rendered((_shown(scene, code, side, lost),))
    person, s = scene.body.chest.person, sign(side)
    y = person.dome(side) - 14 - 30 * share
    middle = np.array([s * 0.58 * person.half_width, y, 10.0])
    reach = np.array([length / 2, tilt * s / 2, 0])
    ways = np.stack(
        [[off(middle - reach, 0, 0, z), off(middle, 0, -3, z), off(middle + reach, 0, 0, z)] for z in (-8, 8)]
    )
    widths = np.broadcast_to(thick * np.array([0.5, 1, 0.6]), (2, 3))
    plate = tubes.draw(scene.frame, [Tube(ways, widths, strength=1.4 if planned.doubtful else 2.4)])
    plate = np.minimum(plate, scene.lung[side])
    scene.lung[side] = scene.lung[side] - plate
    scene.mark(code, (plate > 0.5) & scene.masks[f"lung_{side}"])
    return Rendered((code,), size_mm=round(float(length), 1))


def _collapsed(person: Person, side: Side, zone: str) -> tuple[Triple, Triple]:
    w, d, crest, s = person.half_width, person.half_depth, person.dome(side), sign(side)
    if zone == "upper_lobe":
        return (s * 0.3 * w, 0.72 * person.apex, -0.2 * d), (0.3 * w, -0.48 * person.apex, 0.75 * d)
    if zone == "middle_lobe":
        return (s * 0.32 * w, 0.62 * crest, -0.6 * d), (0.3 * w, 0.16 * crest, 0.55 * d)
    return (s * 0.24 * w, 0.86 * crest, 0.5 * d), (0.3 * w, 0.6 * crest, 0.42 * d)


def oedema(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    """Haze round the hila and, when more than mild, thickened septa at the bases."""
    seeds = rng.integers(2**31, size=3)
    strength = {"mild": 0.2, "moderate": 0.36, "severe": 0.58}[planned.extent] * rng.uniform(0.9, 1.1)
    strength *= 0.7 if planned.doubtful else 1.0
    person, code = scene.body.chest.person, "pulmonary_edema"
    for side, seed in zip(SIDES, seeds, strict=False):
        root = hilum(scene.body.chest, side)
        centre = (root[0] + sign(side) * 0.24 * person.half_width, root[1] + 16, 0.0)
        axes = (0.52 * person.half_width, 0.86 * person.dome(side), 1.1 * person.half_depth)
        blob = Loft.ellipsoid(centre, axes).span(scene.frame)
        lost = _opacify(scene, side, blob, _Filling(strength, int(seed), patchy=True, soft=1.1))
        _shown(scene, code, side, lost, 0.3)
        if planned.extent != "mild":
            _septa(scene, side, int(seeds[2]))
    return Rendered((code,))


def _septa(scene: Scene, side: Side, seed: int) -> None:
    """Short level lines that reach the pleura at the base (Kerley's B)."""
    chest, s = scene.body.chest, sign(side)
    rng = np.random.default_rng([seed, side is Side.LEFT])
    y = chest.person.dome(side) - rng.uniform(-18, 55, 12)
    out = np.array([abs(chest.edge(side, float(level))) for level in y]) - rng.uniform(1, 4, 12)
    inner = out - rng.uniform(9, 17, 12)
    z = rng.uniform(-20, 30, 12)
    ways = np.stack([np.stack([s * inner, y, z], axis=1), np.stack([s * out, y + 1, z], axis=1)], axis=1)
    lines = tubes.draw(scene.frame, [Tube(ways, np.full((12, 2), 0.7), strength=2.4)])
    scene.lung[side] = np.maximum(scene.lung[side] - lines, 0)


def nodule(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    return _lump(scene, planned, rng, rng.uniform(9, 28))


def mass(scene: Scene, planned: PlannedFinding, rng: np.random.Generator) -> Rendered:
    return _lump(scene, planned, rng, rng.uniform(34, 66))


def _lump(scene: Scene, planned: PlannedFinding, rng: np.random.Generator, size: float) -> Rendered:
    centre = lump_centre(scene.body.chest.person, planned, rng, size)
    squash = rng.uniform(0.88, 1.12)
    r = size / 2
    mean = math.sqrt(squash)
    blob = Loft.ellipsoid(centre, (r * mean, r / mean, r)).span(scene.frame)
    matter, shown = blob.length, blob.hi > blob.lo
    if planned.finding == "mass":
        for _ in range(3):
            off = rng.normal(0, 0.42 * r, 3)
            at = (centre[0] + off[0], centre[1] + off[1], centre[2] + off[2])
            part = Loft.ellipsoid(at, (0.6 * r, 0.6 * r, 0.6 * r)).span(scene.frame)
            matter, shown = np.maximum(matter, part.length), shown | (part.hi > part.lo)
    strength = np.float32(0.55 if planned.doubtful else 1.0)
    scene.air -= np.minimum(matter, scene.lung[planned.side]) * strength
    scene.lung[planned.side] = np.maximum(scene.lung[planned.side] - matter * np.float32(0.25), 0)
    scene.mark(planned.finding, shown)
    return Rendered((planned.finding,), size_mm=round(float(size), 1))


def lump_centre(person: Person, planned: PlannedFinding, rng: np.random.Generator, size: float) -> Triple:
    """A place in the lung, clear of heart, spine and diaphragm."""
    crest = person.dome(planned.side)
    low, high = {"upper": (0.2, 0.34), "mid": (0.42, 0.56), "lower": (0.66, 0.8)}[planned.zone]
    y = person.apex + (crest - person.apex) * rng.uniform(low, high)
    share = {"upper": (0.42, 0.56), "mid": (0.56, 0.74), "lower": (0.66, 0.8)}[planned.zone]
    x = rng.uniform(*share) * person.half_width - 0.15 * size
    return sign(planned.side) * x, y, rng.uniform(-0.25, 0.35) * person.half_depth
