"""Reversal of receipts and bills by counter documents (rules G-04 to G-06, P-17)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from erp.finance.context import PURCHASES, STOCK, posting_context
from erp.finance.ledger import source_of
from erp.finance.openitems import items_of
from erp.finance.rights import allow_transition
from erp.inventory.coverage import shares_left
from erp.inventory.ledger import Key, Move, check_date, lock_levels, restate, value_moves
from erp.inventory.models import MoveKind, StockLevel, StockMove
from erp.purchasing.models import Bill, BillLine, GoodsReceipt, GoodsReceiptLine, PurchaseOrderLine
from erp.purchasing.posting import consumed_since
from erp.purchasing.services.bill_drafts import BILLS
from erp.purchasing.services.bills import LINE_FACTS as BILL_LINE_FACTS
from erp.purchasing.services.bills import MATCHED, RECEIPT_FACTS, lock_bill_orders, refresh_bills, shared_receipts
from erp.purchasing.services.orders import order_lines
from erp.purchasing.services.receipts import LINE_FACTS as RECEIPT_LINE_FACTS
from erp.purchasing.services.receipts import RECEIPTS, lock_receipt_orders, receipt_move
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
from oa.records.bulk import locked
from oa.records.numbering import next_number

RECEIPT = Counter(
    kept=("supplier", "warehouse", "supplier_note", "excess_allowed_by_id", *PARTY),
    opposite=("value",),
    line_kept=MOVED,
    line_opposite=("value",),
)
BILL = Counter(
    kept=("supplier", "supplier_number", "excess_allowed_by_id", *PRICED_HEAD, *PARTY),
    opposite=AMOUNTS,
    line_kept=("receipt_line", *PRICED),
    line_opposite=(*LINE_AMOUNTS, *MATCHED),
)


@transaction.atomic
def reverse_receipt(
    receipt: GoodsReceipt, *, by: Any, date: dt.date | None = None, version: int | None = None
) -> GoodsReceipt:
    """Take a receipt back out of stock at its original value, by a counter document (rules G-04, P-17).

    Refused while it is billed (rule G-06) and where the stock is not there any more.
    """
    original = locked(RECEIPTS, receipt.pk, version=version)
    allow_transition(by, original, "reverse")
    if original.reversal_of_id:
        raise BusinessError(_("%s is a reversal itself and cannot be reversed.") % original)
    orders = lock_receipt_orders(original)
    facts = order_lines(orders)
    lines = list(original.lines.select_related("product__group"))
    _refuse_if_billed(original, lines)
    counter, drafts = RECEIPT.of(original, lines, by=by, date=date)
    _refuse_while_billed(original, counter.date)
    context = posting_context(counter.date, STOCK)
    stocked = [draft for draft in drafts if draft.product.stocked]
    levels = lock_levels((draft.product_id, counter.warehouse_id) for draft in stocked)
    moves = [receipt_move(draft, counter, levels, context) for draft in stocked]
    for move, draft in zip(moves, stocked, strict=True):
        move.line = draft.pk
    moves = as_the_original(moves, original)
    check_date(moves, counter.date, by=by)
    residues = value_moves(levels, moves, exponent=context.exponent)
    by_pk = {line.pk: line for line in facts}
    for line in lines:
        fact = by_pk[line.order_line_id]
        fact.moved -= line.quantity
        fact.cancelled -= min(fact.cancelled, line.given_up)
    counter.number = next_number(counter.SEQUENCE, counter.date)
    entry_id = reverse_document_entry(context, original, counter, by=by)
    post_counter_moves(context, counter, levels, moves, residues, entry_id=entry_id, by=by)
    finish_reversal(original, counter, by)
    save_progress(orders, facts, RECEIPT_LINE_FACTS)
    return counter


def _refuse_if_billed(original: GoodsReceipt, lines: Sequence[GoodsReceiptLine]) -> None:
    """Name the bills that took from a receipt (rule G-06)."""
    if not any(line.billed for line in lines):
        return
    bills = BillLine.objects.filter(receipt_line__receipt=original, bill__state="posted", bill__reversal_of=None)
    numbers = {number or "" for number in bills.values_list("bill__number", flat=True)}
    raise BusinessError(
        _("%(receipt)s is billed by %(numbers)s. Reverse those first.")
        % {"receipt": original, "numbers": ", ".join(sorted(numbers))}
    )


def _refuse_while_billed(original: GoodsReceipt, date: dt.date) -> None:
    """On `date` no bill stood on the receipt: one that was reversed later took its value until then (rule G-18)."""
    counters = Bill.objects.filter(lines__receipt_line__receipt=original, reversal_of__isnull=False, date__gt=date)
    last = counters.order_by("-date").first()
    if last is not None:
        raise BusinessError(
            _("%(bill)s was reversed on %(date)s; the receipt cannot be reversed earlier.")
            % {"bill": last.reversal_of, "date": last.date},
            field="date",
        )


@transaction.atomic
def reverse_bill(bill: Bill, *, by: Any, date: dt.date | None = None, version: int | None = None) -> Bill:
    """Reverse a posted bill by a counter bill: entry, open items, stock value (rules G-04, G-06).

    The entry is the exact mirror; where goods were sold at the bill's price meanwhile, the cost of goods sold is
    corrected besides, so that stock is worth what it would be without the bill (rule V-12). Refused while paid.
    """
    original = locked(BILLS, bill.pk, version=version)
    allow_transition(by, original, "reverse")
    if original.reversal_of_id:
        raise BusinessError(_("%s is a reversal itself and cannot be reversed.") % original)
    orders = lock_bill_orders(original)
    facts = order_lines(orders)
    lines = list(original.lines.select_related("product", "tax_code", "receipt_line").order_by("position"))
    values = StockMove.objects.filter(source=source_of(original).label, source_id=original.pk)
    adjusted = list(values.select_related("product__group").order_by("pk"))
    levels = lock_levels((move.product_id, move.warehouse_id) for move in adjusted)
    items = items_of(source_of(original))
    refuse_if_settled(original, items)
    counter, drafts = BILL.of(original, lines, by=by, date=date)
    counter.due_date = counter.date
    keys = {line.pk: draft.pk for line, draft in zip(lines, drafts, strict=True)}
    context = posting_context(counter.date, PURCHASES)
    moves = _counter_moves(adjusted, keys)
    left = shares_left(move.pk for move in adjusted)
    residues = _value_counter(levels, moves, [left[move.pk] for move in adjusted], context.exponent)
    receipts = shared_receipts(lines)
    _give_back(lines, {line.pk: line for line in facts})
    counter.number = next_number(counter.SEQUENCE, counter.date)
    entry_id = reverse_with_items(context, original, counter, items, by=by)
    post_counter_moves(context, counter, levels, moves, residues, entry_id=entry_id, by=by)
    finish_reversal(original, counter, by)
    save_progress(orders, facts, BILL_LINE_FACTS, (receipts, RECEIPT_FACTS))
    refresh_bills({original.pk, counter.pk})
    return counter


def _counter_moves(adjusted: Sequence[StockMove], keys: Mapping[int, int]) -> list[Move]:
    """The opposite of the value moves of a bill; `keys` leads from its lines to those of the counter bill."""
    return [
        Move(
            move.product,
            move.warehouse_id,
            ZERO,
            MoveKind.VALUE,
            move.account_id,
            keys[move.source_line],
            -move.value,
            adjusts_id=move.adjusts_id,
        )
        for move in adjusted
    ]


def _value_counter(
    levels: dict[Key, StockLevel], moves: Sequence[Move], left: Sequence[Decimal], exponent: int
) -> list[Move]:
    """Carry the counter `moves` to the levels; returns what goes to the cost of goods sold after them.

    That is what was consumed meanwhile, and what stock cannot carry.
    """
    back = [move for move in consumed_since(moves, left, exponent) if levels[move.key].on_hand]
    rising = sorted([*moves, *back], key=lambda move: move.value or ZERO, reverse=True)  # never below zero between
    residues = [*back, *value_moves(levels, rising, exponent=exponent)]
    restate(levels, [*moves, *residues])
    return residues


def _give_back(lines: Sequence[BillLine], facts: Mapping[int, PurchaseOrderLine]) -> None:
    """Take the billed quantities and cleared values off order lines and receipt lines."""
    for line in lines:
        receipt, fact = line.receipt_line, facts.get(line.order_line_id or 0)
        if receipt is not None:
            receipt.billed -= line.quantity
            receipt.cleared -= line.cleared
        if fact is not None:
            fact.billed -= line.quantity
            fact.moved -= ZERO if receipt else line.quantity
