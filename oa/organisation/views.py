"""The home desk and the health check."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kit.pages import formats
from kit.pages import panels as registered
from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page
from kit.pages.views.panels import panel_context

DESK = "desk"
QUEUE, FIGURES = 8, 5  # rows of the queue and figures of the strip


@require_safe
def desk_view(request: HttpRequest) -> HttpResponse:
    """What waits for me, and my figures; higher layers register both under `desk`."""
    user = request.user
    figures = [figure for source in registered.figures[DESK] for figure in source(user, user)]
    shown = registered.panels_for(DESK, user)
    cards = {where: [panel_context(p, user, request) for p in shown if p.where == where] for where in ("main", "side")}
    tasks = registered.queue(user, QUEUE + 1)
    hour = timezone.localtime().hour
    greeting = _("Good morning") if hour < 12 else _("Good afternoon") if hour < 18 else _("Good evening")
    head = Head(
        title=_("%(greeting)s, %(name)s") % {"greeting": greeting, "name": user} if str(user) else greeting,
        note=" · ".join(
            part
            for part in (
                formats.prose_day(timezone.localdate()),
                str(getattr(user, "department", None) or ""),
            )
            if part
        ),
    )
    head.actions = [action for source in registered.actions[DESK] for action in source(user, user)]
    return fragment_or_page(
        request,
        "oa/desk.html",
        {
            "head": head,
            "figures": figures[:FIGURES],
            "main": cards["main"],
            "side": cards["side"],
            "today": timezone.localdate(),
            "tasks": tasks[:QUEUE],
            "more_tasks": len(tasks) > QUEUE,
        },
    )


@login_not_required
def health_view(request: HttpRequest) -> HttpResponse:
    """200 when the database answers, for load balancers and containers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})
