"""What people see when a page fails: 503 while the database is away for a moment, 500 for everything else."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

from kit.rules.outage import away

RETRY = 10  # seconds


def failed_view(request: HttpRequest) -> HttpResponse:
    """The page for what no view has caught; the error is the one that is being handled."""
    if not away(sys.exc_info()[1]):
        return server_error(request)
    response = HttpResponse(render_to_string("503.html"), status=503)
    response.headers["Retry-After"] = str(RETRY)
    response.headers["Cache-Control"] = "no-store"
    return response
