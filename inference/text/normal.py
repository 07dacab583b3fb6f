"""The one normal form of report text: Unicode NFC, line ends LF.

Offsets everywhere count code points of it.
"""

import hashlib
import unicodedata

import rfc8785


def normalise(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def report_sha256(findings: str, impression: str) -> str:
    """SHA-256 (hex) of the canonical JSON (RFC 8785) of both sections, after `normalise`.

    A browser computes the same digest, so that "saved" is said only of the very text on screen.
    """
    document = {"findings": normalise(findings), "impression": normalise(impression)}
    return hashlib.sha256(rfc8785.dumps(document)).hexdigest()
