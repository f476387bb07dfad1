"""How much one person may ask for: requests in a minute, and at the same time (threat S-26).

The server of the cache counts, for all processes together: in one round trip before a request and one after it, by
its own clock. (Django's `incr` takes two for each counter and cannot say “one more, if there are fewer than six”.)
What a killed process had in hand is forgotten after `LONGEST`. Without that server there is no limit (fault F-11).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse

from oa.organisation.kept import KeptForm

_cache: Any = cache  # config.caches.ForgivingCache

MINUTE = 60
LONGEST = 120  # seconds after which a request that has not ended counts no more
POLLS = 2  # at once, of what open pages ask by themselves: counted for itself, it takes nothing away from the work

# Seconds to wait, 0 for none. What runs is a set of marks with the second in which each began.
_ENTER = """
local minute, longest, often, at_once = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local asked = redis.call('INCR', KEYS[1])
if asked == 1 then redis.call('EXPIRE', KEYS[1], minute) end
if often > 0 and asked > often then return math.max(redis.call('TTL', KEYS[1]), 1) end
if at_once == 0 then return 0 end
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - longest)
if redis.call('ZCARD', KEYS[2]) >= at_once then return 2 end
redis.call('ZADD', KEYS[2], now, ARGV[1])
redis.call('EXPIRE', KEYS[2], longest)
return 0
"""
_LEAVE = "return redis.call('ZREM', KEYS[1], ARGV[1])"


class LimitMiddleware:
    """Refuses what a person asks for beyond the two limits: 429, and when to try again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        often, at_once = settings.REQUESTS_PER_MINUTE, settings.REQUESTS_AT_ONCE
        if not (often or at_once) or not request.user.is_authenticated or request.path in self._free:
            return self.get_response(request)
        if polled := request.path == self._polled:
            at_once = min(at_once, POLLS)
        asked, running = names(request.user, polled=polled)
        mark, server = uuid.uuid4().hex, _cache
        if wait := server.run(_ENTER, (asked, running), mark, MINUTE, LONGEST, often, at_once, otherwise=0):
            return too_much(request, wait)

        def leave() -> None:
            server.run(_LEAVE, (running,), mark, otherwise=0)

        sending = False
        try:
            response = self.get_response(request)
            if sending := response.streaming:  # a file is on its way for longer than its view takes
                response._resource_closers.append(leave)  # type: ignore[attr-defined]
            return response
        finally:
            if at_once and not sending:
                leave()

    @cached_property
    def _free(self) -> frozenset[str]:
        return frozenset(reverse(name) for name in ("health", "favicon"))

    @cached_property
    def _polled(self) -> str:
        return reverse("kit:counters")


def names(user: Any, *, polled: bool = False) -> tuple[str, str]:
    """Under which names the server counts what a person has asked for in this minute, and what runs."""
    kind = "polls" if polled else "work"
    return f"limits:{kind}:asked:{user.pk}", f"limits:{kind}:running:{user.pk}"


def too_much(request: HttpRequest, wait: int) -> HttpResponse:
    """The refusal, without a statement; a form comes back in it as it was sent, with the token that it had."""
    text = ""
    if not request.headers.get("HX-Request"):  # scripts leave the page as it is and say it there (UX 5.3)
        kept = KeptForm.of(request) if request.method == "POST" else None
        context = {"kept": kept, "token": kept and request.POST.get("csrfmiddlewaretoken", ""), "wait": wait}
        text = render_to_string("429.html", context)
    return HttpResponse(text, status=429, headers={"Retry-After": str(wait), "Cache-Control": "no-store"})
