"""What is owed to us and by us, by how long it is overdue (rules A-03 and A-12)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import F, Q, QuerySet, Sum, Value
from django.utils.translation import gettext_lazy as _

from erp.finance.models import Allocation, OpenItem
from kit.exchange.charts import Series, bar_chart
from kit.exchange.reports import Param, Report, ReportColumn, record_url, register
from kit.rules.days import business_day
from kit.values.money import ZERO

# name, label, least and most days overdue
BUCKETS = (
    ("not_due", _("Not due"), None, 0),
    ("d1_30", _("1–30 days"), 1, 30),
    ("d31_60", _("31–60 days"), 31, 60),
    ("d61_90", _("61–90 days"), 61, 90),
    ("over_90", _("Over 90 days"), 91, None),
)
NAMES = tuple(name for name, *_rest in BUCKETS)


class AgedItems(Report):
    """Open items of customers or suppliers as of a day: original amounts minus allocations dated until then.

    Whatever was allocated, or undone, later does not count, so a past day shows what it showed then.
    """

    section = "finance"
    params = (Param("as_of", _("As of"), "date", lambda values: business_day(), required=True),)
    notes = _("By due date, in the currency of the documents. Unallocated payments reduce the amount.")
    total_by = "currency"
    partner: ClassVar[str]  # the column of OpenItem that names the partner
    partner_model: ClassVar[str]
    sign: ClassVar[int]

    def columns(self, params: dict[str, Any]) -> list[ReportColumn]:
        return [
            ReportColumn(
                "partner",
                _("Partner"),
                link=lambda row: record_url(self.partner_model, row["partner"]),
                display=lambda row: row["_name"],
            ),
            ReportColumn("currency", _("Currency")),
            *(ReportColumn(name, label, "money", total=True) for name, label, *_rest in BUCKETS),
            ReportColumn("total", _("Total"), "money", total=True),
        ]

    def rows(self, params: dict[str, Any], user: Any) -> list[dict[str, Any]]:
        day, partner = params["as_of"], self.partner
        items = OpenItem.objects.visible_to(user).filter(date__lte=day, **{f"{partner}__isnull": False}).order_by()
        opened = items.values(
            partner_id=F(f"{partner}_id"),
            partner_code=F(f"{partner}__code"),
            partner_name=F(f"{partner}__name"),
            currency_code=F("currency__code"),
        ).annotate(**_sums("amount", "due_date", day))
        rows: dict[tuple[int, str], dict[str, Any]] = {
            (row["partner_id"], row["currency_code"]): {
                "partner": row["partner_code"],
                "_name": row["partner_name"],
                "currency": row["currency_code"],
                **{name: (row[f"in_{name}"] or ZERO) * self.sign for name in NAMES},
            }
            for row in opened
        }
        for taken in _allocated(items, partner, day):
            row = rows[taken["partner_id"], taken["currency_code"]]
            sign = self.sign if taken["debit"] else -self.sign
            for name in NAMES:
                row[name] -= (taken[f"in_{name}"] or ZERO) * sign
        for row in rows.values():
            row["total"] = sum((row[name] for name in NAMES), ZERO)
        left = [row for row in rows.values() if any(row[name] for name in NAMES)]
        return sorted(left, key=lambda row: (row["currency"], -row["total"], row["partner"]))

    def chart(self, rows: Sequence[Mapping[str, Any]], params: dict[str, Any]) -> str:
        currencies = {row["currency"] for row in rows}
        if len(currencies) > 1:
            return ""  # amounts in several currencies cannot be added
        values = [sum((row[name] for row in rows), ZERO) for name in NAMES]
        labels = [str(label) for _name, label, *_rest in BUCKETS]
        return bar_chart(labels, [Series("", values)], title=str(self.title), unit=currencies.pop(), height=180)


def _sums(amount: str, due: str, day: dt.date) -> dict[str, Sum]:
    """One sum for each bucket: `amount` where the column `due` lies that many days before `day`."""
    sums = {}
    for name, _label, least, most in BUCKETS:
        condition = Q()
        if least is not None:
            condition &= Q(**{f"{due}__lte": day - dt.timedelta(days=least)})
        if most is not None:
            condition &= Q(**{f"{due}__gte": day - dt.timedelta(days=most)})
        sums[f"in_{name}"] = Sum(amount, filter=condition)
    return sums


def _allocated(items: QuerySet[OpenItem], partner: str, day: dt.date) -> Iterable[Any]:
    """What allocations until `day` took from the debit and from the credit items, in one statement."""
    parts = []
    for side in ("debit", "credit"):
        item = f"{side}_item"
        rows = Allocation.objects.filter(date__lte=day, **{f"{item}__in": items}).order_by()
        keys = {
            "partner_id": F(f"{item}__{partner}_id"),
            "currency_code": F(f"{item}__currency__code"),
            "debit": Value(side == "debit"),
        }
        parts.append(rows.values(**keys).annotate(**_sums("amount", f"{item}__due_date", day)))
    return parts[0].union(parts[1], all=True)


class AgedReceivables(AgedItems):
    """What customers owe us."""

    name = "aged-receivables"
    title = _("Aged receivables")
    permission = "erp.view_openitem"
    description = _("What customers owe, by days overdue, as of any day.")
    partner = "customer"
    partner_model = "crm.customer"
    sign = 1


class AgedPayables(AgedItems):
    """What we owe suppliers, as positive amounts."""

    name = "aged-payables"
    title = _("Aged payables")
    permission = ("erp.view_openitem", "erp.view_bill")
    description = _("What we owe suppliers, by days overdue, as of any day.")
    partner = "supplier"
    partner_model = "erp.supplier"
    sign = -1


register(AgedReceivables())
register(AgedPayables())
