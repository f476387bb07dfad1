"""The home desk and the health check."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kit.pages import formats
from kit.pages import panels as registered
from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page
from kit.pages.views.panels import panel_context

DESK = "desk"
QUEUE = 8  # rows of the queue
PLACES = ("top", "main", "side")


@require_safe
def desk_view(request: HttpRequest) -> HttpResponse:
    """What waits for me, at once; the cards around it, which higher layers register under `desk`, when they are seen.

    `?card=` answers one of them; `?cards=all` puts all of them into the page, for browsers without scripts.
    """
    user, name = request.user, request.GET.get("card", "")
    shown = [panel for panel in registered.panels[DESK] if panel.open_to(user)]
    if name:
        panel = next((panel for panel in shown if panel.name == name), None)
        if panel is None:
            raise Http404
        return fragment_or_page(request, "kit/parts/panel_card.html", _card(panel, request))
    whole = request.GET.get("cards") == "all"
    cards = [_card(panel, request) if whole else {"panel": panel} for panel in sorted(shown, key=lambda p: p.order)]
    tasks = registered.queue(user, QUEUE + 1)
    head = _greeting(user)
    head.actions = [action for source in registered.actions[DESK] for action in source(user, user)]
    return fragment_or_page(
        request,
        "oa/desk.html",
        {
            "head": head,
            "cards": {place: [card for card in cards if card["panel"].where == place] for place in PLACES},
            "whole": whole,
            "today": timezone.localdate(),
            "tasks": tasks[:QUEUE],
            "more_tasks": len(tasks) > QUEUE,
        },
    )


def _greeting(user: Any) -> Head:
    hour = timezone.localtime().hour
    greeting = _("Good morning") if hour < 12 else _("Good afternoon") if hour < 18 else _("Good evening")
    title = _("%(greeting)s, %(name)s") % {"greeting": greeting, "name": user} if str(user) else greeting
    about = (formats.prose_day(timezone.localdate()), str(getattr(user, "department", None) or ""))
    return Head(title=title, note=" · ".join(part for part in about if part))


def _card(panel: registered.Panel, request: HttpRequest) -> dict[str, Any]:
    made = panel_context(panel, request.user, request)
    return {**made, "data": made}


@login_not_required
def health_view(request: HttpRequest) -> HttpResponse:
    """200 when the database answers, for load balancers and containers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})
