"""Every reason to turn a file away has words in every language, and English keeps the particulars."""

import re
from pathlib import Path

from django.utils import translation

from inference.imaging.refusals import RefusalCode
from review.models.studies import Arrival
from review.templatetags import reasons

ROOT = Path(__file__).resolve().parents[2]


def test_every_code_has_words() -> None:
    """Those of the imaging library, and those that services and pipeline give themselves."""
    sources = [*(ROOT / "review" / "pipeline").glob("*.py"), ROOT / "review" / "services" / "studies.py"]
    text = "".join(path.read_text() for path in sources)
    ours = set(re.findall(r'(?:Quarantine|Refusal)\(\s*"([a-z-]+)"', text))
    ours |= set(re.findall(r'_refuse\([^")]*"([a-z-]+)"', text)) | set(
        re.findall(r'reason_code="([a-z-]+)"', text)
    )
    assert {"patient-mismatch", "empty-file", "unexpected"} <= ours
    assert (ours | set(RefusalCode)) - {"duplicate"} <= set(reasons.REASONS)


def test_a_reader_of_english_sees_the_particulars() -> None:
    arrival = Arrival(reason_code="too-small", reason="The image has 100 x 90 pixels.")
    assert reasons.reason(arrival) == "The image has 100 x 90 pixels."


def test_a_reader_of_japanese_sees_japanese() -> None:
    with translation.override("ja"):
        for code in reasons.REASONS:
            said = reasons.reason(Arrival(reason_code=code, reason="In English."))
            assert re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", said), code
        assert reasons.reason(Arrival(reason_code="new-code", reason="In English.")) == "In English."
        assert reasons.reason(Arrival(reason_code="", reason="")) == ""
