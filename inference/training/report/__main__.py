"""What a bundle's segmenter, trust and gates are worth, on what they never saw.

    python -m inference.training.report segmenter --bundle inference/weights/demo [--studies 300] [--write]
    python -m inference.training.report lateral --bundle inference/weights/demo [--studies 300] [--write]
    python -m inference.training.report robustness --bundle inference/weights/demo [--studies 60] [--write]
    python -m inference.training.report trust --bundle inference/weights/demo [--real FOLDER] [--write]
    python -m inference.training.report applicability --bundle inference/weights/demo [--real FOLDER]
                                                      [--dicom FOLDER] [--write]

Phantoms of seed 14 (rendered at 512 px, handed to the drafter as the application does), held-out patients of
real radiographs, and DICOM files. Prints its rows, one JSON object a line; `--write` puts them into
docs/results.json.
"""

import argparse
import itertools
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import torch

from inference.contract import ViewPosition
from inference.segmentation.views import View
from inference.training import progress, radiographs, results
from inference.training.report import applicability, conditions, outlined, populations, segmenter, trust
from inference.training.report.outlined import Outliner, Seen
from inference.training.report.rows import COMMAND, Table

STUDIES = {"segmenter": 300, "lateral": 300, "robustness": 60, "trust": 300, "applicability": 50}
TRUSTED_GROUPS: dict[str, tuple[str, ...]] = {
    "phantom, anatomy": ("lungs", "heart", "other anatomy"),
    "phantom, findings": ("findings",),
    "phantom, devices": ("devices",),
    "phantom, all": (),
}
"""Population -> groups of structures, all where none is named."""

T = TypeVar("T")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", choices=tuple(STUDIES))
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument(
        "--studies", type=int, default=0, help="held-out phantoms; 0 for the table's own number"
    )
    parser.add_argument("--real", type=Path, default=None, help="folder of real radiographs with lung masks")
    parser.add_argument("--dicom", type=Path, default=None, help="folder of DICOM files with an index.csv")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--results", type=Path, default=results.RESULTS)
    parser.add_argument("--write", action="store_true", help="put the rows into docs/results.json")
    options = parser.parse_args(arguments)
    options.studies = options.studies or STUDIES[options.table]
    torch.set_num_threads(options.threads)
    outliner = outlined.load(options.bundle)
    make = {
        "segmenter": segmenter_rows,
        "lateral": lateral_rows,
        "robustness": robustness_rows,
        "trust": trust_rows,
        "applicability": applicability_rows,
    }[options.table]
    rows = make(outliner, options)
    for row in rows:
        print(json.dumps(row))
    if options.write:
        results.put(rows, options.results, bundle=outliner.digest)


def segmenter_rows(outliner: Outliner, options: argparse.Namespace) -> list[results.Row]:
    return segmenter.rows(phantoms(outliner, options), table("segmenter", outliner, options))


def lateral_rows(outliner: Outliner, options: argparse.Namespace) -> list[results.Row]:
    """Lateral views alone, as of a study that has no other."""
    images = outlined.outlined(outliner, options.studies, ViewPosition.LEFT_LATERAL)
    shared = replace(table("segmenter", outliner, options), views="lateral")
    return segmenter.rows(list(told("lateral", images)), shared, View.LATERAL)


def robustness_rows(outliner: Outliner, options: argparse.Namespace) -> list[results.Row]:
    seen: dict[str, list[Seen]] = defaultdict(list)
    for name, picture in told("robustness", conditions.pictures(options.studies)):
        seen[name].append(outlined.look(outliner, picture.image, picture.masks))
    shared = table("segmenter", outliner, options)
    return [row for name, found in seen.items() for row in segmenter.robust_rows(found, shared, name)]


def trust_rows(outliner: Outliner, options: argparse.Namespace) -> list[results.Row]:
    seen = phantoms(outliner, options)
    found = {name: trust.pairs(seen, groups) for name, groups in TRUSTED_GROUPS.items()}
    if options.real:
        held_out = [one for one in radiographs.read(options.real) if one.held_out]
        found["real lungs, held-out patients"] = trust.real_lungs(outliner, held_out)
    threshold = outliner.bundle.segmenter.config.trust_threshold
    return trust.rows(found, threshold, table("trust", outliner, options))


def applicability_rows(outliner: Outliner, options: argparse.Namespace) -> list[results.Row]:
    images = itertools.chain(
        populations.shifted(options.studies),
        populations.generated(options.studies),
        populations.chests(options.real) if options.real else (),
        populations.dicom_files(options.dicom) if options.dicom else (),
        populations.made(options.studies),
    )
    found = applicability.judged(outliner, told("applicability", images))
    return applicability.rows(found, table("applicability", outliner, options))


def phantoms(outliner: Outliner, options: argparse.Namespace) -> list[Seen]:
    return list(told(options.table, outlined.outlined(outliner, options.studies)))


def told(run: str, items: Iterable[T]) -> Iterator[T]:
    """The same items, with a line of progress now and then."""
    log = progress.Progress(run)
    for number, item in enumerate(items):
        yield item
        log.report(images=number + 1)


def table(experiment: str, outliner: Outliner, options: argparse.Namespace) -> Table:
    """The shared part of its rows, with the command that makes them again."""
    given = f"--bundle BUNDLE --studies {options.studies}"
    given += " --real RADIOGRAPHS" if options.real else ""
    given += " --dicom DICOM" if options.dicom else ""
    return Table(experiment, outliner.bundle.model.config.name, f"{COMMAND} {options.table} {given}")


if __name__ == "__main__":
    main()
