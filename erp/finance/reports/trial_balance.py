"""Trial balance 科目余额表."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from erp.finance.reports.balances import balances, fiscal_year_start, today
from kit.exchange.reports import Param, Report, ReportColumn, register, report_url

DATES = (
    Param("date_from", pgettext_lazy("date", "From"), "date", fiscal_year_start, required=True),
    Param("date_to", pgettext_lazy("date", "To"), "date", today, required=True),
)


class TrialBalance(Report):
    """Opening, turnovers and closing of every account that has any; debit positive (rule F-10)."""

    name = "trial-balance"
    title = _("Trial balance")
    section = "finance"
    permission = ("erp.view_journalline", "erp.view_periodbalance")
    description = _("Opening balance, debits, credits and closing balance of each account.")
    params = (*DATES, Param("recompute", _("Recompute from journal lines"), "bool"))
    notes = _("Balances are positive on the debit side. Amounts are in base currency.")

    def columns(self, params: dict[str, Any]) -> list[ReportColumn]:
        def ledger(row: Mapping[str, Any]) -> str:
            dates = {"date_from": params["date_from"], "date_to": params["date_to"]}
            return report_url("general-ledger", account=row["account"], **dates)

        amounts = (("opening", _("Opening")), ("debit", _("Debit")), ("credit", _("Credit")), ("closing", _("Closing")))
        return [
            ReportColumn("account", _("Account"), link=ledger),
            ReportColumn("name", _("Name")),
            *(ReportColumn(name, label, "money", total=True, link=ledger) for name, label in amounts),
        ]

    def rows(self, params: dict[str, Any], user: Any) -> list[dict[str, Any]]:
        found = balances(params["date_from"], params["date_to"], user, recompute=params["recompute"])
        return [
            {
                "account": b.code,
                "name": b.name,
                "opening": b.opening,
                "debit": b.debit,
                "credit": b.credit,
                "closing": b.closing,
            }
            for b in sorted(found.values(), key=lambda b: b.code)
            if b.opening or b.debit or b.credit
        ]


register(TrialBalance())
