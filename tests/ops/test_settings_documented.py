"""docs/settings.md names every setting, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
READ = re.compile(r"env_(?:text|bool|int|list|secret|address|folder)\(\s*\"([A-Z_]+)\"")
DOCUMENTED = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)


def test_the_page_names_what_is_read():
    read = set(READ.findall((ROOT / "maira_web" / "settings.py").read_text())) - {"DATABASE_URL_FILE"}
    documented = DOCUMENTED.findall((ROOT / "docs" / "settings.md").read_text())
    assert sorted(documented) == sorted(read)
