"""Exact money: rounding and distribution. Amounts are `Decimal`, never float (rule G-13)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

ZERO = Decimal(0)
ONE = Decimal(1)


def round_half_up(value: Decimal, digits: int) -> Decimal:
    """Round half away from zero to `digits` decimal places (rule G-13)."""
    return value.quantize(ONE.scaleb(-digits), rounding=ROUND_HALF_UP)


def round_money(amount: Decimal, exponent: int = 2) -> Decimal:
    """Round an amount to the minor unit of its currency, `exponent` decimals (CNY 2, JPY 0)."""
    return round_half_up(amount, exponent)


def decimals(values: Iterable[Decimal | int]) -> list[Decimal]:
    """`values` as decimals only: an array for the database must not mix them with whole numbers."""
    return [Decimal(value) for value in values]


def allocate(total: Decimal, weights: Sequence[Decimal], exponent: int = 2) -> list[Decimal]:
    """Distribute `total` over `weights` so that the parts add up to it exactly.

    Largest remainder method: every share is rounded down to the minor unit, what is left goes, one unit
    each, to the largest remainders (first come first on a tie). All weights zero: all to the first.
    """
    if not weights:
        return []
    whole = sum(weights, ZERO)
    if whole == 0:
        return [total, *([ZERO] * (len(weights) - 1))]
    unit = ONE.scaleb(-exponent)
    exact = [total * weight / whole for weight in weights]
    shares = [share.quantize(unit, rounding=ROUND_FLOOR) for share in exact]
    missing = int((total - sum(shares, ZERO)) / unit)
    order = sorted(range(len(weights)), key=lambda i: (shares[i] - exact[i], i))
    for i in order[:missing]:
        shares[i] += unit
    return shares
