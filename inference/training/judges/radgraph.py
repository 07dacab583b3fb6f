"""F1 of RadGraph annotations (J.-B. Delbrouck et al., EMNLP Findings 2022, arXiv:2210.12186), offline:

    python -m inference.training.judges.radgraph --drafts drafts.json --references reports.json

Both files are annotations as RadGraph publishes them and as its own package writes them: an object of
reports by key, each with `entities` by id, each with `tokens`, `label` and `relations` (pairs of a name and
an id). The package is not called from here: it does not run beside transformers 5. `docs/labels.md` says how
to have it annotate from weights on disk.

Each report's entities are a set, its score is the F1 of two sets; printed are means over reports, as JSON:

- `simple`: an entity is its words and its label (what is observed or where, and how certain);
- `partial`: and whether it has any relation;
- `complete`: and each of its relations, with the words of the entity it points to.

A report in which either side has no entity scores 0, as in the published package.
"""

import argparse
import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np


class AnnotationError(ValueError):
    """A file that does not hold annotations; the text says where, and what was expected."""


@dataclass(frozen=True)
class Entity:
    """words and label as annotated, and its relations: (name, words of the entity it points to)."""

    words: str
    label: str
    relations: tuple[tuple[str, str], ...]


Report = tuple[Entity, ...]
Key = Callable[[Entity], list[Hashable]]


def _complete(entity: Entity) -> list[Hashable]:
    if not entity.relations:
        return [(entity.words, entity.label)]
    return [(entity.words.lower(), entity.label, name, target.lower()) for name, target in entity.relations]


LEVELS: dict[str, Key] = {
    "simple": lambda entity: [(entity.words, entity.label)],
    "partial": lambda entity: [(entity.words, entity.label, bool(entity.relations))],
    "complete": _complete,
}


def read(path: Path) -> dict[str, Report]:
    """The annotated reports of a file, by key.

    Raises
    ------
    AnnotationError
        When the file can't be read, or a report is not annotated as RadGraph's are.
    """
    try:
        annotated = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AnnotationError(f"{path.name} can't be read as JSON: {error}") from error
    if not isinstance(annotated, dict) or not annotated:
        raise AnnotationError(f"{path.name} must be an object of annotated reports by key")
    return {key: _report(report, f"{path.name}, report {key}") for key, report in annotated.items()}


def _report(annotated: object, where: str) -> Report:
    if not isinstance(annotated, Mapping) or not isinstance(annotated.get("entities"), Mapping):
        hint = (
            " (annotated by two people: take one of them out first)" if "labeler_1" in str(annotated) else ""
        )
        raise AnnotationError(f"{where} has no entities{hint}")
    entities = annotated["entities"]
    try:
        return tuple(
            Entity(
                entity["tokens"],
                entity["label"],
                tuple((name, entities[target]["tokens"]) for name, target in entity["relations"]),
            )
            for entity in entities.values()
        )
    except (KeyError, TypeError, ValueError) as error:
        wanted = "tokens, label and relations to entities of the report"
        raise AnnotationError(f"{where}: an entity must have {wanted} ({error!r})") from error


def f1(draft: Report, reference: Report, level: str) -> float:
    """0..1, of one report. level: one of `LEVELS`."""
    said, true = ({key for entity in one for key in LEVELS[level](entity)} for one in (draft, reference))
    return 2 * len(said & true) / (len(said) + len(true)) if said and true else 0.0


def scores(drafts: Mapping[str, Report], references: Mapping[str, Report]) -> dict[str, float]:
    """The mean of every level over reports, which must be the same in both."""
    if drafts.keys() != references.keys():
        alone = sorted(drafts.keys() ^ references.keys())[:3]
        raise AnnotationError(f"the two files annotate different reports: {', '.join(alone)} is in one only")
    return {
        level: float(np.mean([f1(drafts[key], references[key], level) for key in drafts])) for level in LEVELS
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--drafts", type=Path, required=True, help="annotations as JSON")
    parser.add_argument("--references", type=Path, required=True, help="annotations as JSON")
    options = parser.parse_args(arguments)
    try:
        drafts, references = read(options.drafts), read(options.references)
        print(json.dumps({"reports": len(drafts), **scores(drafts, references)}))
    except AnnotationError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
