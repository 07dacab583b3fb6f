"""The empty report a reader starts from when there is no draft: headings in the usual order of a chest film.

Lines and tubes first, since a misplaced one is urgent; then from the lungs outwards.
"""

_EMPTY: dict[str, dict[str, str]] = {
    "en": {
        "findings": "Lines and tubes: \nLungs: \nPleura: \nHeart and mediastinum: \n"
        "Bones and soft tissues: \nUpper abdomen: ",
        "impression": "",
    },
    "ja": {
        "findings": "カテーテル・チューブ：\n肺野：\n胸膜：\n心・縦隔：\n骨・軟部組織：\n上腹部：",
        "impression": "",
    },
}


def empty_report(language: str) -> dict[str, str]:
    """Findings and impression of the empty template; English where a language has none of its own."""
    return dict(_EMPTY.get(language, _EMPTY["en"]))
