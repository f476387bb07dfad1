"""Goods receipts: draft and receive."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from erp.finance.context import STOCK, PostingContext, posting_context
from erp.finance.ledger import post_entry, source_of
from erp.finance.rights import allow, allow_making, allow_saving, allow_transition
from erp.inventory.ledger import Key, Move, check_date, inventory_account, lock_levels, post_moves, value_moves
from erp.inventory.models import MoveKind, StockLevel
from erp.inventory.units import own_unit_problems
from erp.purchasing.matching import cost_of, receipt_value
from erp.purchasing.models import GoodsReceipt, GoodsReceiptLine, PurchaseOrder, PurchaseOrderLine
from erp.purchasing.models.receipts import RECEIPT_STATES
from erp.purchasing.posting import receipt_lines
from erp.purchasing.services.orders import HEAD, LINES, check_taken, lock_order, order_lines
from erp.trade.billing import residue_lines
from erp.trade.excess import excess_problem, settle_rests
from erp.trade.models import PARTY
from erp.trade.movements import append_lines, new_lines, store_draft, store_quantities
from erp.trade.orders import changed_since, save_progress
from erp.trade.progress import to_move
from kit.rules.days import business_day
from kit.rules.fields import MoneyField
from kit.values.errors import BusinessError, Problem
from kit.values.money import ZERO, round_money
from kit.values.quantities import round_quantity
from oa.records.bulk import bulk_set, lockable, locked
from oa.records.commands import command
from oa.records.numbering import next_number

LINE_FACTS = ("moved", "cancelled")
POSTED = ("number", "state", "posted_at", "posted_by", "version", "updated_at", "value", *PARTY)
RECEIPTS = lockable(GoodsReceipt.objects.select_related("supplier", "warehouse"))
# What the documents of an order line received in value, net of reversals.
_VALUES = GoodsReceiptLine.objects.filter(order_line=OuterRef("pk")).exclude(receipt__state="draft")
_RECEIVED = Subquery(_VALUES.values("order_line").annotate(sum=Sum("value")).values("sum"))
LINES_WITH_VALUE = LINES.annotate(received_value=Coalesce(_RECEIVED, ZERO, output_field=MoneyField()))


@transaction.atomic
def receive_order(
    order: PurchaseOrder, quantities: Mapping[int, Decimal] | None = None, *, by: Any, date: dt.date | None = None
) -> GoodsReceipt:
    """Receive what is open on an order, or the given quantities by order line, in one step."""
    order = lock_order(order)
    allow_making(by, GoodsReceipt, order)
    allow(by, "erp.post_goodsreceipt", RECEIPT_STATES.transition("post").label)
    lines = order_lines([order], LINES_WITH_VALUE)
    receipt, drafts = _draft(order, lines, quantities, by=by, date=date)
    receipt.save()
    return _post(receipt, drafts, [order], lines, by=by, new=True)


@transaction.atomic
def draft_receipt(
    order: PurchaseOrder, quantities: Mapping[int, Decimal] | None = None, *, by: Any, date: dt.date | None = None
) -> GoodsReceipt:
    """A draft of what is open on an order, to be compared with what arrived."""
    order = lock_order(order)
    allow_making(by, GoodsReceipt, order)
    receipt, drafts = _draft(order, order_lines([order]), quantities, by=by, date=date)
    store_draft(receipt, drafts)
    return receipt


@command
def save_receipt(
    receipt: GoodsReceipt, quantities: Mapping[int, Decimal], *, by: Any, version: int | None = None
) -> GoodsReceipt:
    """Store head fields and quantities (by receipt line) of a draft; lines at 0 are dropped."""
    current = locked(RECEIPTS, receipt.pk, version=version)
    allow_saving(by, current)
    if current.state != "draft":
        raise BusinessError(_("%s is received and cannot be changed; reverse it.") % current)
    store_quantities(receipt, current, quantities)
    return receipt


@transaction.atomic
def post_receipt(receipt: GoodsReceipt, *, by: Any, version: int | None = None) -> GoodsReceipt:
    """Receive a draft: stock in at order price, entry, progress of its orders (rules G-02, P-06, P-08)."""
    receipt = locked(RECEIPTS, receipt.pk, version=version)
    allow_transition(by, receipt, "post")
    orders = lock_receipt_orders(receipt)
    drafts = list(receipt.lines.select_related("product__group", "product__unit"))
    return _post(receipt, drafts, orders, order_lines(orders, LINES_WITH_VALUE), by=by)


def lock_receipt_orders(receipt: GoodsReceipt) -> list[PurchaseOrder]:
    """The orders behind a receipt, locked in key order."""
    keys = PurchaseOrderLine.objects.filter(receipt_lines__receipt=receipt).values("order")
    return list(HEAD.filter(pk__in=keys).order_by("pk").select_for_update(of=("self",)))


def _draft(
    order: PurchaseOrder,
    lines: Sequence[PurchaseOrderLine],
    quantities: Mapping[int, Decimal] | None,
    *,
    by: Any,
    date: dt.date | None,
) -> tuple[GoodsReceipt, list[GoodsReceiptLine]]:
    if order.state != "confirmed":
        raise BusinessError(_("%s is not confirmed; only confirmed orders are received.") % order)
    check_taken(lines, quantities)
    wanted = {line: to_move(line) if quantities is None else quantities.get(line.pk, ZERO) for line in lines}
    taken = {line: quantity for line, quantity in wanted.items() if quantity}
    if not taken:
        raise BusinessError(_("Nothing is left to receive on %s.") % order)
    warehouse, taken = _one_warehouse(order, taken, given=quantities is not None)
    receipt = GoodsReceipt(
        supplier=order.supplier,
        warehouse_id=warehouse,
        date=date or business_day(),
        owner_id=order.owner_id,
        department_id=order.department_id,
        created_by=by,
    )
    return receipt, new_lines(receipt, taken.items())


@transaction.atomic
def add_open(receipt: GoodsReceipt, *, by: Any, version: int | None = None) -> GoodsReceipt:
    """Add what else the supplier is to bring to this warehouse: one delivery for several orders (rule P-06)."""
    receipt = locked(RECEIPTS, receipt.pk, version=version)
    allow_saving(by, receipt)
    if receipt.state != "draft":
        raise BusinessError(_("%s is received and cannot be changed; reverse it.") % receipt)
    orders = PurchaseOrder.objects.filter(supplier=receipt.supplier_id, state="confirmed")
    orders = orders.exclude(goods_status__in=("complete", "over"))
    # Held, so that no amendment removes a line meanwhile (as `draft_receipt` holds its order).
    keys = list(orders.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    lines = PurchaseOrderLine.objects.filter(order__in=keys, warehouse=receipt.warehouse_id).exclude(
        receipt_lines__receipt=receipt
    )
    waiting = lines.select_related("product").order_by("order__date", "order", "position")
    taken = [(line, to_move(line)) for line in waiting if to_move(line)]
    if not taken:
        raise BusinessError(_("Nothing else of %s is to come here.") % receipt.supplier)
    append_lines(receipt, taken)
    return receipt


def _one_warehouse(
    order: PurchaseOrder, taken: dict[PurchaseOrderLine, Decimal], *, given: bool
) -> tuple[int, dict[PurchaseOrderLine, Decimal]]:
    """The warehouse of a receipt and the lines it takes: services go anywhere, goods of others come later."""
    warehouses = {line.warehouse_id for line in taken if line.product.stocked}
    if len(warehouses) > 1 and given:
        raise BusinessError(_("The quantities belong to several warehouses; receive one warehouse at a time."))
    warehouse = min(warehouses, default=order.warehouse_id)
    kept = {
        line: quantity for line, quantity in taken.items() if line.warehouse_id == warehouse or not line.product.stocked
    }
    return warehouse, kept


def _post(
    receipt: GoodsReceipt,
    drafts: list[GoodsReceiptLine],
    orders: Sequence[PurchaseOrder],
    lines: Sequence[PurchaseOrderLine],
    *,
    by: Any,
    new: bool = False,
) -> GoodsReceipt:
    """Common path of receiving; everything it needs is locked and loaded. `new` lines are not stored yet."""
    context = posting_context(receipt.date, STOCK)
    facts = {line.pk: line for line in lines}
    _check(receipt, drafts, facts, context)
    for draft in drafts:
        _take_over(draft, facts[draft.order_line_id], context.exponent)
    settle_rests(receipt, drafts, facts, context.under_tolerance)
    stocked = [draft for draft in drafts if draft.product.stocked]
    levels = lock_levels((draft.product_id, receipt.warehouse_id) for draft in stocked)
    moves = [receipt_move(draft, receipt, levels, context) for draft in stocked]
    check_date(moves, receipt.date, by=by)
    residues = value_moves(levels, moves, exponent=context.exponent)
    if new:
        GoodsReceiptLine.objects.bulk_create(drafts)
    else:
        bulk_set(drafts, ("value", "given_up"))
    for move, draft in zip(moves, stocked, strict=True):
        move.line = draft.pk
    _post_entry(context, receipt, drafts, levels, moves, residues, by)
    receipt.state, receipt.posted_at, receipt.posted_by = "posted", timezone.now(), by
    receipt.version, receipt.updated_at = receipt.version + 1, receipt.posted_at
    save_progress(orders, lines, LINE_FACTS, ([receipt], POSTED))
    return receipt


def _post_entry(
    context: PostingContext,
    receipt: GoodsReceipt,
    drafts: Sequence[GoodsReceiptLine],
    levels: Any,
    moves: Sequence[Move],
    residues: Sequence[Move],
    by: Any,
) -> None:
    """Number, entry and stock moves of a receipt whose lines are valued."""
    receipt.value = sum((draft.value for draft in drafts), ZERO)
    receipt.copy_party(receipt.supplier)
    receipt.number = next_number(receipt.SEQUENCE, receipt.date)
    source = source_of(receipt)
    accounts = {move.line: move.account_id for move in moves}
    lines = receipt_lines(context, receipt, drafts, accounts) + residue_lines(context, residues, receipt.department_id)
    memo = f"{_('Goods receipt')} {receipt.number} {receipt.supplier}"
    posted = post_entry(context, source, lines, by=by, memo=memo)
    entry_id = posted[0] if posted else None
    post_moves(levels, [*moves, *residues], entry_id=entry_id, source=source, date=receipt.date, by=by)


def _check(
    receipt: GoodsReceipt,
    drafts: Sequence[GoodsReceiptLine],
    facts: Mapping[int, PurchaseOrderLine],
    context: PostingContext,
) -> None:
    """Refuse orders of others or not confirmed, changed lines, quantities beyond the tolerance (rule G-12)."""
    problems = own_unit_problems(drafts) if drafts else [Problem(_("Enter at least one line."))]
    message = _("Only %(open)s of %(product)s are left to receive; you entered %(entered)s.")
    taken: dict[int, Decimal] = {}
    for row, draft in enumerate(drafts):
        line = facts[draft.order_line_id]
        if line.order.state != "confirmed":
            message = _("%s is not confirmed; only confirmed orders are received.") % line.order
            problems.append(Problem(message, row=row))
            continue
        if problem := changed_since(draft, line, row):
            problems.append(problem)
            continue
        if line.order.supplier_id != receipt.supplier_id:
            problems.append(Problem(_("%s belongs to another supplier.") % line.order, row=row))
        taken[line.pk] = taken.get(line.pk, ZERO) + draft.quantity
        wanted, supplier = taken[line.pk], receipt.supplier
        if problem := excess_problem(receipt, draft, line, wanted, supplier, context, message=message, row=row):
            problems.append(problem)
    if problems:
        raise BusinessError(problems=problems)


def _take_over(draft: GoodsReceiptLine, line: Any, exponent: int) -> None:
    """Value a part at the order's price and rate, and carry it to the order line (rules P-08, V-07)."""
    total = round_money(cost_of(line) * line.order.rate, exponent)
    draft.value = receipt_value(total, line.quantity, line.moved, draft.quantity, line.received_value, exponent)
    line.moved += draft.quantity
    line.received_value += draft.value


def receipt_move(
    draft: GoodsReceiptLine, receipt: GoodsReceipt, levels: Mapping[Key, StockLevel], context: PostingContext
) -> Move:
    """The movement of a receipt line, in the product's own unit."""
    return Move(
        product=draft.product,
        warehouse_id=receipt.warehouse_id,
        kind=MoveKind.RECEIPT,
        value=draft.value,
        quantity=round_quantity(draft.quantity * draft.factor),
        row=draft.position - 1,
        account_id=inventory_account(context, levels[draft.product_id, receipt.warehouse_id], draft.product),
    )
