"""`{% icon "shopping-cart" %}`: a Lucide icon as inline SVG (no icon font, no request)."""

import sys
from functools import lru_cache
from xml.etree import ElementTree  # nosec B405  # parses our own text only

from django import template
from django.conf import settings
from django.utils.safestring import SafeString, mark_safe
from lucide import IconDoesNotExist
from lucide.templatetags.lucide import lucide

register = template.Library()

STROKE = 1.5  # px on screen, whatever the size
GRID = 24  # Lucide draws on a 24 x 24 grid


@register.simple_tag
def icon(name: str, size: int = 16, css: str = "") -> SafeString | str:
    """The icon is decorative: the words beside it (or an aria-label) carry the meaning."""
    try:
        return _svg(str(name), int(size), str(css))
    except IconDoesNotExist:
        if settings.DEBUG or "pytest" in sys.modules:
            raise
        return ""


@lru_cache(maxsize=1024)
def _svg(name: str, size: int, css: str) -> SafeString:
    shapes = ElementTree.fromstring(lucide(name))  # nosec B314  # noqa: S314  (Lucide's own file)
    for shape in shapes:
        shape.tail = None
    svg = ElementTree.Element(
        "svg",
        {
            "class": f"i {css}".strip(),
            "width": str(size),
            "height": str(size),
            "viewBox": f"0 0 {GRID} {GRID}",
            "fill": "none",
            "stroke": "currentColor",
            "stroke-width": f"{STROKE * GRID / size:g}",
            "aria-hidden": "true",
        },
    )
    svg.extend(shapes)
    # Our own constants and Lucide's files only; `css` is escaped by ElementTree.
    return mark_safe(ElementTree.tostring(svg, encoding="unicode"))  # nosec B308 B703  # noqa: S308
