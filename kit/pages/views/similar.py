"""Records that may be the one somebody is about to enter, told while they type; nothing is blocked (UX 6.5.6)."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from kit.pages.resources import Resource, url_of
from kit.pages.views.lists import fragment_or_page, require


def similar_view(request: HttpRequest, resource: Resource) -> HttpResponse:
    """The box of likely duplicates of what is typed into the form of a new record."""
    require(request.user, resource, "add")
    if resource.twins is None or request.method != "POST":
        raise Http404
    return fragment_or_page(request, "kit/parts/similar.html", {"twins": twins_of(resource, request)})


def twins_of(resource: Resource, request: HttpRequest) -> list[tuple[Any, str]]:
    """The likely duplicates with their addresses."""
    if resource.twins is None or request.method != "POST":
        return []
    found = type(resource).twins(request.POST, request.user)
    return [(twin, url_of(twin.record) if twin.record else "") for twin in found]
