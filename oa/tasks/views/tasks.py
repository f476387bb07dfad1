"""The board of tasks, and the checklist of one."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from kit.pages.actions import Action
from kit.pages.resources import by_model
from kit.pages.views.heads import Head, crumbs
from kit.pages.views.lists import fragment_or_page, require
from kit.pages.views.records import find
from kit.values.errors import BusinessError
from kit.values.keys import is_key
from oa.tasks.models import Task
from oa.tasks.services import tasks as services
from oa.tasks.views.acting import act

COLUMNS = ("open", "progress", "deferred", "done")
CARDS = 50  # in a column, "show more" adds as many
MOVES = {name: Task.STATES.transition(name) for name in ("start", "finish", "resume", "verify")}


@require_GET
def board_view(request: HttpRequest) -> HttpResponse:
    """Tasks by state; every card has buttons that move it, so that nothing needs dragging (UX 6.3)."""
    resource = by_model[Task]
    require(request.user, resource, "view")
    who, text = request.GET.get("view", "mine"), request.GET.get("q", "").strip()
    rows = resource.queryset(request.user).filter(state__in=COLUMNS)
    if who in ("mine", "given"):
        rows = rows.filter(owner=request.user) if who == "mine" else rows.filter(created_by=request.user)
    if text:
        rows = resource.search(rows, text)
    more = request.GET.get("more", "")
    limit = CARDS * min(max(int(more), 1), 20) if is_key(more) else CARDS
    head = Head(
        title=_("Task board"),
        crumbs=[*crumbs(resource), (_("Board"), "")],
        actions=[
            Action(_("List"), resource.url(), icon="list", name="list"),
            Action(_("New task"), resource.url("new"), icon="plus", primary=True, key="c", name="new"),
        ],
    )
    context = {
        "head": head,
        "columns": _columns(request, rows, limit),
        "views": [(name, label, name == who) for name, label in _views()],
        "who": who,
        "q": text,
        "next_more": limit // CARDS + 1,
    }
    return fragment_or_page(request, "oa/tasks/board.html", context)


def _views() -> list[tuple[str, Any]]:
    return [("mine", _("Mine")), ("given", _("Given by me")), ("all", _("All"))]


def _columns(request: HttpRequest, rows: Any, limit: int) -> list[dict[str, Any]]:
    """State, number of tasks and cards of each column; two statements and one for steps."""
    counts = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    place = Window(RowNumber(), partition_by=F("state"), order_by=[F("due_on").asc(nulls_last=True), "priority", "pk"])
    shown = rows.annotate(place=place).filter(place__lte=limit).select_related("owner")
    shown = shown.annotate(
        steps=Count("checklist"), ticked=Count("checklist", filter=Q(checklist__done_at__isnull=False))
    )
    changes = request.user.has_perm("oa.change_task")
    resource = by_model[Task]
    cards: dict[str, list[Any]] = defaultdict(list)
    for task in shown.order_by("place"):
        moves = [(name, move.label) for name, move in MOVES.items() if changes and task.state in move.sources]
        if task.created_by_id != request.user.pk or task.owner_id == request.user.pk:
            moves = [move for move in moves if move[0] != "verify"]
        cards[task.state].append((task, resource.url_for(task), moves))
    return [
        {
            "state": Task.STATES[name],
            "count": counts.get(name, 0),
            "cards": cards[name],
            "more": counts.get(name, 0) > len(cards[name]),
        }
        for name in COLUMNS
    ]


@require_POST
def move_view(request: HttpRequest, key: str, name: str) -> HttpResponse:
    """Move a card to another column, and back to the board."""
    resource = by_model[Task]
    require(request.user, resource, "view")
    task = find(request, resource, key)
    command = next((c for c in resource.commands_for(task, request.user) if c.name == name and name in MOVES), None)
    back = f"{reverse('task-board')}?view={request.POST.get('view', 'mine')[:10]}"

    def effect() -> Any:
        if command is None:
            if name in MOVES:
                Task.STATES.check(name, task)
            raise BusinessError(_("You do not have the right to change this %s.") % resource.title)
        return command.run(task, by=request.user)

    return act(request, f"task.{name}.{task.pk}", effect, back, f"{command.label}: {task}" if command else "")


@require_POST
def checklist_view(request: HttpRequest, key: str) -> HttpResponse:
    """Add, tick, move or remove a step of a task."""
    resource = by_model[Task]
    require(request.user, resource, "change")
    task = find(request, resource, key)
    step = request.POST.get("step", "")
    number = int(step) if is_key(step) else 0
    by: Any = request.user
    effects = {
        "add": lambda: services.add_steps(task, request.POST.get("text", ""), by=by),
        "tick": lambda: services.tick(task, number, True, by=by),
        "untick": lambda: services.tick(task, number, False, by=by),
        "up": lambda: services.move_step(task, number, True, by=by),
        "drop": lambda: services.drop_step(task, number, by=by),
    }
    effect = effects.get(request.POST.get("do", ""))
    if effect is None:
        raise Http404
    return act(request, f"task.steps.{task.pk}", effect, f"{resource.url_for(task)}#checklist")
