"""Moving average (移动加权平均), pure rules V-02, V-12 and V-20."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from kit.values.money import ONE, ZERO, round_money


@dataclass(frozen=True)
class Stock:
    """Quantity and value of a product in a warehouse."""

    quantity: Decimal
    value: Decimal


def issue_value(stock: Stock, quantity: Decimal, fallback: Decimal = ZERO, exponent: int = 2) -> Decimal:
    """What `quantity` (> 0) leaving `stock` costs: at the average; the last of it takes all that is left.

    Where stock does not cover it (a warehouse that allows negative stock), the rest costs `fallback` each.
    """
    if quantity == stock.quantity:
        return stock.value
    covered = min(quantity, max(stock.quantity, ZERO))
    cost = ZERO
    if covered:
        cost = (
            stock.value if covered == stock.quantity else round_money(stock.value * covered / stock.quantity, exponent)
        )
    return cost + round_money((quantity - covered) * fallback, exponent)


def residue(before: Stock, quantity: Decimal, value: Decimal, exponent: int = 2) -> Decimal:
    """The value that cannot stay in stock after a movement valued from outside (a reversal, a covering receipt).

    Zero quantity has zero value, stock has no negative value, and a receipt that covers negative stock leaves
    the rest at its own price, or what is still negative at the cost it was issued at (rules V-02, V-11, V-20).
    The result is to be taken out of stock (negative: put in).
    """
    after = Stock(before.quantity + quantity, before.value + value)
    if after.quantity == 0:
        return after.value
    if before.quantity < 0 < quantity:
        kept = Stock(quantity, value) if after.quantity > 0 else before
        return after.value - round_money(kept.value * after.quantity / kept.quantity, exponent)
    if after.quantity > 0 and after.value < 0:
        return after.value
    return ZERO


@dataclass(frozen=True)
class Passed:
    """A later movement: signed quantity, quantity after it, and whether it is a delivery or its reversal."""

    quantity: Decimal
    after: Decimal
    delivery: bool = True
    receipt: bool = False  # a receipt taken back leaves at its own value


def share_left(came: Decimal, after: Decimal, later: Iterable[Passed]) -> Decimal:
    """The part (0 to 1) of a value that is still in stock (rule V-12).

    The value came with `came` pieces (0: it was added to what was there), which made `after` pieces. Every issue
    at the average takes its part along; a delivery that is taken back brings it back.
    """
    inside = ZERO if after <= 0 else min(ONE, after / came) if came else ONE  # the rest covered what was sold before
    outside = pieces = ZERO
    for move in later:
        if move.quantity < 0 and (move.after <= 0 or not move.receipt):
            before = move.after - move.quantity
            part = inside if move.after <= 0 else inside * -move.quantity / before
            inside, outside, pieces = inside - part, outside + part, pieces - move.quantity
        elif move.quantity > 0 and move.delivery and min(pieces, move.after) > 0:
            part = outside * min(ONE, move.quantity / pieces)
            inside, outside, pieces = inside + part, outside - part, pieces - move.quantity
    return inside
