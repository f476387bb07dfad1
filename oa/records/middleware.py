"""Tells the history triggers who is acting."""

from __future__ import annotations

from collections.abc import Callable

import pghistory
from django.http import HttpRequest, HttpResponse


class HistoryContextMiddleware:
    """Every change of a request carries the user and the path in its history rows."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            return self.get_response(request)
        user = request.user
        with pghistory.context(user=user.pk if user.is_authenticated else None, url=request.path):
            return self.get_response(request)
