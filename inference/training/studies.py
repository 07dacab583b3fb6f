"""Whole phantom studies: a frontal image, often a lateral one, often an earlier study to compare with.

Rendered once into memory-mapped arrays, as `records` does. The frontal image of a study is the one `records`
renders for its number; what may be said of the study is more: what only the lateral view shows, and what
changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from inference.contract import ViewPosition
from inference.maira_seg.prompt import Role
from inference.phantom import study as phantom
from inference.segmentation.views import STRUCTURES_OF, View
from inference.training import records
from inference.training.records import Phantoms, Row, Truth

ROLES = tuple(Role)
VIEWS: Mapping[Role, View] = {
    Role.FRONTAL: View.FRONTAL,
    Role.LATERAL: View.LATERAL,
    Role.PRIOR: View.FRONTAL,
}
_PRIOR_REPORT = 10_000
"""Wording of the report that the prior study had."""


@dataclass(frozen=True)
class Studies:
    """N studies. images: by role, of those studies alone that have such an image; the truths of the frontal
    ones are those of the whole study. rows: (N, roles) long, where in `images` those of a study lie, -1 where
    it has none."""

    images: Mapping[Role, Phantoms]
    rows: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def truths(self) -> tuple[Truth, ...]:
        return self.images[Role.FRONTAL].truths

    def prior_reports(self) -> list[str]:
        """The text of the prior study's report, empty without one."""
        seed = self.images[Role.FRONTAL].seed
        written = []
        for index, truth in enumerate(self.truths):
            said = truth.prior.report((seed, index, _PRIOR_REPORT)) if truth.prior else ()
            written.append(" ".join(sentence.text for sentence in said))
        return written


def studies(cache: Path, seed: int, count: int, *, size: int = 256, processes: int = 2) -> Studies:
    """The first `count` studies of a seed, from the cache or rendered into it."""
    rows = places(count)
    shapes: dict[str, tuple[int, ...]] = {}
    for place, role in enumerate(ROLES):
        number = int((rows[:, place] >= 0).sum())
        shapes[f"{role}-pixels"] = (number, size, size)
        shapes[f"{role}-masks"] = (number, len(STRUCTURES_OF[VIEWS[role]]), size * size // 8)
    folder = cache / f"studies-{seed}-{count}-{size}-{records.generator_digest()}"
    told = records.rendered_into(
        folder, shapes, partial(_render, seed=seed, size=size, rows=rows), count, processes
    )
    truths = tuple(records.truth_of(row) for row in told)
    images = {}
    for role in ROLES:
        pixels, packed = (records.read_array(folder / f"{role}-{name}.npy") for name in ("pixels", "masks"))
        images[role] = Phantoms(seed, size, pixels, packed, (), STRUCTURES_OF[VIEWS[role]])
    images[Role.FRONTAL] = replace(images[Role.FRONTAL], truths=truths)
    return Studies(images, rows)


def places(count: int) -> Tensor:
    """(N, roles): `Studies.rows` of the first studies. Two bedside studies in five have no lateral view, nor
    has one in four of the others; every second study has a prior."""
    index = torch.arange(count)
    bedside = (index * 3) % records.BEDSIDE_EVERY < records.BEDSIDE_OF_THEM
    has = torch.ones(count, len(ROLES), dtype=torch.bool)
    has[:, ROLES.index(Role.LATERAL)] = ~bedside & ((index // 8) % 4 > 0)
    has[:, ROLES.index(Role.PRIOR)] = (index // 4) % 2 == 0
    return torch.where(has, has.cumsum(dim=0) - 1, -1)


def rendered(seed: int, index: int, *, lateral: bool, prior: bool) -> phantom.PhantomStudy:
    """Study `index` with these images; the first of each study is frontal."""
    views = [records.position_of(index)] + [ViewPosition.LEFT_LATERAL] * lateral
    return phantom.generate(seed, index, views=views, with_prior=prior, **records.manner_of(index))


def _render(folder: Path, indices: range, *, seed: int, size: int, rows: Tensor) -> list[Row]:
    torch.set_num_threads(1)
    arrays = {
        (role, name): records.open_array(folder / f"{role}-{name}.npy")
        for role in ROLES
        for name in ("pixels", "masks")
    }
    told = []
    for index in indices:
        at = dict(zip(ROLES, rows[index].tolist(), strict=True))
        made = rendered(seed, index, lateral=at[Role.LATERAL] >= 0, prior=at[Role.PRIOR] >= 0)
        images = {Role.FRONTAL: made.images[0], Role.LATERAL: made.images[-1]}
        if made.prior is not None:
            images[Role.PRIOR] = made.prior.images[0]
        for role, place in at.items():
            if place >= 0:
                pixels, masks = records.as_bytes(images[role], size, STRUCTURES_OF[VIEWS[role]])
                arrays[role, "pixels"][place], arrays[role, "masks"][place] = pixels, masks
        told.append(records.truth_row(made))
    return told
