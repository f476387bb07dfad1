"""Shares of ordered, received and billed amounts (rules G-12, P-08, P-09, P-12): pure arithmetic over values."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from erp.trade.progress import with_tolerance
from kit.values.money import ONE, ZERO, round_money

# Up to so many minor units a received value differs from its share by rounding; more is an amended price.
DRIFT = 10


def share(total: Decimal, part: Decimal, whole: Decimal, exponent: int = 2) -> Decimal:
    """What `part` of `whole` is of the amount `total`; the whole is exactly `total`."""
    return total if part == whole or whole == 0 else round_money(total * part / whole, exponent)


def most_to_bill(line: Any, part: Decimal, tolerance: Decimal, exponent: int, *, parts: int = 1) -> Decimal:
    """The highest net amount of a bill for `part` of an ordered `line`, with a `tolerance` in percent (rule G-12).

    One minor unit more is the rounding of parts. A document's discount leaves what its shares round to the largest
    line, of the order and of the bill: a unit for each of their `parts`.
    """
    ordered = line.net * part / line.quantity
    slack = parts if line.discount_share else 1
    return round_money(with_tolerance(ordered, tolerance), exponent) + slack * ONE.scaleb(-exponent)


def cost_of(line: Any) -> Decimal:
    """Net amount of a line, with its tax where that cannot be recovered (rule V-07); in document currency."""
    return line.net if recoverable(line) else line.net + line.tax


def recoverable(line: Any) -> bool:
    """Whether the tax of a line can be deducted as input tax."""
    return line.tax_code is None or line.tax_code.recoverable


def receipt_value(
    total: Decimal, ordered: Decimal, before: Decimal, part: Decimal, received: Decimal, exponent: int = 2
) -> Decimal:
    """The value of receiving `part` of an order line of `ordered` pieces that costs `total` (rule P-08).

    `before` pieces were received for `received`. All parts add up to `total` exactly: each takes what is due
    up to it, less what was received. Where the price was amended in between, a part has the new price and the
    bill corrects the earlier ones.
    """
    due = share(total, before, ordered, exponent)
    value = share(total, before + part, ordered, exponent) - due
    drift = due - received
    if abs(drift) <= DRIFT * ONE.scaleb(-exponent):
        value += drift
    return max(value, ZERO)


def cleared_value(value: Decimal, quantity: Decimal, billed: Decimal, cleared: Decimal, exponent: int = 2) -> Decimal:
    """What a bill takes from goods received, not invoiced, when `billed` of `quantity` received are billed by it.

    `value` is what was received, `cleared` what earlier bills took: a line billed in full ends at exactly 0
    (rule P-12).
    """
    return share(value, billed, quantity, exponent) - cleared


def oldest_first(wanted: Decimal, receipts: Iterable[Any]) -> tuple[list[tuple[Any, Decimal]], Decimal]:
    """Distribute `wanted` over receipt lines that are not billed in full; returns the parts and what is left."""
    parts = []
    for line in receipts:
        part = min(wanted, line.quantity - line.billed)
        if part > 0:
            parts.append((line, part))
            wanted -= part
    return parts, wanted
