"""Opening stock and stock movements from files: posted stock adjustments; and stock on hand into files."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from typing import Any

from django.db import transaction
from django.db.models import Min, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from erp.inventory.models import AdjustmentReason, MoveKind, Product, StockAdjustment, StockLevel, StockMove, Warehouse
from erp.inventory.services import AdjustmentInput, post_adjustment, save_adjustment
from kit.exchange import exporting
from kit.exchange.importing import Batch, Column, Importer, Row
from kit.exchange.importing_columns import maker
from kit.exchange.importing_documents import DocumentImporter, FileDocument, known
from kit.values.errors import BusinessError
from kit.values.money import ZERO, round_half_up

NAMES = {"product": "product", "quantity": "quantity", "unit_cost": "unit_cost", "date": "date"}
MARK = "import:"  # in the note of adjustments made of files of movements, followed by a digest of their rows
Place = tuple[int, int]  # product, warehouse


def _columns(*, cost_required: bool) -> list[Column]:
    return [
        Column("date", gettext_lazy("date"), "date", required=True, aliases=("日期",)),
        Column(
            "product",
            gettext_lazy("product"),
            "record",
            required=True,
            model=Product,
            aliases=("product code", "商品", "商品编码"),
        ),
        Column(
            "warehouse",
            gettext_lazy("warehouse"),
            "record",
            required=True,
            model=Warehouse,
            make=maker(Warehouse),
            aliases=("仓库", "仓库编码"),
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
            except BusinessError as error:
                batch.done(part, "new")
                batch.refuse_rows(part, error, NAMES)
            done += len(part)
            batch.tell(done, len(rows))

    def exporter(self, filters: Mapping[str, str], user: Any) -> tuple[list[exporting.Column], Iterable[Any]]:
        """`manage.py export`: stock on hand as opening stock of a day (`date`, today if none is given)."""
        given = dict(filters)
        columns = {column.name: column for column in self._columns}
        levels = StockLevel.objects.visible_to(user).filter(on_hand__gt=0).select_related("product", "warehouse")
        try:
            day = columns["date"].parse(given.pop("date", "")) or timezone.localdate()
        except ValueError as error:
            raise BusinessError(str(error)) from None
        for name in ("warehouse", "product"):
            if name in given:
                levels = levels.filter(**{f"{name}__code": given.pop(name)})
        if given:
            raise BusinessError(
                _("There is no filter “%(name)s”; there are: %(names)s.")
                % {"name": next(iter(given)), "names": "date, warehouse, product"}
            )
        out = [exporting.Column(c.name, c.label, "text" if c.kind == "record" else c.kind) for c in self._columns]
        return out, _levels(levels.order_by("warehouse__code", "product__code"), day)


def _levels(levels: Any, day: Any) -> Iterator[list[Any]]:
    for level in levels.iterator(chunk_size=2000):
        cost = round_half_up(level.value / level.on_hand, 6)
        yield [level.product.code, level.warehouse.code, level.on_hand, cost, day]


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


def _opened(rows: Sequence[Row]) -> dict[Place, tuple[Decimal, Decimal, Any]]:
    """Opening stock that is posted: quantity, value and first day, by product and warehouse."""
    moves = StockMove.objects.filter(kind=MoveKind.OPENING, product__in={row.values["product"].pk for row in rows})
    sums = moves.order_by().values_list("product", "warehouse").annotate(Sum("quantity"), Sum("value"), Min("date"))
    return {(product, place): (quantity, value, day) for product, place, quantity, value, day in sums if quantity}


def _is_new(batch: Batch, row: Row, opened: tuple[Decimal, Decimal, Any] | None) -> bool:
    """Opening stock is entered once: the same row again changes nothing, another one is refused."""
    if opened is None:
        return True
    quantity, value, day = opened
    pieces, cost = row.values["quantity"], row.values["unit_cost"]
    given = pieces, round_half_up(pieces * cost, 2), row.values["date"]
    if not batch.options.update:
        message = _("The opening stock of %(product)s in %(warehouse)s was entered already.")
        batch.error(row, "product", message % row.values)
    elif given != (quantity, value, day):
        batch.error(
            row,
            "quantity",
            _("%(quantity)s were entered on %(date)s already; use a stock adjustment.")
            % {"quantity": f"{quantity.normalize():f}", "date": day},
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
        return _columns(cost_required=False)

    def columns(self) -> Sequence[Column]:
        """The columns of movements; `unit_cost` is for what comes in."""
        return self._columns

    def key(self, row: Row) -> Hashable:
        """Day and warehouse."""
        if not known(row, "date", "warehouse"):
            return None
        return row.values["date"], row.values["warehouse"].pk

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
        for done, (document, mark) in enumerate(zip(documents, marks, strict=True), start=1):
            if mark in stored:
                _known_before(batch, document, stored[mark])
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
    except BusinessError as error:
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


def _digest(document: FileDocument) -> str:
    """What tells the movements of a day and warehouse from others, so that a file is not posted twice."""
    parts = [
        (row.values["product"].code, *(str(row.get(name, ZERO).normalize()) for name in ("quantity", "unit_cost")))
        for row in document.rows
    ]
    first = document.first.values
    text = repr((first["date"].isoformat(), first["warehouse"].code, parts))
    return hashlib.sha256(text.encode()).hexdigest()[:24]
