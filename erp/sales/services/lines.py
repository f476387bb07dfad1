"""Order lines as deliveries and invoices load them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from erp.sales.models import SalesOrder, SalesOrderLine
from erp.sales.services.orders import HEAD


def lock_orders(line_keys: Iterable[int | None]) -> list[SalesOrder]:
    """The orders of the given lines, locked in key order with their customers' terms."""
    keys = SalesOrderLine.objects.filter(pk__in=[key for key in line_keys if key]).values("order")
    return list(HEAD.filter(pk__in=keys).order_by("pk").select_for_update(of=("self",)))


def order_lines(orders: Sequence[SalesOrder]) -> list[SalesOrderLine]:
    """All lines of locked orders with their products' posting groups."""
    by_pk = {order.pk: order for order in orders}
    rows = SalesOrderLine.objects.filter(order__in=by_pk).select_related("product__group", "unit", "tax_code")
    lines = list(rows.order_by("order", "position"))
    for line in lines:
        line.order = by_pk[line.order_id]
    return lines
