"""Reversal of deliveries and invoices by counter documents (rules G-04 to G-06)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from erp.finance.context import SALES, STOCK, PostingContext, posting_context
from erp.finance.ledger import Line, entry_of, post_entry, source_of
from erp.finance.models import JournalEntry
from erp.finance.models.accounts import Purpose
from erp.finance.openitems import items_of
from erp.finance.rights import allow_transition
from erp.inventory.ledger import Key, Move, check_date, inventory_account, lock_levels, value_moves
from erp.inventory.models import MoveKind, StockLevel
from erp.sales.credit import terms_of
from erp.sales.models import Delivery, DeliveryLine, Invoice, SalesOrderLine
from erp.sales.services.deliveries import LINE_FACTS as DELIVERY_FACTS
from erp.sales.services.delivery_drafts import DELIVERIES
from erp.sales.services.invoice_drafts import INVOICES
from erp.sales.services.invoices import LINE_FACTS as INVOICE_FACTS
from erp.sales.services.invoices import refresh_invoices
from erp.sales.services.lines import lock_orders, order_lines
from erp.trade.billing import product_posting_group
from erp.trade.models import MOVED, PARTY, PRICED
from erp.trade.orders import save_progress
from erp.trade.reversal import (
    AMOUNTS,
    LINE_AMOUNTS,
    PRICED_HEAD,
    Counter,
    as_the_original,
    finish_reversal,
    post_counter_moves,
    refuse_if_settled,
    reverse_document_entry,
    reverse_with_items,
)
from kit.values.errors import BusinessError
from kit.values.money import ZERO
from kit.values.quantities import round_quantity
from oa.records.bulk import locked
from oa.records.numbering import next_number

DELIVERY = Counter(
    kept=("customer", "warehouse", "ship_to", "excess_allowed_by_id", *PARTY),
    opposite=("cost",),
    line_kept=MOVED,
    line_opposite=("cost",),
)
INVOICE = Counter(
    kept=("customer", "billing_name", "billing_tax_number", "billing_address", *PRICED_HEAD),
    opposite=AMOUNTS,
    line_kept=PRICED,
    line_opposite=("cost", *LINE_AMOUNTS),
)


@transaction.atomic
def reverse_delivery(
    delivery: Delivery, *, by: Any, date: dt.date | None = None, version: int | None = None
) -> Delivery:
    """Take a shipped delivery back at the same cost, by a counter document (rules G-04, V-06).

    Refused while more is invoiced than would stay delivered (rule G-06).
    """
    original = locked(DELIVERIES, delivery.pk, version=version)
    allow_transition(by, original, "reverse")
    if original.reversal_of_id:
        raise BusinessError(_("%s is a reversal itself and cannot be reversed.") % original)
    lines = list(original.lines.select_related("product__group"))
    orders = lock_orders(original)
    facts = order_lines(orders)
    by_pk = {line.pk: line for line in facts}
    _check_not_invoiced(original, lines, by_pk)
    counter, drafts = DELIVERY.of(original, lines, by=by, date=date)
    context = posting_context(counter.date, STOCK)
    levels = lock_levels((line.product_id, original.warehouse_id) for line in lines if line.product.stocked)
    moves = _moves_back(context, levels, original, zip(lines, drafts, strict=True))
    check_date(moves, counter.date, by=by)
    residues = value_moves(levels, moves, exponent=context.exponent)
    entry = entry_of(source_of(original))
    cost = _take_back(context, original, lines, by_pk, entry)
    counter.number = next_number(counter.SEQUENCE, counter.date)
    entry_id = reverse_document_entry(context, original, counter, by=by, entry=entry)
    post_counter_moves(context, counter, levels, moves, residues, entry_id=entry_id, by=by)
    if cost:
        post_entry(context, source_of(counter), cost, by=by, memo=_("Cost of goods sold"), purpose="cost")
    finish_reversal(original, counter, by)
    save_progress(orders, facts, DELIVERY_FACTS)
    return counter


def _moves_back(
    context: PostingContext,
    levels: Mapping[Key, StockLevel],
    original: Delivery,
    pairs: Iterable[tuple[DeliveryLine, DeliveryLine]],
) -> list[Move]:
    """Moves into stock for the (original, counter) lines of stocked products, at the cost at which they left."""
    moves = [
        Move(
            line.product,
            original.warehouse_id,
            round_quantity(line.quantity * line.factor),
            MoveKind.DELIVERY,
            inventory_account(context, levels[line.product_id, original.warehouse_id], line.product),
            draft.pk,
            line.cost,
        )
        for line, draft in pairs
        if line.product.stocked
    ]
    return as_the_original(moves, original)


def _take_back(
    context: PostingContext,
    original: Delivery,
    lines: Sequence[DeliveryLine],
    facts: Mapping[int, SalesOrderLine],
    entry: JournalEntry | None,
) -> list[Line]:
    """Take quantity and cost of a reversed delivery off the order lines.

    Where cost waits for the invoice, more may be expensed by then than what stays delivered costs, because
    invoices expense the average of all deliveries: the ledger lines for that part are returned (rule D-04).
    """
    shipped = {
        account for (purpose, _product, _partner), account in context.rules.items() if purpose == Purpose.SHIPPED
    }
    waited = entry is not None and any(line.account_id in shipped for line in entry.lines.all())
    terms = terms_of(original.customer)
    partner = terms.posting_group_id if terms else None
    ledger = []
    for line in lines:
        fact, group = facts[line.order_line_id], product_posting_group(line.product)
        fact.moved -= line.quantity
        fact.cancelled -= min(fact.cancelled, line.given_up)
        fact.delivered_cost -= line.cost
        if not waited:
            fact.expensed_cost -= line.cost
        excess = fact.expensed_cost - fact.delivered_cost
        if excess > 0:
            fact.expensed_cost -= excess
            department = original.department_id
            ledger.append(Line(context.account(Purpose.SHIPPED, group, partner), excess, department_id=department))
            ledger.append(Line(context.account(Purpose.COGS, group, partner), -excess, department_id=department))
    return ledger


def _check_not_invoiced(original: Delivery, lines: Sequence[DeliveryLine], facts: Mapping[int, SalesOrderLine]) -> None:
    """Lines that took from one order line go back together."""
    back: dict[int, Decimal] = {}
    for line in lines:
        back[line.order_line_id] = back.get(line.order_line_id, ZERO) + line.quantity
    for key, quantity in back.items():
        fact = facts[key]
        if fact.billed - fact.credited > fact.moved - quantity:
            raise BusinessError(
                _("%(delivery)s is invoiced; reverse the invoices of %(order)s first.")
                % {"delivery": original, "order": fact.order}
            )


@transaction.atomic
def reverse_invoice(invoice: Invoice, *, by: Any, date: dt.date | None = None, version: int | None = None) -> Invoice:
    """Reverse a posted invoice by a counter invoice; refused while it is paid (rules G-04, G-06)."""
    original = locked(INVOICES, invoice.pk, version=version)
    allow_transition(by, original, "reverse")
    if original.reversal_of_id:
        raise BusinessError(_("%s is a reversal itself and cannot be reversed.") % original)
    lines = list(original.lines.select_related("product", "tax_code"))
    orders = lock_orders(original)
    facts = order_lines(orders)
    items = items_of(source_of(original))
    refuse_if_settled(original, items)
    counter, _drafts = INVOICE.of(original, lines, by=by, date=date)
    counter.due_date = counter.date
    context = posting_context(counter.date, SALES)
    by_pk = {line.pk: line for line in facts}
    for line in lines:
        if line.order_line_id:
            by_pk[line.order_line_id].billed -= line.quantity
            by_pk[line.order_line_id].expensed_cost -= line.cost
    counter.number = next_number(counter.SEQUENCE, counter.date)
    reverse_with_items(context, original, counter, items, by=by)
    finish_reversal(original, counter, by)
    if orders:
        save_progress(orders, facts, INVOICE_FACTS)
    refresh_invoices({original.pk, counter.pk})
    return counter
