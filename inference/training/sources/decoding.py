"""Bytes of reports into text: what is declared is believed and checked, what is not is told by the bytes."""

from inference.training.sources.received import BadReport
from inference.training.sources.study import Reason

ENCODINGS = ("utf-8", "shift_jis", "iso-2022-jp", "euc-jp", "latin-1")
"""To be named where the bytes do not tell."""
_SHIFTED = (b"\x1b$", b"\x1b(")
"""How ISO 2022 turns to another character set."""


def decode(raw: bytes, encoding: str = "") -> str:
    """The text. Undeclared, it is UTF-8, ISO-2022-JP where there are escape sequences, else Shift JIS.

    Shift JIS is read as Microsoft's cp932, which holds the circled and Roman numerals reports use.

    Raises
    ------
    BadReport
        When the bytes are not of that encoding, or the encoding is unknown.
    """
    if encoding:
        return _strict(raw, encoding)
    if any(escape in raw for escape in _SHIFTED):
        return _strict(raw, "iso-2022-jp")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _strict(raw, "shift_jis")


def _strict(raw: bytes, encoding: str) -> str:
    plain = encoding.lower().replace("_", "-")
    codec = {"shift-jis": "cp932", "utf-8": "utf-8-sig", "iso-2022-jp": "iso2022_jp_ext"}.get(plain, encoding)
    try:
        return raw.decode(codec)
    except (UnicodeDecodeError, LookupError) as error:
        raise BadReport(Reason.UNKNOWN_ENCODING, f"not {encoding}: name the encoding") from error
