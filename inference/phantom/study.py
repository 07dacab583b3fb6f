"""Phantom chest studies with exact masks and a true report: `generate(seed, index)`."""

import datetime
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.contract import Certainty, Sentence, Side, ViewPosition
from inference.imaging import voi
from inference.phantom import anatomy, findings, patients, projection, reports, scenario, scene
from inference.phantom.frame import Frame, Pose
from inference.phantom.patients import Patient
from inference.phantom.reports import CodedFinding
from inference.phantom.scenario import PlannedFinding
from inference.structures import FINDINGS, STRUCTURES

__all__ = ["CodedFinding", "PhantomImage", "PhantomStudy", "PlannedFinding", "generate", "uid"]

_NAMESPACE = uuid.UUID("6f7c2a52-2f0a-5d61-9a5e-0f4a0f5f3b11")
_MINIMUM_SIZE = 32
_STREAMS = ("scenario", "patient", "view", "anatomy", "pose", "exposure", "findings", "report", "noise")


@dataclass(frozen=True)
class PhantomImage:
    """One radiograph. pixels are stored values (uint16, rows x cols, 12 bits), low is bright in MONOCHROME1.

    masks: exact outlines by structure code, only those present, in stored pixels.
    pixel_spacing: mm at the detector between (rows, columns).
    """

    pixels: NDArray[np.uint16]
    masks: dict[str, NDArray[np.bool_]]
    view_position: ViewPosition
    pixel_spacing: tuple[float, float]
    photometric: str
    window_center: float
    window_width: float
    series_instance_uid: str
    sop_instance_uid: str

    def grayscale(self) -> NDArray[np.float32]:
        """0 black to 1 white, float32 (rows, cols), by the formulas of `inference.imaging`."""
        window = voi.Window(self.window_center, self.window_width)
        gray = voi.window_gray(voi.ValueScale().modality(), window)
        table = voi.table(gray, invert=self.photometric == "MONOCHROME1", padding=None)
        return np.take(table.astype(np.float32) / np.float32(voi.WHITE), self.pixels)


@dataclass(frozen=True)
class PhantomStudy:
    """A study with its truth. key names it: the same key, the same bytes."""

    key: str
    patient: Patient
    study_instance_uid: str
    accession_number: str
    study_date: datetime.date
    study_time: datetime.time
    priority: str
    indication: str
    images: tuple[PhantomImage, ...]
    findings: tuple[CodedFinding, ...]
    sentences: tuple[Sentence, ...]


def generate(
    seed: int,
    index: int,
    *,
    size: int | tuple[int, int] = 512,
    findings: Sequence[PlannedFinding] | None = None,
    view: ViewPosition | None = None,
    with_noise: bool = True,
) -> PhantomStudy:
    """Make study `index` of the endless series `seed`.

    Deterministic: the same arguments give the same bytes on every machine. size is the side of a square
    picture, or (rows, cols). findings overrides what was drawn, on the same person in the same pose, so that
    two calls can differ in one finding only; `()` asks for a normal study. view overrides PA or AP, which
    otherwise follows the findings and brings its own exposure: give it too when pictures are to be compared.

    Raises
    ------
    ValueError
        When seed or index is negative, the size is below 32 pixels, the view is lateral, or a finding is
        impossible.
    """
    shape = _shape(size)
    if view not in (None, ViewPosition.PA, ViewPosition.AP):
        raise ValueError(f"phantoms are frontal, PA or AP, not {view.value!r}")
    if seed < 0 or index < 0:
        raise ValueError(f"seed and index cannot be negative: {seed}, {index}")
    rngs = {name: np.random.default_rng([seed, index, place]) for place, name in enumerate(_STREAMS)}
    drawn = scenario.draw(rngs["scenario"])
    wanted = drawn if findings is None else tuple(scenario.checked(one) for one in findings)
    key = _key((seed, index), shape, view, None if findings is None else wanted, with_noise)
    patient = patients.draw(rngs["patient"], seed, index)
    view = view or _view(rngs["view"], wanted)
    image, coded = _image(rngs, wanted, patient, (key, shape, view, with_noise))
    indication, sentences = reports.write(coded, image.sop_instance_uid, rngs["report"])
    order = rngs["patient"]
    return PhantomStudy(
        key=key,
        patient=patient,
        study_instance_uid=uid(key, "study"),
        accession_number=f"A{int(hashlib.sha256(key.encode()).hexdigest()[:12], 16) % 10**12:012d}",
        study_date=datetime.date(2026, 1, 5) + datetime.timedelta(days=int(order.integers(300))),
        study_time=datetime.time(
            int(order.integers(7, 19)), int(order.integers(60)), int(order.integers(60))
        ),
        priority=_priority(order, wanted),
        indication=indication,
        images=(image,),
        findings=coded,
        sentences=sentences,
    )


