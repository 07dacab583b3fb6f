"""Checks of a text against the outlines of a study, and the gaps between them."""

from collections.abc import Iterator, Sequence

from inference.contract import Certainty, Side
from inference.structures import BY_CODE, FINDINGS, Group
from inference.text.checks.agreement import OPPOSED, numbers
from inference.text.checks.concerns import Concern, Kind, Seen
from inference.text.checks.statements import RELATED, TERMS, Statement, overlap, sides
from inference.text.labels.categories import OF_FINDING, Category, Label

_SPOKEN = Group.FINDING, Group.DEVICE
_DENIABLE = (*OPPOSED, Category.LUNG_LESION)
"""Not devices: "the tube must be removed" is read as a denial."""


def check(statements: list[Statement], outlines: Sequence[Seen]) -> Iterator[Concern]:
    """Warnings and gaps, one at most for each finding a sentence states or denies."""
    by_finding = {
        finding.code: [
            seen
            for seen in outlines
            if BY_CODE[seen.structure].group in _SPOKEN and BY_CODE[seen.structure].finding == finding.code
        ]
        for finding in FINDINGS
    }
    for one in statements:
        yield from _against(one, by_finding)
    for finding, seen in by_finding.items():
        for outline in seen:
            if outline.present and not any(_speaks_of(one, finding, outline) for one in statements):
                yield Concern(Kind.UNMENTIONED, outline.structure, outlines=(outline.id,))


def _side(seen: Seen) -> Side:
    return BY_CODE[seen.structure].side


def _speaks_of(one: Statement, finding: str, seen: Seen) -> bool:
    label = one.label_of(finding)
    if label is not None and overlap(label.side, _side(seen)):
        return True
    related = (one.labels.get(category) for category in RELATED.get(finding, ()))
    return any(
        label is not None and label.state is not Certainty.ABSENT and overlap(label.side, _side(seen))
        for label in related
    )


def _against(one: Statement, by_finding: dict[str, list[Seen]]) -> Iterator[Concern]:
    unsupported: dict[Category | str, bool] = {}
    for finding, seen in by_finding.items():
        label = one.label_of(finding)
        if label is None or finding == "cardiomegaly":
            continue  # a heart has an outline whatever its size
        shown = [outline for outline in seen if outline.present]
        if label.state is Certainty.ABSENT:
            yield from _denied(one, finding, label, shown)
        elif label.state is Certainty.PRESENT:
            found = _stated(one, finding, label, shown, [outline for outline in seen if not outline.present])
            yield from found
            kind = OF_FINDING[finding][0] if OF_FINDING[finding] and finding not in TERMS else finding
            if "nodule" in (finding, kind) or finding == "mass":
                kind = Category.LUNG_LESION
            supported = bool(found) or bool(shown) or _related(one, finding, by_finding)
            unsupported[kind] = unsupported.get(kind, True) and not supported
    for kind, bare in unsupported.items():
        if bare:
            yield Concern(Kind.UNSUPPORTED, str(kind), one.place)


def _related(one: Statement, finding: str, by_finding: dict[str, list[Seen]]) -> bool:
    """Whether something is outlined that the statement may mean: a consolidation called atelectasis."""
    return any(
        outline.present
        for other, seen in by_finding.items()
        if not set(RELATED.get(other, ())).isdisjoint(OF_FINDING[finding])
        for outline in seen
    )


def _denied(one: Statement, finding: str, label: Label, shown: list[Seen]) -> Iterator[Concern]:
    if one.is_qualified() or set(OF_FINDING[finding]).isdisjoint(_DENIABLE):
        return
    against = tuple(seen.id for seen in shown if overlap(label.side, _side(seen)))
    if against:
        yield Concern(Kind.DENIED_OUTLINE, finding, one.place, outlines=against)


def _stated(one: Statement, finding: str, label: Label, shown: list[Seen], gone: list[Seen]) -> list[Concern]:
    removed = tuple(seen.id for seen in gone if overlap(label.side, _side(seen)))
    here = [seen for seen in shown if overlap(label.side, _side(seen))]
    if not here and removed:
        return [Concern(Kind.NOT_THERE, finding, one.place, outlines=removed)]
    if shown and not here and sides(label.side):
        return [Concern(Kind.SIDE_OF_OUTLINE, finding, one.place, outlines=tuple(seen.id for seen in shown))]
    lengths = [value for value, unit, _half in numbers(one.text) if unit == "mm"]
    if finding in ("nodule", "mass") and lengths and len(here) == 1:
        size = here[0].size_mm
        if size is not None and not 0.5 <= max(lengths) / max(size, 0.1) <= 2:
            about = f"{max(lengths):g} mm / {size:.0f} mm"
            return [Concern(Kind.SIZE_OF_OUTLINE, about, one.place, outlines=(here[0].id,))]
    return []
