"""How static files are stored and served: each under a name that changes with its content."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import rjsmin
from whitenoise.storage import CompressedManifestStaticFilesStorage

OURS = "js/"


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise ships no types
    """Also strips our scripts of comments and blanks, and renames what our ES modules import, so that a
    module and what it imports are of one release.

    Scripts of packages import nothing; what looks like it there stands in a comment, and is left alone.
    """

    support_js_module_import_aggregation = True

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        for name in [] if dry_run else paths:
            if name.startswith(OURS) and name.endswith(".js"):
                collected = Path(self.path(name))
                collected.write_text(smaller(collected.read_text(encoding="utf-8")), encoding="utf-8")
                paths[name] = (self, name)  # what is named and compressed is what was collected
        yield from super().post_process(paths, dry_run, **options)

    def url_converter(
        self, name: str, hashed_files: dict[str, str], template: str | None = None
    ) -> Callable[[re.Match[str]], str]:
        if name.endswith(".js") and not name.startswith(OURS):
            return lambda match: match[0]
        converter: Callable[[re.Match[str]], str] = super().url_converter(name, hashed_files, template)
        return converter


def smaller(script: str) -> str:
    """A script without comments and needless blanks; what its templates hold stays as it is.

    Django finds an import for its effects by the blank before the name.
    """
    return str(rjsmin.jsmin(script)).replace('import"', 'import "')
