"""Everything a person can be shown is there in Japanese."""

import subprocess
from pathlib import Path

import polib
from django.utils.translation import templatize

from tests import components

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "locale" / "ja" / "LC_MESSAGES" / "django.po"
KEYWORDS = (
    "gettext_lazy",
    "gettext",
    "ngettext:1,2",
    "ngettext_lazy:1,2",
    "pgettext:1c,2",
    "_",
    "npgettext:1c,2,3",
)


def test_no_message_is_left_untranslated_or_doubtful() -> None:
    catalogue = polib.pofile(str(CATALOGUE))
    left = [
        entry.msgid for entry in catalogue.untranslated_entries() + catalogue.fuzzy_entries() if entry.msgid
    ]
    assert left == []
    assert len(catalogue.translated_entries()) > 400


def test_every_message_of_code_and_templates_is_in_the_catalogue(tmp_path: Path) -> None:
    """Extracted anew, as `make messages` does: one that was added since is found here."""
    sources = [*ROOT.glob("maira_web/**/*.py"), *ROOT.glob("review/**/*.py")]
    for number, template in enumerate(sorted(ROOT.glob("templates/**/*.html"))):
        source = tmp_path / f"template{number}.py"
        source.write_text(templatize(template.read_text(encoding="utf-8"), origin=template.name), "utf-8")
        sources.append(source)
    command = [components.require("xgettext"), "--from-code=UTF-8", "--language=Python", "--output=-"]
    command += [f"--keyword={keyword}" for keyword in KEYWORDS]
    found = subprocess.run([*command, *map(str, sources)], capture_output=True, text=True, check=True)
    wanted = {entry.msgid for entry in polib.pofile(found.stdout)}
    there = {entry.msgid for entry in polib.pofile(str(CATALOGUE))}
    assert wanted - there == set()
    assert len(wanted) > 400
