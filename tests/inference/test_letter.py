"""The signed report as a PDF: the same bytes every time, and every word of it in there."""

import io

import pytest
from pypdf import PdfReader

from inference.objects.letter import Letter, Part, pdf

REPORT = Part(
    "",
    [("Findings", "No pneumothorax.\nHeart < 50 % & not enlarged."), ("Impression", "胸水を認めません。")],
    ["Haruka Kisaragi, MD, author, 2026-11-28 09:00"],
    "ab" * 32,
)


def letter(**changes: object) -> Letter:
    fields: dict[str, object] = {
        "site": "Central Hospital",
        "title": "Radiology report",
        "status": "final",
        "facts": [("Patient", "山田 太郎"), ("Patient ID", "P-1")],
        "parts": [REPORT],
        "note": "As signed",
        "page": "page {page}",
    }
    return Letter(**(fields | changes))  # type: ignore[arg-type]


def words(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def test_the_same_letter_is_the_same_bytes() -> None:
    assert pdf(letter()) == pdf(letter())
    assert pdf(letter(status="amended")) != pdf(letter())


def test_every_word_is_in_it() -> None:
    said = words(pdf(letter()))
    for wanted in (
        "Central Hospital",
        "final",
        "P-1",
        "No pneumothorax.",
        "Heart < 50 % & not enlarged.",
        "Haruka Kisaragi, MD, author",
        "ab" * 32,
        "page 1",
    ):
        assert wanted in said, wanted


@pytest.mark.parametrize(
    "name", ["山田 太郎", "ﾔﾏﾀﾞ ﾀﾛｳ", "김희중", "王小东", "Łukasz Żółć", "Buc^Jérôme", "Люкceмбypг"]
)
def test_names_of_many_scripts_are_set(name: str) -> None:
    assert name.replace(" ", "") in words(pdf(letter(facts=[("Patient", name)]))).replace(" ", "")


def test_a_long_report_goes_over_pages() -> None:
    long = Part("", [("Findings", "No pneumothorax. " * 900)], ["A"], "0" * 64)
    content = pdf(letter(parts=[long]))
    assert len(PdfReader(io.BytesIO(content)).pages) > 1
    assert words(content).count("pneumothorax") == 900
