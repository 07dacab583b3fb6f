"""Writing a feedback dataset: study by study, in flat memory, whole or not at all. Same input, same bytes."""

import gzip
import hashlib
import json
import os
import shutil
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO
from uuid import uuid4

import numpy as np
from PIL import Image

from inference.feedback import privacy, records
from inference.feedback.privacy import Pseudonyms
from inference.feedback.schema import (
    FORMAT,
    IMAGES,
    MANIFEST,
    MASKS,
    PREFERENCES,
    README,
    SCHEMA_VERSION,
    SFT,
    STUDIES,
    FeedbackError,
    StudyRecord,
    Terms,
    dumps,
)
from inference.feedback.sources import SourceImage, SourceStudy
from inference.imaging import masks as rle
from inference.imaging import pixels

LINES = (STUDIES, MASKS, PREFERENCES, SFT)
_CHUNK = 1 << 20
_COMPRESSION_LEVEL = 6


@dataclass(frozen=True)
class Written:
    """What a finished dataset is: the hash of its manifest names it."""

    folder: Path
    manifest_sha256: str
    studies: int
    left_out: dict[str, int]


@dataclass
class _Counts:
    counts: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    edits: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Scope:
    """What a dataset is of: sites and report states, and the terms it may be used under."""

    sites: tuple[str, ...]
    statuses: tuple[str, ...]
    terms: Terms = field(default_factory=Terms)


