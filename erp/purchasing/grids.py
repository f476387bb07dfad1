"""Line grids of purchase documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from erp.purchasing.models import Bill
from erp.purchasing.pricing import find_price, last_prices
from erp.purchasing.services import amend_order, save_bill, save_order, save_receipt
from erp.purchasing.services.bill_drafts import not_received
from erp.trade.amounts import totals
from erp.trade.grids import ORDERS_ONLY, TradeGrid
from erp.trade.line_tables import progress_table
from erp.trade.movement_grids import MovementGrid
from kit.pages.lines import GridRow, LineTable
from kit.values.errors import BusinessError
from kit.values.money import ONE


def open_prices(document: Any, rows: Sequence[GridRow], last: Mapping[int, Decimal]) -> dict[str, Decimal]:
    """The prices that saving would find, in the row's unit and the document's currency."""
    rate = document.rate or ONE
    return {row.index: find_price(row.get("product"), row.get("factor", ONE), last, rate) for row in rows}


class PurchaseOrderGrid(TradeGrid):
    """Lines of a purchase order."""

    def find_prices(self, document: Any, rows: Sequence[GridRow]) -> dict[str, Decimal]:
        last: dict[int, Decimal] = {}
        if document.supplier_id:
            products = {row.get("product").pk for row in rows}
            currency = self.currency_of(document)
            last = last_prices(
                document.supplier_id,
                products,
                currency.pk,
                document.rate or ONE,
                includes_tax=document.prices_include_tax,
            )
        return open_prices(document, rows, last)

    def save(self, document: Any, rows: Sequence[GridRow], *, by: Any, version: int | None) -> Any:
        command = amend_order if document.pk and document.state == "confirmed" else save_order
        return command(document, self.order_inputs(document, rows), by=by, version=version)

    def table(self, document: Any, user: Any) -> LineTable:
        facts = [] if document.state == "draft" else [(_("Received"), "moved"), (_("Billed"), "billed")]
        return progress_table(self, document, facts)


class ReceiptGrid(MovementGrid):
    """Quantities of a goods receipt."""

    def save(self, document: Any, rows: Sequence[GridRow], *, by: Any, version: int | None) -> Any:
        return save_receipt(document, self.quantities(rows), by=by, version=version)


class BillGrid(TradeGrid):
    """Lines of a supplier bill: parts of receipts, services and other cost."""

    columns = tuple(c for c in TradeGrid.columns if c.name not in ORDERS_ONLY)
    scanned = ""

    def find_prices(self, document: Any, rows: Sequence[GridRow]) -> dict[str, Decimal]:
        return open_prices(document, rows, {})

    def _availability(self, document: Any, rows: Sequence[GridRow]) -> None:
        """Bills do not move stock."""

    def check(self, document: Any, rows: Sequence[GridRow], user: Any) -> None:
        super().check(document, rows, user)
        for row in rows:
            if row.pk is None and not row.errors and row.get("product").stocked:
                self.add_problems([row], BusinessError(problems=[not_received(row.get("product"), 0)]))

    def notices(self, document: Any, rows: Sequence[GridRow]) -> list[tuple[str, str]]:
        """Another bill that may be the same (rule P-11): its number but for the case, or its date and amount."""
        filled = [row for row in rows if row.get("product") is not None and not row.errors]
        if not filled or not document.supplier_id:
            return []
        total = totals(self._amounts(document, filled)).total
        same = Q(date=document.date, total=total, currency=self.currency_of(document))
        if document.supplier_number:
            same |= Q(supplier_number__iexact=document.supplier_number)
        others = Bill.objects.filter(same, supplier=document.supplier_id, reversal_of=None)
        other = others.exclude(state="reversed").exclude(pk=document.pk).order_by("-pk").first()
        if other is None:
            return []
        facts = {"bill": other, "number": other.supplier_number or "–", "date": other.date, "total": other.total}
        text = _("%(bill)s (invoice %(number)s of %(date)s, %(total)s) looks the same. Is this one entered twice?")
        return [("warn", text % facts)]

    def save(self, document: Any, rows: Sequence[GridRow], *, by: Any, version: int | None) -> Any:
        return save_bill(document, self.inputs(rows), by=by, version=version)

    def table(self, document: Any, user: Any) -> LineTable:
        return progress_table(self, document, [])
