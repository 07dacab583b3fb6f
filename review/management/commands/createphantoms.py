"""`manage.py createphantoms DIR`: synthetic chest studies as DICOM files, one folder a study."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pydicom import dcmwrite
from tqdm import tqdm

from inference.objects import dx
from inference.phantom import study as phantom


class Command(BaseCommand):
    """Writes the same bytes for the same arguments; nothing is imported or stored."""

    help = (
        "Write synthetic chest studies (DICOM) into a folder. Each study has a subfolder, phantom-SEED-INDEX,"
        " with one file a view: 001.dcm, 002.dcm. With --priors, the earlier study that about a third of the"
        " patients had goes into phantom-SEED-INDEX-prior."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", metavar="DIR", type=Path, help="made if it is missing")
        parser.add_argument(
            "--studies", type=_positive, default=24, help="how many, priors aside (default 24)"
        )
        parser.add_argument("--seed", type=_natural, default=1, help="which series of studies (default 1)")
        parser.add_argument("--priors", action="store_true", help="write earlier studies too")
        parser.add_argument("--first", type=_natural, default=0, help="index of the first study (default 0)")
        parser.add_argument(
            "--size", type=_positive, default=1024, help="pixels of the longer side (default 1024)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        indices = range(options["first"], options["first"] + options["studies"])
        try:
            for index in tqdm(indices, desc="phantoms", unit="study", disable=options["verbosity"] < 1):
                _write(folder, (options["seed"], index), options["size"], priors=options["priors"])
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error


def _write(folder: Path, place: tuple[int, int], size: int, *, priors: bool) -> None:
    seed, index = place
    study = phantom.generate(seed, index, size=_shape(seed, index, size))
    home = folder / f"phantom-{seed}-{index:05d}"
    if priors and study.prior is not None:
        _write_study(home.with_name(f"{home.name}-prior"), study.prior)
    _write_study(home, study)


def _write_study(home: Path, study: phantom.PhantomStudy) -> None:
    home.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(study.images, 1):
        dcmwrite(home / f"{number:03d}.dcm", dx.build(study, image), enforce_file_format=True)


def _shape(seed: int, index: int, size: int) -> tuple[int, int]:
    """Detectors are square, or 35 x 43 cm held either way: every third picture is not square."""
    short = round(size * 35 / 43)
    return ((size, size), (size, size), (size, short), (size, size), (size, size), (short, size))[
        (seed + index) % 6
    ]


def _natural(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must not be negative: {text}")
    return number


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1: {text}")
    return number
