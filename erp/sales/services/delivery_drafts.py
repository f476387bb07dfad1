"""Drafts of delivery notes: what of an order to ship, and what a person changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from erp.finance.rights import allow_making, allow_saving
from erp.sales.models import Delivery, DeliveryLine, SalesOrder, SalesOrderLine
from erp.sales.services.lines import order_lines
from erp.sales.services.orders import lock_order
from erp.trade.lines import check_quantities
from erp.trade.movements import append_lines, new_lines, store_draft, store_quantities
from erp.trade.progress import to_move
from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.records.bulk import lockable, locked
from oa.records.commands import command

DELIVERIES = lockable(Delivery.objects.select_related("customer__terms", "warehouse"))


@transaction.atomic
def draft_delivery(
    order: SalesOrder, quantities: Mapping[int, Decimal] | None = None, *, by: Any, date: dt.date | None = None
) -> Delivery:
    """A draft of what is open on an order, to be looked over before it is shipped."""
    order = lock_order(order)
    allow_making(by, Delivery, order)
    delivery, drafts = draft_of_order(order, order_lines([order]), quantities, by=by, date=date)
    store_draft(delivery, drafts)
    return delivery


@command
def save_delivery(
    delivery: Delivery, quantities: Mapping[int, Decimal], *, by: Any, version: int | None = None
) -> Delivery:
    """Store head fields and quantities (by delivery line) of a draft; lines at 0 are dropped."""
    current = locked(DELIVERIES, delivery.pk, version=version)
    allow_saving(by, current)
    if current.state != "draft":
        raise BusinessError(_("%s is shipped and cannot be changed; reverse it.") % current)
    store_quantities(delivery, current, quantities)
    return delivery


def draft_of_order(
    order: SalesOrder,
    lines: Sequence[SalesOrderLine],
    quantities: Mapping[int, Decimal] | None,
    *,
    by: Any,
    date: dt.date | None,
) -> tuple[Delivery, list[DeliveryLine]]:
    """A delivery of a locked order and its lines, not stored; `quantities` by order line, None for all open."""
    if order.state != "confirmed":
        raise BusinessError(_("%s is not confirmed; only confirmed orders are delivered.") % order)
    taken = _taken(order, lines, quantities)
    delivery = Delivery(
        customer=order.customer,
        warehouse_id=next(iter(taken)).warehouse_id,
        ship_to=order.ship_to,
        date=date or business_day(),
        owner_id=order.owner_id,
        department_id=order.department_id,
        created_by=by,
    )
    return delivery, new_lines(delivery, taken.items())


@transaction.atomic
def add_open(delivery: Delivery, *, by: Any, version: int | None = None) -> Delivery:
    """Add what else the customer waits for from this warehouse at this address: several orders at once (D-01)."""
    delivery = locked(DELIVERIES, delivery.pk, version=version)
    allow_saving(by, delivery)
    if delivery.state != "draft":
        raise BusinessError(_("%s is shipped and cannot be changed; reverse it.") % delivery)
    orders = SalesOrder.objects.filter(
        customer=delivery.customer_id, ship_to=delivery.ship_to, state="confirmed", hold=""
    ).exclude(goods_status__in=("complete", "over"))
    found = orders if by is None else orders.visible_to(by)
    # Held, so that no amendment removes a line meanwhile (as `draft_delivery` holds its order).
    keys = list(found.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    lines = SalesOrderLine.objects.filter(order__in=keys, warehouse=delivery.warehouse_id).exclude(
        delivery_lines__delivery=delivery
    )
    waiting = lines.select_related("product").order_by("order__date", "order", "position")
    taken = [(line, to_move(line)) for line in waiting if to_move(line)]
    if not taken:
        raise BusinessError(_("Nothing else is open for %s here.") % delivery.customer)
    append_lines(delivery, taken)
    return delivery


def _taken(
    order: SalesOrder, lines: Sequence[SalesOrderLine], quantities: Mapping[int, Decimal] | None
) -> dict[SalesOrderLine, Decimal]:
    """The quantities of one delivery: as given, else what is open in the warehouse of the first open line."""
    if quantities is None:
        taken = {line: to_move(line) for line in lines if to_move(line)}
        warehouse = next(iter(taken)).warehouse_id if taken else None
        taken = {line: quantity for line, quantity in taken.items() if line.warehouse_id == warehouse}
    else:
        taken = {line: quantities[line.pk] for line in lines if quantities.get(line.pk)}
        if quantities.keys() - {line.pk for line in lines}:
            raise BusinessError(_("Some lines are not on %s any more.") % order)
    if not taken:
        raise BusinessError(_("Nothing is left to deliver on %s.") % order)
    if len({line.warehouse_id for line in taken}) > 1:
        raise BusinessError(_("The lines lie in different warehouses; make one delivery for each."))
    check_quantities(lines, {line.pk: quantity for line, quantity in taken.items()})
    return taken
