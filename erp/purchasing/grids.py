"""Line grids of purchase documents."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from erp.purchasing.pricing import find_price, last_prices
from erp.purchasing.services import amend_order, save_bill, save_order, save_receipt
from erp.trade.grids import MovementGrid, TradeGrid, progress_table
from erp.trade.progress import to_move
from kit.pages.lines import GridRow, LineTable
from kit.values.money import ONE


class PurchaseOrderGrid(TradeGrid):
    """Lines of a purchase order."""

    def find_prices(self, document: Any, rows: Sequence[GridRow]) -> dict[str, Decimal]:
        rate = document.rate or ONE
        last: dict[int, Decimal] = {}
        if document.supplier_id:
            products = {row.get("product").pk for row in rows}
            currency = self.currency_of(document)
            last = last_prices(
                document.supplier_id, products, currency.pk, rate, includes_tax=document.prices_include_tax
            )
        return {row.index: find_price(row.get("product"), ONE, last, rate) for row in rows}

    def save(self, document: Any, rows: Sequence[GridRow], *, by: Any, version: int | None) -> Any:
        command = amend_order if document.pk and document.state == "confirmed" else save_order
        return command(document, self.inputs(rows), by=by, version=version)

    def table(self, document: Any, user: Any) -> LineTable:
        facts = [] if document.state == "draft" else [(_("Received"), "moved"), (_("Billed"), "billed")]
        return progress_table(self, document, facts)


class ReceiptGrid(MovementGrid):
    """Quantities of a goods receipt."""

    def open_quantity(self, line: Any) -> Decimal:
        return to_move(line.order_line)

    def save(self, document: Any, rows: Sequence[GridRow], *, by: Any, version: int | None) -> Any:
        return save_receipt(document, self.quantities(rows), by=by, version=version)


class BillGrid(TradeGrid):
    """Lines of a supplier bill: parts of receipts, services and other cost."""

    columns = tuple(c for c in TradeGrid.columns if c.name != "available")

    def find_prices(self, document: Any, rows: Sequence[GridRow]) -> dict[str, Decimal]:
        return {row.index: row.get("product").cost for row in rows}

    def _availability(self, document: Any, rows: Sequence[GridRow]) -> None:
        """Bills do not move stock."""

    def save(self, document: Any, rows: Sequence[GridRow], *, by: Any, version: int | None) -> Any:
        return save_bill(document, self.inputs(rows), by=by, version=version)

    def table(self, document: Any, user: Any) -> LineTable:
        return progress_table(self, document, [])
