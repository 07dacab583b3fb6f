"""A person: the drawn measures of one body, in millimetres."""

from dataclasses import dataclass, replace

import numpy as np

from inference.contract import Side

SIDES = (Side.RIGHT, Side.LEFT)


def sign(side: Side) -> float:
    """-1 towards the patient's right (x below zero), +1 towards the left."""
    return -1.0 if side is Side.RIGHT else 1.0


@dataclass(frozen=True)
class Person:
    """Levels are y below the carina; domes are the crests of the diaphragm in full inspiration.

    half_width, half_depth: inside the ribs, at the widest. recess: crest to the deepest angle. wall: soft
    tissue around the ribs. kyphosis: how far the back bulges; scoliosis: sideways swing, phase in mm.
    heart_ratio: heart width over inner width of the chest. heart_left: share of the heart left of the
    middle. slope: fall of a rib from back to front. bone, muscle: factors on density and bulk. shift: pull on
    the mediastinum, + to the left.
    """

    female: bool
    age: int
    half_width: float
    half_depth: float
    apex: float
    dome_right: float
    dome_left: float
    recess: float
    fullness: float
    wall: float
    muscle: float
    kyphosis: float
    scoliosis: float
    scoliosis_phase: float
    heart_ratio: float
    heart_left: float
    heart_round: float
    waist: float
    arch: float
    aorta: float
    pedicle: float
    trachea_x: float
    pitch: float
    slope: float
    rib_phase: float
    bone: float
    clavicle: float
    breast: float
    breast_drop: float
    bubble: float
    vessels: float
    seed: int
    shift: float = 0.0

    def dome(self, side: Side) -> float:
        return self.dome_right if side is Side.RIGHT else self.dome_left

    @property
    def bottom(self) -> float:
        """The deepest level of the lungs."""
        return max(self.dome_right, self.dome_left) + self.recess


def draw(rng: np.random.Generator, *, female: bool, age: int) -> Person:
    """Draw a grown person; ranges in mm."""
    u = rng.uniform
    build = u(0.93, 1.07) * (0.93 if female else 1.02)
    heavy, old = float(rng.beta(1.6, 3)), float(np.clip((age - 35) / 50, 0, 1))
    dome = u(98, 150) * build
    return Person(
        female=female,
        age=age,
        half_width=142 * build * u(0.95, 1.07),
        half_depth=84 * build * u(0.88, 1.1) + 8 * old,
        apex=-u(90, 112) * build,
        dome_right=dome,
        dome_left=dome + u(2, 18),
        recess=u(42, 70),
        fullness=u(1.8, 2.7),
        wall=14 + 34 * heavy + u(0, 6),
        muscle=u(0.8, 1.25) * (0.85 if female else 1.05),
        kyphosis=u(2, 12) + 14 * old * u(0, 1),
        scoliosis=float(rng.normal(0, 3.0)),
        scoliosis_phase=u(-120, 120),
        heart_ratio=u(0.40, 0.485) + 0.015 * old + 0.02 * heavy,
        heart_left=u(0.63, 0.73),
        heart_round=u(0.0, 1.0),
        waist=u(-2, 8),
        arch=u(2, 9) + 8 * old * u(0.2, 1),
        aorta=u(11, 13) + 4 * old,
        pedicle=u(25, 31) + 5 * heavy,
        trachea_x=u(-5, 2),
        pitch=u(22.5, 26.5) * build,
        slope=u(112, 158) * build,
        rib_phase=u(-9, 9),
        bone=u(0.85, 1.2) * (1 - 0.3 * old * (1.0 if female else 0.5)),
        clavicle=u(0, 38),
        breast=(u(18, 40) + 25 * heavy) if female else (10 * heavy),
        breast_drop=u(-6, 18) + 22 * old,
        bubble=u(9, 25) if u() < 0.6 else 0.0,
        vessels=u(0.8, 1.25),
        seed=int(rng.integers(2**31)),
    )


def breathe(person: Person, *, less: float, supine: bool) -> Person:
    """The same person at a shallower breath (less: mm the domes stand higher), or lying down: the heart
    spreads and the vessels fill."""
    wider = 1 + 0.0025 * less + (0.05 if supine else 0.0)
    return replace(
        person,
        dome_right=person.dome_right - less,
        dome_left=person.dome_left - less,
        heart_ratio=min(person.heart_ratio * wider, 0.68),
        pedicle=person.pedicle * wider,
        vessels=person.vessels * (1.15 if supine else 1.0),
        half_depth=person.half_depth - 0.25 * less,
    )
