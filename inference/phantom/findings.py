"""Renders planned findings into a view of the body: each changes the matter and adds its exact mask."""

from collections.abc import Callable

import numpy as np

from inference.phantom import devices, opacities, other_findings, pleura
from inference.phantom.plan import PlannedFinding, dice
from inference.phantom.rendered import Rendered
from inference.phantom.scene import Scene

Renderer = Callable[[Scene, PlannedFinding, np.random.Generator], Rendered]

RENDERERS: dict[str, Renderer] = {
    "cardiomegaly": other_findings.cardiomegaly,
    "hiatus_hernia": other_findings.hernia,
    "pneumothorax": pleura.pneumothorax,
    "pleural_effusion": pleura.effusion,
    "consolidation": opacities.consolidation,
    "atelectasis": opacities.atelectasis,
    "pulmonary_edema": opacities.oedema,
    "mass": opacities.mass,
    "nodule": opacities.nodule,
    "rib_fracture": other_findings.fracture,
    "free_air": other_findings.free_air,
    "chest_drain": devices.drain,
    "endotracheal_tube": devices.endotracheal,
    "tracheostomy_tube": devices.tracheostomy,
    "nasogastric_tube": devices.nasogastric,
    "central_line": devices.central_line,
    "pacemaker": devices.pacemaker,
}
"""In the order they are drawn: air and fluid shape the lung that opacities then fill."""


def render(
    scene: Scene, planned: tuple[PlannedFinding, ...], base: int
) -> list[tuple[PlannedFinding, Rendered]]:
    """Render in a fixed order, each from draws of its own: what else is there changes no draw."""
    order = list(RENDERERS)
    done = []
    for one in sorted(planned, key=lambda p: (order.index(p.finding), str(p.side))):
        done.append((one, RENDERERS[one.finding](scene, one, dice(base, one, 2))))
    return done
