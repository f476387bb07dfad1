"""Opening stock and stock movements from files: posted stock adjustments."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Hashable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from erp.inventory.exported_stock import Out, opening_stock, same_cost, standing_lines, stock_moves
from erp.inventory.models import AdjustmentReason, Product, StockAdjustment, Warehouse
from erp.inventory.services import AdjustmentInput, post_adjustment, save_adjustment
from kit.exchange.importing import Batch, Column, Importer, Row
from kit.exchange.importing_batch import REFUSED
from kit.exchange.importing_columns import maker
from kit.exchange.importing_documents import DocumentImporter, FileDocument, known
from kit.values.money import ZERO

NAMES = {"product": "product", "quantity": "quantity", "unit_cost": "unit_cost", "date": "date"}
MARK = "import:"  # in the note of adjustments made of files of movements, followed by a digest of their rows
Place = tuple[int, int]  # product, warehouse
Sum = tuple[Decimal, Decimal]  # quantity, value


def _columns(*, cost_required: bool) -> list[Column]:
    return [
        Column("date", gettext_lazy("date"), "date", required=True, aliases=("日期",)),
        Column(
            "product",
            gettext_lazy("product"),
            "record",
            required=True,
            model=Product,
            aliases=("product code", "商品", "商品编码", "产品", "产品编码"),
        ),
        Column(
            "warehouse",
            gettext_lazy("warehouse"),
            "record",
            required=True,
            model=Warehouse,
            make=maker(Warehouse),
            aliases=("仓库", "仓库编码", "仓库代码"),
        ),
        Column("quantity", gettext_lazy("quantity"), "quantity", required=True, aliases=("数量",)),
        Column(
            "unit_cost", gettext_lazy("unit cost"), "price", required=cost_required, aliases=("单位成本", "成本单价")
        ),
    ]


class OpeningImporter(Importer):
    """Opening stock by product and warehouse: one posted adjustment per warehouse and date."""

    kind = "opening-stock"
    title = gettext_lazy("opening stock")
    resource = "stocklevel"
    permissions = ("erp.add_stockadjustment", "erp.post_stockadjustment")
    all_at_once = True

    @cached_property
    def _columns(self) -> list[Column]:
        date, product, warehouse, quantity, cost = _columns(cost_required=True)
        return [product, warehouse, quantity, cost, date]

    def columns(self) -> Sequence[Column]:
        """The columns of opening stock."""
        return self._columns

    def write(self, batch: Batch) -> None:
        """Post what is not there yet, earliest date first."""
        rows = [row for rows in batch.chunks() for row in rows if not batch.repeat(row.number, [row])]
        rows = [row for row in rows if not row.bad]
        seen: dict[tuple[Any, ...], int] = {}
        opened = _opened(rows)
        rows = [row for row in rows if _check(batch, row, seen) and _is_new(batch, row, opened.get(_place(row)))]
        rows.sort(key=lambda row: (row.values["date"], row.values["warehouse"].pk, row.number))
        done = 0
        for (date, warehouse), group in groupby(rows, key=lambda row: (row.values["date"], row.values["warehouse"])):
            part = list(group)
            adjustment = StockAdjustment(warehouse=warehouse, reason=AdjustmentReason.OPENING, date=date)
            try:
                _post(adjustment, part, batch.by)
                batch.report.new += len(part)
                batch.done(part, "new")
            except REFUSED as error:
                batch.done(part, "new")
                batch.refuse_rows(part, error, NAMES)
            done += len(part)
            batch.tell(done, len(rows))

    def exporter(self, filters: Mapping[str, str], user: Any) -> Out:
        """`manage.py export`: what was entered, or with `as_of` what was in stock on a day."""
        return opening_stock(self._columns, filters, user)


def _post(adjustment: StockAdjustment, rows: Sequence[Row], by: Any) -> None:
    """One adjustment of some rows, stored and posted or not made at all."""
    lines = [AdjustmentInput(row.values["product"], row.values["quantity"], row.get("unit_cost")) for row in rows]
    with transaction.atomic():
        save_adjustment(adjustment, lines, by=by)
        post_adjustment(adjustment, by=by)


def _place(row: Row) -> Place:
    return row.values["product"].pk, row.values["warehouse"].pk


def _check(batch: Batch, row: Row, seen: dict[tuple[Any, ...], int]) -> bool:
    if row.values["quantity"] <= 0:
        batch.error(row, "quantity", _("Quantity must be more than 0."))
    before = seen.setdefault((*_place(row), row.values["date"]), row.number)
    if before != row.number:
        batch.error(row, "product", _("Row %s has the same key.") % before)
    return not row.bad


def _opened(rows: Sequence[Row]) -> dict[Place, dict[dt.date, Sum]]:
    """Opening stock that is posted: quantity and value of each day, by product and warehouse."""
    lines = standing_lines().filter(
        adjustment__reason=AdjustmentReason.OPENING, product__in={row.values["product"].pk for row in rows}
    )
    found: dict[Place, dict[dt.date, Sum]] = {}
    for product, place, day, *line in lines.values_list(
        "product", "adjustment__warehouse", "adjustment__date", "quantity", "value"
    ):
        days = found.setdefault((product, place), {})
        quantity, value = days.get(day, (ZERO, ZERO))
        days[day] = (quantity + line[0], value + line[1])
    return found


def _is_new(batch: Batch, row: Row, opened: Mapping[dt.date, Sum] | None) -> bool:
    """Opening stock is entered once: the same row again changes nothing, another one is refused."""
    if opened is None:
        return True
    pieces, cost, day = (row.values[name] for name in ("quantity", "unit_cost", "date"))
    quantity, value = opened.get(day, (None, None))
    if not batch.options.update:
        message = _("The opening stock of %(product)s in %(warehouse)s was entered already.")
        batch.error(row, "product", message % row.values)
    elif quantity != pieces or value is None or not same_cost(cost, pieces, value):
        told = day if day in opened else min(opened)
        batch.error(
            row,
            "quantity",
            _("%(quantity)s were entered on %(date)s already; use a stock adjustment.")
            % {"quantity": f"{opened[told][0].normalize():f}", "date": told},
        )
    else:
        batch.report.unchanged += 1
        batch.done([row], "unchanged")
    return False


class MovesImporter(DocumentImporter):
    """Stock movements: one posted adjustment per day and warehouse, its rows valued in the order of the file."""

    kind = "stock-moves"
    title = gettext_lazy("stock movements")
    resource = "stockadjustment"
    permissions = ("erp.add_stockadjustment", "erp.post_stockadjustment")

    @cached_property
    def _columns(self) -> list[Column]:
        names = ("document", "document number", "单据号", "单号")
        number = Column("number", gettext_lazy("number"), length=40, aliases=names)
        return [*_columns(cost_required=False), number]

    def columns(self) -> Sequence[Column]:
        """The columns of movements; `unit_cost` is for what comes in, `number` tells documents of a day apart."""
        return self._columns

    def exporter(self, filters: Mapping[str, str], user: Any) -> Out:
        """`manage.py export`: the lines of posted adjustments."""
        return stock_moves(self._columns, filters, user)

    def key(self, row: Row) -> Hashable:
        """Day, warehouse and document."""
        if not known(row, "date", "warehouse"):
            return None
        return row.values["date"], row.values["warehouse"].pk, row.get("number")

    def check(self, batch: Batch, document: FileDocument) -> None:
        """Issues leave at the average: a cost cannot be given."""
        for row in document.rows:
            if row.get("unit_cost") is not None and row.values["quantity"] < 0:
                batch.error(row, "unit_cost", _("What leaves stock has the average cost; leave this cell empty."))

    def write(self, batch: Batch) -> None:
        """Post the days one after the other."""
        documents = self.documents(batch)
        documents.sort(key=lambda document: (document.first.values["date"], document.first.number))
        marks = [f"{MARK}{_digest(document)}" for document in documents]
        posted = StockAdjustment.objects.filter(note__in=marks, state="posted")
        stored = {adjustment.note: adjustment for adjustment in posted}
        ours = _ours(documents)
        for done, (document, mark) in enumerate(zip(documents, marks, strict=True), start=1):
            number = document.first.get("number")
            if mark in stored:
                _known_before(batch, document, stored[mark])
            elif number in ours:
                _compare(batch, document, ours[number])
            else:
                _write(batch, document, mark)
            batch.tell(done, len(documents))


def _write(batch: Batch, document: FileDocument, mark: str) -> None:
    first = document.first.values
    adjustment = StockAdjustment(
        warehouse=first["warehouse"], reason=AdjustmentReason.OTHER, date=first["date"], note=mark
    )
    try:
        _post(adjustment, document.rows, batch.by)
    except REFUSED as error:
        batch.refuse(document.key, document.rows, error, lines=document.rows, names=NAMES)
        return
    batch.report.new += 1
    batch.done(document.rows, "new")


def _known_before(batch: Batch, document: FileDocument, adjustment: StockAdjustment) -> None:
    """The same movements of the same day again are the same file again, not new movements."""
    if batch.options.update:
        batch.report.unchanged += 1
        batch.done(document.rows, "unchanged")
    else:
        batch.error(document.first, "date", _("These movements were imported already as %s.") % adjustment)
        batch.hold(document.rows)


def _ours(documents: Sequence[FileDocument]) -> dict[str, StockAdjustment]:
    """Posted adjustments with the numbers that stand in the file: it was exported here."""
    numbers = {document.first.get("number") for document in documents} - {None}
    found = StockAdjustment.objects.filter(number__in=numbers).prefetch_related("lines")
    return {adjustment.number: adjustment for adjustment in found}


def _compare(batch: Batch, document: FileDocument, adjustment: StockAdjustment) -> None:
    """A document that is here already is never changed by a file: the same, or refused."""
    if not batch.options.update:
        batch.error(document.first, "number", _("%s exists already. Choose to update existing records.") % adjustment)
    elif not _same(document, adjustment):
        message = _("%s is posted and differs; reverse it, or correct the file.")
        batch.error(document.first, "number", message % adjustment)
    if document.bad:
        batch.hold(document.rows)
        return
    batch.report.unchanged += 1
    batch.done(document.rows, "unchanged")


def _same(document: FileDocument, adjustment: StockAdjustment) -> bool:
    """Whether the rows are the lines of `adjustment`; a cost that is not given is not compared."""
    first, lines = document.first.values, list(adjustment.lines.order_by("position"))
    if (first["date"], first["warehouse"].pk) != (adjustment.date, adjustment.warehouse_id):
        return False
    if adjustment.state != "posted" or len(lines) != len(document.rows):
        return False
    for row, line in zip(document.rows, lines, strict=True):
        cost = row.get("unit_cost")
        if (row.values["product"].pk, row.values["quantity"]) != (line.product_id, line.quantity):
            return False
        if cost is not None and not same_cost(cost, line.quantity, line.value):
            return False
    return True


def _digest(document: FileDocument) -> str:
    """What tells the movements of a day and warehouse from others, so that a file is not posted twice."""
    parts = [
        (row.values["product"].code, *(str(row.get(name, ZERO).normalize()) for name in ("quantity", "unit_cost")))
        for row in document.rows
    ]
    first = document.first.values
    named = [number] if (number := document.first.get("number")) else []
    text = repr((first["date"].isoformat(), first["warehouse"].code, parts, *named))
    return hashlib.sha256(text.encode()).hexdigest()[:24]
