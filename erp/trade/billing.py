"""What invoices and bills share: ledger lines in base currency, due dates, open items."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from erp.finance.context import PostingContext
from erp.finance.ledger import Line
from erp.finance.models.accounts import Purpose
from erp.finance.openitems import Due
from erp.finance.terms import schedule
from erp.inventory.ledger import Move
from erp.trade.amounts import Discount, line_gross, shown_amount
from kit.values.errors import BusinessError
from kit.values.money import ZERO, allocate, round_money

Amount = tuple[int, Decimal]  # account, signed amount in document currency


def base_lines(
    context: PostingContext, document: Any, amounts: Sequence[Amount], control: Line, others: Sequence[Line] = ()
) -> list[Line]:
    """Ledger lines of a document in foreign or base currency: `amounts` by account, and the control line.

    Every account's amount is converted and rounded once; what the roundings leave goes to the rounding
    account, so that the entry balances in both currencies (rule G-17). `others` are lines that stand in base
    currency already.
    """
    sums: dict[int, Decimal] = {}
    for account, amount in amounts:
        sums[account] = sums.get(account, ZERO) + amount
    lines = [
        Line(
            account,
            round_money(amount * document.rate, context.exponent),
            currency_id=document.currency_id,
            currency_amount=amount,
            rate=document.rate,
            department_id=document.department_id,
        )
        for account, amount in sums.items()
        if amount
    ]
    rest = control.amount + sum((line.amount for line in (*lines, *others)), ZERO)
    if rest:
        lines.append(Line(context.account(Purpose.ROUNDING), -rest, department_id=document.department_id))
    return [control, *lines, *others]


def take_discount(document: Any, drafts: Sequence[Any], order: Any, lines: Sequence[Any]) -> None:
    """Give a new invoice or bill its part of the order's discount (rule G-14).

    The percentage is the order's. Its amount is given by value, counted with what earlier documents gave, so that
    all parts add up to the whole. `lines` are all lines of the order, `drafts` those of the document.
    """
    document.discount = order.discount
    if not order.discount_amount:
        return
    exponent = order.currency.exponent
    billed = {line.pk: line.billed for line in lines}
    for draft in drafts:
        billed[draft.order_line_id] += draft.quantity
    values = {line.pk: shown_amount(order, line) for line in lines}
    # What was delivered beyond the order gets no more of its amount.
    taken = (values[line.pk] * min(billed[line.pk], line.quantity) / line.quantity for line in lines)
    part = sum(taken, ZERO) / sum(values.values())
    given = discount_given(type(document), order)
    worth = sum((line_gross(draft, exponent) for draft in drafts), ZERO)
    most = worth - Discount(order.discount).of(worth, exponent)
    document.discount_amount = max(ZERO, min(round_money(order.discount_amount * part, exponent) - given, most))


def discount_given(document: Any, order: Any) -> Decimal:
    """What posted invoices or bills (the model `document`) gave of the discount amount of `order`."""
    rows = document._default_manager.filter(lines__order_line__order=order, state="posted", reversal_of=None)
    return sum((amount for _pk, amount in rows.values_list("pk", "discount_amount").distinct()), ZERO)


def refuse_own_amount(document: Any) -> None:
    """An amount off one order is not spread over what belongs to others (rule G-14)."""
    if document.discount_amount:
        raise BusinessError(
            _("%s has a discount amount of its own; make another document for the other orders.") % document
        )


def dues_of(document: Any, terms: Any, sign: int, exponent: int, base_exponent: int) -> list[Due]:
    """Amounts due of an invoice (`sign` 1) or bill (-1), in document and base currency."""
    parts = schedule(document.total, document.date, terms, exponent)
    bases = allocate(document.base_total, [abs(amount) for _due, amount in parts], base_exponent)
    return [Due(due, sign * amount, sign * base) for (due, amount), base in zip(parts, bases, strict=True) if amount]


def last_due(dues: Sequence[Due], date: dt.date) -> dt.date:
    """The day on which everything is due."""
    return max((due.date for due in dues), default=date)


def net_in_base(lines: Sequence[Any], rate: Decimal, exponent: int) -> list[Decimal]:
    """The net amounts of `lines` in base currency; they add up to the rounded sum."""
    whole = round_money(sum((line.net for line in lines), ZERO) * rate, exponent)
    if any(line.net < 0 for line in lines):
        return [round_money(line.net * rate, exponent) for line in lines]
    return allocate(whole, [line.net for line in lines], exponent)


def product_posting_group(product: Any) -> int | None:
    """The posting group of a product, by its product group."""
    return product.group.posting_group_id if product.group_id else None


def residue_lines(context: PostingContext, residues: Sequence[Move], department_id: int | None) -> list[Line]:
    """Ledger lines of value that cannot stay in stock: to the cost of goods sold (rule V-11)."""
    lines = []
    for move in residues:
        cost = context.account(Purpose.COGS, product_posting_group(move.product))
        value = move.value or ZERO
        lines += [Line(move.account_id, value), Line(cost, -value, department_id=department_id)]
    return lines
