"""What happened on a day: orders, deliveries, invoices and receipts of every salesperson."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db import models
from django.db.models import Count, DecimalField, F, QuerySet, Sum
from django.db.models.functions import Round
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from erp.finance.currencies import base_currency
from erp.finance.models import Payment
from erp.finance.models.payments import Direction
from erp.sales.models import Delivery, DeliveryLine, Invoice, SalesOrder
from kit.exchange.charts import Series, bar_chart
from kit.exchange.reports import Param, Report, ReportColumn, record_url, register
from kit.rules.days import business_day
from kit.values.money import ZERO

AMOUNT = DecimalField(max_digits=24, decimal_places=2)
PEOPLE = 12  # more groups of bars are not readable
ORDERED = ("confirmed", "closed")
POSTED = ("posted", "reversed")

# Keys and names of a group: salesperson and department.
KEYS = ("owner_id", "owner__username", "owner__name", "department_id", "department__code", "department__name")


@dataclass(frozen=True)
class Source:
    """One kind of document of the day: whose rows, which of them, how they add up, and their list."""

    name: str
    count_label: Any
    amount_label: Any
    model: type[models.Model]
    permissions: tuple[str, ...]
    states: tuple[str, ...]
    slug: str  # of the resource whose list shows exactly these documents
    group: Callable[[QuerySet[Any]], QuerySet[Any, dict[str, Any]]]
    fixed: tuple[tuple[str, Any], ...] = ()

    def allowed(self, user: Any) -> bool:
        """Whether `user` may see these documents and their amounts at all."""
        return all(user.has_perm(permission) for permission in self.permissions)

    def documents(self, day: dt.date, user: Any) -> QuerySet[Any]:
        """The documents of `day` that `user` may see (rule G-21)."""
        rows = self.model._default_manager.visible_to(user)  # type: ignore[attr-defined]
        return rows.filter(date=day, state__in=self.states, **dict(self.fixed)).order_by()

    def link(self, day: dt.date, row: Mapping[str, Any], *, whole: bool = False) -> str | None:
        """The list of the documents behind a figure; `whole`: of the person in all departments.

        None where the list cannot be narrowed to them, because they have no owner or no department.
        """
        if not row["owner"] or (not row["department"] and not whole):
            return None
        query: list[tuple[str, Any]] = [("date_from", day), ("date_to", day)]
        query += [("state", state) for state in self.states]
        query += [("owner", row["owner_id"]), ("owner_text", row["owner"])]
        if not whole:
            query += [("department", row["department_id"]), ("department_text", row["department"])]
        return f"{reverse(f'{self.slug}-list')}?{urlencode(query)}"


def _by_head(amount: str) -> Callable[[QuerySet[Any]], QuerySet[Any, dict[str, Any]]]:
    """Documents that carry their amount in base currency themselves."""
    return lambda documents: documents.values(*KEYS).annotate(documents=Count("pk"), amount=Sum(amount))


def _by_delivered_lines(documents: QuerySet[Any]) -> QuerySet[Any, Any]:
    """Deliveries at the prices of their orders, tax included, every line rounded."""
    line = F("order_line__net") + F("order_line__tax")
    value = F("quantity") / F("order_line__quantity") * line * F("order_line__order__rate")
    rounded = Round(value, base_currency().exponent, output_field=AMOUNT)
    rows = DeliveryLine.objects.filter(delivery__in=documents).order_by()
    keys = {name: F(f"delivery__{name}") for name in KEYS}
    return rows.values(**keys).annotate(documents=Count("delivery", distinct=True), amount=Sum(rounded))


SOURCES = (
    Source(
        "orders", _("Orders"), _("Ordered"), SalesOrder, ("erp.view_salesorder",), ORDERED, "salesorder",
        _by_head("base_total"),
    ),
    Source(
        "deliveries", _("Deliveries"), _("Delivered"), Delivery, ("erp.view_delivery", "erp.view_salesorderline"),
        POSTED, "delivery", _by_delivered_lines,
    ),
    Source(
        "invoices", _("Invoices"), _("Invoiced"), Invoice, ("erp.view_invoice",), POSTED, "invoice",
        _by_head("base_total"),
    ),
    Source(
        "receipts", _("Receipts"), pgettext_lazy("money", "Received"), Payment, ("erp.view_payment",), POSTED,
        "receipt",
        _by_head("base_amount"), (("direction", Direction.RECEIVE),),
    ),
)  # fmt: skip


class DailyBusiness(Report):
    """Counts and amounts of one day by salesperson and department, each from what the reader may see."""

    name = "daily-business"
    title = _("Daily business")
    section = "sales"
    description = _("Orders, deliveries, invoices and receipts of a day by salesperson and department.")
    params = (Param("date", _("Date"), "date", lambda values: business_day(), required=True),)
    notes = _(
        "By document date, in base currency, tax included; deliveries at the prices of their orders. A reversed "
        "document and its reversal both count, so that their amounts cancel out."
    )

    @staticmethod
    def permission(user: Any) -> bool:
        """Whoever may see one of the sources; the others stay empty."""
        return any(source.allowed(user) for source in SOURCES)

    def columns(self, params: dict[str, Any]) -> list[ReportColumn]:
        return [
            ReportColumn(
                "owner",
                _("Salesperson"),
                display=lambda row: row["owner_name"] or gettext("(none)"),
                link=lambda row: record_url("oa.user", row["owner"]),
            ),
            ReportColumn(
                "department",
                _("Department"),
                display=lambda row: row["department_name"] or gettext("(none)"),
                link=lambda row: record_url("oa.department", row["department"]),
            ),
            *(column for source in SOURCES for column in _columns(source, params["date"])),
        ]

    def rows(self, params: dict[str, Any], user: Any) -> list[dict[str, Any]]:
        rows: dict[tuple[int | None, int | None], dict[str, Any]] = {}
        seen = [source for source in SOURCES if source.allowed(user)]
        for source in seen:
            for found in source.group(source.documents(params["date"], user)):
                row = rows.setdefault((found["owner_id"], found["department_id"]), _empty_row(found, seen))
                row[source.name] = found["documents"]
                row[f"{source.name}_amount"] = found["amount"] or ZERO
        return sorted(rows.values(), key=lambda row: (row["department"], -(row["orders_amount"] or ZERO), row["owner"]))

    def totals(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[ReportColumn]) -> list[dict[str, Any]]:
        """Sums of the columns that the reader may see."""
        seen = [column for column in columns if any(row[column.name] is not None for row in rows)]
        return super().totals(rows, seen)

    def chart(self, rows: Sequence[Mapping[str, Any]], params: dict[str, Any]) -> str:
        people = _by_person(rows)[:PEOPLE]
        series = []
        for source in SOURCES:
            name = f"{source.name}_amount"
            if all(row[name] is None for row in rows):
                continue
            links = [source.link(params["date"], person, whole=True) for person in people]
            series.append(Series(str(source.amount_label), [person[name] for person in people], links))
        labels = [person["owner_name"] or gettext("(none)") for person in people]
        return bar_chart(labels, series, title=str(self.title), unit=base_currency().code, height=220)


def _columns(source: Source, day: dt.date) -> list[ReportColumn]:
    """Count and amount of one source, both leading to its list."""

    def link(row: Mapping[str, Any]) -> str | None:
        return source.link(day, row) if row[source.name] else None

    return [
        ReportColumn(source.name, source.count_label, "integer", total=True, link=link),
        ReportColumn(f"{source.name}_amount", source.amount_label, "money", total=True, link=link),
    ]


def _empty_row(found: Mapping[str, Any], seen: Sequence[Source]) -> dict[str, Any]:
    """A row without figures: zero where the reader may look, nothing elsewhere."""
    row: dict[str, Any] = {
        "owner": found["owner__username"] or "", "owner_id": found["owner_id"],
        "owner_name": found["owner__name"] or found["owner__username"] or "",
        "department": found["department__code"] or "", "department_id": found["department_id"],
        "department_name": found["department__name"] or "",
    }  # fmt: skip
    for source in SOURCES:
        row[source.name], row[f"{source.name}_amount"] = (0, ZERO) if source in seen else (None, None)
    return row


def _by_person(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of one person in several departments added up, the busiest person first."""
    people: dict[Any, dict[str, Any]] = {}
    names = [f"{source.name}_amount" for source in SOURCES]
    for row in rows:
        if row["owner_id"] not in people:
            people[row["owner_id"]] = dict(row)
            continue
        person = people[row["owner_id"]]
        person |= {name: person[name] + row[name] for name in names if row[name] is not None}
    return sorted(people.values(), key=lambda person: -sum(person[name] or ZERO for name in names))


register(DailyBusiness())
