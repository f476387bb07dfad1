"""Line grids of sales documents."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db.models import F, Sum
from django.utils.translation import gettext as _

from erp.inventory.models import Product
from erp.sales.credit import terms_of
from erp.sales.pricing import customer_prices, find_price
from erp.sales.services import amend_order, save_delivery, save_invoice, save_order
from erp.sales.services.invoice_drafts import origin_problems
from erp.trade.grids import ORDERS_ONLY, TradeGrid
from erp.trade.line_tables import progress_table
from erp.trade.movement_grids import MovementGrid
from kit.pages import formats
from kit.pages.lines import GridRow, LineTable, few_words
from kit.rules.days import business_day
from kit.values.errors import BusinessError
from kit.values.money import ONE, ZERO


class SalesGrid(TradeGrid):
    """Prices and taxes as they were agreed with the customer (rule S-01)."""

    def find_prices(self, document: Any, rows: Sequence[GridRow]) -> dict[str, Decimal]:
        currency = self.currency_of(document)
        day = document.date or business_day()
        agreed = []
        if document.customer_id:
            products = {row.get("product").pk for row in rows}
            agreed = customer_prices(document.customer_id, products, currency.pk, day)
        rate = document.rate or ONE
        return {
            row.index: find_price(
                row.get("product"), row.get("quantity", ONE), row.get("factor", ONE), agreed, rate
            ).price
            for row in rows
        }

    def default_tax(self, document: Any, product: Product) -> Any:
        terms = terms_of(document.customer) if document.customer_id else None
        return terms.tax_code if terms is not None and terms.tax_code is not None else product.tax_code


class OrderGrid(SalesGrid):
    """Lines of a sales order."""

    def held_by(self, document: Any) -> dict[tuple[int, int | None], Decimal]:
        if document.state != "confirmed":
            return {}
        held = F("reserved") + F("moved") * F("factor")
        rows = document.lines.values_list("product", "warehouse").annotate(held=Sum(held)).order_by()
        return {(product, warehouse): quantity for product, warehouse, quantity in rows}

    def short_of(self, document: Any, row: GridRow, free: Decimal) -> Decimal:
        return max(row.get("quantity", ZERO) * row.get("factor", ONE) - max(free, ZERO), ZERO)

    def notices(self, document: Any, rows: Sequence[GridRow]) -> list[tuple[str, str]]:
        text = _("Line %(line)s “%(product)s”: %(free)s available, short by %(short)s.")
        words = [
            text
            % {
                "line": position,
                "product": row.get("product").code,
                "free": row.outputs.get("available", ""),
                "short": formats.trimmed(row.values["short"]),
            }
            for position, row in enumerate(rows, start=1)
            if row.values.get("short")
        ]
        return few_words(words)

    def save(self, document: Any, rows: Sequence[GridRow], *, by: Any, version: int | None) -> Any:
        command = amend_order if document.pk and document.state == "confirmed" else save_order
        return command(document, self.order_inputs(document, rows), by=by, version=version)

    def table(self, document: Any, user: Any) -> LineTable:
        facts = (
            []
            if document.state == "draft"
            else [
                (_("Reserved"), "reserved"),
                (_("Delivered"), "moved"),
                (_("Invoiced"), "billed"),
            ]
        )
        return progress_table(self, document, facts)


class DeliveryGrid(MovementGrid):
    """Quantities of a delivery note."""

    def save(self, document: Any, rows: Sequence[GridRow], *, by: Any, version: int | None) -> Any:
        return save_delivery(document, self.quantities(rows), by=by, version=version)


class InvoiceGrid(SalesGrid):
    """Lines of an invoice: parts of order lines, and services."""

    columns = tuple(c for c in TradeGrid.columns if c.name not in ORDERS_ONLY)
    scanned = ""

    def _availability(self, document: Any, rows: Sequence[GridRow]) -> None:
        """Invoices do not move stock."""

    def check(self, document: Any, rows: Sequence[GridRow], user: Any) -> None:
        super().check(document, rows, user)
        mine = [row for row in rows if row.pk is None and not row.errors]
        problems = [p for row, given in enumerate(self.inputs(mine)) for p in origin_problems(given, row)]
        if problems:
            self.add_problems(mine, BusinessError(problems=problems))

    def save(self, document: Any, rows: Sequence[GridRow], *, by: Any, version: int | None) -> Any:
        return save_invoice(document, self.inputs(rows), by=by, version=version)

    def table(self, document: Any, user: Any) -> LineTable:
        return progress_table(self, document, [])
