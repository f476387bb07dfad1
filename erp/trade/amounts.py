"""Amounts of lines and documents (rules G-14, G-15): pure arithmetic over values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kit.values.money import ONE, ZERO, allocate, round_money

HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Priced:
    """What the amounts of a line depend on: quantity, unit price, discount in percent, tax rate as a fraction."""

    quantity: Decimal
    price: Decimal
    discount: Decimal
    tax_rate: Decimal


@dataclass(frozen=True)
class Amounts:
    """Net amount and tax of a line."""

    net: Decimal
    tax: Decimal


@dataclass(frozen=True)
class Totals:
    """Sums of a document: net, tax by rate, total."""

    net: Decimal
    tax: Decimal
    by_rate: tuple[tuple[Decimal, Decimal, Decimal], ...]  # rate, net, tax

    @property
    def total(self) -> Decimal:
        """Net amount plus tax."""
        return self.net + self.tax


def line_gross(line: Priced, exponent: int) -> Decimal:
    """Quantity x price less discount, rounded once; the discounted price itself is not rounded (G-14)."""
    return round_money(line.quantity * line.price * (HUNDRED - line.discount) / HUNDRED, exponent)


def line_amounts(lines: Sequence[Priced], *, per_tax: bool, includes_tax: bool, exponent: int = 2) -> list[Amounts]:
    """Net and tax of each line.

    Per line, tax is rounded on every line. Per tax, it is rounded once on the sum of each rate and
    distributed over its lines by largest remainder, so that the header equals the sum of the lines. When
    prices include tax, the gross amount is fixed: net = round(gross / (1 + rate)), tax = gross - net.
    """
    amounts = [line_gross(line, exponent) for line in lines]
    if not per_tax:
        return [
            _split(amount, line.tax_rate, includes_tax, exponent) for amount, line in zip(amounts, lines, strict=True)
        ]
    result: list[Amounts] = [Amounts(ZERO, ZERO)] * len(lines)
    for rate in {line.tax_rate for line in lines}:
        rows = [i for i, line in enumerate(lines) if line.tax_rate == rate]
        whole = _split(sum((amounts[i] for i in rows), ZERO), rate, includes_tax, exponent)
        taxes = allocate(whole.tax, [abs(amounts[i]) for i in rows], exponent)
        for i, tax in zip(rows, taxes, strict=True):
            result[i] = Amounts(amounts[i] - tax if includes_tax else amounts[i], tax)
    return result


def _split(amount: Decimal, rate: Decimal, includes_tax: bool, exponent: int) -> Amounts:
    if includes_tax:
        net = round_money(amount / (ONE + rate), exponent)
        return Amounts(net, amount - net)
    return Amounts(amount, round_money(amount * rate, exponent))


def totals(lines: Sequence[Any]) -> Totals:
    """Sums over lines that carry `net`, `tax` and `tax_rate`."""
    rates = sorted({line.tax_rate for line in lines}, reverse=True)
    by_rate = tuple(
        (
            rate,
            sum((line.net for line in lines if line.tax_rate == rate), ZERO),
            sum((line.tax for line in lines if line.tax_rate == rate), ZERO),
        )
        for rate in rates
    )
    return Totals(sum((line.net for line in lines), ZERO), sum((line.tax for line in lines), ZERO), by_rate)
