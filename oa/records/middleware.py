"""Tells the history triggers who is acting, and leads a form that is sent again where it led before."""

from __future__ import annotations

from collections.abc import Callable

import pghistory
from django.http import HttpRequest, HttpResponse

from kit.pages.views.records import go
from kit.pages.views.shell import counts_anew
from oa.records.audit import address_of
from oa.records.idempotency import noting_effects, place_of, remember_place


class HistoryContextMiddleware:
    """Every change of a request carries user, path and address in its history (G-20); what waits is counted anew."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            return self.get_response(request)
        user = request.user
        person = user.pk if user.is_authenticated else None
        with pghistory.context(user=person, url=request.path, ip=address_of(request)):
            response = self.get_response(request)
        if person is not None:
            counts_anew(person)
        return response


class FirstAnswerMiddleware:
    """A form that had its effect leads where it led then, whatever has become of its record since (rule G-19).

    What was deleted is not there any more, and what was confirmed cannot be confirmed: who pressed twice does not
    care. Two at the same time wait for one another in `once`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.POST.get("submit_id", "") if request.method == "POST" else ""
        if not key or not request.user.is_authenticated:
            return self.get_response(request)
        if place := place_of(key, request.user, request.path):
            return go(request, place)
        with noting_effects() as effects:
            response = self.get_response(request)
        led = response.headers.get("HX-Redirect") or response.headers.get("Location")
        if effects and led:
            remember_place(key, request.user, request.path, led)
        return response
