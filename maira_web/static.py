"""How static files are stored and served: each under a name that changes with its content."""

import re
from collections.abc import Callable

from whitenoise.storage import CompressedManifestStaticFilesStorage

OURS = "js/"


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise ships no types
    """Also renames what our ES modules import, so that a module and what it imports are of one release.

    Scripts of packages import nothing; what looks like it there stands in a comment, and is left alone.
    """

    support_js_module_import_aggregation = True

    def url_converter(
        self, name: str, hashed_files: dict[str, str], template: str | None = None
    ) -> Callable[[re.Match[str]], str]:
        if name.endswith(".js") and not name.startswith(OURS):
            return lambda match: match[0]
        converter: Callable[[re.Match[str]], str] = super().url_converter(name, hashed_files, template)
        return converter
