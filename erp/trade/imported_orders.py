"""Orders of both directions from files: made, confirmed, moved, billed and paid on the dates the file tells.

Everything that happened is done again by the same services, in the order in which it happened, so that stock
and ledgers are never in the future of what follows.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from erp.finance.currencies import base_currency, rate_on
from erp.finance.models import Account, Currency, OpenItem, Payment, PaymentTerms, TaxCode
from erp.finance.services import pay
from erp.inventory.models import Product, Unit, Warehouse
from erp.trade.lines import LineInput
from kit.exchange.importing import Batch, Column, Row
from kit.exchange.importing_columns import maker
from kit.exchange.importing_documents import DocumentImporter, FileDocument, known
from kit.values.errors import BusinessError
from kit.values.money import ONE, ZERO
from oa.organisation.models import User
from oa.organisation.people import person_called

HUNDRED = Decimal(100)
NAMES = {
    "product": "product", "quantity": "quantity", "price": "unit_price", "discount": "discount", "unit": "unit",
    "date": "order_date", "rate": "rate",
}
# Numbers stand in addresses: no slash, and not what stands there for drafts.
_NO_NUMBER = re.compile(r"[/\\?#]|^d-\d+$|^\.+$")
ORDER, MOVE, BILL, PAY = range(4)  # what happens on one day, in this order


@dataclass(eq=False)
class OrderLineRows:
    """One line of an order: a row, or several rows of the same line number whose parts went separate ways."""

    rows: list[Row]
    pk: int = 0

    @property
    def first(self) -> Row:
        """The row that tells product and price."""
        return self.rows[0]

    @property
    def quantity(self) -> Decimal:
        """All parts together."""
        return sum((row.values["quantity"] for row in self.rows), ZERO)


@dataclass(eq=False)
class Work:
    """An order on its way: the document in the file, what was made of it so far."""

    document: FileDocument
    lines: list[OrderLineRows]
    order: Any = None
    bills: dict[dt.date, Any] = field(default_factory=dict)
    failed: bool = False

    def quantities(self, **dates: dt.date) -> dict[int, Decimal]:
        """Quantities by order line of the rows with these dates."""
        found: dict[int, Decimal] = {}
        for line in self.lines:
            for row in line.rows:
                if all(row.get(name) == value for name, value in dates.items()):
                    found[line.pk] = found.get(line.pk, ZERO) + row.values["quantity"]
        return found


@dataclass(frozen=True)
class Event:
    """What happened on a day: sorted by day, then by the place of the order in the file, then by step."""

    date: dt.date
    place: int
    step: int
    work: Work = field(compare=False)


class OrderImporter(DocumentImporter):
    """What sales and purchase orders have in common; subclasses name partner, dates and services.

    Columns beyond the line itself are the same in all rows of an order, but for the dates and the warehouse.
    """

    partner: ClassVar[str]
    partner_model: ClassVar[type[models.Model]]
    moved: ClassVar[str]  # title of the column with the day of delivery or receipt
    billed: ClassVar[str]
    paid: ClassVar[str] = "paid_date"
    model: ClassVar[Any]
    bill_model: ClassVar[Any]
    head: ClassVar[Sequence[str]] = (
        "order_date", "owner", "required_date", "currency", "rate", "tax_included", "payment_terms",
    )

    # ---- columns ----

    def partner_columns(self) -> list[Column]:
        """Columns of one direction only."""
        return []

    @cached_property
    def _columns(self) -> list[Column]:
        lazy = gettext_lazy
        return [
            Column("order", lazy("order"), required=True, length=40, aliases=("order number", "order_id", "订单号", "单号")),
            Column("line", lazy("line"), length=40, aliases=("行号",)),
            Column(self.partner, self.partner_model._meta.verbose_name, "record", required=True, model=self.partner_model,
                   aliases=("客户", "客户编码") if self.partner == "customer" else ("供应商", "供应商编码")),
            Column("order_date", lazy("order date"), "date", required=True, aliases=("date", "订单日期", "日期")),
            Column("product", lazy("product"), "record", required=True, model=Product, aliases=("商品", "商品编码")),
            Column("quantity", lazy("quantity"), "quantity", required=True, aliases=("数量",)),
            Column("unit_price", lazy("unit price"), "price", required=True, aliases=("price", "单价")),
            Column("unit", lazy("unit"), "record", model=Unit, aliases=("单位",)),
            Column("discount", lazy("discount"), "fraction", aliases=("折扣",)),
            Column("tax_code", lazy("tax code"), "record", model=TaxCode, aliases=("税码",)),
            Column("tax_included", lazy("prices include tax"), "bool", aliases=("含税",)),
            Column("warehouse", lazy("warehouse"), "record", model=Warehouse, make=maker(Warehouse), aliases=("仓库",)),
            Column("owner", lazy("owner"), "record", model=User, make=person_called, aliases=("负责人", "业务员")),
            Column("required_date", lazy("due date"), "date", aliases=("需求日期", "交货日期")),
            Column(self.moved, lazy("shipped on") if self.partner == "customer" else lazy("received on"), "date",
                   aliases=("发货日期",) if self.partner == "customer" else ("收货日期",)),
            Column(self.billed, lazy("invoiced on") if self.partner == "customer" else lazy("billed on"), "date",
                   aliases=("开票日期",)),
            Column(self.paid, lazy("paid on"), "date", aliases=("付款日期", "收款日期")),
            Column("currency", lazy("currency"), "record", model=Currency, aliases=("币种",)),
            Column("rate", lazy("rate"), "rate", aliases=("汇率",)),
            Column("payment_terms", lazy("payment terms"), "record", model=PaymentTerms, aliases=("付款条件",)),
            *self.partner_columns(),
        ]

    def columns(self) -> Sequence[Column]:
        """The columns of orders."""
        return self._columns

    def key(self, row: Row) -> Hashable:
        """The number of the order."""
        return row.values["order"] if known(row, "order") else None

    # ---- what subclasses do by their services ----

    def new_order(self, row: Row, **head: Any) -> Any:
        """A new order that is not stored, with the columns of one direction."""
        raise NotImplementedError

    def save(self, order: Any, lines: Sequence[LineInput], by: Any) -> Any:
        """Store a draft."""
        raise NotImplementedError

    def confirm(self, order: Any, by: Any, number: str) -> Any:
        """Issue the order with its own number."""
        raise NotImplementedError

    def move(self, order: Any, quantities: Mapping[int, Decimal], by: Any, date: dt.date) -> Any:
        """Deliver or receive."""
        raise NotImplementedError

    def bill(self, order: Any, quantities: Mapping[int, Decimal], by: Any, date: dt.date, row: Row) -> Any:
        """Invoice, or enter the supplier's bill."""
        raise NotImplementedError

    def payment(self, bill: Any, **columns: Any) -> Payment:
        """A payment of a bill in full."""
        raise NotImplementedError

    def compare(self, order: Any, rows: Sequence[Row]) -> bool:
        """Whether a stored order is what the file says."""
        raise NotImplementedError

    # ---- checks ----

    def check(self, batch: Batch, document: FileDocument) -> None:
        """The number, and the order of dates."""
        if _NO_NUMBER.search(document.first.values["order"]):
            batch.error(document.first, "order", _("“%s” cannot be the number of an order.") % document.first.values["order"])
        today = timezone.localdate()
        chain = ("order_date", self.moved, self.billed, self.paid)
        for row in document.rows:
            days = [row.get(name) for name in chain]
            for i in range(1, len(chain)):
                if days[i] is None:
                    continue
                if days[i] > today:
                    batch.error(row, chain[i], _("%s lies in the future.") % days[i])
                if days[i - 1] is None:
                    batch.error(row, chain[i], _("“%s” must be filled in as well.") % chain[i - 1])
                elif days[i] < days[i - 1]:
                    batch.error(row, chain[i], _("%(day)s is before “%(other)s”.") % {"day": days[i], "other": chain[i - 1]})
            if (row.get("discount") or ZERO) > 1:
                batch.error(row, "discount", _("The discount is a fraction: 0.15 is 15 %."))
        self._check_parts(batch, document)

    def _check_parts(self, batch: Batch, document: FileDocument) -> None:
        """Rows with the same line number are parts of one line: same product and price, other dates."""
        firsts: dict[str, Row] = {}
        seen: dict[tuple[Any, ...], Row] = {}
        for row in document.rows:
            name = row.get("line")
            if name is None:
                continue
            first = firsts.setdefault(name, row)
            for column in ("product", "unit_price", "unit", "discount", "tax_code", "warehouse"):
                if row.get(column) != first.get(column):
                    batch.error(row, column, _("Row %s of the same line says something else.") % first.number)
            dates = (name, *(row.get(column) for column in (self.moved, self.billed, self.paid)))
            before = seen.setdefault(dates, row)
            if before is not row:
                batch.error(row, "line", _("Row %s is the same line.") % before.number)

    # ---- writing ----

    def write(self, batch: Batch) -> None:
        """Do again what happened, day by day."""
        documents = self.documents(batch)
        stored = self.model.objects.filter(number__in=[document.key for document in documents]).in_bulk(field_name="number")
        works = [_work(document) for document in documents if not self._known(batch, document, stored)]
        events = sorted(
            (event for place, work in enumerate(works) for event in self._events(place, work)),
            key=lambda event: (event.date, event.place, event.step),
        )
        base, bank = base_currency(), _bank()
        warehouse = Warehouse.objects.filter(active=True).order_by("pk").first()
        for done, event in enumerate(events, start=1):
            if not event.work.failed:
                self._do(batch, event, base, bank, warehouse)
            batch.tell(done, len(events))
        for work in works:
            if not work.failed:
                batch.report.new += 1
                batch.done(work.document.rows, "new")

    def _known(self, batch: Batch, document: FileDocument, stored: Mapping[str, Any]) -> bool:
        """Orders that are here already are never changed by a file: the same, or refused."""
        order = stored.get(str(document.key))
        if order is None:
            return False
        if not batch.options.update:
            batch.error(document.first, "order", _("%s exists already. Choose to update existing records.") % order)
        elif not self.compare(order, document.rows):
            batch.error(document.first, "order", _("%s is confirmed and differs; amend it instead.") % order)
        if document.bad:
            batch.hold(document.rows)
        else:
            batch.report.unchanged += 1
            batch.done(document.rows, "unchanged")
        return True

    def _events(self, place: int, work: Work) -> list[Event]:
        rows = work.document.rows
        steps = ((MOVE, self.moved), (BILL, self.billed), (PAY, self.paid))
        days = {(row.get(name), step) for row in rows for step, name in steps if row.get(name)}
        first = Event(work.document.first.values["order_date"], place, ORDER, work)
        return [first, *(Event(day, place, step, work) for day, step in days)]

    def _do(self, batch: Batch, event: Event, base: Currency, bank: Account | None, warehouse: Warehouse | None) -> None:
        work, lines = event.work, [line.first for line in event.work.lines]
        try:
            with transaction.atomic():
                if event.step == ORDER:
                    self._order(work, base, warehouse, batch.by)
                elif event.step == MOVE:
                    lines = self._move(work, event.date, batch.by)
                elif event.step == BILL:
                    self._bill(work, event.date, batch.by)
                else:
                    self._pay(work, event.date, base, bank, batch.by)
        except BusinessError as error:
            work.failed = True
            names = NAMES if event.step == ORDER else {**NAMES, "date": (self.moved, self.billed, self.paid)[event.step - 1]}
            batch.refuse(work.document.key, work.document.rows, error, lines=lines, names=names)

    def _order(self, work: Work, base: Currency, warehouse: Warehouse | None, by: Any) -> None:
        first = work.document.first
        currency = first.get("currency")
        order = self.new_order(
            first, date=first.values["order_date"], warehouse=first.get("warehouse", warehouse), currency=currency or base,
            owner=first.get("owner"), required_date=first.get("required_date"), payment_terms=first.get("payment_terms"),
            prices_include_tax=first.get("tax_included", False), rate=first.get("rate", ONE),
        )
        order = self.save(order, [_input(line, warehouse) for line in work.lines], by)
        work.order = self.confirm(order, by, str(work.document.key))
        keys = work.order.lines.order_by("position").values_list("pk", flat=True)
        for line, key in zip(work.lines, keys, strict=True):
            line.pk = key

    def _move(self, work: Work, date: dt.date, by: Any) -> list[Row]:
        """One delivery or receipt per warehouse; returns the rows of the last one, for messages."""
        quantities = work.quantities(**{self.moved: date})
        places: dict[Any, dict[int, Decimal]] = {}
        rows: dict[Any, list[Row]] = {}
        for line in work.lines:
            if line.pk in quantities:
                place = getattr(line.first.get("warehouse"), "pk", None)
                places.setdefault(place, {})[line.pk] = quantities[line.pk]
                rows.setdefault(place, []).append(line.first)
        told: list[Row] = []
        for place, part in places.items():
            told[:] = rows[place]
            self.move(work.order, part, by, date)
        return told

    def _bill(self, work: Work, date: dt.date, by: Any) -> None:
        """One bill for what is billed on a day and paid on the same day."""
        rows = [row for row in work.document.rows if row.get(self.billed) == date]
        for paid in dict.fromkeys(row.get(self.paid) for row in rows):
            quantities = work.quantities(**{self.billed: date, self.paid: paid})
            row = next(row for row in rows if row.get(self.paid) == paid)
            work.bills.setdefault(paid, []).append(self.bill(work.order, quantities, by, date, row))

    def _pay(self, work: Work, date: dt.date, base: Currency, bank: Account | None, by: Any) -> None:
        """One payment for each bill."""
        for bill in work.bills.get(date, []):
            if not bill.total:
                continue
            items = OpenItem.objects.filter(source=bill._meta.label_lower, source_id=bill.pk)
            amounts = {item.pk: abs(item.remaining) for item in items}
            payment = self.payment(
                bill, date=date, account=bank, currency=bill.currency, amount=bill.total, reference=str(work.document.key),
                rate=ONE if bill.currency_id == base.pk else _rate(bill, date, base),
            )
            pay(payment, amounts, by=by)


def _work(document: FileDocument) -> Work:
    lines: dict[Any, OrderLineRows] = {}
    for row in document.rows:
        name = row.get("line")
        lines.setdefault(row.number if name is None else f"line {name}", OrderLineRows([])).rows.append(row)
    return Work(document, list(lines.values()))


def _input(line: OrderLineRows, warehouse: Warehouse | None) -> LineInput:
    row = line.first
    return LineInput(
        row.values["product"], line.quantity, row.values["unit_price"], (row.get("discount") or ZERO) * HUNDRED,
        row.get("tax_code"), row.get("unit"), warehouse=row.get("warehouse", warehouse), taxed=row.get("tax_code") is not None,
    )


def _bank() -> Account | None:
    """The account that receipts and payments propose."""
    return Account.objects.filter(is_cash=True, is_group=False, active=True).order_by("-code").first()


def _rate(bill: Any, date: dt.date, base: Currency) -> Decimal:
    """The rate of the day of payment; that of the bill where no rates are kept."""
    try:
        return rate_on(bill.currency, date, base_code=base.code)
    except BusinessError:
        return bill.rate
