"""Doing again what happened to imported orders: confirmed, moved, billed and paid, day by day.

All events of a file are sorted by date before the first one is done, so that neither stock nor a ledger is ever
in the future of what follows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from erp.finance.banks import main_bank
from erp.finance.currencies import base_currency, rate_on
from erp.finance.models import OpenItem, Payment
from erp.finance.services import pay
from erp.inventory.models import Warehouse
from erp.trade.lines import LineInput
from kit.exchange.importing import Batch, Row
from kit.exchange.importing_batch import REFUSED
from kit.exchange.importing_documents import FileDocument
from kit.values.errors import BusinessError
from kit.values.money import ONE, ZERO

if TYPE_CHECKING:
    from erp.trade.order_files import OrderImporter

HUNDRED = Decimal(100)
NAMES = {
    "product": "product",
    "quantity": "quantity",
    "price": "unit_price",
    "discount": "discount",
    "unit": "unit",
    "rate": "rate",
}
# Events after which the database counts its rows anew: it cannot see by itself how a transaction grows its tables,
# and would go on planning for empty ones.
ANALYSED_AFTER, ANALYSED_EVERY = (100, 400, 1000), 3000
ORDER, MOVE, BILL, PAY = range(4)  # what happens to an order on one day, in this order


@dataclass(eq=False)
class Line:
    """One line of an order: its row, or the rows of its parts."""

    rows: list[Row]
    pk: int = 0

    @property
    def first(self) -> Row:
        """The row that tells product and price."""
        return self.rows[0]


@dataclass(eq=False)
class Work:
    """An order on its way: its rows, and what was made of them so far."""

    document: FileDocument
    lines: list[Line]
    order: Any = None
    bills: dict[dt.date | None, list[Any]] = field(default_factory=dict)  # by the day of payment
    told: list[Row] = field(default_factory=list)  # rows by which the present command numbers its lines
    failed: bool = False

    def quantities(self, **dates: dt.date | None) -> dict[int, Decimal]:
        """Quantities by order line of the rows with these dates."""
        found: dict[int, Decimal] = {}
        for line in self.lines:
            for row in line.rows:
                if all(row.get(name) == value for name, value in dates.items()):
                    found[line.pk] = found.get(line.pk, ZERO) + row.values["quantity"]
        return found


@dataclass(frozen=True, order=True)
class Event:
    """What happened on a day; sorted by day, then by the place of the order in the file, then by step."""

    date: dt.date
    place: int
    step: int
    work: Work = field(compare=False)


class OrderRun:
    """Imports the new orders of one file."""

    def __init__(self, importer: OrderImporter, batch: Batch) -> None:
        self.importer, self.batch = importer, batch
        self.base = base_currency()
        self.bank = main_bank()
        self.warehouse = Warehouse.objects.filter(active=True).order_by("pk").first()

    def run(self, documents: Sequence[FileDocument]) -> None:
        """Do all events of `documents`; what is refused is told, and the order has no further events."""
        works = [_work(document) for document in documents]
        events = sorted(event for place, work in enumerate(works) for event in self._events(place, work))
        for done, event in enumerate(events, start=1):
            if not event.work.failed:
                self._do(event)
            if done in ANALYSED_AFTER or done % ANALYSED_EVERY == 0:
                self._analyse()
            self.batch.tell(done, len(events))
        for work in works:
            if not work.failed:
                self.batch.report.new += 1
                self.batch.done(work.document.rows, "new")

    def _analyse(self) -> None:
        line = self.importer.model._meta.get_field("lines").related_model
        tables = (self.importer.model, line, *self.importer.documents_made, OpenItem, Payment)
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(model._meta.db_table for model in tables)}")

    def _events(self, place: int, work: Work) -> list[Event]:
        steps = tuple(enumerate(self.importer.chain))
        days = {(row.get(name), step) for row in work.document.rows for step, name in steps if row.get(name)}
        return [Event(day, place, step, work) for day, step in days]

    def _do(self, event: Event) -> None:
        work = event.work
        work.told = [line.first for line in work.lines]
        try:
            with transaction.atomic():
                (self._order, self._move, self._bill, self._pay)[event.step](work, event.date)
        except REFUSED as error:
            work.failed = True
            names = {**NAMES, "date": self.importer.chain[event.step]}
            self.batch.refuse(work.document.key, work.document.rows, error, lines=work.told, names=names)
            self._give_up(work)

    def _give_up(self, work: Work) -> None:
        """What a failed order reserved must not make others fail, too; all of it is rolled back in the end."""
        if work.order is not None:
            with suppress(BusinessError), transaction.atomic():
                self.importer.give_up(work.order, self.batch.by)

    def _order(self, work: Work, date: dt.date) -> None:
        first = work.document.first
        order = self.importer.new_order(
            first,
            date=date,
            warehouse=first.get("warehouse", self.warehouse),
            currency=first.get("currency", self.base),
            rate=first.get("rate", ONE),
            owner=first.get("owner"),
            required_date=min(days) if (days := _due(work)) else None,
            payment_terms=first.get("payment_terms"),
            prices_include_tax=first.get("tax_included", False),
            discount=first.get("document_discount", ZERO) * HUNDRED,
            discount_amount=first.get("discount_amount", ZERO),
        )
        order = self.importer.save(order, [self._input(line) for line in work.lines], self.batch.by)
        work.order = self.importer.confirm(order, self.batch.by, str(work.document.key))
        keys = work.order.lines.order_by("position").values_list("pk", flat=True)
        for line, key in zip(work.lines, keys, strict=True):
            line.pk = key

    def _input(self, line: Line) -> LineInput:
        row = line.first
        quantity = sum((part.values["quantity"] for part in line.rows), ZERO)
        return LineInput(
            row.values["product"],
            quantity,
            row.values["unit_price"],
            row.get("discount", ZERO) * HUNDRED,
            row.get("tax_code"),
            row.get("unit"),
            due_date=row.get("required_date"),
            warehouse=row.get("warehouse", self.warehouse),
            taxed=row.get("tax_code") is not None or "tax_code" not in self.batch.given,
        )

    def _move(self, work: Work, date: dt.date) -> None:
        """One delivery or receipt for each warehouse."""
        quantities = work.quantities(**{self.importer.moved: date})
        places: dict[Any, list[Line]] = {}
        for line in work.lines:
            if line.pk in quantities:
                places.setdefault(line.first.get("warehouse"), []).append(line)
        for lines in places.values():
            work.told = [line.first for line in lines]
            part = {line.pk: quantities[line.pk] for line in lines}
            self.importer.move(work.order, part, self.batch.by, date)

    def _bill(self, work: Work, date: dt.date) -> None:
        """One bill for what is billed on this day and paid on the same day."""
        billed, paid = self.importer.billed, self.importer.paid
        rows = [row for row in work.document.rows if row.get(billed) == date]
        firsts: dict[dt.date | None, Row] = {}
        for row in rows:
            firsts.setdefault(row.get(paid), row)
        for row in firsts.values():
            quantities = work.quantities(**{billed: date, paid: row.get(paid)})
            work.told = [line.first for line in work.lines if line.pk in quantities]
            bill = self.importer.bill(work.order, quantities, self.batch.by, date, row)
            work.bills.setdefault(row.get(paid), []).append(bill)

    def _pay(self, work: Work, date: dt.date) -> None:
        """One payment for each bill that is paid on this day."""
        for bill in (bill for bill in work.bills.get(date, []) if bill.total):
            items = OpenItem.objects.filter(source=bill._meta.label_lower, source_id=bill.pk)
            payment = self.importer.payment(
                bill,
                date=date,
                account=self.bank,
                currency=bill.currency,
                amount=bill.total,
                rate=self._rate(bill, date),
                reference=str(work.document.key),
            )
            pay(payment, {item.pk: abs(item.remaining) for item in items}, by=self.batch.by)

    def _rate(self, bill: Any, date: dt.date) -> Decimal:
        """The rate of the day of payment; that of the bill where no rates are kept."""
        try:
            return rate_on(bill.currency, date, base_code=self.base.code)
        except BusinessError:
            return bill.rate


def _due(work: Work) -> list[dt.date]:
    return [day for row in work.document.rows if (day := row.get("required_date")) is not None]


def _work(document: FileDocument) -> Work:
    lines: dict[Any, Line] = {}
    for row in document.rows:
        name = row.get("line")
        lines.setdefault(row.number if name is None else (name,), Line([])).rows.append(row)
    return Work(document, list(lines.values()))
