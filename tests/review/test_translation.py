"""Everything a person can be shown is there in Japanese."""

from pathlib import Path

import polib

CATALOGUE = Path(__file__).resolve().parents[2] / "locale" / "ja" / "LC_MESSAGES" / "django.po"


def test_no_message_is_left_untranslated_or_doubtful() -> None:
    catalogue = polib.pofile(str(CATALOGUE))
    left = [
        entry.msgid for entry in catalogue.untranslated_entries() + catalogue.fuzzy_entries() if entry.msgid
    ]
    assert left == []
    assert len(catalogue.translated_entries()) > 400
