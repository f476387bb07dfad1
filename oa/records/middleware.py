"""Tells the history triggers who is acting."""

from __future__ import annotations

from collections.abc import Callable

import pghistory
from django.http import HttpRequest, HttpResponse

from oa.records.audit import address_of


class HistoryContextMiddleware:
    """Every change of a request carries the user, the path and the address in its history rows (rule G-20)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            return self.get_response(request)
        user = request.user
        person = user.pk if user.is_authenticated else None
        with pghistory.context(user=person, url=request.path, ip=address_of(request)):
            return self.get_response(request)
