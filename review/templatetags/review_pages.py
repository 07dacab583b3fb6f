"""Tags and filters of the pages."""

import re
from typing import Any

from django import template
from django.template import Context
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString

from review.models.people import Role
from review.templatetags import navigation
from review.templatetags.script_messages import MESSAGES

register = template.Library()

_THEMES = ("dark", "light")
_IDEOGRAPHIC = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


@register.simple_tag
def js_messages() -> SafeString:
    """The scripts' messages in the reader's language."""
    return json_script({key: str(text) for key, text in MESSAGES.items()}, "messages")


@register.simple_tag(takes_context=True)
def theme_attribute(context: Context) -> SafeString | str:
    """The theme a person chose, as an attribute; nothing leaves it to the system."""
    request = context.get("request")
    theme = request.COOKIES.get("theme") if request else None
    return format_html(' data-theme="{}"', theme) if theme in _THEMES else ""


@register.simple_tag(takes_context=True)
def navigation_places(context: Context) -> list[dict[str, Any]]:
    """The places this person may go to; `current` is true within one."""
    request = context.get("request")
    if request is None or not hasattr(request, "user"):
        return []
    places = navigation.places_for(request.user)
    return [
        {"url": place.url, "name": place.name, "current": request.path.startswith(place.url)}
        for place in places
    ]


@register.filter
def person_name(name: str) -> str:
    """A DICOM person name for people: "Family, Given Middle", or with blanks in ideographic writing."""
    parts = [part.strip() for part in name.split("^")]
    if _IDEOGRAPHIC.search(name):
        return " ".join(part for part in parts if part)
    family, given = parts[0], " ".join(part for part in parts[1:] if part)
    return f"{family}, {given}" if family and given else family or given


@register.filter
def role_name(role: str) -> str:
    """What a role is called."""
    return str(Role(role).label) if role in Role.values else role
