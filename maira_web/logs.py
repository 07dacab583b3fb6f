"""Log lines without patient data: UIDs are cut out, and so are the row values that PostgreSQL quotes."""

import logging
import re

# An IPv4 address has four numbers and at most 15 characters, so it stays; a UID has more, or follows a slash.
UID = re.compile(
    r"(?:(?<![\w.])|(?<=\\n))"
    r"(?:(?<=[^/]/)\d+(?:\.\d+){2,}|\d+(?:\.\d+){4,}|(?=[\d.]{16,})\d+(?:\.\d+)+)(?![\w])"
)
# At the start of a line, or after the two characters that a repr makes of a line's end. Nothing after them is
# kept: a value may hold the same two characters.
DETAIL = re.compile(r"((?:^|\\n)\s*(?:DETAIL|CONTEXT)): .*$", re.MULTILINE)


def redacted(text: str) -> str:
    """The text without DICOM UIDs and without the values in a database error's DETAIL."""
    return DETAIL.sub(r"\1: <values>", UID.sub("<uid>", text))


class Formatter(logging.Formatter):
    """One line an event; redacts last, so that arguments and tracebacks are covered too."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


class NoHealth(logging.Filter):
    """Drops what the probes leave behind: one line every few seconds says nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        line = record.getMessage()
        return "/readyz" not in line and "/healthz" not in line
