"""Shares of received and billed value, without a database (rules P-08, P-09, P-12, V-07)."""

from __future__ import annotations

from decimal import Decimal as D
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from erp.purchasing.matching import cleared_value, cost_of, oldest_first, receipt_value, share

amounts = st.decimals("0", "1000000", places=2)
parts = st.lists(st.decimals("0.0001", "1000", places=4), min_size=1, max_size=12)


def received(total: D, ordered: D, quantities: list[D], exponent: int = 2) -> list[D]:
    """Values of receiving `quantities` one after the other."""
    values: list[D] = []
    before = D(0)
    for quantity in quantities:
        values.append(receipt_value(total, ordered, before, quantity, sum(values, D(0)), exponent))
        before += quantity
    return values


@given(amounts, parts)
def test_receipts_of_a_whole_line_add_up_to_its_cost(total: D, quantities: list[D]) -> None:
    """P-08: whatever the parts; none of them is negative."""
    values = received(total, sum(quantities), quantities)
    assert sum(values) == total and min(values) >= 0


@given(amounts, parts, st.data())
def test_receipts_add_up_after_a_reversal_too(total: D, quantities: list[D], data: st.DataObject) -> None:
    """P-08: a part that was taken back and comes again leaves no cent behind."""
    values = received(total, sum(quantities), quantities)
    gone = data.draw(st.integers(0, len(quantities) - 1))
    before = sum(quantities) - quantities[gone]
    again = receipt_value(total, sum(quantities), before, quantities[gone], sum(values) - values[gone])
    assert sum(values) - values[gone] + again == total


def test_a_part_received_after_an_amendment_has_the_new_price() -> None:
    """G-08: 5 of 10 came at 10.00, then the price became 12.00; the bill corrects the first five."""
    assert receipt_value(D(120), D(10), D(5), D(5), D(50)) == 60
    assert receipt_value(D(40), D(10), D(5), D(5), D(50)) == 20, "also when it fell below what was received"


def test_more_than_ordered_has_the_price_of_the_order() -> None:
    """G-12: what the tolerance lets in."""
    assert receipt_value(D(100), D(10), D(10), D(1), D(100)) == 10
    assert receipt_value(D("100"), D(3), D(0), D(1), D(0), exponent=0) == 33, "JPY has no decimals"


@given(amounts, parts)
def test_bills_clear_what_was_received_exactly(value: D, quantities: list[D]) -> None:
    """P-12: bills of all parts of a receipt line take its whole value."""
    whole, billed, cleared = sum(quantities), D(0), D(0)
    for quantity in quantities:
        billed += quantity
        cleared += cleared_value(value, whole, billed, cleared)
    assert cleared == value


def test_share_of_the_whole_is_the_whole() -> None:
    assert share(D("10.01"), D(3), D(3)) == D("10.01") and share(D("10.01"), D(1), D(3)) == D("3.34")


def test_tax_is_cost_only_where_it_cannot_be_recovered() -> None:
    """V-07."""
    line = SimpleNamespace(net=D(100), tax=D(13), tax_code=SimpleNamespace(recoverable=True))
    assert cost_of(line) == 100
    line.tax_code.recoverable = False
    assert cost_of(line) == 113
    line.tax_code = None
    assert cost_of(line) == 100


def test_bills_take_from_the_oldest_receipt_first() -> None:
    """P-09: many receipts, one bill; what no receipt covers is left over."""
    lines = [SimpleNamespace(quantity=D(q), billed=D(b)) for q, b in ((5, 5), (5, 2), (4, 0))]
    assert oldest_first(D(5), lines) == ([(lines[1], D(3)), (lines[2], D(2))], 0)
    assert oldest_first(D(9), lines) == ([(lines[1], D(3)), (lines[2], D(4))], 2)
    assert oldest_first(D(0), lines) == ([], 0)
