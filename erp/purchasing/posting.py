"""From receipts and bills to stock value and ledger lines (rules P-08, P-12): functions of values.

Bill lines that are matched carry where their receipt was booked: `move_id`, `move_account`, `grni_account`, and
whether its goods `moved_since` (`bill_drafts.DRAFTED`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from erp.finance.context import PostingContext
from erp.finance.ledger import Line
from erp.finance.models.accounts import Purpose
from erp.inventory.ledger import Key, Move
from erp.inventory.models import MoveKind
from erp.purchasing.matching import cleared_value, cost_of, recoverable
from erp.purchasing.models import Bill, BillLine, GoodsReceipt, GoodsReceiptLine
from erp.trade.billing import Amount, base_lines, product_posting_group
from kit.values.errors import BusinessError
from kit.values.money import ONE, ZERO, round_money


def receipt_lines(
    context: PostingContext, receipt: GoodsReceipt, drafts: Sequence[GoodsReceiptLine], accounts: Mapping[int, int]
) -> list[Line]:
    """Inventory (`accounts` by line), or the expense of services, against goods received, not invoiced (rule P-08).

    All in base currency: stock and what it waits for have no other.
    """
    partner = receipt.supplier.posting_group_id
    lines = [Line(context.account(Purpose.GRNI, None, partner), -receipt.value)]
    for draft in drafts:
        group = product_posting_group(draft.product)
        if draft.product.stocked:
            lines.append(Line(accounts[draft.pk], draft.value))
        else:
            account = context.account(Purpose.EXPENSE, group, partner)
            lines.append(Line(account, draft.value, department_id=receipt.department_id))
    return lines


def take_over(draft: BillLine, line: Any, rate: Decimal, exponent: int) -> None:
    """Carry a billed part to its order line and its receipt line, and find the price difference.

    A service billed without a receipt counts as received with its bill. The difference includes that of the
    exchange rates of order and bill.
    """
    receipt = draft.receipt_line
    if line is not None:
        line.billed += draft.quantity
        line.moved += ZERO if receipt else draft.quantity
    if receipt is None:
        return
    receipt.billed += draft.quantity
    draft.cleared = cleared_value(receipt.value, receipt.quantity, receipt.billed, receipt.cleared, exponent)
    receipt.cleared += draft.cleared
    draft.difference = round_money(cost_of(draft) * rate, exponent) - draft.cleared


def stock_key(draft: Any) -> Key | None:
    """Product and warehouse whose value the price difference of a billed part concerns, if any."""
    if draft.receipt_line is None or not draft.difference or draft.move_id is None:
        return None
    return draft.product_id, draft.receipt_line.receipt.warehouse_id


def stock_adjustments(drafts: Sequence[Any], left: Mapping[int, Decimal], exponent: int) -> list[Move]:
    """Value moves for the part of the price differences whose goods are still in stock (rule V-12).

    `Move.line` is the index of the bill line; `left` tells how much of what a receipt brought is still there, by
    the key of its move (1 where nothing moved since).
    """
    moves = []
    for index, draft in enumerate(drafts):
        key = stock_key(draft)
        value = round_money(draft.difference * left.get(draft.move_id, ONE), exponent) if key else ZERO
        if key and value:
            account, origin = draft.move_account, draft.move_id
            moves.append(
                Move(draft.product, key[1], ZERO, MoveKind.VALUE, account, index, value, adjusts_id=origin),
            )
    return moves


def consumed_since(moves: Sequence[Move], left: Sequence[Decimal], exponent: int) -> list[Move]:
    """Value moves that put back what the counter `moves` of a bill take out of stock too much (rule V-12).

    `left` is the part of each that is still in stock; the rest was sold at the bill's price, so that it is the
    cost of goods sold that changes.
    """
    back = []
    for move, part in zip(moves, left, strict=True):
        value = move.value or ZERO
        gone = value - round_money(value * part, exponent)
        if gone:
            back.append(replace(move, value=-gone))
    return back


def bill_lines(context: PostingContext, bill: Bill, drafts: Sequence[BillLine], payable: int) -> list[Line]:
    """Goods received, not invoiced, at receipt value, its price differences, direct cost and input tax.

    All of it against the payable; what came through stock in base currency, the rest in the bill's.
    """
    partner = bill.supplier.posting_group_id
    stock: list[Line] = []
    amounts: list[Amount] = []
    for draft in drafts:
        group = product_posting_group(draft.product)
        if draft.receipt_line is None:
            amounts.append((context.account(Purpose.EXPENSE, group, partner), cost_of(draft)))
        else:
            stock += _matched_lines(context, bill, draft, group)
        if draft.tax and recoverable(draft):
            amounts.append((input_account(draft), draft.tax))
    control = Line(
        payable,
        -bill.base_total,
        currency_id=bill.currency_id,
        currency_amount=-bill.total,
        rate=bill.rate,
        supplier_id=bill.supplier_id,
        department_id=bill.department_id,
    )
    return base_lines(context, bill, amounts, control, stock)


def _matched_lines(context: PostingContext, bill: Bill, draft: Any, group: int | None) -> list[Line]:
    """A line matched with a receipt: on the accounts that the receipt used, whatever the rules say now."""
    partner = bill.supplier.posting_group_id
    clearing = draft.grni_account or context.account(Purpose.GRNI, None, partner)
    lines = [Line(clearing, draft.cleared)]
    if draft.to_stock:
        lines.append(Line(draft.move_account, draft.to_stock))
    consumed = draft.difference - draft.to_stock
    if consumed:
        service = draft.move_id is None
        cost = context.account(Purpose.EXPENSE, group, partner) if service else context.account(Purpose.COGS, group)
        lines.append(Line(cost, consumed, department_id=bill.department_id))
    return lines


def input_account(draft: BillLine) -> int:
    """The account of recoverable input tax; refuses by name when the tax code has none."""
    if draft.tax_code is None or draft.tax_code.input_account_id is None:
        raise BusinessError(_("The tax code %s has no input tax account.") % (draft.tax_code or ""))
    return draft.tax_code.input_account_id
