"""A signed report as a PDF that a referrer would trust: the same letter gives the same bytes.

Latin text is set in an embedded face. Japanese, Korean and Chinese use the faces every PDF reader brings
along (Adobe's CID collections), so that no font of the machine decides how a name looks.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, HRFlowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

LATIN, BOLD = "Vera", "VeraBd"
JAPANESE, KOREAN, CHINESE = "HeiseiKakuGo-W5", "HYGothic-Medium", "STSong-Light"
_MUTED = HexColor("#4a5560")
_MARGIN = 20 * mm


@dataclass(frozen=True)
class Part:
    """A signed text: the report, or an addendum. `signed` are the lines under it, `digest` its hash."""

    title: str
    sections: Sequence[tuple[str, str]]
    signed: Sequence[str]
    digest: str


@dataclass(frozen=True)
class Letter:
    """What the letter says, in the words of its readers. `facts` are label and value; `page` has {page}."""

    site: str
    title: str
    status: str
    facts: Sequence[tuple[str, str]]
    parts: Sequence[Part]
    note: str
    page: str


def pdf(letter: Letter) -> bytes:
    """The letter on A4."""
    _register()
    target = io.BytesIO()
    document = SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=letter.title,
        author=letter.site,
        invariant=1,
    )

    def foot(canvas: Canvas, _document: SimpleDocTemplate) -> None:
        canvas.saveState()
        line = _paragraph(
            f"{letter.note} · {letter.page.format(page=canvas.getPageNumber())}", _style(7.5, muted=True)
        )
        line.wrapOn(canvas, A4[0] - 2 * _MARGIN, 12 * mm)
        line.drawOn(canvas, _MARGIN, 10 * mm)
        canvas.restoreState()

    document.build(list(_story(letter)), onFirstPage=foot, onLaterPages=foot)
    return target.getvalue()


def _story(letter: Letter) -> Iterator[Flowable]:
    yield _paragraph(letter.site, _style(10, muted=True))
    yield _paragraph(f"{letter.title} · {letter.status}", _style(15, bold=True))
    yield Spacer(0, 4 * mm)
    rows = [
        [_paragraph(label, _style(9, muted=True)), _paragraph(value, _style(10))]
        for label, value in letter.facts
    ]
    table = Table(rows, colWidths=[42 * mm, None])
    table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("TOPPADDING", (0, 0), (-1, -1), 1)]))
    yield table
    for part in letter.parts:
        yield Spacer(0, 4 * mm)
        yield HRFlowable(width="100%", thickness=0.5, color=_MUTED)
        if part.title:
            yield _paragraph(part.title, _style(12, bold=True))
        for heading, text in part.sections:
            if heading:
                yield _paragraph(heading, _style(9, bold=True, muted=True, before=6))
            yield _paragraph(text, _style(11))
        yield Spacer(0, 3 * mm)
        for line in part.signed:
            yield _paragraph(line, _style(9.5))
        yield _paragraph(f"SHA-256 {part.digest}", _style(7.5, muted=True))


def _style(size: float, *, bold: bool = False, muted: bool = False, before: float = 0) -> ParagraphStyle:
    return ParagraphStyle(
        f"{size} {bold} {muted} {before}",
        fontName=BOLD if bold else LATIN,
        fontSize=size,
        leading=size * 1.45,
        spaceBefore=before,
        textColor=_MUTED if muted else HexColor("#000000"),
        wordWrap="CJK",
    )


def _paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    """A paragraph whose stretches are set in the face that has their characters; line ends are kept."""
    marked = []
    for face, stretch in groupby(text, key=lambda character: _face(character, style.fontName)):
        inner = escape("".join(stretch)).replace("\n", "<br/>")
        marked.append(inner if face == style.fontName else f'<font name="{face}">{inner}</font>')
    return Paragraph("".join(marked), style)


def _face(character: str, latin: str) -> str:
    if character == "\n" or ord(character) in pdfmetrics.getFont(latin).face.charToGlyph:
        return latin
    if "\uac00" <= character <= "\ud7a3" or "\u1100" <= character <= "\u11ff":
        return KOREAN
    try:
        character.encode("shift_jis_2004")
    except UnicodeEncodeError:
        return CHINESE
    return JAPANESE


@cache
def _register() -> None:
    for name in (LATIN, BOLD):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))
    for name in (JAPANESE, KOREAN, CHINESE):
        pdfmetrics.registerFont(UnicodeCIDFont(name))
