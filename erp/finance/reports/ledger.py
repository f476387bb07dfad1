"""General ledger 明细账: every line of an account with the balance after it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from erp.finance.models import JournalLine
from erp.finance.reports.balances import account_name, balances, within
from erp.finance.reports.trial_balance import DATES
from kit.exchange.reports import Param, Report, ReportColumn, record_url, register
from kit.values.money import ZERO

FIELDS = (
    "account_id",
    "account__code",
    "account__name",
    "account__name_zh",
    "date",
    "entry__number",
    "entry__source",
    "entry__source_number",
    "memo",
    "entry__memo",
    "customer__code",
    "customer__name",
    "supplier__code",
    "supplier__name",
    "debit",
    "credit",
)


class GeneralLedger(Report):
    """Opening row, movements and running balance per account, debit positive (rule F-10)."""

    name = "general-ledger"
    title = _("General ledger")
    section = "finance"
    permission = ("erp.view_journalline", "erp.view_periodbalance")
    description = _("All movements of one or all accounts with the running balance.")
    params = (*DATES, Param("account", _("Account"), "model", model="erp.account"))
    notes = _("Balances are positive on the debit side; a group account shows all accounts below it.")

    def columns(self, params: dict[str, Any]) -> list[ReportColumn]:
        return [
            ReportColumn("account", _("Account"), display=lambda row: f"{row['account']} {row['_name']}"),
            ReportColumn("date", _("Date"), "date"),
            ReportColumn("entry", _("Entry"), link=lambda row: record_url("erp.journalentry", row["entry"])),
            ReportColumn("document", _("Document"), link=lambda row: record_url(row["_source"], row["document"])),
            ReportColumn("memo", _("Summary")),
            ReportColumn("partner", _("Partner"), display=lambda row: row["_partner"]),
            ReportColumn("debit", _("Debit"), "money", total=True),
            ReportColumn("credit", _("Credit"), "money", total=True),
            ReportColumn("balance", _("Balance"), "money"),
        ]

    def rows(self, params: dict[str, Any], user: Any) -> list[dict[str, Any]]:
        start, end, account = params["date_from"], params["date_to"], params["account"]
        lines = JournalLine.objects.visible_to(user).filter(date__gte=start, date__lte=end)
        if account is not None:
            lines = lines.filter(within(account))
        opening = balances(start, start - dt.timedelta(days=1), user, account=account)
        before = {key: found.opening for key, found in opening.items() if found.opening}
        movements: dict[int, list[dict[str, Any]]] = {}
        for line in lines.order_by("date", "id").values(*FIELDS):
            movements.setdefault(line["account_id"], []).append(line)
        codes = {key: (found.code, found.name) for key, found in opening.items() if key in before}
        codes |= {key: _account(rows[0]) for key, rows in movements.items()}
        result: list[dict[str, Any]] = []
        for key in sorted(codes, key=lambda key: codes[key]):
            result += _of_account(codes[key], start, before.get(key, ZERO), movements.get(key, ()))
        return result


def _account(line: Mapping[str, Any]) -> tuple[str, str]:
    return line["account__code"], account_name(line["account__name"], line["account__name_zh"])


def _of_account(account: tuple[str, str], start: dt.date, opening: Decimal, lines: Any) -> list[dict[str, Any]]:
    """The rows of one account; the opening row carries a balance only."""
    code, name = account
    head = {"account": code, "_name": name}
    rows: list[dict[str, Any]] = []
    if opening:
        rows.append(
            head
            | {
                "date": start,
                "entry": "",
                "document": "",
                "memo": gettext("Opening balance"),
                "partner": "",
                "_partner": "",
                "_source": "",
                "debit": None,
                "credit": None,
                "balance": opening,
            }
        )
    balance = opening
    for line in lines:
        balance += line["debit"] - line["credit"]
        rows.append(
            head
            | {
                "date": line["date"],
                "entry": line["entry__number"],
                "document": line["entry__source_number"],
                "memo": line["memo"] or line["entry__memo"],
                "partner": line["customer__code"] or line["supplier__code"] or "",
                "_partner": line["customer__name"] or line["supplier__name"] or "",
                "_source": line["entry__source"],
                "debit": line["debit"],
                "credit": line["credit"],
                "balance": balance,
            }
        )
    return rows


register(GeneralLedger())
