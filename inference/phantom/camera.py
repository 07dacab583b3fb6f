"""Takes one picture of a body: pose, projection, findings, detector, marks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.contract import ViewPosition
from inference.phantom import detector, findings, marks, scene
from inference.phantom.body import Body
from inference.phantom.frame import Frame, Mask, Pose
from inference.phantom.plan import PlannedFinding
from inference.phantom.rendered import Rendered
from inference.structures import STRUCTURES

INVERTED_SHARE = 0.2


@dataclass(frozen=True)
class Shot:
    """What to take: view, (rows, cols), what is wrong, and the seed of its draws."""

    view: ViewPosition
    shape: tuple[int, int]
    planned: tuple[PlannedFinding, ...]
    base: int


@dataclass(frozen=True)
class Picture:
    """Stored values (uint16) with what is needed to show them, and the exact masks."""

    pixels: NDArray[np.uint16]
    masks: dict[str, Mask]
    spacing: float
    photometric: str
    window_center: float
    window_width: float


def shoot(
    body: Body,
    shot: Shot,
    rngs: tuple[np.random.Generator, np.random.Generator],
    noise: np.random.Generator | None,
) -> tuple[Picture, list[tuple[PlannedFinding, Rendered]]]:
    """rngs: of the pose, and of exposure and marks; what is wrong with the body changes no draw of theirs."""
    posing, exposing = rngs
    frame = Frame.make(shot.shape, pose(posing, body, shot))
    bedside = shot.view is ViewPosition.AP
    exposure = detector.draw(exposing, bedside=bedside)
    laid_on = marks.draw(exposing, shot.view, female=body.chest.person.female, ill=bedside)
    inverted = bool(exposing.uniform() < INVERTED_SHARE)
    laid = scene.lay_out(body, frame)
    done = findings.render(laid, shot.planned, shot.base)
    scene.finish(laid)
    marks.worn(laid, laid_on)
    signal = detector.expose(laid, exposure, noise)
    shown = marks.printed(detector.process(signal, laid, exposure), frame, laid_on)
    pixels = detector.stored(shown)
    top = detector.TOP_VALUE
    picture = Picture(
        pixels=top - pixels if inverted else pixels,
        masks={
            s.code: laid.masks[s.code]
            for s in STRUCTURES
            if s.code in laid.masks and laid.masks[s.code].any()
        },
        spacing=frame.spacing,
        photometric="MONOCHROME1" if inverted else "MONOCHROME2",
        window_center=top + 1 - exposure.window_center if inverted else exposure.window_center,
        window_width=exposure.window_width,
    )
    return picture, done


def pose(rng: np.random.Generator, body: Body, shot: Shot) -> Pose:
    """Detectors are about as large whatever lies on them, so small lungs leave room for the belly; the lungs
    begin a few centimetres below the upper edge, and the patient is rarely well centred. Distances in mm."""
    u, person = rng.uniform, body.chest.person
    lateral, bedside = shot.view is ViewPosition.LEFT_LATERAL, shot.view is ViewPosition.AP
    distance = u(1000, 1250) if bedside else u(1700, 1900)
    gap = u(115, 140) + (60 if lateral else 0)
    scale = distance / (distance - gap)
    tall, wide = (size / max(shot.shape) for size in shot.shape)
    broad = 2 * (0.95 * person.half_depth if lateral else person.half_width) * scale
    long = (person.bottom - person.apex - 12) * scale
    spare = u(-6, 60)
    margin = u(4, 26) if u() < 0.6 else u(10, 70)
    field = max(u(315, 410), (broad + spare) / wide, (long + margin) / tall)
    return Pose(
        view=shot.view,
        field=float(field),
        yaw=float(rng.normal(0, 4.5 if bedside else 2.2)),
        turn=float(rng.normal(0, 4.0 if bedside else 1.3)),
        offset_u=float(u(-1, 1) * (14 if lateral else max(0.5 * (field * wide - broad), 8))),
        offset_v=float(margin - 0.5 * field * tall - person.apex * scale),
        distance=float(distance),
        gap=float(gap),
    )
