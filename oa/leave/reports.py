"""Balances of the staff on a day (rule H-01)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from kit.exchange.params import Param
from kit.exchange.reports import Report, ReportColumn, register
from kit.pages.resources import by_model
from kit.rules.days import business_day
from oa.leave.models import LeaveEntry
from oa.leave.models.ledger import EntryKind


def _ledger(row: Mapping[str, Any]) -> str:
    query = urlencode({"person": row["person_key"], "type": row["type_key"]})
    return f"{by_model[LeaveEntry].url()}?{query}"


class LeaveBalances(Report):
    """Granted, taken, expired and left, by person and type."""

    name = "leave-balances"
    title = _("Leave balances")
    section = "office"
    permission = "oa.view_leaveentry"
    description = _("What of their leave people had taken and had left on a day. Days or hours, as the type counts.")
    params = (
        Param("date", _("On"), "date", lambda known: str(business_day())),
        Param("department", _("Department"), "model", model="oa.department"),
        Param("type", _("Leave type"), "model", model="oa.leavetype"),
    )

    def columns(self, params: dict[str, Any]) -> list[ReportColumn]:
        """Person, department, type and the sums."""
        return [
            ReportColumn("person", _("Person")),
            ReportColumn("department", _("Department")),
            ReportColumn("type", _("Leave type")),
            ReportColumn("granted", _("Granted"), "quantity"),
            ReportColumn("taken", _("Taken"), "quantity"),
            ReportColumn("expired", _("Expired"), "quantity"),
            ReportColumn("balance", _("Balance"), "quantity", link=_ledger),
        ]

    def rows(self, params: dict[str, Any], user: Any) -> list[dict[str, Any]]:
        """One row for each person and type with entries until the day; one statement."""
        entries = LeaveEntry.objects.visible_to(user).filter(date__lte=params["date"] or business_day())
        if params.get("department"):
            entries = entries.filter(person__department=params["department"])
        if params.get("type"):
            entries = entries.filter(type=params["type"])
        taken = Q(kind__in=(EntryKind.USE, EntryKind.RETURN, EntryKind.PAYOUT))
        expired = Q(kind__in=(EntryKind.EXPIRY, EntryKind.CARRY))
        names = {
            "person_key": "person", "type_key": "type", "who": "person__name", "login": "person__username",
            "unit": "person__department__name", "english": "type__name", "chinese": "type__name_zh",
        }  # fmt: skip
        found = entries.order_by("person__name", "person", "type__code").values(*names.values()).annotate(
            granted=Sum("units", filter=~taken & ~expired), used=Sum("units", filter=taken),
            gone=Sum("units", filter=expired), balance=Sum("units"),
        )  # fmt: skip
        return [_row(row) for row in found]


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    from django.utils.translation import get_language

    chinese = (get_language() or "").startswith("zh") and row["type__name_zh"]
    return {
        "person_key": row["person"],
        "type_key": row["type"],
        "person": row["person__name"] or row["person__username"],
        "department": row["person__department__name"] or "",
        "type": chinese or row["type__name"],
        "granted": row["granted"] or 0,
        "taken": -(row["used"] or 0),
        "expired": -(row["gone"] or 0),
        "balance": row["balance"],
    }


register(LeaveBalances())