class Writer:
    """A context manager: the folder appears when the block ends well, and nothing is left behind when not.

    Studies must be given in an order that does not depend on chance; their pseudonyms make a good one.
    """

    def __init__(
        self,
        folder: Path,
        *,
        names: Pseudonyms,
        scope: Scope,
        announce: Callable[[Written], None] | None = None,
    ) -> None:
        """`announce` is told of the whole dataset before the folder appears, and may refuse by raising."""
        self.folder = folder
        self._announce = announce
        self.names = names
        self.scope = scope
        self.written: Written | None = None
        self._part = folder.with_name(f".{folder.name}.{uuid4().hex}.part")
        self._counts = _Counts()
        self._lines: dict[str, TextIO] = {}
        self._image_files: TextIO | None = None

    def __enter__(self) -> Self:
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise FeedbackError(f"{self.folder} is there already and not an empty folder")
        (self._part / IMAGES).mkdir(parents=True)
        self._lines = {name: (self._part / name).open("w", encoding="utf-8", newline="\n") for name in LINES}
        self._image_files = (self._part / ".images").open("w+", encoding="utf-8", newline="\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for lines in self._lines.values():
                lines.close()
            if kind is None:
                self.written = self._finish()
                if self._announce is not None:
                    self._announce(self.written)
                self._part.rename(self.folder)
        finally:
            if self._image_files is not None:
                self._image_files.close()
            shutil.rmtree(self._part, ignore_errors=True)

    def leave_out(self, reason: str) -> None:
        """Count a signed study that does not leave."""
        self._counts.left_out[reason] += 1

    def add(self, source: SourceStudy) -> bool:
        """Write one study, or count why it is left out; whether it was written.

        Left out: a text that names the patient, pixels that do, a mask that does not fit its image, an image
        that cannot be read.
        """
        reason = _reason_against(source)
        if reason:
            self.leave_out(reason)
            return False
        study = records.study_record(source, self.names)
        files = [image.file for image in study.images]
        if not self._images(files, source.images):
            self.leave_out("image-unreadable")
            return False
        masks = list(records.mask_records(source, self.names))
        preference = records.preference_record(study)
        self._write(STUDIES, [study])
        self._write(MASKS, masks)
        self._write(PREFERENCES, [] if preference is None else [preference])
        self._write(SFT, [records.sft_record(study)])
        self._count(study)
        return True

    def _write(self, name: str, rows: Iterable[Any]) -> None:
        for row in rows:
            self._lines[name].write(dumps(asdict(row)) + "\n")
            self._counts.counts[name.removesuffix(".jsonl")] += 1

    def _count(self, study: StudyRecord) -> None:
        self._counts.splits[study.split] += 1
        self._counts.counts["images"] += len(study.images)
        self._counts.counts["addenda"] += len(study.addenda)
        drafted = () if study.draft is None else study.draft.sentences
        self._counts.edits.update(sentence.edit.value for sentence in drafted)
        added = [sentence for sentence in study.final.sentences if sentence.draft_position is None]
        self._counts.edits["added"] += len(added)

    def _images(self, files: Sequence[str], images: Sequence[SourceImage]) -> bool:
        """Write all images of a study, one at a time, or none; whether they were written."""
        assert self._image_files is not None
        for file, image in zip(files, images, strict=True):
            picture = _picture(image)
            if picture is None:
                for written in files:
                    (self._part / written).unlink(missing_ok=True)
                return False
            picture.save(self._part / file, format="PNG", compress_level=_COMPRESSION_LEVEL)
        self._image_files.writelines(dumps(_file(self._part, file)) + "\n" for file in files)
        return True

    def _finish(self) -> Written:
        (self._part / README).write_text(self._card(), encoding="utf-8", newline="\n")
        self._manifest()
        digest, _size = _digest(self._part / MANIFEST)
        if self._image_files is not None:
            self._image_files.close()
        (self._part / ".images").unlink()
        return Written(
            self.folder, digest, self._counts.counts["studies"], dict(sorted(self._counts.left_out.items()))
        )

    def _head(self) -> dict[str, Any]:
        names = ("studies", "images", "masks", "addenda", "preferences", "sft")
        return {
            "format": FORMAT,
            "schema_version": SCHEMA_VERSION,
            "sites": sorted(self.scope.sites),
            "statuses": sorted(self.scope.statuses),
            "terms": asdict(self.scope.terms),
            "counts": {name: self._counts.counts[name] for name in names},
            "splits": {name: self._counts.splits[name] for name in ("train", "validation", "test")},
            "edits": {name: self._counts.edits[name] for name in ("unchanged", "edited", "removed", "added")},
            "left_out": dict(self._counts.left_out),
        }

    def _manifest(self) -> None:
        """One file a line, written as it goes: an archive of any size is listed in flat memory."""
        assert self._image_files is not None
        head = json.dumps(self._head(), ensure_ascii=False, indent=1, sort_keys=True)
        self._image_files.seek(0)
        with (self._part / MANIFEST).open("w", encoding="utf-8", newline="\n") as out:
            out.write(head.removesuffix("\n}") + ',\n "files": [\n')
            out.write(",\n".join("  " + dumps(_file(self._part, name)) for name in (README, *sorted(LINES))))
            for line in self._image_files:
                out.write(",\n  " + line.rstrip("\n"))
            out.write("\n ]\n}\n")

    def _card(self) -> str:
        """README.md: what this is, from whom, how much."""
        head = self._head()
        tables = {
            "Counts": head["counts"],
            "Studies by split": head["splits"],
            "Sentences by edit": head["edits"],
            "Signed studies left out": head["left_out"],
        }
        shown = "\n".join(f"## {title}\n\n{_table(rows)}" for title, rows in tables.items())
        return _CARD.format(
            version=SCHEMA_VERSION,
            sites=", ".join(head["sites"]) or "none",
            statuses=", ".join(head["statuses"]),
            licence=self.scope.terms.licence,
            consent=self.scope.terms.consent,
            tables=shown,
        )


_CARD = """# Feedback dataset

Signed reports of chest radiographs with the draft a model wrote, the text people signed, masks and images.
Format `maira-web-feedback`, version {version}. Sites: {sites}. Report states: {statuses}.

- Licence: {licence}
- Consent: {consent}
- Patients, studies, images, masks and readers are named by keyed pseudonyms; times are moved by a constant
  per patient; ages of 90 and over are 90. Texts were searched for the patient's own names, numbers and birth
  date, which is a net and not a proof. Pixels were not searched: `burned_in_annotation` says what each object
  declares.
- A patient is in one split only. `ai_seen_first` says whether AI prose was on screen before the first human
  text: keep such studies apart when you measure agreement.

{tables}"""


def _table(rows: dict[str, int]) -> str:
    lines = [f"| {name} | {count} |" for name, count in sorted(rows.items())]
    return "\n".join(["| | |", "|---|---:|", *(lines or ["| none | 0 |"])]) + "\n"


def _reason_against(source: SourceStudy) -> str:
    if not source.images:
        return "no-images"
    if any(image.burned_in_annotation.strip().upper() == "YES" for image in source.images):
        return "burned-in-annotation"
    sizes = {image.sop_instance_uid: (image.rows, image.columns) for image in source.images}
    for mask in source.masks:
        try:
            rle.validate(mask.size, mask.counts, sizes[mask.sop_instance_uid])
        except (KeyError, ValueError):
            return "mask-does-not-fit"
    return privacy.leak(source.identity, source.texts())


def _picture(image: SourceImage) -> Image.Image | None:
    """The radiograph as first shown: 16-bit gray, `table[values]`. None when derivatives are not whole."""
    try:
        values = pixels.read_values(image.derivatives, pixels.read_display(image.derivatives))
        table = np.frombuffer(gzip.decompress((image.derivatives / pixels.TABLE).read_bytes()), "<u2")
        gray = table[values]
    except (FileNotFoundError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, LookupError, TypeError):
        return None
    return Image.fromarray(np.ascontiguousarray(gray, dtype=np.uint16))


def _file(folder: Path, name: str) -> dict[str, Any]:
    digest, size = _digest(folder / name)
    return {"file": name, "size": size, "sha256": digest}


def _digest(path: Path) -> tuple[str, int]:
    """SHA-256 (hex) and size of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
        return digest.hexdigest(), os.fstat(stream.fileno()).st_size
