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
class Discount:
    """What a document gives on all its lines: a percentage of their value, and an amount besides (rule G-14)."""

    percent: Decimal = ZERO
    amount: Decimal = ZERO

    def of(self, value: Decimal, exponent: int = 2) -> Decimal:
        """The discount on lines worth `value`."""
        return round_money(value * self.percent / HUNDRED, exponent) + self.amount


NO_DISCOUNT = Discount()


@dataclass(frozen=True)
class Amounts:
    """Net amount and tax of a line, and its share of the document's discount, which is taken off already."""

    net: Decimal
    tax: Decimal
    share: Decimal = ZERO


@dataclass(frozen=True)
class Totals:
    """Sums of a document: net, tax by rate, total; `discount` is what the document took off its lines."""

    net: Decimal
    tax: Decimal
    by_rate: tuple[tuple[Decimal, Decimal, Decimal], ...]  # rate, net, tax
    discount: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Net amount plus tax."""
        return self.net + self.tax


def line_gross(line: Priced, exponent: int) -> Decimal:
    """Quantity x price less discount, rounded once; the discounted price itself is not rounded (G-14)."""
    return round_money(line.quantity * line.price * (HUNDRED - line.discount) / HUNDRED, exponent)


def spread(discount: Discount, values: Sequence[Decimal], exponent: int = 2) -> list[Decimal]:
    """Shares of a document's discount in lines worth `values`, none negative: by value, the residual to the largest.

    A line gives no more than it is worth: what a discount of nearly everything leaves over goes to the next one.
    """
    whole = sum(values, ZERO)
    total = discount.of(whole, exponent)
    if not total or not whole:
        return [ZERO] * len(values)
    shares = [min(round_money(total * value / whole, exponent), value) for value in values]
    rest = total - sum(shares, ZERO)
    for i in sorted(range(len(values)), key=lambda i: -values[i]):
        part = max(-shares[i], min(rest, values[i] - shares[i]))
        shares[i] += part
        rest -= part
    return shares


def shown_amount(document: Any, line: Any) -> Decimal:
    """The amount that stands in a line of a document, of the kind its prices are and before its discount."""
    amount: Decimal = line.net + line.discount_share
    return amount + line.tax if document.prices_include_tax else amount


def line_amounts(
    lines: Sequence[Priced],
    *,
    per_tax: bool,
    includes_tax: bool,
    exponent: int = 2,
    discount: Discount = NO_DISCOUNT,
) -> list[Amounts]:
    """Net and tax of each line, after its share of the document's `discount`.

    Per line, tax is rounded on every line. Per tax, it is rounded once on the sum of each rate and
    distributed over its lines by largest remainder, so that the header equals the sum of the lines. When
    prices include tax, the gross amount is fixed: net = round(gross / (1 + rate)), tax = gross - net.
    """
    values = [line_gross(line, exponent) for line in lines]
    shares = spread(discount, values, exponent)
    amounts = [value - share for value, share in zip(values, shares, strict=True)]
    if per_tax:
        parts = _per_tax(lines, amounts, includes_tax, exponent)
    else:
        parts = [
            _split(amount, line.tax_rate, includes_tax, exponent) for amount, line in zip(amounts, lines, strict=True)
        ]
    return [Amounts(net, tax, share) for (net, tax), share in zip(parts, shares, strict=True)]


def _per_tax(
    lines: Sequence[Priced], amounts: Sequence[Decimal], includes_tax: bool, exponent: int
) -> list[tuple[Decimal, Decimal]]:
    result = [(ZERO, ZERO)] * len(lines)
    for rate in {line.tax_rate for line in lines}:
        rows = [i for i, line in enumerate(lines) if line.tax_rate == rate]
        whole = _split(sum((amounts[i] for i in rows), ZERO), rate, includes_tax, exponent)
        taxes = allocate(whole[1], [abs(amounts[i]) for i in rows], exponent)
        for i, tax in zip(rows, taxes, strict=True):
            result[i] = (amounts[i] - tax if includes_tax else amounts[i], tax)
    return result


def _split(amount: Decimal, rate: Decimal, includes_tax: bool, exponent: int) -> tuple[Decimal, Decimal]:
    """Net and tax of an amount."""
    if includes_tax:
        net = round_money(amount / (ONE + rate), exponent)
        return net, amount - net
    return amount, round_money(amount * rate, exponent)


def totals(lines: Sequence[Any]) -> Totals:
    """Sums over lines that carry `net`, `tax`, `tax_rate` and `discount_share`."""
    rates = sorted({line.tax_rate for line in lines}, reverse=True)
    by_rate = tuple(
        (
            rate,
            sum((line.net for line in lines if line.tax_rate == rate), ZERO),
            sum((line.tax for line in lines if line.tax_rate == rate), ZERO),
        )
        for rate in rates
    )
    net, tax = sum((line.net for line in lines), ZERO), sum((line.tax for line in lines), ZERO)
    return Totals(net, tax, by_rate, sum((line.discount_share for line in lines), ZERO))
