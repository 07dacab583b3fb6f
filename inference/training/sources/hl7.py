"""Reports in HL7 v2 results (ORU^R01): one message or many in a file, as sent, batched or out of MLLP.

Fields follow HL7 v2.5.1 chapters 2 and 7; accession number (OBR-18) and Study Instance UID (ZDS-1, or an OBX
with code 113014) stand where the IHE Radiology Framework puts them. A message may hold several reports: each
OBR begins one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from inference.text.sections import Name
from inference.training.sources import moments, received
from inference.training.sources.codes import SECTION_OF_CODE
from inference.training.sources.decoding import decode
from inference.training.sources.layout import Layout
from inference.training.sources.received import BadReport, Received
from inference.training.sources.study import LeftOut, Reason, What

_MESSAGE = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|(?<=[\r\n\x0b]))(?=MSH)")
_LINE_ENDS = re.compile("[\r\n\x0b\x1c]+")
_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}")
_HEADER_BYTES = 4096
_CHARACTER_SETS = {
    "": "",
    "ASCII": "",
    "ISO IR6": "",
    "8859/1": "latin-1",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "ISO IR14": "shift_jis",
    "SHIFT_JIS": "shift_jis",
    "ISO IR87": "iso-2022-jp",
    "ISO IR159": "iso-2022-jp",
}
"""MSH-18 (table 0211) to our names; ASCII says nothing where bytes above it stand."""
_TEXT_TYPES = ("TX", "FT", "ST", "")
_STUDY_UID_CODE = "113014"
_NOT_REPORTED = ("D", "W", "X", "N")
"""OBX-11: deleted, wrong, cannot be obtained, not asked for."""


@dataclass(frozen=True)
class _Signs:
    """The separators that MSH-1 and MSH-2 declare."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str

    def text(self, value: str) -> str:
        """Escape sequences (chapter 2.7) resolved: those of layout become line ends or nothing."""
        sign = re.escape(self.escape)
        return re.sub(f"{sign}([^{sign}]{{1,40}}){sign}", self._meant, value)

    def first(self, value: str) -> str:
        """The first component of the first repetition."""
        for sign in (self.repetition, self.component, self.subcomponent):
            value = value.partition(sign)[0]
        return self.text(value).strip()

    def _meant(self, match: re.Match[str]) -> str:
        code = match.group(1)
        signs = (self.field, self.component, self.repetition, self.escape, self.subcomponent, "", "")
        plain = dict(zip("FSRETHN", signs, strict=True))
        if code in plain:
            return plain[code]
        if code.startswith("."):
            return "\n" if code[1:3] in ("br", "sp", "ce") else ""
        if re.fullmatch("X(?:[0-7][0-9A-Fa-f])+", code):
            return bytes.fromhex(code[1:]).decode("ascii").replace("\r", "\n")
        return match.group()


@dataclass
class _Group:
    """An OBR, the patient it is of, and what follows it."""

    header: list[str]
    patient: list[str]
    observations: list[list[str]] = field(default_factory=list)
    study: list[str] = field(default_factory=list)


def read(raw: bytes, name: str, layout: Layout) -> Iterator[Received | LeftOut]:
    """The reports of a file, in order. name: what to call it; messages are numbered from 1."""
    starts = [match.end() for match in _MESSAGE.finditer(raw)]
    if not starts:
        yield LeftOut(What.REPORT, name, Reason.BROKEN_FILE, "no MSH segment: this is no HL7 v2 message")
    for number, (start, end) in enumerate(zip(starts, [*starts, len(raw)][1:], strict=True), 1):
        where = f"{name}:{number}"
        try:
            signs, segments = _parse(raw[start:end], layout.encoding)
            groups = _groups(segments)
        except BadReport as problem:
            yield problem.left_out(where)
            continue
        sent = _field(segments[0], 6)
        for order, group in enumerate(groups, 1):
            which = where if len(groups) == 1 else f"{where}.{order}"
            try:
                yield _report(group, signs, sent, which, layout)
            except BadReport as problem:
                yield problem.left_out(which)


