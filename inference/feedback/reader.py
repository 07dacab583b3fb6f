"""Reading a feedback dataset back: nothing is believed that was not checked against the manifest."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.feedback.schema import (
    FORMAT,
    MANIFEST,
    MASKS,
    PREFERENCES,
    SCHEMA_VERSION,
    SFT,
    STUDIES,
    FeedbackError,
    ImageRecord,
    Manifest,
    MaskRecord,
    PreferenceRecord,
    SftRecord,
    StudyRecord,
    parse,
)
from inference.imaging import masks as rle

_FILE = re.compile(r"[A-Za-z0-9_]+\.(?:md|jsonl)|images/[0-9a-f]+\.png")
_CHUNK = 1 << 20

Line = TypeVar("Line")


@dataclass(frozen=True)
class Dataset:
    """A dataset on disk. Rows are read one by one, each checked against the format."""

    folder: Path
    manifest: Manifest

    def studies(self) -> Iterator[StudyRecord]:
        return self._lines(STUDIES, StudyRecord)

    def masks(self) -> Iterator[MaskRecord]:
        return self._lines(MASKS, MaskRecord)

    def preferences(self) -> Iterator[PreferenceRecord]:
        return self._lines(PREFERENCES, PreferenceRecord)

    def examples(self) -> Iterator[SftRecord]:
        return self._lines(SFT, SftRecord)

    def image(self, record: ImageRecord) -> NDArray[np.uint16]:
        """(rows, columns) uint16, as first shown: 0 black to 65535 white."""
        with Image.open(self.folder / record.file) as picture:
            gray = np.asarray(picture).astype(np.uint16)
        if gray.shape != (record.rows, record.columns):
            raise FeedbackError(f"{record.file} is {gray.shape}, not {(record.rows, record.columns)}")
        return gray

    def _lines(self, name: str, kind: type[Line]) -> Iterator[Line]:
        with (self.folder / name).open(encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                where = f"{name}:{number}"
                yield parse(kind, _json(line, where), where)


def read(folder: Path) -> Dataset:
    """Open a dataset: the manifest is read, the files are not yet looked at (see `verify`).

    Raises
    ------
    FeedbackError
        When this is no dataset, or one of another version.
    """
    try:
        content = (folder / MANIFEST).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FeedbackError(f"{folder / MANIFEST} cannot be read: {error}") from error
    document = _json(content, MANIFEST)
    found = (document.get("format"), document.get("schema_version")) if isinstance(document, dict) else ()
    if found != (FORMAT, SCHEMA_VERSION):
        raise FeedbackError(f"{MANIFEST} says {found}; this reads {(FORMAT, SCHEMA_VERSION)}")
    manifest = parse(Manifest, document, MANIFEST)
    for record in manifest.files:
        if not _FILE.fullmatch(record.file):
            raise FeedbackError(f"{MANIFEST} names {record.file!r}, which is no file of a dataset")
    return Dataset(folder, manifest)


def verify(dataset: Dataset) -> None:
    """Check every byte and every row: hashes, format, references, masks, counts, and one split per patient.

    Raises
    ------
    FeedbackError
        Naming the first thing that is wrong.
    """
    _verify_files(dataset)
    images, splits = _verify_studies(dataset)
    counts = Counter({"studies": len(splits), "images": len(images)})
    counts += _verify_masks(dataset, images)
    counts += _verify_texts(dataset, splits)
    for name, count in counts.items():
        if dataset.manifest.counts.get(name) != count:
            said = dataset.manifest.counts.get(name)
            raise FeedbackError(f"{MANIFEST} counts {said} {name}, there are {count}")


def _verify_masks(dataset: Dataset, images: dict[tuple[str, str], tuple[int, int]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for mask in dataset.masks():
        counts["masks"] += 1
        if (mask.study, mask.image) not in images:
            raise FeedbackError(f"{MASKS}: mask {mask.mask} is on an image that is not here")
        try:
            rle.validate(mask.size, mask.counts, images[mask.study, mask.image])
        except ValueError as error:
            raise FeedbackError(f"{MASKS}: mask {mask.mask}: {error}") from error
    return counts


def _verify_texts(dataset: Dataset, splits: dict[str, str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for name, rows in ((PREFERENCES, dataset.preferences()), (SFT, dataset.examples())):
        for row in rows:
            counts[name.removesuffix(".jsonl")] += 1
            if splits.get(row.study) != row.split:
                raise FeedbackError(f"{name}: study {row.study} is not here, or in another split")
    return counts


def _verify_files(dataset: Dataset) -> None:
    listed = {record.file: record for record in dataset.manifest.files}
    found = {
        path.relative_to(dataset.folder).as_posix() for path in dataset.folder.rglob("*") if path.is_file()
    }
    odd = sorted((found - {MANIFEST}) ^ listed.keys())
    if odd:
        problem = "is missing" if odd[0] in listed else f"is not in {MANIFEST}"
        raise FeedbackError(f"{odd[0]} {problem}")
    for record in listed.values():
        digest = hashlib.sha256()
        with (dataset.folder / record.file).open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
        size = (dataset.folder / record.file).stat().st_size
        if (size, digest.hexdigest()) != (record.size, record.sha256):
            raise FeedbackError(f"{record.file} is not the file that {MANIFEST} names: size or hash differ")


def _verify_studies(dataset: Dataset) -> tuple[dict[tuple[str, str], tuple[int, int]], dict[str, str]]:
    """The size of each (study, image), and the split of each study."""
    listed = {record.file for record in dataset.manifest.files}
    images: dict[tuple[str, str], tuple[int, int]] = {}
    splits: dict[str, str] = {}
    patients: dict[str, str] = {}
    for study in dataset.studies():
        if study.study in splits:
            raise FeedbackError(f"{STUDIES}: study {study.study} is there twice")
        splits[study.study] = study.split
        if patients.setdefault(study.patient, study.split) != study.split:
            raise FeedbackError(f"{STUDIES}: patient {study.patient} is in two splits")
        for image in study.images:
            images[study.study, image.image] = (image.rows, image.columns)
            if image.file not in listed:
                raise FeedbackError(f"{STUDIES}: {image.file} is not in {MANIFEST}")
    return images, splits


def _json(content: str, where: str) -> object:
    try:
        return json.loads(content)
    except ValueError as error:
        raise FeedbackError(f"{where} is no JSON: {error}") from error
