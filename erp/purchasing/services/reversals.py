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
from erp.purchasing.services.bill_drafts import BILLS, COPIED
from erp.purchasing.services.bills import LINE_FACTS as BILL_LINE_FACTS
from erp.purchasing.services.bills import MATCHED, RECEIPT_FACTS, lock_bill_orders, refresh_bills, shared_receipts
from erp.purchasing.services.orders import order_lines
from erp.purchasing.services.receipts import LINE_FACTS as RECEIPT_LINE_FACTS
from erp.purchasing.services.receipts import RECEIPTS, lock_receipt_orders, receipt_move
from erp.trade.orders import save_progress
from erp.trade.reversal import (
    as_the_original,
    finish_reversal,
    post_counter_moves,
    refuse_if_settled,
    reverse_document_entry,
    reverse_with_items,
)
from kit.rules.days import business_day
from kit.values.errors import BusinessError
from kit.values.money import ZERO
from oa.records.bulk import locked
from oa.records.numbering import next_number

# What a counter bill takes over from its original as it is.
BILL_HEAD = (
    "supplier",
    "supplier_number",
    "currency",
    "rate",
    "payment_terms",
    "tax_method",
    "prices_include_tax",
    "owner_id",
    "department_id",
    "excess_allowed_by_id",
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
    counter, drafts = _counter_receipt(original, lines, by=by, date=date)
    context = posting_context(counter.date, STOCK)
    stocked = [draft for draft in drafts if draft.product.stocked]
    levels = lock_levels((draft.product_id, counter.warehouse_id) for draft in stocked)
    moves = [receipt_move(draft, counter, context) for draft in stocked]
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


def _counter_receipt(
    original: GoodsReceipt, lines: Sequence[GoodsReceiptLine], *, by: Any, date: dt.date | None
) -> tuple[GoodsReceipt, list[GoodsReceiptLine]]:
    """The counter document with opposite quantities and values, stored as a draft."""
    day = date or business_day()
    if day < original.date:
        raise BusinessError(_("The reversal cannot be dated before %s.") % original.date, field="date")
    counter = GoodsReceipt.objects.create(
        supplier=original.supplier,
        warehouse=original.warehouse,
        supplier_note=original.supplier_note,
        date=day,
        value=-original.value,
        owner_id=original.owner_id,
        department_id=original.department_id,
        created_by=by,
        reversal_of=original,
        excess_allowed_by=original.excess_allowed_by,
    )
    drafts = GoodsReceiptLine.objects.bulk_create(
        GoodsReceiptLine(
            receipt=counter,
            position=line.position,
            order_line_id=line.order_line_id,
            product=line.product,
            description=line.description,
            unit_id=line.unit_id,
            factor=line.factor,
            quantity=-line.quantity,
            value=-line.value,
        )
        for line in lines
    )
    return counter, drafts


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
    counter, keys = _counter_bill(original, lines, by=by, date=date)
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


def _counter_bill(
    original: Bill, lines: Sequence[BillLine], *, by: Any, date: dt.date | None
) -> tuple[Bill, dict[int, int]]:
    """The counter bill with opposite quantities and amounts, stored as a draft; its line for every line."""
    day = date or business_day()
    if day < original.date:
        raise BusinessError(_("The reversal cannot be dated before %s.") % original.date, field="date")
    counter = Bill(
        date=day,
        due_date=day,
        created_by=by,
        reversal_of=original,
        **{name: getattr(original, name) for name in BILL_HEAD},
    )
    for name in ("net", "tax", "total", "base_total"):
        setattr(counter, name, -getattr(original, name))
    counter.save()
    drafts = BillLine.objects.bulk_create(_counter_line(counter, line) for line in lines)
    return counter, {line.pk: draft.pk for line, draft in zip(lines, drafts, strict=True)}


def _counter_line(counter: Bill, line: BillLine) -> BillLine:
    draft = BillLine(
        bill=counter,
        position=line.position,
        order_line_id=line.order_line_id,
        receipt_line=line.receipt_line,
        **{name: getattr(line, name) for name in COPIED},
    )
    for name in ("quantity", "net", "tax", *MATCHED):
        setattr(draft, name, -getattr(line, name))
    return draft
