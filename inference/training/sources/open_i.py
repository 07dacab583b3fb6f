"""The chest radiographs of Indiana University as Open-i gives them out (NLMCXR), by its public form:

    ecgen-radiology/1.xml ...        (NLMCXR_reports.tgz) one report each, with the ids of its images
    CXR1_1_IM-0001-3001.png ...      (NLMCXR_png.tgz) beside that folder, or in NLMCXR_png or images

There are no patients and no dates: every report is its own patient, and there are no priors. Only the caption
tells the views, and only where it names one.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from inference.text import sections
from inference.text.sections import Name, Sections
from inference.training.sources.study import (
    LeftOut,
    Reason,
    SourceError,
    SourceImage,
    SourceStudy,
    View,
    What,
)

_REPORTS = "ecgen-radiology"
_IMAGES = ("", "NLMCXR_png", "images")
_IMAGE_ID = re.compile(r"[\w-][\w.-]{0,99}", re.ASCII)
_LATERAL = re.compile(r"\blat(?:eral)?\b", re.IGNORECASE)
_FRONTAL = (
    (View.PA, re.compile(r"\b(?:PA|posteroanterior)\b", re.IGNORECASE)),
    (View.AP, re.compile(r"\b(?:AP|anteroposterior|portable)\b", re.IGNORECASE)),
    (View.FRONTAL, re.compile(r"\bfrontal\b", re.IGNORECASE)),
)
_OF_LABEL = {name.value.upper(): name for name in Name}


def read(folder: Path) -> Iterator[SourceStudy | LeftOut]:
    """Studies in the order of their numbers.

    Raises
    ------
    SourceError
        When the folder holds no report.
    """
    below = folder / _REPORTS
    reports = sorted((below if below.is_dir() else folder).glob("*.xml"), key=_number)
    if not reports:
        raise SourceError(f"{folder} holds no {_REPORTS}/*.xml: unpack NLMCXR_reports.tgz there")
    for path in reports:
        try:
            root = _parse(path)
        except (ElementTree.ParseError, UnicodeDecodeError, ValueError, OSError) as error:
            yield LeftOut(What.REPORT, path.name, Reason.BROKEN_FILE, type(error).__name__)
            continue
        yield from _study(folder, path.stem, root)


def _number(path: Path) -> tuple[int, str]:
    return (int(path.stem) if path.stem.isdecimal() else 0), path.stem


def _parse(path: Path) -> Element:
    """Without a document type, which these files do not have: entities could grow without bound."""
    text = path.read_text(encoding="utf-8-sig")
    if "<!DOCTYPE" in text:
        raise ValueError("a document type")
    return ElementTree.fromstring(text)  # noqa: S314 - no document type, so no entities


def _study(folder: Path, stem: str, root: Element) -> Iterator[SourceStudy | LeftOut]:
    given = root.find("uId")
    study = (given.get("id") if given is not None else "") or stem
    images = []
    for element in root.iter("parentImage"):
        image = _image(folder, element, stem)
        if isinstance(image, LeftOut):
            yield image
        else:
            images.append(image)
    if not images:
        yield LeftOut(What.STUDY, study, Reason.NO_IMAGES)
        return
    report = _sections(root)
    if report == Sections():
        yield LeftOut(What.REPORT, study, Reason.EMPTY_REPORT)
    yield SourceStudy(
        patient=study,
        study=study,
        accession="",
        study_date=None,
        study_time=None,
        images=tuple(images),
        sections=report,
        language="en",
    )


def _image(folder: Path, element: Element, stem: str) -> SourceImage | LeftOut:
    image = element.get("id", "")
    if not _IMAGE_ID.fullmatch(image):
        return LeftOut(What.IMAGE, f"{stem}.xml", Reason.BROKEN_ROW, "parentImage without a usable id")
    places = (folder / place / f"{image}.png" for place in _IMAGES)
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return LeftOut(What.IMAGE, image, Reason.MISSING_FILE)
    return SourceImage(image, path, view_in(element.findtext("caption") or ""))


def view_in(caption: str) -> View:
    """The one view that a caption names. "PA and lateral" is the caption of two images and tells neither."""
    frontal = next((view for view, words in _FRONTAL if words.search(caption)), View.UNKNOWN)
    if _LATERAL.search(caption):
        return View.LATERAL if frontal == View.UNKNOWN else View.UNKNOWN
    return frontal


def _sections(root: Element) -> Sections:
    parts = []
    for element in root.iter("AbstractText"):
        name = _OF_LABEL.get((element.get("Label") or "").strip().upper(), Name.OTHER)
        parts.append((name, "".join(element.itertext()).strip()))
    return sections.of_parts(parts)
