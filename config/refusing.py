"""Requests that no page of ours sends are refused before any view reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseNotAllowed

ANSWERED = ("GET", "HEAD", "POST")
NUL = "\0"


class RefusingMiddleware:
    """Other verbs, which views would take for reading (S-01), and NUL, which no column of the database holds (S-07)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ANSWERED:
            return HttpResponseNotAllowed(ANSWERED)
        if NUL in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return HttpResponseBadRequest()
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponse | None:
        """What was typed; the token is looked for in the same place right afterwards."""
        typed = request.POST.lists() if request.method == "POST" else ()
        odd = any(NUL in text for name, texts in typed for text in (name, *texts))
        return HttpResponseBadRequest() if odd else None
