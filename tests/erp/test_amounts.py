"""Amounts of lines and documents (rules G-14, G-15), against printed invoices of others."""

from __future__ import annotations

import csv
from collections import defaultdict
from decimal import Decimal as D
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erp.trade.amounts import Amounts, Discount, Priced, line_amounts, line_gross, spread, totals

DATA = Path(__file__).parents[1] / "data" / "invoices"


def read(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


INVOICES: dict[str, list[dict[str, str]]] = defaultdict(list)
for row in read("lines"):
    INVOICES[row["invoice_id"]].append(row)


class Shown:
    """A line with its amounts, as `totals` takes them."""

    def __init__(self, line: Priced, amounts: Amounts) -> None:
        self.net, self.tax, self.tax_rate = amounts.net, amounts.tax, line.tax_rate
        self.discount_share = amounts.share


@pytest.mark.parametrize("invoice", sorted(INVOICES))
def test_printed_invoices_are_computed_to_the_cent(invoice: str) -> None:
    """G-14, G-15 per tax: nets, taxes and totals that others printed (37 invoices)."""
    lines = [
        Priced(
            D(r["quantity"]), D(r["net_price"]) / D(r["price_base_quantity"] or 1), D(0), D(r["vat_rate"] or 0) / 100
        )
        for r in INVOICES[invoice]
    ]
    amounts = line_amounts(lines, per_tax=True, includes_tax=False)
    assert [a.net for a in amounts] == [D(r["expected_line_net"]) for r in INVOICES[invoice]]
    sums = totals([Shown(line, a) for line, a in zip(lines, amounts, strict=True)])
    printed: dict[D, list[D]] = defaultdict(lambda: [D(0), D(0)])
    for row in read("expected_tax"):
        if row["invoice_id"] == invoice:
            rate = D(row["vat_rate"] or 0) / 100
            printed[rate][0] += D(row["expected_taxable_amount"])
            printed[rate][1] += D(row["expected_tax_amount"])
    assert {rate: [net, tax] for rate, net, tax in sums.by_rate} == printed
    [total] = [r for r in read("expected_totals") if r["invoice_id"] == invoice]
    assert (sums.net, sums.tax) == (D(total["tax_exclusive"]), D(total["tax_total"] or 0))
    assert sums.total == D(total["tax_inclusive"])


prices = st.builds(
    Priced,
    quantity=st.decimals(min_value="0.0001", max_value="99999", places=4),
    price=st.decimals(min_value=0, max_value="99999", places=6),
    discount=st.decimals(min_value=0, max_value=100, places=2),
    tax_rate=st.sampled_from([D(0), D("0.03"), D("0.06"), D("0.09"), D("0.13")]),
)


@settings(deadline=None)
@given(st.lists(prices, min_size=1, max_size=20), st.booleans(), st.booleans(), st.sampled_from([0, 2]))
def test_shown_lines_add_up_to_the_shown_totals(
    lines: list[Priced], per_tax: bool, includes_tax: bool, exponent: int
) -> None:
    """G-15: header = sum of lines; inclusive prices keep their gross; tax is the rate to the rounding."""
    amounts = line_amounts(lines, per_tax=per_tax, includes_tax=includes_tax, exponent=exponent)
    unit = D(1).scaleb(-exponent)
    for line, amount in zip(lines, amounts, strict=True):
        gross = line_gross(line, exponent)
        assert (amount.net + amount.tax if includes_tax else amount.net) == gross
        assert abs(amount.tax - amount.net * line.tax_rate) <= unit * (2 if per_tax else 1)
        assert amount.net == amount.net.quantize(unit) and amount.tax == amount.tax.quantize(unit)
    sums = totals([Shown(line, a) for line, a in zip(lines, amounts, strict=True)])
    assert sums.total == sum(a.net + a.tax for a in amounts)
    if per_tax and not includes_tax:
        for rate, net, tax in sums.by_rate:
            assert abs(tax - net * rate) <= unit / 2


@pytest.mark.parametrize(
    ("quantity", "price", "discount", "gross"),
    [
        ("3", "0.335", "10", "0.90"),
        ("1", "0.005", "0", "0.01"),
        ("7", "14.2857", "0", "100.00"),
        ("2", "10", "100", "0"),
    ],
)
def test_the_discounted_price_itself_is_not_rounded(quantity: str, price: str, discount: str, gross: str) -> None:
    """G-14: rounded once, after multiplication."""
    assert line_gross(Priced(D(quantity), D(price), D(discount), D(0)), 2) == D(gross)


def test_a_printed_discount_is_spread_as_printed() -> None:
    """G-14: 2 % and 0.07 off two lines, as RK21012345 of the ZUGFeRD corpus prints it (there as a correction)."""
    lines = [Priced(D(5), D(1), D(0), D("0.19")), Priced(D(2), D("1.45"), D(0), D("0.07"))]
    amounts = line_amounts(lines, per_tax=True, includes_tax=False, discount=Discount(D(2), D("0.07")))
    assert [a.share for a in amounts] == [D("0.15"), D("0.08")]
    assert [(a.net, a.tax) for a in amounts] == [(D("4.85"), D("0.92")), (D("2.82"), D("0.20"))]
    sums = totals([Shown(line, a) for line, a in zip(lines, amounts, strict=True)])
    assert (sums.discount, sums.total) == (D("0.23"), D("8.79"))


values = st.lists(st.decimals(min_value=0, max_value="9999", places=2), min_size=1, max_size=30)


@settings(deadline=None)
@given(values, st.decimals(min_value=0, max_value=100, places=4), st.decimals(min_value=0, max_value=1, places=6))
def test_shares_add_up_and_no_line_gives_more_than_it_is_worth(parts: list[D], percent: D, share: D) -> None:
    """G-14: a discount up to the whole value is spread to the cent, by value."""
    whole = sum(parts, D(0))
    left = whole - Discount(percent).of(whole)
    discount = Discount(percent, (left * share).quantize(D("0.01"), "ROUND_FLOOR"))
    shares = spread(discount, parts)
    assert sum(shares) == discount.of(whole)
    assert all(0 <= given <= part for given, part in zip(shares, parts, strict=True))


def test_the_residual_goes_to_the_largest_line() -> None:
    """G-14: also where a line cannot give as much as its share was rounded to."""
    assert spread(Discount(amount=D(10)), [D("33.33"), D("33.34"), D("33.33")]) == [D("3.33"), D("3.34"), D("3.33")]
    assert spread(Discount(amount=D(1)), [D(1), D(1), D(1)]) == [D("0.34"), D("0.33"), D("0.33")]
    assert spread(Discount(D(50)), [D("0.01")] * 4) == [D(0), D(0), D("0.01"), D("0.01")]
