"""Which verbs of HTTP the program answers."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

ANSWERED = ("GET", "HEAD", "POST")


class MethodsMiddleware:
    """Any other verb is refused before anything is read: views tell reading from writing by `POST` alone (S-01)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request) if request.method in ANSWERED else HttpResponseNotAllowed(ANSWERED)
