"""Counting what a reader gives and leaves out. Ids only, no text."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from inference.training.sources.study import LeftOut, SourceStudy


@dataclass
class _Left:
    count: int = 0
    ids: list[dict[str, str]] = field(default_factory=list)

    def add(self, left: LeftOut, most: int) -> None:
        self.count += 1
        if len(self.ids) < most:
            self.ids.append({"id": left.name, **({"detail": left.detail} if left.detail else {})})


def counts(stream: Iterable[SourceStudy | LeftOut], *, ids: int) -> dict[str, Any]:
    """Studies, images by view, sections, priors, languages, splits; and what was left out, with the first
    `ids` ids of each reason."""
    studies: Counter[str] = Counter()
    views: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    splits: Counter[str] = Counter()
    patients: set[str] = set()
    left: dict[str, dict[str, _Left]] = defaultdict(lambda: defaultdict(_Left))
    for item in stream:
        if isinstance(item, LeftOut):
            left[item.what][item.reason].add(item, ids)
            continue
        patients.add(item.patient)
        views.update(image.view or "unknown" for image in item.images)
        languages.update([item.language] if item.reported else [])
        splits.update([item.split] if item.split else [])
        studies.update(name for name, said in _told(item).items() if said)
    return {
        "patients": len(patients),
        **{name: studies[name] for name in _NAMES},
        "images": views.total(),
        "images_by_view": dict(sorted(views.items())),
        "studies_by_language": dict(sorted(languages.items())),
        "studies_by_split": dict(sorted(splits.items())),
        "left_out": {
            what: {reason: {"count": one.count, "ids": one.ids} for reason, one in sorted(reasons.items())}
            for what, reasons in sorted(left.items())
        },
    }


_NAMES = ("studies", "frontal", "with_report", "with_findings", "with_impression", "with_prior")


def _told(study: SourceStudy) -> dict[str, bool]:
    said = (
        True,
        study.frontal,
        study.reported,
        bool(study.sections.findings),
        bool(study.sections.impression),
        bool(study.prior),
    )
    return dict(zip(_NAMES, said, strict=True))
