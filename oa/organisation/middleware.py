"""Language and time zone of the person who is logged in."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from oa.organisation.models.company import zone_or_none
from oa.organisation.zones import known_zone


class UserSettingsMiddleware:
    """Activates the user's own language and time zone where they set one, else the company's time zone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if user.is_authenticated:
            if user.language:
                translation.activate(user.language)
                request.LANGUAGE_CODE = user.language
            # A zone that the system does not know any more must not break every page.
            timezone.activate(zone_or_none(user.time_zone) or known_zone())
        try:
            response = self.get_response(request)
        finally:
            timezone.deactivate()
        response.headers.setdefault("Content-Language", translation.get_language() or "en")
        return response
