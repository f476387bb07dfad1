"""Delivery notes: ship an order or a draft."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from erp.finance.context import STOCK, PostingContext, posting_context
from erp.finance.ledger import Line, post_entry, source_of
from erp.finance.models.accounts import Purpose
from erp.finance.rights import allow, allow_making, allow_transition
from erp.inventory.ledger import Key, Move, check_date, inventory_account, lock_levels, post_moves, value_moves
from erp.inventory.models import MoveKind, StockLevel
from erp.inventory.units import own_unit_problems
from erp.sales.credit import DELIVERING, check_blocked, check_delivery_credit, counted, terms_of
from erp.sales.models import Delivery, DeliveryLine, SalesOrder, SalesOrderLine
from erp.sales.models.deliveries import DELIVERY_STATES
from erp.sales.services.delivery_drafts import DELIVERIES, draft_of_order
from erp.sales.services.lines import lock_orders, order_lines
from erp.sales.services.orders import lock_order
from erp.trade.billing import product_posting_group
from erp.trade.excess import excess_problem, settle_rests
from erp.trade.orders import changed_since, save_progress
from kit.rules.days import business_day
from kit.values.errors import BusinessError, Problem
from kit.values.money import ZERO
from kit.values.quantities import round_quantity
from oa.organisation.models.company import CostAt
from oa.records.bulk import bulk_set, locked
from oa.records.numbering import next_number

LINE_FACTS = ("moved", "cancelled", "reserved", "delivered_cost", "expensed_cost")


@transaction.atomic
def deliver_order(
    order: SalesOrder, quantities: Mapping[int, Decimal] | None = None, *, by: Any, date: dt.date | None = None
) -> Delivery:
    """Ship what is open on an order, or the given quantities by order line, in one step."""
    order = lock_order(order)
    allow_making(by, Delivery, order)
    allow(by, "erp.post_delivery", DELIVERY_STATES.transition("post").label)
    lines = order_lines([order])
    delivery, drafts = draft_of_order(order, lines, quantities, by=by, date=date)
    delivery.save()
    return _post(delivery, drafts, [order], lines, by=by, new=True)


@transaction.atomic
def post_delivery(delivery: Delivery, *, by: Any, version: int | None = None) -> Delivery:
    """Ship a draft: stock out at average cost, cost entry, progress of its orders (rules G-02, D-01, D-04)."""
    delivery = locked(DELIVERIES, delivery.pk, version=version)
    allow_transition(by, delivery, "post")
    orders = lock_orders(delivery)
    drafts = list(delivery.lines.select_related("product__group", "product__unit"))
    return _post(delivery, drafts, orders, order_lines(orders), by=by)


def _post(
    delivery: Delivery,
    drafts: list[DeliveryLine],
    orders: Sequence[SalesOrder],
    lines: Sequence[SalesOrderLine],
    *,
    by: Any,
    new: bool = False,
) -> Delivery:
    """Common path of shipping; everything it needs is locked and loaded. `new` lines are not stored yet."""
    context, by_pk = posting_context(delivery.date, STOCK), {line.pk: line for line in lines}
    _check(delivery, drafts, by_pk, context)
    before = {order.pk: counted(order, _own(order, lines)) for order in orders}
    for draft in drafts:
        by_pk[draft.order_line_id].moved += draft.quantity
    _check_credit(delivery, orders, lines, before)
    settle_rests(delivery, drafts, by_pk, context.under_tolerance)
    levels = lock_levels((d.product_id, delivery.warehouse_id) for d in drafts if d.product.stocked)
    moves = [
        _move(draft, by_pk[draft.order_line_id], delivery, levels, context, row)
        for row, draft in enumerate(drafts)
        if draft.product.stocked
    ]
    check_date(moves, delivery.date, by=by)
    value_moves(levels, moves, exponent=context.exponent)
    _take_over(drafts, moves, by_pk)
    if new:
        DeliveryLine.objects.bulk_create(drafts)
    else:
        bulk_set(drafts, ("cost", "given_up"))
    for move, draft in zip(moves, [d for d in drafts if d.product.stocked], strict=True):
        move.line = draft.pk
    _post_entry(context, delivery, drafts, by_pk, levels, moves, by)
    delivery.state, delivery.posted_at, delivery.posted_by = "posted", timezone.now(), by
    delivery.version += 1
    delivery.save()
    save_progress(orders, lines, LINE_FACTS)
    return delivery


def _post_entry(
    context: PostingContext,
    delivery: Delivery,
    drafts: Sequence[DeliveryLine],
    by_pk: Mapping[int, SalesOrderLine],
    levels: Any,
    moves: Sequence[Move],
    by: Any,
) -> None:
    """Party, number, entry and stock moves of a delivery whose lines are valued."""
    delivery.copy_party(delivery.customer)
    delivery.number = next_number(delivery.SEQUENCE, delivery.date)
    source, memo = source_of(delivery), f"{_('Delivery')} {delivery.number} {delivery.customer}"
    cost = _cost_lines(context, delivery, drafts, by_pk, {move.line: move.account_id for move in moves})
    posted = post_entry(context, source, cost, by=by, memo=memo)
    post_moves(levels, moves, entry_id=posted[0] if posted else None, source=source, date=delivery.date, by=by)


def _check(
    delivery: Delivery, drafts: Sequence[DeliveryLine], lines: Mapping[int, SalesOrderLine], context: PostingContext
) -> None:
    """Blocked customers, held orders, changed lines and quantities beyond the tolerance are refused (D-03, G-12)."""
    terms = terms_of(delivery.customer)
    check_blocked(terms, DELIVERING)
    message = _("Only %(open)s of %(product)s are left to deliver; you entered %(entered)s.")
    problems = own_unit_problems(drafts)
    taken: dict[int, Decimal] = {}
    for row, draft in enumerate(drafts):
        line = lines[draft.order_line_id]
        if line.order.state != "confirmed":
            problems.append(
                Problem(_("%s is not confirmed; only confirmed orders are delivered.") % line.order, row=row)
            )
        elif line.order.hold:
            problems.append(
                Problem(_("%(order)s is on hold: %(reason)s") % {"order": line.order, "reason": line.order.hold_reason})
            )
        elif line.warehouse_id != delivery.warehouse_id:
            problems.append(
                Problem(_("%s leaves from another warehouse now; make a new delivery.") % line.product.code, row=row)
            )
        if problem := changed_since(draft, line, row):
            problems.append(problem)
            continue
        taken[line.pk] = taken.get(line.pk, ZERO) + draft.quantity
        wanted = taken[line.pk]
        if problem := excess_problem(delivery, draft, line, wanted, terms, context, message=message, row=row):
            problems.append(problem)
    if problems:
        raise BusinessError(problems=problems)


def _own(order: SalesOrder, lines: Sequence[SalesOrderLine]) -> list[SalesOrderLine]:
    return [line for line in lines if line.order_id == order.pk]


def _check_credit(
    delivery: Delivery,
    orders: Sequence[SalesOrder],
    lines: Sequence[SalesOrderLine],
    before: Mapping[int, Decimal],
) -> None:
    """The customer's credit when the goods leave (rule S-04); what is only a warning is told by the delivery.

    The `lines` tell what leaves now, `before` what each order counted without it: the exposure that is stored knows
    nothing of this delivery, so that what it brings of the other orders is added.
    """
    grown = {order.pk: counted(order, _own(order, lines)) - before[order.pk] for order in orders}
    whole = sum(grown.values(), ZERO)
    warnings = [
        check_delivery_credit(order, _own(order, lines), business_day(), besides=whole - grown[order.pk])
        for order in orders
    ]
    delivery.warning = " ".join(filter(None, warnings))


def _move(
    draft: DeliveryLine,
    line: SalesOrderLine,
    delivery: Delivery,
    levels: Mapping[Key, StockLevel],
    context: PostingContext,
    row: int,
) -> Move:
    """The issue of a line; takes its part of what the order line has reserved, all where its rest is given up."""
    quantity = round_quantity(draft.quantity * draft.factor)
    release = line.reserved if draft.given_up else min(line.reserved, quantity)
    line.reserved -= release
    return Move(
        product=draft.product,
        warehouse_id=delivery.warehouse_id,
        quantity=-quantity,
        kind=MoveKind.DELIVERY,
        account_id=inventory_account(context, levels[draft.product_id, delivery.warehouse_id], draft.product),
        row=row,
        release=release,
    )


def _take_over(drafts: Sequence[DeliveryLine], moves: Sequence[Move], lines: Mapping[int, SalesOrderLine]) -> None:
    """Carry cost to the delivery lines and the order lines."""
    valued = iter(moves)
    for draft in drafts:
        if draft.product.stocked:
            move = next(valued)
            draft.cost = -(move.value or ZERO)
            lines[draft.order_line_id].delivered_cost += draft.cost


def _cost_lines(
    context: PostingContext,
    delivery: Delivery,
    drafts: Sequence[DeliveryLine],
    order_lines: Mapping[int, SalesOrderLine],
    accounts: Mapping[int, int],
) -> list[Line]:
    """Cost of goods sold, or goods shipped until the invoice, against inventory (`accounts` by line, rule D-04)."""
    purpose = Purpose.COGS if context.cost_at == CostAt.DELIVERY else Purpose.SHIPPED
    partner = terms_of(delivery.customer)
    partner_group = partner.posting_group_id if partner else None
    lines = []
    for draft in drafts:
        if not draft.cost:
            continue
        group = product_posting_group(draft.product)
        lines.append(
            Line(context.account(purpose, group, partner_group), draft.cost, department_id=delivery.department_id)
        )
        lines.append(Line(accounts[draft.pk], -draft.cost))
        if context.cost_at == CostAt.DELIVERY:
            order_lines[draft.order_line_id].expensed_cost += draft.cost
        delivery.cost += draft.cost
    return lines
