"""What a page's script imports, told to the browser at once: it need not read one to hear of the next."""

import posixpath
import re
from functools import cache
from pathlib import Path

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()
_IMPORT = re.compile(r"""^(?:import|export) (?:[^;]*? from )?"(\.[^"]+)";""", re.MULTILINE)


@register.simple_tag
def module_preloads(name: str) -> SafeString:
    """A link for the script and for each one that it imports, directly or not; what it imports later is not
    among them."""
    return format_html_join(
        "\n", '<link rel="modulepreload" href="{}">', ((static(one),) for one in closure(name))
    )


@cache
def closure(name: str) -> tuple[str, ...]:
    """A script and all that it imports as it starts, by their names under the static folder."""
    found = [name]
    for script in found:  # grows as it is gone through
        path = finders.find(script)
        if not isinstance(path, str):
            raise FileNotFoundError(f"no static file {script}")
        for imported in _IMPORT.findall(Path(path).read_text(encoding="utf-8")):
            other = posixpath.normpath(posixpath.join(posixpath.dirname(script), imported))
            if other not in found:
                found.append(other)
    return tuple(found)
