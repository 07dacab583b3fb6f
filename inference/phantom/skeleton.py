"""Ribs, spine, collarbones, shoulders: mm of bone along the beam."""

import numpy as np

from inference.phantom.anatomy import Anatomy, Outline
from inference.phantom.frame import GRID, Curve, Frame, Plane, bump, places, smooth


def bones(anatomy: Anatomy, frame: Frame, out: Outline) -> Plane:
    """mm of bone along the beam."""
    bone = _ribs(anatomy, frame, out)
    bone += _spine(anatomy, frame)
    x = np.abs(GRID)
    line = anatomy.clavicle + 14 * bump(x, 40, 55) - 0.24 * np.maximum(x - 35, 0) + 8 * bump(x, 150, 60)
    off = frame.y - frame.along_x(line)
    shaft = _rib_profile(6.5, 21.0)[places(off)]
    bone += shaft * frame.along_x(smooth((x - 12) / 6) * smooth((168 - x) / 20))
    for sign in (-1, 1):
        head = frame.ellipse((sign * (anatomy.half_width + 48), anatomy.apex + 18), (25, 27))
        bone += 13 * np.sqrt(np.maximum(1 - head, 0))
        blade = frame.ellipse((sign * (anatomy.half_width - 2), anatomy.apex + 88), (26, 74), -sign * 0.16)
        bone += 2.6 * smooth((1 - blade) * 5).astype(np.float32)
    return bone


def _rib_profile(half: float, thickness: float) -> Plane:
    """Bone met over the distance from a rib's centre line: a tube with a dense rim."""
    share = np.clip(1 - (GRID / half) ** 2, 0, 1)
    inner = np.clip(1 - (GRID / (half - 1.6)) ** 2, 0, 1)
    return ((np.sqrt(share) - 0.72 * np.sqrt(inner)) * thickness).astype(np.float32)


def _ribs(anatomy: Anatomy, frame: Frame, out: Outline) -> Plane:
    """Posterior ribs fall gently outwards, anterior ones steeply inwards; one lookup draws a whole set."""
    rng = np.random.default_rng([anatomy.texture_seed, 1])
    away = np.abs(frame.x)
    edge = frame.along_y(out.cage)
    inside = away < edge + 5
    rows: Curve = anatomy.apex + 10 + anatomy.rib_phase * 8 + anatomy.rib_pitch * np.arange(10.0)
    x = np.abs(GRID)
    share = np.clip(x / anatomy.half_width, 0, 1.1)
    back = 58 * anatomy.rib_slope * share + 30 * share**4
    lateral = 58 * anatomy.rib_slope + 30
    front = lateral + 78 * np.maximum(1.04 - share, 0) ** 0.85
    posterior = _rib_set(rng, rows, 1.0, half=5.6)
    anterior = _rib_set(rng, rows[:7], 0.72, half=6.6)
    bone = posterior[places(frame.y - frame.along_x(back))] * frame.along_x(smooth((x - 14) / 10))
    medial_end = smooth((x - 58) / 26)
    bone += anterior[places(frame.y - frame.along_x(front))] * frame.along_x(medial_end)
    tangent = 1 + 0.9 * smooth((away - edge + 16) * np.float32(1 / 16))
    bone *= 1 - 0.55 * smooth((frame.y - frame.along_x(out.diaphragm)) * np.float32(1 / 20))
    return (bone * tangent * inside * np.float32(anatomy.rib_strength)).astype(np.float32)


def _rib_set(rng: np.random.Generator, centres: Curve, strength: float, half: float) -> Plane:
    total = np.zeros(GRID.size, np.float32)
    for centre in centres:
        at = centre + rng.uniform(-1.8, 1.8)
        profile = _rib_profile(half * rng.uniform(0.9, 1.12), 13.0 * strength * rng.uniform(0.85, 1.15))
        total += np.interp(GRID - at, GRID, profile).astype(np.float32)
    return total


def _spine(anatomy: Anatomy, frame: Frame) -> Plane:
    bend = 3 * np.sin(GRID / 90 + anatomy.rib_phase * 6)
    off = frame.x - frame.along_y(bend)
    widen = 16.5 + 5 * np.clip((GRID + 150) / 350, 0, 1)
    body = smooth((frame.along_y(widen) - np.abs(off)) * np.float32(1 / 4))
    phase = (GRID / (anatomy.rib_pitch * 0.84) + anatomy.rib_phase) % 1
    level = 8 - 4 * np.clip(1 - np.abs(phase - 0.5) / 0.13, 0, 1)
    process = np.clip(1 - np.abs(off) * np.float32(1 / 3.5), 0, 1) * frame.along_y(5 * bump(phase, 0.2, 0.24))
    spine: Plane = (body * frame.along_y(level) + process).astype(np.float32)
    return spine
