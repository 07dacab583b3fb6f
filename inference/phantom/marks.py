"""What lies on a patient or a picture and belongs to no truth: lead letters, text, electrodes, clothing."""

from dataclasses import dataclass

import numpy as np

from inference.contract import ViewPosition
from inference.phantom import tubes
from inference.phantom.chest import Chest
from inference.phantom.frame import Frame, Mask, Plane
from inference.phantom.scene import Scene
from inference.phantom.tubes import Tube, curve, off

# 5 x 7 dots a letter, a row of five bits each from the top.
_FONT = {
    "A": (14, 17, 17, 31, 17, 17, 17),
    "B": (30, 17, 17, 30, 17, 17, 30),
    "C": (14, 17, 16, 16, 16, 17, 14),
    "D": (30, 17, 17, 17, 17, 17, 30),
    "E": (31, 16, 16, 30, 16, 16, 31),
    "I": (14, 4, 4, 4, 4, 4, 14),
    "L": (16, 16, 16, 16, 16, 16, 31),
    "N": (17, 25, 21, 19, 17, 17, 17),
    "O": (14, 17, 17, 17, 17, 17, 14),
    "P": (30, 17, 17, 30, 16, 16, 16),
    "R": (30, 17, 17, 30, 20, 18, 17),
    "S": (15, 16, 16, 14, 1, 1, 30),
    "T": (31, 4, 4, 4, 4, 4, 4),
    "U": (17, 17, 17, 17, 17, 17, 14),
    " ": (0, 0, 0, 0, 0, 0, 0),
}


@dataclass(frozen=True)
class Marks:
    """marker: L, R or empty, size and place as shares of the picture; boxed: on a plate; text: burned in;
    leads: electrodes; clothes: '', 'buttons' or 'bra'; collimated: mm covered at (top, right, bottom, left);
    seed of small draws."""

    marker: str
    marker_mm: float
    marker_at: tuple[float, float]
    boxed: bool
    text: str
    leads: int
    clothes: str
    collimated: tuple[float, float, float, float]
    seed: int


def draw(rng: np.random.Generator, view: ViewPosition, *, female: bool, ill: bool) -> Marks:
    """Marks of one picture; bedside pictures have electrodes on them. ill: more of those."""
    u, bedside = rng.uniform, view is ViewPosition.AP
    marker = ("L", "R", "")[int(rng.choice(3, p=[0.55, 0.3, 0.15]))]
    if view is ViewPosition.LEFT_LATERAL and marker:
        marker = "L"  # the side next to the detector
    right_of_picture = marker == "L" and view is not ViewPosition.LEFT_LATERAL
    across = u(0.86, 0.95) if right_of_picture else u(0.05, 0.14)
    texts = ("", "", "AP SUPINE", "BEDSIDE", "PORTABLE") if bedside else ("", "", "", "PA", "ERECT")
    edges = u(0, 22, 4) * (u(0, 1, 4) < 0.12)
    chance = u()
    return Marks(
        marker=marker,
        marker_mm=u(7, 16),
        marker_at=(u(0.04, 0.14) if u() < 0.7 else u(0.5, 0.9), across),
        boxed=bool(u() < 0.4),
        text=texts[int(rng.integers(len(texts)))],
        leads=int(rng.integers(0, 9)) if bedside and (ill or u() < 0.7) else 0,
        clothes="" if chance > 0.1 else "bra" if female else "buttons",
        collimated=(float(edges[0]), float(edges[1]), float(edges[2]), float(edges[3])),
        seed=int(rng.integers(2**31)),
    )


def worn(scene: Scene, marks: Marks) -> None:
    """Electrodes with their wires, buttons, underwires: matter before the detector."""
    rng = np.random.default_rng([marks.seed, 1])
    chest, frame = scene.body.chest, scene.frame
    parts = [part for number in range(marks.leads) for part in _electrode(chest, rng, number)]
    if marks.clothes == "buttons":
        x = rng.uniform(-8, 8)
        for y in np.arange(chest.person.apex + 60, chest.person.dome_left + 60, 78.0):
            spot = np.array(
                [[x, y, chest.at(chest.front, y) - 30], [x + 0.1, y, chest.at(chest.front, y) - 30]]
            )
            parts.append(Tube(spot, np.array([5.5, 5.5]), strength=0.016))
    if marks.clothes == "bra":
        parts += _wires(chest, rng)
    scene.metal += tubes.draw(frame, parts)


