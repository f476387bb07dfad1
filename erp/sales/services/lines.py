"""Order lines as deliveries and invoices load them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from erp.sales.models import SalesOrder, SalesOrderLine
from erp.sales.services.orders import HEAD


def lock_orders(document: Any) -> list[SalesOrder]:
    """The orders behind a delivery or invoice, locked in key order with their customers' terms."""
    keys = document.lines.values("order_line__order")
    return list(HEAD.filter(pk__in=keys).order_by("pk").select_for_update(of=("self",)))


def order_lines(orders: Sequence[SalesOrder]) -> list[SalesOrderLine]:
    """All lines of locked orders with their products' posting groups."""
    by_pk = {order.pk: order for order in orders}
    rows = SalesOrderLine.objects.filter(order__in=by_pk).select_related(
        "product__group", "product__unit", "unit", "tax_code"
    )
    lines = list(rows.order_by("order", "position"))
    for line in lines:
        line.order = by_pk[line.order_id]
    return lines
