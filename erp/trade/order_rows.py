"""Orders of both directions into files, as `order_files` reads them back."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Max, Q, Sum
from django.utils.translation import gettext as _

from erp.finance.models import Allocation, OpenItem
from kit.exchange import exporting
from kit.exchange.importing import Column
from kit.exchange.importing_columns import text_of
from kit.values.errors import BusinessError
from kit.values.money import ZERO

HUNDRED = Decimal(100)
FETCHED = 500  # orders at a time
Step = tuple[dt.date, Decimal]  # day and quantity
Part = tuple[Decimal, dt.date | None, Any]  # quantity, day it moved, its bill


@dataclass(frozen=True)
class Models:
    """What tells the history of orders: lines of deliveries or receipts, lines of bills, and their documents."""

    orders: Any
    move_line: Any
    move: str  # field of `move_line` that leads to the document
    bill_line: Any
    bill: str
    bill_model: Any


def split(quantity: Decimal, moves: Sequence[Step], bills: Sequence[tuple[Any, Decimal]]) -> list[Part]:
    """Cut a line into parts that moved on one day and stand on one bill, first moved first billed.

    `quantity` is what is ordered and not given up; more is only what moved beyond it.
    """
    moved: list[list[Any]] = [list(step) for step in moves]
    billed: list[list[Any]] = [list(step) for step in bills]
    left = max(quantity, sum((amount for _day, amount in moves), ZERO))
    parts: list[Part] = []
    while left > 0:
        sizes = [left, *(steps[0][1] for steps in (moved, billed) if steps)]
        size = min(sizes)
        day, bill = (moved[0][0] if moved else None), (billed[0][0] if billed else None)
        if parts and parts[-1][1:] == (day, bill):
            parts[-1] = (parts[-1][0] + size, day, bill)
        else:
            parts.append((size, day, bill))
        left -= size
        for steps in (moved, billed):
            if steps:
                steps[0][1] -= size
                if not steps[0][1]:
                    steps.pop(0)
    return parts


class OrderRows:
    """Writes orders as rows; `columns` are those of the importer."""

    def __init__(self, columns: Sequence[Column], chain: Sequence[str], found: Models) -> None:
        self.columns, self.chain, self.models = columns, chain, found

    def exporter(self, filters: Mapping[str, str], user: Any) -> tuple[list[exporting.Column], Iterable[Any]]:
        """`manage.py export`: confirmed and completed orders, narrowed by dates, number or partner."""
        orders = self.models.orders.objects.visible_to(user).filter(state__in=["confirmed", "closed"])
        by_name = {column.name: column for column in self.columns}
        partner = "customer" if "customer" in by_name else "supplier"
        paths = {"order": "number", partner: f"{partner}__code", "owner": "owner__username"}
        days = {"date_from": "date__gte", "date_to": "date__lte"}
        for name, text in filters.items():
            if name in paths:
                orders = orders.filter(**{paths[name]: text})
            elif name in days:
                orders = orders.filter(**{days[name]: _day(by_name["order_date"], text)})
            else:
                raise BusinessError(
                    _("There is no filter “%(name)s”; there are: %(names)s.")
                    % {"name": name, "names": ", ".join((*paths, *days))}
                )
        out = [exporting.Column(c.name, c.label, "text" if c.model else c.kind) for c in self.columns]
        return out, self._all(orders.order_by("date", "pk"))

    def _all(self, orders: models.QuerySet[Any]) -> Iterator[list[Any]]:
        names = [column.name for column in self.columns]
        keys = list(orders.values_list("pk", flat=True))
        for start in range(0, len(keys), FETCHED):
            chunk = self.models.orders.objects.filter(pk__in=keys[start : start + FETCHED]).order_by("date", "pk")
            for row in self.rows(chunk):
                yield [row.get(name) for name in names]

    def rows(self, orders: models.QuerySet[Any]) -> Iterator[dict[str, Any]]:
        """The rows of `orders` by title, in a fixed number of statements."""
        head = [f.name for f in self.models.orders._meta.fields if f.name in {"customer", "supplier"}]
        lines = (
            self.models.orders._meta.get_field("lines")
            .related_model._default_manager.select_related("product", "unit", "tax_code", "warehouse")
            .order_by("position")
        )
        found = list(
            orders.select_related(*head, "owner", "currency", "payment_terms").prefetch_related(
                models.Prefetch("lines", lines)
            )
        )
        keys = [line.pk for order in found for line in order.lines.all()]
        moves, bills = self._moves(keys), self._bills(keys)
        for order in found:
            common = self._head(order)
            for line in order.lines.all():
                for quantity, day, bill in split(line.quantity - line.cancelled, moves[line.pk], bills[line.pk]):
                    yield {**common, **_line(line), "quantity": quantity, **self._dates(order, day, bill)}

    def _moves(self, keys: Sequence[int]) -> dict[int, list[Step]]:
        move = self.models.move
        rows = self.models.move_line.objects.filter(
            **{"order_line__in": keys, f"{move}__state": "posted", f"{move}__reversal_of": None}
        )
        found: dict[int, list[Step]] = defaultdict(list)
        ordered = rows.order_by(f"{move}__date", "pk")
        for line, day, quantity in ordered.values_list("order_line", f"{move}__date", "quantity"):
            found[line].append((day, quantity))
        return found

    def _bills(self, keys: Sequence[int]) -> dict[int, list[tuple[Any, Decimal]]]:
        """Bills of lines; each knows the day on which it was paid in full."""
        bill = self.models.bill
        rows = (
            self.models.bill_line.objects.filter(
                **{"order_line__in": keys, f"{bill}__state": "posted", f"{bill}__reversal_of": None}
            )
            .select_related(bill)
            .order_by(f"{bill}__date", "pk")
        )
        lines = list(rows)
        documents = {getattr(line, bill).pk: getattr(line, bill) for line in lines}
        paid = self._paid(list(documents))
        found: dict[int, list[tuple[Any, Decimal]]] = defaultdict(list)
        for line in lines:
            document = documents[getattr(line, bill).pk]
            document.paid_on = paid.get(document.pk)
            found[line.order_line_id].append((document, line.quantity))
        return found

    def _paid(self, keys: Sequence[int]) -> dict[int, dt.date]:
        """The last day on which something was settled, of bills of which nothing is open."""
        label = self.models.bill_model._meta.label_lower
        sums = OpenItem.objects.filter(source=label, source_id__in=keys).order_by().values_list("source_id")
        settled = {key for key, left in sums.annotate(left=Sum("remaining")) if not left}
        days: dict[int, dt.date] = {}
        for side in ("debit_item", "credit_item"):
            rows = Allocation.objects.filter(
                Q(reverses=None, reversed_by=None), **{f"{side}__source": label, f"{side}__source_id__in": settled}
            )
            for key, day in rows.order_by().values_list(f"{side}__source_id").annotate(day=Max("date")):
                days[key] = max(day, days.get(key, day))
        return days

    def _head(self, order: Any) -> dict[str, Any]:
        partners = {name: text_of(getattr(order, name, None)) for name in ("customer", "supplier")}
        return {
            **partners,
            "order": order.number,
            "order_date": order.date,
            "owner": text_of(order.owner),
            "required_date": order.required_date,
            "currency": order.currency.code,
            "rate": order.rate if order.rate != 1 else None,
            "tax_included": order.prices_include_tax,
            "payment_terms": text_of(order.payment_terms),
            "document_discount": order.discount / HUNDRED or None,
            "discount_amount": order.discount_amount or None,
            "ship_to": getattr(order, "ship_to", ""),
            "ship_country": getattr(order, "ship_country", ""),
            "customer_reference": getattr(order, "customer_reference", ""),
            "supplier_reference": getattr(order, "supplier_reference", ""),
        }

    def _dates(self, order: Any, moved: dt.date | None, bill: Any) -> dict[str, Any]:
        """The days of a part, none before the one that comes first; what is billed unmoved moved with the bill."""
        days: list[dt.date | None] = [
            order.date,
            moved or (bill.date if bill else None),
            bill.date if bill else None,
            bill.paid_on if bill else None,
        ]
        for i in range(1, len(days)):
            day, before = days[i], days[i - 1]
            if day is not None and before is not None:
                days[i] = max(day, before)
        return {**dict(zip(self.chain, days, strict=True)), "bill_number": getattr(bill, "supplier_number", "")}


def _line(line: Any) -> dict[str, Any]:
    return {
        "line": str(line.position),
        "product": line.product.code,
        "unit_price": line.price,
        "unit": line.unit.code,
        "discount": line.discount / HUNDRED or None,
        "tax_code": text_of(line.tax_code),
        "warehouse": line.warehouse.code,
        **({"required_date": line.due_date} if line.due_date else {}),  # else that of the order
    }


def _day(column: Column, text: str) -> Any:
    try:
        return column.parse(text)
    except ValueError as error:
        raise BusinessError(str(error)) from None
