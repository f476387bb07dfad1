"""Exact quantities: four decimals, rounded half up like money."""

from __future__ import annotations

from decimal import Decimal

from kit.values.money import round_half_up

QUANTITY_DIGITS = 4


def round_quantity(value: Decimal, digits: int = QUANTITY_DIGITS) -> Decimal:
    """Round a quantity to the decimals of its unit (at most four)."""
    return round_half_up(value, min(digits, QUANTITY_DIGITS))