def uid(key: str, part: str) -> str:
    """A UID under 2.25 that always names the same part of the same study."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, f'{key}/{part}').int}"


def _shape(size: int | tuple[int, int]) -> tuple[int, int]:
    shape = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
    if min(shape) < _MINIMUM_SIZE:
        raise ValueError(f"a phantom needs at least {_MINIMUM_SIZE} pixels a side, not {shape}")
    return shape


def _key(
    place: tuple[int, int],
    shape: tuple[int, int],
    view: ViewPosition | None,
    override: tuple[PlannedFinding, ...] | None,
    with_noise: bool,
) -> str:
    parts = [str(place[0]), str(place[1]), f"{shape[0]}x{shape[1]}"]
    if view:
        parts.append(view.value)
    if override is not None:
        parts.append(repr(override))
    if not with_noise:
        parts.append("noise-free")
    return "/".join(parts)


def _view(rng: np.random.Generator, planned: tuple[PlannedFinding, ...]) -> ViewPosition:
    """Ventilated patients lie in bed; so do many with other devices or a pneumothorax."""
    chance = rng.uniform()
    codes = {one.finding for one in planned}
    if "endotracheal_tube" in codes:
        return ViewPosition.AP
    likely = 0.6 if codes & {"central_line", "pneumothorax"} else 0.2
    return ViewPosition.AP if chance < likely else ViewPosition.PA


def _priority(rng: np.random.Generator, planned: tuple[PlannedFinding, ...]) -> str:
    chance = rng.uniform()
    urgent = any(one.finding in ("pneumothorax", "endotracheal_tube") for one in planned)
    if urgent and chance < 0.6:
        return "STAT"
    return "HIGH" if chance < 0.2 else "ROUTINE"


def _image(
    rngs: dict[str, np.random.Generator],
    planned: tuple[PlannedFinding, ...],
    patient: Patient,
    what: tuple[str, tuple[int, int], ViewPosition, bool],
) -> tuple[PhantomImage, tuple[CodedFinding, ...]]:
    key, shape, view, with_noise = what
    large = next((p.extent for p in planned if p.finding == "cardiomegaly"), "")
    person = anatomy.draw(rngs["anatomy"], female=patient.sex == "F", heart=large)
    frame = Frame.make(shape, _pose(rngs["pose"], person))
    laid = scene.lay_out(person, frame)
    coded = _render(laid, planned, int(rngs["findings"].integers(2**31)))
    exposure = projection.draw(rngs["exposure"], bedside=view is ViewPosition.AP)
    pixels = projection.project(laid, exposure, rngs["noise"] if with_noise else None)
    inverted = bool(rngs["exposure"].uniform() < 0.2)
    image = PhantomImage(
        pixels=projection.TOP_VALUE - pixels if inverted else pixels,
        masks={s.code: laid.masks[s.code] for s in STRUCTURES if _seen(laid.masks, s.code)},
        view_position=view,
        pixel_spacing=(frame.spacing, frame.spacing),
        photometric="MONOCHROME1" if inverted else "MONOCHROME2",
        window_center=exposure.window_center
        if not inverted
        else projection.TOP_VALUE + 1 - exposure.window_center,
        window_width=exposure.window_width,
        series_instance_uid=uid(key, "series"),
        sop_instance_uid=uid(key, "image"),
    )
    return image, coded


def _seen(masks: dict[str, NDArray[np.bool_]], code: str) -> bool:
    return code in masks and bool(masks[code].any())


def _pose(rng: np.random.Generator, person: anatomy.Anatomy) -> Pose:
    tall = person.dome_left + person.angle_depth - person.apex
    broad = 2 * (person.half_width + person.chest_wall)
    field = max(tall + rng.uniform(30, 75), broad + rng.uniform(-25, 40))
    middle = (person.dome_left + person.angle_depth + person.apex) / 2
    return Pose(
        field=float(field),
        turn=float(rng.uniform(-3.5, 3.5)),
        offset_x=float(rng.uniform(-10, 10)),
        offset_y=float(-middle + rng.uniform(-6, 16)),
    )


def _render(laid: scene.Scene, planned: tuple[PlannedFinding, ...], base: int) -> tuple[CodedFinding, ...]:
    """Render in the order of `FINDINGS`, each from draws of its own: what else is there changes nothing."""
    order = [finding.code for finding in FINDINGS]
    coded = []
    for one in sorted(planned, key=lambda p: (order.index(p.finding), p.side != Side.RIGHT)):
        rng = np.random.default_rng([base, order.index(one.finding), one.side == Side.LEFT])
        made = findings.render(laid, one, rng)
        certainty = Certainty.UNCERTAIN if one.doubtful else Certainty.PRESENT
        coded.append(
            CodedFinding(
                one.finding, one.side, certainty, made.structures, one.extent, one.zone, made.size_mm
            )
        )
    return tuple(coded)
