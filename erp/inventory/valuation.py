"""Moving average (移动加权平均), pure rules V-02 and V-20."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from kit.values.money import ZERO, round_money


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
    the rest at its own price (rules V-02, V-11). The result is to be taken out of stock (negative: put in).
    """
    after = Stock(before.quantity + quantity, before.value + value)
    if after.quantity == 0:
        return after.value
    if before.quantity < 0 < quantity and after.quantity > 0:
        return after.value - round_money(value * after.quantity / quantity, exponent)
    if after.quantity > 0 and after.value < 0:
        return after.value
    return ZERO


def covered_share(difference: Decimal, received: Decimal, on_hand: Decimal, exponent: int = 2) -> Decimal:
    """The part of a later price `difference` of `received` pieces that belongs to stock still on hand (V-12).

    Stock coverage: as much of the receipt counts as still in stock as there is stock at all.
    """
    if on_hand <= 0 or received <= 0:
        return ZERO
    if on_hand >= received:
        return difference
    return round_money(difference * on_hand / received, exponent)
