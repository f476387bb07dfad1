"""What pages of approvals ask for in templates."""

from __future__ import annotations

from typing import Any

from django import template

from oa.approvals.forecast import note_in_words
from oa.approvals.showing import shown
from oa.approvals.track import path_of

register = template.Library()


@register.simple_tag(takes_context=True)
def request_parts(context: Any, request: Any) -> dict[str, Any]:
    """Summary, files and path of an approval request for the person who looks."""
    return {**shown(request, context["request"].user), "path": path_of(request)}


@register.filter
def note_words(note: str) -> str:
    """What the engine did by itself, in words."""
    return note_in_words(note)