def _parse(raw: bytes, encoding: str) -> tuple[_Signs, list[list[str]]]:
    """The separators, and the segments as fields; in MSH, field n stands at n - 1."""
    first = _LINE_ENDS.split(raw[:_HEADER_BYTES].decode("latin-1"))[0]
    declared = first[4:].partition(first[3:4])[0] if len(first) > 8 else ""
    if not 3 <= len(declared) <= 5 or any(sign.isalnum() for sign in first[3:4] + declared):
        raise BadReport(Reason.BROKEN_FILE, "the MSH segment declares no separators")
    signs = _Signs(first[3], declared[0], declared[1], declared[2], declared[3:4] or "&")
    lines: list[list[str]] = []
    for line in _LINE_ENDS.split(
        decode(raw, encoding or _declared(_field(first.split(signs.field), 17), signs))
    ):
        if _SEGMENT.fullmatch(line.partition(signs.field)[0]):
            lines.append([line])
        elif line and lines:  # a line end within a text that should have been escaped
            lines[-1].append(line)
    segments = ["\n".join(pieces).split(signs.field) for pieces in lines]
    if _field(segments[0], 8).split(signs.component)[:2] != ["ORU", "R01"]:
        raise BadReport(Reason.NOT_A_REPORT, "the message is no ORU^R01")
    return signs, segments


def _declared(sets: str, signs: _Signs) -> str:
    """Our name for MSH-18; where it lists several, the first that says anything."""
    names = [name.strip().upper() for name in sets.split(signs.repetition)]
    unknown = [name for name in names if name not in _CHARACTER_SETS]
    if unknown:
        raise BadReport(Reason.UNKNOWN_ENCODING, "MSH-18 names a character set that is not read here")
    return next((found for name in names if (found := _CHARACTER_SETS[name])), "")


def _groups(segments: list[list[str]]) -> list[_Group]:
    groups: list[_Group] = []
    patient: list[str] = []
    for fields in segments:
        if fields[0] == "PID":
            patient = fields
        elif fields[0] == "OBR":
            groups.append(_Group(fields, patient))
        elif fields[0] == "OBX" and groups:
            groups[-1].observations.append(fields)
        elif fields[0] == "ZDS" and groups:
            groups[-1].study = fields
    if not groups:
        raise BadReport(Reason.BROKEN_FILE, "no OBR segment")
    return groups


def _report(group: _Group, signs: _Signs, sent: str, which: str, layout: Layout) -> Received:
    texts = [row for row in group.observations if _field(row, 11) not in _NOT_REPORTED]
    study = signs.first(_field(group.study, 1))
    pieces: list[tuple[Name | None, str]] = []
    for row in texts:
        codes = [
            signs.text(part) for part in re.split(_any(signs.component, signs.subcomponent), _field(row, 3))
        ]
        if codes[0] == _STUDY_UID_CODE:
            study = study or signs.first(_field(row, 5))
        elif _field(row, 2) in _TEXT_TYPES:
            name = next((SECTION_OF_CODE[code] for code in codes if code in SECTION_OF_CODE), None)
            _add(pieces, name, signs.text(_field(row, 5).replace(signs.repetition, "\n")))
    status = _field(group.header, 25) or next((_field(row, 11) for row in texts), "")
    return received.checked(
        Received(
            name=which,
            accession=_accession(group, signs, layout),
            study=study,
            patients=_patients(group, signs),
            standing=received.standing(status),
            time=moments.moment(signs.first(_field(group.header, 22)) or signs.first(sent)),
            sections=received.sections_of(pieces),
        ),
        Reason.NO_TEXT_FORMAT if texts and not pieces else Reason.EMPTY_REPORT,
    )


def _add(pieces: list[tuple[Name | None, str]], name: Name | None, text: str) -> None:
    """A text of the same section goes on: systems send an OBX for each line."""
    if pieces and pieces[-1][0] == name:
        pieces[-1] = (name, f"{pieces[-1][1]}\n{text}")
    else:
        pieces.append((name, text))


def _accession(group: _Group, signs: _Signs, layout: Layout) -> str:
    wanted = layout.hl7_accession.removeprefix("OBR-")
    numbers = [int(wanted)] if wanted else [18, 3]
    return next((found for n in numbers if (found := signs.first(_field(group.header, n)))), "")


def _patients(group: _Group, signs: _Signs) -> tuple[str, ...]:
    """The ids of PID-3, one for each system that gave one."""
    ids = (signs.first(one) for one in _field(group.patient, 3).split(signs.repetition))
    return tuple(one for one in ids if one)


def _any(*signs: str) -> str:
    return f"[{re.escape(''.join(signs))}]"


def _field(fields: list[str], number: int) -> str:
    return fields[number] if number < len(fields) else ""
