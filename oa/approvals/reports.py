"""How long approvals take, by step and by person (rule X-13)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Aggregate, Avg, Count, DurationField, F, Max, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.exchange.params import Param
from kit.exchange.reports import Report, ReportColumn, register
from kit.values.money import round_half_up
from oa.approvals.models import ApprovalTask, Flow
from oa.approvals.models.requests import TaskRole
from oa.organisation.models import User
from oa.organisation.zones import known_zone

OVERSEES = "oa.manage_approvalrequest"
STEP, PERSON, FLOW = "step", "person", "flow"
GROUPS = {STEP: _("step"), PERSON: _("person"), FLOW: _("approval flow")}
KEYS = {STEP: ("flow", "stage", "step"), PERSON: ("person",), FLOW: ("flow",)}  # what makes a row
PLACES = {
    "flow": "request__flow_version__flow",
    "stage": "node__stage",
    "step": "node__step__name",
    "person": "decided_by",
}


class Median(Aggregate):
    """The value in the middle, computed by the database."""

    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


def opens_durations(user: Any) -> bool:
    """Whoever oversees approvals, and administrators of flows for their own."""
    return bool(user.has_perm(OVERSEES) or Flow.objects.filter(admin=user.pk).exists())


def decisions(params: Mapping[str, Any], user: Any) -> QuerySet[ApprovalTask]:
    """What people decided in the period, in the flows that `user` answers for."""
    rows = ApprovalTask.objects.filter(
        state__in=("approved", "rejected", "returned"),
        role__in=(TaskRole.SIGN, TaskRole.ADDED),
        decided_by__isnull=False,
        started_at__isnull=False,
    )
    if not user.has_perm(OVERSEES):
        rows = rows.filter(request__flow_version__flow__admin=user.pk)
    if params["flow"] is not None:
        rows = rows.filter(request__flow_version__flow=params["flow"])
    if params["date_from"] is not None:
        rows = rows.filter(decided_at__gte=_midnight(params["date_from"]))
    if params["date_to"] is not None:
        rows = rows.filter(decided_at__lt=_midnight(params["date_to"] + dt.timedelta(days=1)))
    return rows


def _midnight(day: dt.date) -> dt.datetime:
    """Where a day of the company begins."""
    return dt.datetime.combine(day, dt.time(), known_zone())


def _hours(took: dt.timedelta) -> Decimal:
    return round_half_up(Decimal(took.total_seconds()) / 3600, 2)


class ApprovalDurations(Report):
    """From the moment a person is asked to their verdict."""

    name = "approval-durations"
    title = _("Duration of approvals")
    section = "office"
    permission = opens_durations
    description = _("How many decisions were taken, how long they took, and how many came too late.")
    params = (
        Param("date_from", pgettext_lazy("date", "From"), "date"),
        Param("date_to", pgettext_lazy("date", "To"), "date"),
        Param("group_by", _("Group by"), "choice", STEP, tuple(GROUPS.items()), required=True),
        Param("flow", _("Approval flow"), "model", model="oa.flow"),
    )
    notes = _(
        "Decisions taken in these days. Hours from being asked to the verdict, nights and holidays included; what the "
        "clock decided is left out. Overdue share: of the decisions that had a time limit."
    )

    def columns(self, params: dict[str, Any]) -> list[ReportColumn]:
        """What the row is about, and its figures."""
        flow = ReportColumn("flow", _("Approval flow"), link=lambda row: row["url"])
        heads = {
            STEP: [flow, ReportColumn("stage", _("Stage"), "integer"), ReportColumn("step", _("Step"))],
            PERSON: [ReportColumn("person", _("Person")), ReportColumn("department", _("Department"))],
            FLOW: [flow],
        }
        return [
            *heads[params["group_by"]],
            ReportColumn("decisions", pgettext_lazy("approval", "Decisions"), "integer", total=True),
            ReportColumn("average", _("Average (h)"), "quantity"),
            ReportColumn("median", _("Median (h)"), "quantity"),
            ReportColumn("longest", _("Longest (h)"), "quantity"),
            ReportColumn("limited", _("With a time limit"), "integer", total=True),
            ReportColumn("late", _("Overdue"), "integer", total=True),
            ReportColumn("overdue", _("Overdue share"), "percent"),
        ]

    def rows(self, params: dict[str, Any], user: Any) -> list[dict[str, Any]]:
        """One row for each step, person or flow; two statements, however many decisions there are."""
        keys = KEYS[params["group_by"]]
        found = (
            decisions(params, user)
            .annotate(took=F("decided_at") - F("started_at"), **{f"of_{key}": F(PLACES[key]) for key in keys})
            .values(*(f"of_{key}" for key in keys))
            .annotate(
                decisions=Count("pk"),
                average=Avg("took"),
                median=Median("took"),
                longest=Max("took"),
                limited=Count("due_at"),
                late=Count("pk", filter=Q(decided_at__gt=F("due_at"))),
            )
            .order_by()
        )
        rows = [_figures(row) | {key: row[f"of_{key}"] for key in keys} for row in found]
        return _by_person(rows) if params["group_by"] == PERSON else _by_flow(rows, user)


def _figures(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("decisions", "limited", "late")},
        **{name: _hours(row[name]) for name in ("average", "median", "longest")},
        "overdue": round_half_up(Decimal(row["late"] * 100) / row["limited"], 1) if row["limited"] else None,
    }


def _by_person(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    people = User.objects.select_related("department").in_bulk([row["person"] for row in rows])
    named = [
        row | {"person": str(people[row["person"]]), "department": str(people[row["person"]].department or "")}
        for row in rows
    ]
    return sorted(named, key=lambda row: (row["department"], row["person"]))


def _by_flow(rows: list[dict[str, Any]], user: Any) -> list[dict[str, Any]]:
    """With the names of flows, which lead to them for who may open them; a step without one is the last resort."""
    flows, opens = Flow.objects.in_bulk({row["flow"] for row in rows}), user.has_perm("oa.view_flow")
    named = [
        row
        | {
            "flow": str(flows[row["flow"]]),
            "step": row.get("step") or _("Administrator"),
            "url": reverse("flow-record", args=(flows[row["flow"]].code,)) if opens else None,
        }
        for row in rows
    ]
    return sorted(named, key=lambda row: (row["flow"], row.get("stage") or 0, str(row["step"])))


register(ApprovalDurations())
