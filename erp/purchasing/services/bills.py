"""Supplier bills: match and post (rules P-09 to P-12)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from erp.finance.context import PURCHASES, PostingContext, posting_context
from erp.finance.ledger import post_entry, source_of
from erp.finance.models.accounts import Purpose
from erp.finance.models.openitems import ItemKind
from erp.finance.openitems import lock_documents, on_settled, open_items
from erp.finance.rights import allow, allow_making, allow_transition
from erp.inventory.coverage import shares_left
from erp.inventory.ledger import Move, lock_levels, post_moves, value_moves
from erp.purchasing.matching import most_to_bill, share
from erp.purchasing.models import Bill, BillLine, GoodsReceiptLine, PurchaseOrder, PurchaseOrderLine
from erp.purchasing.models.bills import BILL_STATES
from erp.purchasing.posting import bill_lines, stock_adjustments, stock_key, take_over
from erp.purchasing.services.bill_drafts import (
    BILLS,
    DRAFTED,
    draft_of_order,
    lock_with_rate,
    not_received,
    rate_of,
    save_head,
    too_much,
)
from erp.purchasing.services.orders import HEAD, order_lines
from erp.trade.billing import dues_of, last_due
from erp.trade.excess import excess_problem
from erp.trade.models import PARTY
from erp.trade.orders import changed_since, lock_billed_orders, refresh_paid, save_progress
from kit.rules.days import business_day
from kit.values.errors import BusinessError, Problem
from kit.values.money import ZERO, round_money
from oa.records.bulk import bulk_set, locked
from oa.records.numbering import next_number

LINE_FACTS = ("moved", "billed")
RECEIPT_FACTS = ("billed", "cleared")
MATCHED = ("cleared", "difference", "to_stock")
POSTED = (
    "number",
    "state",
    "posted_at",
    "posted_by",
    "version",
    "updated_at",
    "due_date",
    "open_amount",
    "base_total",
    *PARTY,
)


@transaction.atomic
def bill_order(
    order: PurchaseOrder,
    quantities: Mapping[int, Decimal] | None = None,
    *,
    by: Any,
    date: dt.date | None = None,
    supplier_number: str = "",
) -> Bill:
    """Bill what is received and not billed of an order, or the given quantities by order line, in one step.

    A quantity of a service beyond what was received is billed from the order. In foreign currency the rate is
    that of the bill's date.
    """
    day = date or business_day()
    order = lock_with_rate(order, day)
    allow_making(by, Bill, order)
    allow(by, "erp.post_bill", BILL_STATES.transition("post").label)
    lines = order_lines([order])
    context = posting_context(day, PURCHASES)
    bill, drafts = draft_of_order(
        order,
        lines,
        quantities,
        by=by,
        date=day,
        rate=rate_of(order, context.base_code),
        number=supplier_number,
        base_exponent=context.exponent,
    )
    save_head(bill)
    for draft in drafts:
        draft.bill = bill
    return _post(context, bill, drafts, [order], lines, by=by, new=True)


@transaction.atomic
def post_bill(bill: Bill, *, by: Any, version: int | None = None) -> Bill:
    """Post a draft: matching, number, entry, open items, progress of its orders (rules G-02, P-09, P-12)."""
    bill = locked(BILLS, bill.pk, version=version)
    allow_transition(by, bill, "post")
    orders = lock_bill_orders(bill)
    lines = order_lines(orders)
    drafts = list(DRAFTED.filter(bill=bill).order_by("position"))
    return _post(posting_context(bill.date, PURCHASES), bill, drafts, orders, lines, by=by)


def lock_bill_orders(bill: Bill) -> list[PurchaseOrder]:
    """The orders behind a bill, locked in key order."""
    keys = PurchaseOrderLine.objects.filter(bill_lines__bill=bill).values("order")
    return list(HEAD.filter(pk__in=keys).order_by("pk").select_for_update(of=("self",)))


def _post(
    context: PostingContext,
    bill: Bill,
    drafts: list[BillLine],
    orders: Sequence[PurchaseOrder],
    lines: Sequence[PurchaseOrderLine],
    *,
    by: Any,
    new: bool = False,
) -> Bill:
    """Common path of posting; everything it needs is locked and loaded. `new` lines are not stored yet."""
    facts = {line.pk: line for line in lines}
    receipts = shared_receipts(drafts)
    _check(bill, drafts, facts, context)
    for draft in drafts:
        take_over(draft, facts.get(draft.order_line_id or 0), bill.rate, context.exponent)
    levels = lock_levels(key for key in map(stock_key, drafts) if key)
    left = _left_in_stock(drafts)
    moves = stock_adjustments(drafts, left, context.exponent)
    moves += value_moves(levels, moves, exponent=context.exponent)
    for move in moves:
        drafts[move.line].to_stock += move.value or ZERO
    if new:
        BillLine.objects.bulk_create(drafts)
    else:
        bulk_set(drafts, MATCHED)
    for move in moves:
        move.line = drafts[move.line].pk
    _post_entry(context, bill, drafts, levels, moves, by)
    bill.state, bill.posted_at, bill.posted_by = "posted", timezone.now(), by
    bill.version, bill.updated_at = bill.version + 1, bill.posted_at
    save_progress(orders, lines, LINE_FACTS, (receipts, RECEIPT_FACTS), ([bill], POSTED))
    return bill


def _left_in_stock(drafts: Sequence[Any]) -> dict[int, Decimal]:
    """By stock move, how much of what receipts brought is still there; a statement only where goods moved since."""
    return shares_left(draft.move_id for draft in drafts if stock_key(draft) and draft.moved_since)


def _post_entry(
    context: PostingContext, bill: Bill, drafts: Sequence[BillLine], levels: Any, moves: Sequence[Move], by: Any
) -> None:
    """Number, entry, value moves and open items of a bill whose lines are matched."""
    bill.base_total = round_money(bill.total * bill.rate, context.exponent)
    dues = dues_of(bill, bill.payment_terms, -1, bill.currency.exponent, context.exponent)
    bill.due_date, bill.open_amount = last_due(dues, bill.date), bill.total
    bill.copy_party(bill.supplier)
    bill.number = next_number(bill.SEQUENCE, bill.date)
    source = source_of(bill)
    payable = context.account(Purpose.PAYABLE, None, bill.supplier.posting_group_id)
    memo = f"{_('Bill')} {bill.number} {bill.supplier} {bill.supplier_number}".strip()
    posted = post_entry(context, source, bill_lines(context, bill, drafts, payable), by=by, memo=memo)
    post_moves(levels, moves, entry_id=posted[0] if posted else None, source=source, date=bill.date, by=by)
    if posted and dues:
        open_items(
            source,
            posted[0],
            payable,
            dues,
            kind=ItemKind.BILL,
            date=bill.date,
            currency_id=bill.currency_id,
            supplier_id=bill.supplier_id,
            owner_id=bill.owner_id,
            department_id=bill.department_id,
        )


def shared_receipts(drafts: Iterable[BillLine]) -> list[GoodsReceiptLine]:
    """The receipt lines of `drafts`; two that take from the same one share its object."""
    found: dict[int, GoodsReceiptLine] = {}
    for draft in drafts:
        if draft.receipt_line is not None:
            draft.receipt_line = found.setdefault(draft.receipt_line.pk, draft.receipt_line)
    return list(found.values())


def _check(
    bill: Bill, drafts: Sequence[BillLine], facts: Mapping[int, PurchaseOrderLine], context: PostingContext
) -> None:
    """The match of rule P-09: date of the receipts; supplier, currency and quantity of every line."""
    problems = _date_problems(bill, drafts) if drafts else [Problem(_("Enter at least one line."))]
    taken: dict[tuple[str, int], Decimal] = {}
    for row, draft in enumerate(drafts):
        line = facts.get(draft.order_line_id or 0)
        if line is None:
            if draft.product.stocked:
                problems.append(not_received(draft.product, row))
            continue
        if line.order.supplier_id != bill.supplier_id or line.order.currency_id != bill.currency_id:
            problems.append(Problem(_("%s belongs to another supplier or currency.") % line.order, row=row))
            continue
        receipt = draft.receipt_line
        key = ("receipt", receipt.pk) if receipt else ("order", line.pk)
        taken[key] = taken.get(key, ZERO) + draft.quantity
        problem = _quantity_problem(bill, draft, line, taken[key], context, row)
        parts = len(drafts) + sum(other.order_id == line.order_id for other in facts.values())
        problem = problem or _amount_problem(bill, draft, line, context, row, parts)
        if problem:
            problems.append(problem)
    if problems:
        raise BusinessError(problems=problems)


def _date_problems(bill: Bill, drafts: Sequence[BillLine]) -> list[Problem]:
    """A price difference cannot change stock that was not there yet (rule V-14: by date)."""
    receipts = [draft.receipt_line.receipt for draft in drafts if draft.receipt_line is not None]
    last = max(receipts, key=lambda receipt: receipt.date, default=None)
    if last is None or last.date <= bill.date:
        return []
    message = _("%(receipt)s is of %(date)s; the bill cannot have an earlier date.")
    return [Problem(message % {"receipt": last, "date": last.date}, "date")]


def _quantity_problem(
    bill: Bill, draft: BillLine, line: PurchaseOrderLine, wanted: Decimal, context: PostingContext, row: int
) -> Problem | None:
    """Goods: not more than is received and not billed. Services without receipt: not more than is ordered."""
    receipt = draft.receipt_line
    if receipt is None and (problem := changed_since(draft, line, row)):
        return problem
    if receipt is not None:
        live = receipt.receipt.state == "posted" and receipt.receipt.reversal_of_id is None
        left = receipt.quantity - receipt.billed if live else ZERO
        return too_much(line, left, wanted, row) if wanted > left else None
    if draft.product.stocked:
        return not_received(draft.product, row)
    if line.order.state not in ("confirmed", "closed"):
        return Problem(_("%s is not confirmed and cannot be billed.") % line.order, row=row)
    message = _("Only %(open)s of %(product)s are ordered and not billed; you entered %(entered)s.")
    return excess_problem(bill, draft, line, wanted, bill.supplier, context, message=message, row=row)


def _amount_problem(
    bill: Bill, draft: BillLine, line: PurchaseOrderLine, context: PostingContext, row: int, parts: int
) -> Problem | None:
    """Where the company has a tolerance for it, a bill does not cost more than was ordered (rules G-12, P-09)."""
    tolerance, exponent = context.bill_tolerance, bill.currency.exponent
    if tolerance is None or bill.excess_allowed_by_id:
        return None
    if draft.net <= most_to_bill(line, draft.quantity, tolerance, exponent, parts=parts):
        return None
    return Problem(
        _("%(product)s was ordered for %(ordered)s net, and the bill says %(billed)s.")
        % {
            "product": line.product.code,
            "ordered": share(line.net, draft.quantity, line.quantity, exponent),
            "billed": draft.net,
        },
        "price",
        row,
    )


def refresh_bills(keys: set[int]) -> None:
    """Derive what is open on bills, and what is paid of their orders, from the open items."""
    refresh_paid(Bill, BillLine, PurchaseOrderLine, PurchaseOrder, keys, -1)


def lock_bills(keys: set[int]) -> None:
    """Lock bills and their orders, which a payment is going to write to, before its open items."""
    lock_billed_orders(Bill, BillLine, PurchaseOrderLine, PurchaseOrder, keys)


on_settled["erp.bill"] = refresh_bills
lock_documents["erp.bill"] = lock_bills
