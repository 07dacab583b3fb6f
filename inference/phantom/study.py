"""Phantom chest studies from one body, with exact masks and coded truth: `generate(seed, index)`."""

import datetime
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference.contract import Certainty, Sentence, ViewPosition
from inference.imaging import voi
from inference.phantom import body, camera, patients, person, plan, reports
from inference.phantom.camera import Shot
from inference.phantom.patients import Patient
from inference.phantom.plan import PlannedFinding
from inference.phantom.rendered import Rendered
from inference.phantom.reports import CodedFinding

__all__ = ["CodedFinding", "PhantomImage", "PhantomStudy", "PlannedFinding", "generate", "uid"]

_NAMESPACE = uuid.UUID("6f7c2a52-2f0a-5d61-9a5e-0f4a0f5f3b11")
_MINIMUM_SIZE = 32
SHORT_STAY_DAYS = 10
"""A visit with a tube, a drain or a line lies at most so many days before the next; others up to 400."""
_STREAMS = (
    "scenario",
    "patient",
    "view",
    "person",
    "findings",
    "pose",
    "exposure",
    "noise",
    "prior",
    "report",
)
_VIEWS = (ViewPosition.PA, ViewPosition.AP, ViewPosition.LEFT_LATERAL)


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
    """A study with its truth. key names it: the same key, the same bytes. prior: an earlier study of the same
    person, with its own truth and a report of its own."""

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
    prior: "PhantomStudy | None" = None


@dataclass(frozen=True)
class _Request:
    """One study to make: of whom, with what, seen how. visit: 0 now, 1 earlier."""

    place: tuple[int, int]
    shape: tuple[int, int]
    planned: tuple[PlannedFinding, ...]
    views: tuple[ViewPosition, ...]
    with_noise: bool
    visit: int
    key: str
    language: str

    def rng(self, stream: str, *more: int) -> np.random.Generator:
        return np.random.default_rng([*self.place, _STREAMS.index(stream), *more])


def generate(  # noqa: PLR0913 - what a caller may ask for, each with a default
    seed: int,
    index: int,
    *,
    size: int | tuple[int, int] = 512,
    findings: Sequence[PlannedFinding] | None = None,
    views: Sequence[ViewPosition] | None = None,
    with_prior: bool | None = None,
    with_noise: bool = True,
    language: str = "en",
) -> PhantomStudy:
    """Make study `index` of the endless series `seed`.

    Deterministic: the same arguments give the same bytes on every machine. size is the side of a square
    picture, or (rows, cols). findings overrides what was drawn, on the same person in the same pose, so that
    two calls can differ in one finding only (give views too, which otherwise follow the findings); `()` asks
    for a normal study. with_prior adds an earlier study of the person, None leaves it to chance. language is
    that of indication and report: it changes nothing else.

    Raises
    ------
    ValueError
        When seed or index is negative, the size is below 32 pixels, a view is none of PA, AP and left
        lateral, findings are impossible, or reports are not written in the language.
    """
    reports.phrasebook(language)  # an unknown one fails before the rendering
    shape = _shape(size)
    if seed < 0 or index < 0:
        raise ValueError(f"seed and index cannot be negative: {seed}, {index}")
    drawn = plan.draw(np.random.default_rng([seed, index, 0]))
    wanted = drawn if findings is None else findings
    planned = plan.compatible(tuple(plan.checked(one) for one in wanted))
    seen = _views(np.random.default_rng([seed, index, 2]), planned) if views is None else _checked(views)
    key = _key((seed, index), shape, None if findings is None else planned, with_noise)
    if views is not None:
        key += "/" + "+".join(seen)
    request = _Request((seed, index), shape, planned, seen, with_noise, 0, key, language)
    earlier = _earlier(request, with_prior)
    before = None if earlier is None else _study(earlier, None, None)
    return _study(request, before, None if earlier is None else earlier.planned)


def _earlier(request: _Request, with_prior: bool | None) -> _Request | None:
    rng = request.rng("prior")
    chance = rng.uniform()
    if with_prior is False or (with_prior is None and chance > 0.35):
        return None
    before = plan.earlier(rng, request.planned)
    views = request.views if rng.uniform() < 0.5 else _views(rng, before)[:1]
    return replace(request, planned=before, views=views, visit=1, key=request.key + "/prior")


def _study(
    request: _Request, prior: PhantomStudy | None, before: tuple[PlannedFinding, ...] | None
) -> PhantomStudy:
    patient = patients.draw(request.rng("patient"), *request.place)
    order = request.rng("patient", 1)
    date = datetime.date(2026, 1, 5) + datetime.timedelta(days=int(order.integers(300)))
    if request.visit:
        longest = SHORT_STAY_DAYS if plan.short_stay(request.planned) else 400
        date -= datetime.timedelta(days=int(request.rng("prior", 1).integers(1, longest)))
    images, rendered = _images(request, patient, date)
    findings = _coded(rendered, before)
    indication, sentences = reports.write(
        findings,
        _shown(images),
        request.rng("report", request.visit),
        language=request.language,
        prior_date=None if prior is None else prior.study_date,
    )
    digest = hashlib.sha256(request.key.encode()).hexdigest()
    return PhantomStudy(
        key=request.key,
        patient=patient,
        study_instance_uid=uid(request.key, "study"),
        accession_number=f"A{int(digest[:12], 16) % 10**12:012d}",
        study_date=date,
        study_time=datetime.time(
            int(order.integers(7, 19)), int(order.integers(60)), int(order.integers(60))
        ),
        priority=_priority(order, request.planned),
        indication=indication,
        images=images,
        findings=findings,
        sentences=sentences,
        prior=prior,
    )


