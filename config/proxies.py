"""The address of the person behind our own proxies."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def client_ip(request: HttpRequest) -> str:
    """The client's address; with `SANHE_PROXIES` = n, what the n-th proxy from our side reported.

    Only as many entries are believed as there are proxies of ours: everything before them is the client's word.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    if settings.SANHE_PROXIES:
        reported = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",") if part.strip()]
        address = reported[-settings.SANHE_PROXIES] if len(reported) >= settings.SANHE_PROXIES else address
    return address