def _electrode(chest: Chest, rng: np.random.Generator, number: int) -> list[Tube]:
    """A sticker, its snap, and the wire that leaves it."""
    places = ((-0.8, 0.62), (0.82, 0.6), (0.86, -0.9), (-0.84, -0.9), (0.1, 0.3))
    px, py = places[number % len(places)]
    person = chest.person
    y = (person.apex * py if py > 0 else -py * person.dome_left) + rng.uniform(-20, 20)
    x = px * person.half_width + rng.uniform(-20, 20)
    z = chest.at(chest.front, y) - 20
    spot = np.array([x, y, z])
    far = np.array([rng.uniform(-1.3, 1.3) * person.half_width, 300 if rng.uniform() < 0.6 else -260, z])
    bend = (spot + far) / 2 + rng.normal(0, 38, 3) * [1, 1, 0]
    wire = curve(np.array([spot, spot + (bend - spot) * 0.4 + rng.normal(0, 14, 3), bend, far]), 10)
    dot = np.array([spot, off(spot, 0.1, 0, 0)])
    strip = np.array([spot, spot + rng.normal(0, 1, 3) * [9, 9, 0]])
    return [
        Tube(wire, np.full(len(wire), rng.uniform(0.9, 1.6)), strength=0.2),
        Tube(dot, np.array([10.0, 10.0]), strength=0.004),
        Tube(strip, np.array([3.2, 3.2]), strength=0.06),
    ]


def _wires(chest: Chest, rng: np.random.Generator) -> list[Tube]:
    person = chest.person
    y, parts = 60 + person.breast_drop, []
    for s in (-1.0, 1.0):
        t = np.linspace(-1, 1, 9)
        x = s * 0.54 * person.half_width + t * (42 + 0.3 * person.breast)
        way = np.stack([x, y + 34 * (1 - t * t), np.full(9, chest.at(chest.front, y) - 30)], axis=1)
        parts.append(Tube(way, np.full(9, 0.9), strength=0.3))
    return parts


def printed(shown: Plane, frame: Frame, marks: Marks) -> Plane:
    """Collimator edges, the lead letter, and text burned into the pixels."""
    _collimate(shown, frame, marks)
    if marks.marker:
        dot = max(marks.marker_mm / 7 / frame.spacing, 0.8)
        _write(shown, marks.marker, marks.marker_at, dot, boxed=marks.boxed)
    if marks.text:
        dot = max(0.7 / frame.spacing, 1.0)
        _write(shown, marks.text, (0.015, 0.72 if marks.seed % 2 else 0.02), dot, boxed=False)
    return shown


def _collimate(shown: Plane, frame: Frame, marks: Marks) -> None:
    rows, cols = shown.shape
    top, right, bottom, left = (round(mm / frame.spacing) for mm in marks.collimated)
    for part in (shown[:top], shown[rows - bottom :], shown[:, :left], shown[:, cols - right :]):
        part *= np.float32(0.04)


def _write(shown: Plane, text: str, at: tuple[float, float], dot: float, *, boxed: bool) -> None:
    """Letters of 5 x 7 dots, `dot` pixels a dot, the upper left corner at shares of the picture."""
    pattern = _pattern(text)
    rows, cols = (int(size * dot) for size in pattern.shape)
    if rows >= shown.shape[0] or cols >= shown.shape[1]:
        return
    top = min(int(at[0] * shown.shape[0]), shown.shape[0] - rows)
    left = min(int(at[1] * shown.shape[1]), shown.shape[1] - cols)
    r = np.minimum((np.arange(rows) / dot).astype(np.intp), pattern.shape[0] - 1)
    c = np.minimum((np.arange(cols) / dot).astype(np.intp), pattern.shape[1] - 1)
    letters = pattern[r][:, c]
    window = shown[top : top + rows, left : left + cols]
    if boxed:
        window *= np.float32(0.35)
    window[letters] = np.float32(1.0)


def _pattern(text: str) -> Mask:
    bits = np.array([_FONT[letter] for letter in text])  # (letters, 7)
    columns = (bits[:, :, None] >> np.arange(4, -1, -1)) & 1
    spaced = np.pad(columns, ((0, 0), (1, 1), (1, 0)))
    pattern: Mask = np.concatenate([*spaced, np.zeros((9, 1), int)], axis=1) > 0
    return pattern
