"""`python -m maira_web.messages`: compile the translations. In Python, so no machine needs gettext to run."""

import os
from pathlib import Path

import polib

LOCALE = Path(__file__).resolve().parent.parent / "locale"


def compile_all(folder: Path = LOCALE) -> list[Path]:
    """Write the `.mo` beside every `.po` that is newer; returns what was written."""
    written = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        part = target.with_name(f"{target.name}.{os.getpid()}")
        polib.pofile(str(source)).save_as_mofile(str(part))
        part.rename(target)
        written.append(target)
    return written


if __name__ == "__main__":
    compile_all()
