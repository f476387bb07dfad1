"""The import page (made with the importer)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse

from kit.pages.resources import Resource


def import_view(request: HttpRequest, resource: Resource) -> HttpResponse:
    """Placeholder until the importer of this tree is in place."""
    raise Http404
