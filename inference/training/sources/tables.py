"""Reports in CSV files with named columns, and in text files named by accession number."""

import csv
import io
from collections.abc import Iterator

from inference.text.sections import Name
from inference.training.sources import moments, received
from inference.training.sources.decoding import decode
from inference.training.sources.layout import COLUMNS, Layout
from inference.training.sources.received import BadReport, Received, Standing
from inference.training.sources.study import LeftOut, Reason, What

_DELIMITERS = ",;\t"
_TEXTS: dict[str, Name | None] = {
    "indication": Name.INDICATION,
    "text": None,
    "findings": Name.FINDINGS,
    "impression": Name.IMPRESSION,
}
MAX_FIELD_CHARACTERS = 2**22


def read_csv(raw: bytes, name: str, layout: Layout) -> Iterator[Received | LeftOut]:
    """A report from each row, separated by comma, semicolon or tab. name: what to call the file; rows are
    named by the line they end on."""
    try:
        text = decode(raw, layout.encoding)
        delimiter = _delimiter(text, layout)
    except BadReport as problem:
        yield problem.left_out(name)
        return
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in rows:
            where = f"{name}:{rows.line_num}"
            if None in row or None in row.values():
                yield LeftOut(What.REPORT, where, Reason.BROKEN_ROW, "more or fewer fields than columns")
            else:
                yield _taken(row, where, layout)
    except csv.Error as error:
        detail = f"{error}; nothing after this line was read"
        yield LeftOut(What.REPORT, f"{name}:{rows.line_num}", Reason.BROKEN_FILE, detail)


def read_text(raw: bytes, stem: str, name: str, layout: Layout) -> Received | LeftOut:
    """The report of a text file, for the accession number that is its name without the ending."""
    try:
        found = received.sections_of([(None, decode(raw, layout.encoding))])
        return received.checked(Received(name, stem.strip(), "", (), Standing.FINAL, None, found))
    except BadReport as problem:
        return problem.left_out(name)


def _delimiter(text: str, layout: Layout) -> str:
    """The one that parts the first line into columns that are known."""
    header = text.partition("\n")[0].rstrip("\r")
    for delimiter in _DELIMITERS:
        columns = set(next(csv.reader([header], delimiter=delimiter), []))
        known = {name for name in COLUMNS if layout.column(name) in columns}
        if known & {"accession", "study"} and known & _TEXTS.keys():
            return delimiter
    wanted = " or ".join(layout.column(name) for name in ("accession", "study"))
    texts = ", ".join(layout.column(name) for name in _TEXTS)
    detail = f"the first line must name {wanted}, and one of {texts}: say what the columns are called"
    raise BadReport(Reason.BROKEN_FILE, detail)


def _taken(row: dict[str, str], where: str, layout: Layout) -> Received | LeftOut:
    values = {name: row.get(layout.column(name), "").strip() for name in COLUMNS}
    try:
        return received.checked(
            Received(
                name=where,
                accession=values["accession"],
                study=values["study"],
                patients=(values["patient"],) if values["patient"] else (),
                standing=received.standing(values["status"]),
                time=moments.moment(values["time"]),
                sections=received.sections_of((name, values[text]) for text, name in _TEXTS.items()),
            )
        )
    except BadReport as problem:
        return problem.left_out(where)
