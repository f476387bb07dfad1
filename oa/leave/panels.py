"""What leave adds to pages: approval, actions and entries of a request, its days in calendars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from kit.pages.actions import Action
from kit.pages.panels import Panel, Task, Waiting, actions, panels, waiting
from kit.pages.resources import by_model
from oa.approvals.models import ApprovalRequest
from oa.approvals.models.requests import OPEN
from oa.approvals.panels import show_on
from oa.approvals.services.submission import version_in_force
from oa.leave import calendar  # register the source of calendars
from oa.leave.approving import when
from oa.leave.models import LeaveRequest
from oa.leave.models.requests import WAITING
from oa.leave.rules import team_away, with_unit
from oa.leave.services.requests import CANCEL, KIND, MANAGES
from oa.organisation.lines import chains_of

MOST = 200  # that a manager is asked about at a time


def request_actions(request: LeaveRequest, user: Any) -> Sequence[Action]:
    """Submit and cancel through the flow in force."""
    if request.person_id != user.pk or not user.has_perm("oa.change_leaverequest"):
        return []
    made = []
    if request.state == "draft" and version_in_force(KIND) is not None:
        url = reverse("approval-submit", args=(KIND, request.pk))
        made.append(Action(_("Submit for approval"), url, icon="send", primary=True, name="submit"))
    if request.state == "approved" and version_in_force(CANCEL) is not None:
        url = reverse("approval-submit", args=(CANCEL, request.pk))
        made.append(Action(_("Ask for cancellation"), url, icon="ban", menu=True, name="cancel"))
    return made


def away_with(request: LeaveRequest, user: Any) -> dict[str, Any]:
    """Colleagues who are away at the same time; no kind, no reason."""
    return {"away": [(str(row.person), row.first_day, row.last_day) for row in team_away(request)]}


def _undecided(user: Any) -> Sequence[QuerySet[LeaveRequest]]:
    """Leave without a flow of whom `user` leads, near or far; of everybody for who manages leave."""
    if not user.has_perm("oa.approve_leaverequest"):
        return []
    open_ones = LeaveRequest.objects.filter(state__in=WAITING)
    rows = open_ones.visible_to(user) if user.has_perm(MANAGES) else open_ones.filter(LeaveRequest.objects.led_by(user))
    runs = ApprovalRequest.objects.filter(kind__in=(KIND, CANCEL), state__in=OPEN)
    return [rows.exclude(person=user.pk).exclude(pk__in=runs.values("object_id"))]


def to_decide(user: Any, limit: int) -> Sequence[Task]:
    """Leave that waits for a decision of `user` without a flow: three statements, however much it is."""
    manages = user.has_perm(MANAGES)
    found: list[LeaveRequest] = []
    for rows in _undecided(user):
        asked = rows.select_related("type", "person").order_by("first_day", "pk")
        found += asked[: limit if manages else MOST]
    if not manages and found:
        lines = chains_of({row.person_id for row in found})
        found = [row for row in found if lines[row.person_id][:1] == [user]]
    return [_task(row) for row in found[:limit]]


def _task(row: LeaveRequest) -> Task:
    kind = _("Leave") if row.state == "approving" else _("Cancellation of leave")
    facts = f"{row.type} · {when(row)} · {with_unit(row.type, row.net)}"
    return Task(kind, "viol", str(row.person), by_model[LeaveRequest].url_for(row), facts, row.first_day)


waiting.append(Waiting(_undecided, to_decide, exact=False))
show_on("oa.leaverequest")
actions["oa.leaverequest"].append(request_actions)
panels["oa.leaverequest"] += [
    Panel("away", gettext_lazy("Away at the same time"), "side", template="oa/leave/away.html", context=away_with),
    Panel(
        "entries", gettext_lazy("Ledger"), "tab", "leaveentry", "request", ("date", "kind", "units", "reason"),
        permission="oa.view_leaveentry",
    ),
]  # fmt: skip
panels["oa.leavetype"].append(
    Panel(
        "steps", gettext_lazy("Yearly grants"), "main", "grantstep", "type", ("months", "units"),
        permission="oa.view_grantstep", create=True,
    )
)  # fmt: skip
panels["oa.workcalendar"] += [
    Panel(
        "days", gettext_lazy("Special days"), "main", "calendarday", "calendar", ("date", "name", "kind"),
        permission="oa.view_calendarday", create=True,
    ),
    Panel(
        "assignments", pgettext_lazy("working calendar", "For whom"), "side", "calendarassignment", "calendar",
        ("department", "person", "since"), permission="oa.view_calendarassignment", create=True,
    ),
]  # fmt: skip
__all__ = ["calendar"]
