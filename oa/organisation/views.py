"""The home desk and the health check."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from kit.pages import panels as registered
from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page
from kit.pages.views.records import panel_context

DESK = "desk"


def desk_view(request: HttpRequest) -> HttpResponse:
    """What waits for me, and my figures; higher layers register both under `desk`."""
    user = request.user
    figures = [figure for source in registered.figures[DESK] for figure in source(user, user)]
    cards = [panel_context(panel, user, request) for panel in registered.panels_for(DESK, user)]
    hour = timezone.localtime().hour
    greeting = _("Good morning") if hour < 12 else _("Good afternoon") if hour < 18 else _("Good evening")
    head = Head(title=f"{greeting}, {user}" if str(user) else greeting)
    return fragment_or_page(request, "oa/desk.html", {"head": head, "figures": figures, "cards": cards, "today": timezone.localdate()})


@login_not_required
def health_view(request: HttpRequest) -> HttpResponse:
    """200 when the database answers, for load balancers and containers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})
