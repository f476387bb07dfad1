"""What the small forms on the pages of tasks and meetings have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from kit.pages.hooks import hooks
from kit.pages.views.records import go
from kit.values.errors import BusinessError


def act(request: HttpRequest, command: str, effect: Callable[[], Any], url: str, told: Any = "") -> HttpResponse:
    """Run `effect` once for the form that was sent, say what came of it, and lead to `url`."""
    try:
        hooks.once(request.POST.get("submit_id", ""), request.user, command, effect)
        if told:
            messages.success(request, told)
    except BusinessError as error:
        messages.error(request, str(error))
    return go(request, url)
