"""Orders of both directions from files: what the columns are, and what is refused before anything is written."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Hashable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from erp.finance.models import Currency, Payment, PaymentTerms, TaxCode
from erp.inventory.models import Product, Unit, Warehouse
from erp.trade.lines import LineInput
from erp.trade.order_events import OrderRun
from erp.trade.order_rows import FETCHED, OrderRows
from kit.exchange.importing import Batch, Column, Row
from kit.exchange.importing_columns import maker
from kit.exchange.importing_documents import DocumentImporter, FileDocument, known
from kit.rules.days import business_day
from kit.values.money import ZERO
from oa.organisation.models import User
from oa.organisation.people import person_called

_NO_NUMBER = re.compile(r"^d-\d+$")  # what stands in addresses for drafts
_LINE = ("product", "unit_price", "unit", "discount", "tax_code", "warehouse", "required_date")


def _line_columns() -> list[Column]:
    """What was ordered."""
    number = ("order number", "order_id", "订单号", "订单编号", "订单", "单号")
    return [
        Column("order", gettext_lazy("order"), required=True, length=40, aliases=number),
        Column("line", gettext_lazy("line"), length=40, aliases=("行号", "行", "行次")),
        Column("order_date", gettext_lazy("order date"), "date", required=True, aliases=("date", "订单日期", "日期")),
        Column(
            "product",
            gettext_lazy("product"),
            "record",
            required=True,
            model=Product,
            aliases=("商品", "商品编码", "产品", "产品编码"),
        ),
        Column("quantity", gettext_lazy("quantity"), "quantity", required=True, aliases=("数量",)),
        Column("unit_price", gettext_lazy("unit price"), "price", required=True, aliases=("price", "单价")),
        Column("unit", gettext_lazy("unit"), "record", model=Unit, aliases=("单位",)),
        Column("discount", gettext_lazy("discount"), "fraction", aliases=("折扣", "折扣率")),
        Column("tax_code", gettext_lazy("tax code"), "record", model=TaxCode, aliases=("税码",)),
    ]


def _term_columns() -> list[Column]:
    """Where, by whom and on which terms; each may be left out."""
    return [
        Column("tax_included", gettext_lazy("prices include tax"), "bool", aliases=("含税", "价格含税", "是否含税")),
        Column(
            "warehouse",
            gettext_lazy("warehouse"),
            "record",
            model=Warehouse,
            make=maker(Warehouse),
            aliases=("仓库", "仓库编码"),
        ),
        Column(
            "owner",
            gettext_lazy("owner"),
            "record",
            model=User,
            make=person_called,
            aliases=("负责人", "业务员", "销售员", "采购员"),
        ),
        Column("required_date", pgettext_lazy("goods", "due date"), "date", aliases=("到期日", "需求日期", "要求日期")),
        Column("currency", gettext_lazy("currency"), "record", model=Currency, aliases=("币种", "货币")),
        Column("rate", gettext_lazy("rate"), "rate", aliases=("汇率",)),
        Column("payment_terms", gettext_lazy("payment terms"), "record", model=PaymentTerms, aliases=("付款条件",)),
        Column("document_discount", gettext_lazy("document discount (fraction)"), "fraction", aliases=("整单折扣率",)),
        Column("discount_amount", gettext_lazy("document discount"), "money", aliases=("整单折扣", "优惠金额")),
    ]


class OrderImporter(DocumentImporter):
    """What sales and purchase orders have in common; subclasses name the partner, the dates and the services.

    Rows of an order agree in everything that does not belong to the line; it is due when its first line is.
    Several rows with the same line number are parts of one line that were delivered, billed or paid on
    different days.
    """

    partner: ClassVar[str]
    partner_model: ClassVar[type[models.Model]]
    moved: ClassVar[str]  # title of the column with the day of delivery or receipt
    billed: ClassVar[str]
    paid: ClassVar[str] = "paid_date"
    model: ClassVar[Any]
    documents_made: ClassVar[Sequence[Any]] = ()  # models of the documents that orders lead to, with their lines
    head: ClassVar[Sequence[str]] = (
        "order_date",
        "owner",
        "currency",
        "rate",
        "tax_included",
        "payment_terms",
        "document_discount",
        "discount_amount",
    )

    # ---- columns ----

    def own_columns(self) -> list[Column]:
        """Partner and dates, and whatever only this direction has."""
        raise NotImplementedError

    @cached_property
    def _columns(self) -> list[Column]:
        return [*_line_columns(), *_term_columns(), *self.own_columns()]

    def columns(self) -> Sequence[Column]:
        """The columns of orders."""
        return self._columns

    @property
    def chain(self) -> tuple[str, str, str, str]:
        """The dates of an order as they follow one another."""
        return "order_date", self.moved, self.billed, self.paid

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
        """A payment of a bill in full, not stored."""
        raise NotImplementedError

    def give_up(self, order: Any, by: Any) -> None:
        """Free what a confirmed order holds."""
        raise NotImplementedError

    @property
    def out(self) -> OrderRows:
        """How stored orders are written as rows."""
        raise NotImplementedError

    # ---- in ----

    def write(self, batch: Batch) -> None:
        """Do again what happened, day by day."""
        documents = self.documents(batch)
        numbers = [document.key for document in documents]
        stored = {order.number: order for order in self.model.objects.filter(number__in=numbers)}
        fresh = [document for document in documents if document.key not in stored]
        told = self._told(list(stored.values())) if batch.options.update else {}
        for document in documents:
            if document.key in stored:
                self._known(batch, document, stored[document.key], told.get(document.key, []))
        OrderRun(self, batch).run(fresh)

    def _told(self, orders: Sequence[Any]) -> dict[Hashable, list[dict[str, Any]]]:
        """The rows of orders that are here, by number; some statements for many orders."""
        found: dict[Hashable, list[dict[str, Any]]] = {}
        for start in range(0, len(orders), FETCHED):
            keys = [order.pk for order in orders[start : start + FETCHED]]
            for row in self.out.rows(self.model.objects.filter(pk__in=keys)):
                found.setdefault(row["order"], []).append(row)
        return found

    def _known(self, batch: Batch, document: FileDocument, order: Any, stored: Sequence[dict[str, Any]]) -> None:
        """Orders that are here already are never changed by a file: the same, or refused."""
        if not batch.options.update:
            batch.error(document.first, "order", _("%s exists already. Choose to update existing records.") % order)
        elif not self._same(batch, document, stored):
            batch.error(document.first, "order", _("%s is confirmed and differs; amend it instead.") % order)
        if document.bad:
            batch.hold(document.rows)
            return
        batch.report.unchanged += 1
        batch.done(document.rows, "unchanged")

    def _same(self, batch: Batch, document: FileDocument, stored: Sequence[dict[str, Any]]) -> bool:
        names = [column.name for column in self._columns if column.name in batch.given and column.name != "line"]
        if len(stored) != len(document.rows):
            return False
        pairs = [(row.get(n), told.get(n), n) for row, told in zip(document.rows, stored, strict=True) for n in names]
        # An empty cell leaves open what is stored, but for the dates: there it says that nothing happened yet.
        return all(_text(a) == _text(b) for a, b, name in pairs if a is not None or name in self.chain)

    # ---- checks ----

    def check(self, batch: Batch, document: FileDocument) -> None:
        """The number, the order of dates, discounts, and parts of lines."""
        number = document.first.values["order"]
        if _NO_NUMBER.search(number):
            batch.error(document.first, "order", _("“%s” cannot be the number of an order.") % number)
        today = business_day()
        for row in document.rows:
            self._check_dates(batch, row, today)
            for name in ("discount", "document_discount"):
                if (row.get(name) or ZERO) > 1:
                    batch.error(row, name, _("The discount is a fraction: 0.15 is 15 %."))
        self._check_parts(batch, document)

    def _check_dates(self, batch: Batch, row: Row, today: dt.date) -> None:
        for before, name in zip(self.chain, self.chain[1:], strict=False):
            day, earlier = row.get(name), row.get(before)
            if day is None:
                continue
            if day > today:
                batch.error(row, name, _("%s lies in the future.") % day)
            if earlier is None:
                batch.error(row, name, _("“%s” must be filled in as well.") % before)
            elif day < earlier:
                batch.error(row, name, _("%(day)s is before “%(other)s”.") % {"day": day, "other": before})

    def _check_parts(self, batch: Batch, document: FileDocument) -> None:
        """Rows with the same line number are parts of one line: same product and price, other dates."""
        firsts: dict[str, Row] = {}
        seen: dict[tuple[Any, ...], Row] = {}
        for row in document.rows:
            name = row.get("line")
            if name is None:
                continue
            first = firsts.setdefault(name, row)
            for column in _LINE:
                if row.get(column) != first.get(column):
                    batch.error(row, column, _("Row %s of the same line says something else.") % first.number)
            dates = (name, *(row.get(column) for column in self.chain))
            before = seen.setdefault(dates, row)
            if before is not row:
                batch.error(row, "line", _("Row %s is the same line.") % before.number)


def _text(value: Any) -> str:
    """A value of a row or of a stored order in one form: records by code, numbers without zeros at the end."""
    if isinstance(value, models.Model):
        return str(getattr(value, "code", "") or getattr(value, "username", "") or value.pk)
    if isinstance(value, Decimal):
        return f"{value.normalize() + 0:f}" if value else ""
    return "" if value in (None, False) else str(value)
