"""Looking through a report dataset before anything is trained on it:

    python -m inference.training.sources inspect mimic-cxr FOLDER [--reports FOLDER]
    python -m inference.training.sources inspect open-i FOLDER
    python -m inference.training.sources inspect hospital FOLDER [--reports FOLDER] [--column text=BODY]
    python -m inference.training.sources split hospital FOLDER > split.jsonl

`inspect` prints counts as JSON, and by id what was left out and why; `split` one line of JSON a study.
Neither prints report text. docs/sources.md describes the folders.
"""

import argparse
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from inference.training.sources import hospital, inspection, mimic_cxr, open_i, split
from inference.training.sources.decoding import ENCODINGS
from inference.training.sources.layout import COLUMNS, Layout
from inference.training.sources.study import LeftOut, SourceError, SourceStudy

KINDS = ("mimic-cxr", "open-i", "hospital")


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's quote what stands in headers
        try:
            VERBS[options.verb](options)
        except (SourceError, ValueError) as error:
            sys.exit(f"{error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--reports", type=Path, help="where the reports lie, if not in the folder")
    parser.add_argument("--ids", type=int, default=20, help="ids shown for each reason (inspect)")
    parser.add_argument("--validate", type=float, default=0.1, help="share of patients (split)")
    parser.add_argument("--test", type=float, default=0.1, help="share of patients (split)")
    parser.add_argument("--salt", default="", help="another salt gives another split")
    hospitals = parser.add_argument_group("hospital")
    hospitals.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="NAME=HEADING",
        help=f"what a CSV column is called; NAME is one of {', '.join(COLUMNS)}",
    )
    hospitals.add_argument("--encoding", default="", help=f"of the reports, such as {', '.join(ENCODINGS)}")
    hospitals.add_argument(
        "--hl7-accession", default="", metavar="OBR-n", help="field of the accession number"
    )
    hospitals.add_argument(
        "--fhir-accession-system", default="", help="identifier system of accession numbers"
    )
    hospitals.add_argument(
        "--language", choices=("en", "ja"), default="", help="told by the letters if left out"
    )
    return parser


def _stream(options: argparse.Namespace) -> Iterator[SourceStudy | LeftOut]:
    if options.kind == "mimic-cxr":
        return mimic_cxr.read(options.folder, options.reports)
    if options.kind == "open-i":
        return open_i.read(options.folder)
    layout = Layout(
        _columns(options.column), options.encoding, options.hl7_accession, options.fhir_accession_system
    )
    return hospital.read(options.folder, options.reports, layout, options.language)


def _columns(pairs: list[str]) -> dict[str, str]:
    """Raises SourceError for a pair that says nothing."""
    columns = {}
    for pair in pairs:
        name, _, heading = pair.partition("=")
        if name not in COLUMNS or not heading:
            raise SourceError(f"--column {pair}: say NAME=HEADING with a NAME of {', '.join(COLUMNS)}")
        columns[name] = heading
    return columns


def _print_counts(options: argparse.Namespace) -> None:
    counts = inspection.counts(_stream(options), ids=options.ids)
    print(json.dumps(counts, ensure_ascii=False, indent=1))


def _print_split(options: argparse.Namespace) -> None:
    for item in _stream(options):
        if isinstance(item, SourceStudy):
            part = split.of(item, validate=options.validate, test=options.test, salt=options.salt)
            print(json.dumps({"study": item.study, "split": part}))


VERBS = {"inspect": _print_counts, "split": _print_split}

if __name__ == "__main__":
    main()
