"""Open quantities and fulfilment statuses, by the formulas of rule G-11 and no others."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from erp.trade.models import Progress
from kit.values.money import ONE, ZERO

HUNDRED = Decimal(100)


class Facts(Protocol):
    """The facts of an order line, in its unit (letters of rule G-11 in brackets)."""

    quantity: Decimal  # ord
    cancelled: Decimal  # can
    moved: Decimal  # dlv
    returned_replace: Decimal  # rr
    returned_credit: Decimal  # rc
    billed: Decimal  # inv
    credited: Decimal  # crd


def to_move(line: Facts) -> Decimal:
    """Quantity still to deliver or receive: max(0, ord - can - dlv + rr)."""
    return max(ZERO, -moved_over(line))


def tolerance_of(*said: Decimal | None) -> Decimal:
    """The tolerance in percent that is `said` first, None being silent; 0 where nobody says one (rule G-12).

    The places are asked in this order: order line, product, product group, partner, company.
    """
    return next((tolerance for tolerance in said if tolerance is not None), ZERO)


def with_tolerance(value: Decimal, tolerance: Decimal) -> Decimal:
    """A quantity or amount and `tolerance` percent of it."""
    return value * (HUNDRED + tolerance) / HUNDRED


def most_to_move(line: Facts, tolerance: Decimal) -> Decimal:
    """What may still be delivered or received with a `tolerance` in percent (rule G-12).

    All parts together stay within what is ordered plus the tolerance.
    """
    most = with_tolerance(line.quantity - line.cancelled, tolerance)
    return max(ZERO, most - line.moved + line.returned_replace)


def rest_to_give_up(line: Facts, tolerance: Decimal) -> Decimal:
    """What is left of a line that counts as complete: no more than `tolerance` percent of what was ordered (G-12)."""
    rest = to_move(line)
    return rest if rest * HUNDRED <= line.quantity * tolerance else ZERO


def moved_over(line: Facts) -> Decimal:
    """What was delivered or received beyond the order; negative while something is open."""
    return line.moved - line.returned_replace - (line.quantity - line.cancelled)


def billing_basis(line: Facts, *, on_order: bool = False) -> Decimal:
    """What may be billed: ordered less short-closed and credited returns, or what was delivered net of returns."""
    if on_order:
        return line.quantity - line.cancelled - line.returned_credit
    return line.moved - line.returned_replace - line.returned_credit


def to_bill(line: Facts, *, on_order: bool = False) -> Decimal:
    """Quantity still to bill; negative means that a credit note is due."""
    return billing_basis(line, on_order=on_order) - (line.billed - line.credited)


def goods_status(lines: Sequence[Facts]) -> Progress:
    """Status of deliveries or receipts over all lines."""
    if all(to_move(line) == 0 for line in lines):
        over = any(moved_over(line) > 0 for line in lines)
        return Progress.OVER if over and lines else Progress.COMPLETE if lines else Progress.NONE
    moved = any(line.moved - line.returned_replace - line.returned_credit for line in lines)
    return Progress.PARTIAL if moved else Progress.NONE


def billing_status(lines: Sequence[Facts]) -> Progress:
    """Status of billing against the whole order: complete when nothing ordered is left to bill."""
    if any(line.billed - line.credited > max(line.quantity, line.moved) for line in lines):
        return Progress.OVER
    if all(order_left_to_bill(line) == 0 for line in lines):
        return Progress.COMPLETE if any(line.billed for line in lines) else Progress.NONE
    return Progress.PARTIAL if any(line.billed - line.credited for line in lines) else Progress.NONE


def order_left_to_bill(line: Facts) -> Decimal:
    """What the order as a whole still has to bill, delivered or not."""
    expected = max(line.quantity - line.cancelled, line.moved - line.returned_replace) - line.returned_credit
    return max(ZERO, expected - (line.billed - line.credited))


def done(line: Facts) -> bool:
    """A line is done when nothing is left to move and nothing to bill (rule G-11)."""
    return to_move(line) == 0 and order_left_to_bill(line) == 0


def percent(part: Decimal, whole: Decimal) -> Decimal:
    """`part` of `whole` in percent, at most two decimals, 100 only when complete."""
    if whole <= 0:
        return ZERO
    share = (part / whole * HUNDRED).quantize(Decimal("0.01"))
    return min(share, HUNDRED) if part >= whole else min(share, HUNDRED - ONE / HUNDRED)


def order_percents(lines: Sequence[Facts]) -> tuple[Decimal, Decimal]:
    """Delivered and billed percent of an order, lines weighted by their net value (quantity when all are free)."""
    weights = [abs(getattr(line, "net", ZERO)) for line in lines]
    if not any(weights):
        weights = [ONE] * len(lines)
    goods = billed = whole = ZERO
    for line, weight in zip(lines, weights, strict=True):
        expected = line.quantity - line.cancelled
        if expected <= 0:
            continue
        whole += weight
        goods += weight * min(ONE, (line.moved - line.returned_replace) / expected)
        billed += weight * min(ONE, (line.billed - line.credited + line.returned_credit) / expected)
    return percent(goods, whole), percent(billed, whole)