def _images(
    request: _Request, patient: Patient, date: datetime.date
) -> tuple[tuple[PhantomImage, ...], list[tuple[PlannedFinding, Rendered]]]:
    age = min(max(date.year - patient.birth_date.year, 18), 95)
    who = person.draw(request.rng("person"), female=patient.sex == "F", age=age)
    base = int(request.rng("findings").integers(2**31))
    images: list[PhantomImage] = []
    merged: dict[PlannedFinding, Rendered] = {}
    for number, view in enumerate(request.views):
        supine = view is ViewPosition.AP
        held = body.Position.draw(request.rng("pose", request.visit, supine), supine=supine)
        laid = body.place(who, held, request.planned, base)
        noise = request.rng("noise", request.visit, number) if request.with_noise else None
        rngs = request.rng("pose", request.visit, number, 1), request.rng("exposure", request.visit, number)
        taken, done = camera.shoot(laid, Shot(view, request.shape, request.planned, base), rngs, noise)
        merged.update((one, _joined(merged.get(one), made)) for one, made in done)
        images.append(_image(request.key, number, view, taken))
    return tuple(images), list(merged.items())


def _shown(images: Sequence[PhantomImage]) -> dict[str, str]:
    """The image that shows each structure: a frontal one if any does."""
    shown: dict[str, str] = {}
    for image in sorted(images, key=lambda image: image.view_position is ViewPosition.LEFT_LATERAL):
        for code in image.masks:
            shown.setdefault(code, image.sop_instance_uid)
    return shown


def _joined(earlier: Rendered | None, made: Rendered) -> Rendered:
    return made if earlier is None else replace(earlier, size_mm=earlier.size_mm or made.size_mm)


def _image(key: str, number: int, view: ViewPosition, taken: camera.Picture) -> PhantomImage:
    return PhantomImage(
        pixels=taken.pixels,
        masks=taken.masks,
        view_position=view,
        pixel_spacing=(taken.spacing, taken.spacing),
        photometric=taken.photometric,
        window_center=taken.window_center,
        window_width=taken.window_width,
        series_instance_uid=uid(key, f"series/{number}"),
        sop_instance_uid=uid(key, f"image/{number}"),
    )


def _coded(
    rendered: list[tuple[PlannedFinding, Rendered]], before: tuple[PlannedFinding, ...] | None
) -> tuple[CodedFinding, ...]:
    earlier = {(one.finding, one.side): one for one in before or ()}
    coded = []
    for one, made in rendered:
        was = earlier.pop((one.finding, one.side), None)
        coded.append(
            CodedFinding(
                finding=one.finding,
                side=one.side,
                certainty=Certainty.UNCERTAIN if one.doubtful else Certainty.PRESENT,
                structures=made.structures,
                extent=one.extent,
                zone=one.zone,
                size_mm=made.size_mm,
                tip_mm=made.tip_mm,
                change="" if before is None else plan.change(one, was),
            )
        )
    coded += [
        CodedFinding(one.finding, one.side, Certainty.ABSENT, (), one.extent, one.zone, change="resolved")
        for one in earlier.values()
    ]
    return tuple(coded)


def uid(key: str, part: str) -> str:
    """A UID under 2.25 that always names the same part of the same study; "solid" is part of every name, so
    that a UID once given stays."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, f'solid/{key}/{part}').int}"


def _shape(size: int | tuple[int, int]) -> tuple[int, int]:
    shape = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
    if min(shape) < _MINIMUM_SIZE:
        raise ValueError(f"a phantom needs at least {_MINIMUM_SIZE} pixels a side, not {shape}")
    return shape


def _checked(views: Sequence[ViewPosition]) -> tuple[ViewPosition, ...]:
    wrong = [str(view) for view in views if view not in _VIEWS]
    if wrong or not views:
        raise ValueError(f"a phantom is seen from PA, AP or LL, not {wrong or 'nowhere'}")
    return tuple(ViewPosition(view) for view in views)


def _key(
    place: tuple[int, int],
    shape: tuple[int, int],
    override: tuple[PlannedFinding, ...] | None,
    with_noise: bool,
) -> str:
    parts = [str(place[0]), str(place[1]), f"{shape[0]}x{shape[1]}"]
    if override is not None:
        parts.append(repr(override))
    if not with_noise:
        parts.append("noise-free")
    return "/".join(parts)


def _views(rng: np.random.Generator, planned: tuple[PlannedFinding, ...]) -> tuple[ViewPosition, ...]:
    """Ventilated patients lie in bed; most others stand, and half of those turn their side as well."""
    chance, codes = rng.uniform(), {one.finding for one in planned}
    lying = bool(codes & {"endotracheal_tube", "tracheostomy_tube", "nasogastric_tube"})
    likely = 0.6 if codes & {"central_line", "pneumothorax", "chest_drain"} else 0.2
    if lying or (chance < likely and "free_air" not in codes):  # free air is looked for standing
        return (ViewPosition.AP,)
    lateral = rng.uniform() < 0.5
    return (ViewPosition.PA, ViewPosition.LEFT_LATERAL) if lateral else (ViewPosition.PA,)


def _priority(rng: np.random.Generator, planned: tuple[PlannedFinding, ...]) -> str:
    chance = rng.uniform()
    urgent = any(one.finding in ("pneumothorax", "endotracheal_tube", "free_air") for one in planned)
    at_once = any(one.extent in ("tension", "bronchial") for one in planned)
    if at_once or (urgent and chance < 0.6):
        return "STAT"
    return "HIGH" if chance < 0.2 else "ROUTINE"
