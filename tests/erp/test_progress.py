"""Open quantities and statuses by the formulas of rule G-11."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erp.trade.progress import (
    billing_basis,
    billing_status,
    done,
    goods_status,
    most_to_move,
    order_percents,
    percent,
    rest_to_give_up,
    to_bill,
    to_move,
    tolerance_of,
)


@dataclass
class Line:
    """The letters of rule G-11: ord, can, dlv, rr, rc, inv, crd."""

    quantity: D = D(10)
    cancelled: D = D(0)
    moved: D = D(0)
    returned_replace: D = D(0)
    returned_credit: D = D(0)
    billed: D = D(0)
    credited: D = D(0)
    net: D = D(100)


def line(text: str) -> Line:
    """`ord can dlv rr rc inv crd` as one text."""
    return Line(*(D(word) for word in text.split()))


@pytest.mark.parametrize(
    ("facts", "deliver", "on_order", "on_delivery", "bill", "goods", "billing", "finished"),
    [
        # ord can dlv rr rc inv crd | to deliver, basis on order, basis on delivery, to invoice, statuses, done
        ("10 0 0 0 0 0 0", 10, 10, 0, 0, "none", "none", False),
        ("10 0 4 0 0 0 0", 6, 10, 4, 4, "partial", "none", False),
        ("10 0 10 0 0 4 0", 0, 10, 10, 6, "complete", "partial", False),
        ("10 0 10 0 0 10 0", 0, 10, 10, 0, "complete", "complete", True),
        ("10 6 4 0 0 4 0", 0, 4, 4, 0, "complete", "complete", True),
        ("10 10 0 0 0 0 0", 0, 0, 0, 0, "complete", "none", True),
        ("10 0 11 0 0 11 0", 0, 10, 11, 0, "over", "complete", True),
        ("10 0 10 2 0 10 0", 2, 10, 8, -2, "partial", "complete", False),  # 2 come back and are replaced
        ("10 0 12 2 0 10 0", 0, 10, 10, 0, "complete", "complete", True),  # and were replaced
        ("10 0 10 0 3 10 0", 0, 7, 7, -3, "complete", "complete", True),  # 3 come back: a credit note is due
        ("10 0 10 0 3 10 3", 0, 7, 7, 0, "complete", "complete", True),
    ],
)
def test_open_quantities(
    facts: str, deliver: int, on_order: int, on_delivery: int, bill: int, goods: str, billing: str, finished: bool
) -> None:
    """G-11, the table by hand."""
    row = line(facts)
    assert (to_move(row), billing_basis(row, on_order=True), billing_basis(row), to_bill(row)) == (
        deliver,
        on_order,
        on_delivery,
        bill,
    )
    assert (goods_status([row]), billing_status([row]), done(row)) == (goods, billing, finished)


def test_statuses_of_several_lines() -> None:
    """G-11: complete when every line is, partial when any moved."""
    full, none = line("10 0 10 0 0 10 0"), line("5 0 0 0 0 0 0")
    assert (goods_status([full, none]), billing_status([full, none])) == ("partial", "partial")
    assert (goods_status([none, none]), billing_status([none])) == ("none", "none")
    assert goods_status([]) == "none"


@pytest.mark.parametrize(
    ("part", "whole", "expected"), [(1, 3, "33.33"), (2, 3, "66.67"), (3, 3, "100"), (0, 3, "0"), (1, 0, "0")]
)
def test_percentages(part: int, whole: int, expected: str) -> None:
    """Two decimals."""
    assert percent(D(part), D(whole)) == D(expected)


def test_all_but_complete_is_never_shown_as_complete() -> None:
    """99.999 % is 99.99, more than everything is 100."""
    assert percent(D("99999.9"), D(100000)) == D("99.99") and percent(D(11), D(10)) == 100


def test_percent_of_an_order_weighs_its_lines_by_value() -> None:
    """Half of the value is half of the order, however many pieces; without values pieces count."""
    dear, cheap = Line(quantity=D(1), moved=D(1), net=D(900)), Line(quantity=D(100), net=D(100))
    assert order_percents([dear, cheap]) == (D(90), D(0))
    free = [Line(net=D(0), moved=D(10), billed=D(10)), Line(net=D(0))]
    assert order_percents(free) == (D(50), D(50))
    assert order_percents([Line(cancelled=D(10))]) == (0, 0)


quantities = st.integers(0, 50).map(D)


@settings(deadline=None)
@given(quantities, quantities, quantities)
def test_moving_what_is_open_completes_the_line(ordered: D, given_up: D, moved: D) -> None:
    """G-11: after moving and billing the open quantities nothing is open, and nothing negative ever was."""
    row = Line(quantity=ordered, cancelled=min(given_up, ordered), moved=moved)
    assert to_move(row) >= 0
    row.moved += to_move(row)
    row.billed += to_bill(row)
    assert to_move(row) == 0 and to_bill(row) == 0 and done(row)


@settings(deadline=None)
@given(
    st.integers(1, 100).map(D),
    st.lists(st.integers(1, 60).map(D), max_size=6),
    st.sampled_from([D(0), D(5), D("12.5")]),
)
def test_tolerance_holds_for_all_parts_together(ordered: D, parts: list[D], tolerance: D) -> None:
    """G-12: children together stay within what is ordered plus the tolerance, in however many parts."""
    row = Line(quantity=ordered)
    for part in parts:
        row.moved += min(part, most_to_move(row, tolerance))
    assert row.moved <= ordered * (100 + tolerance) / 100


said = st.none() | st.integers(0, 100).map(D)


@given(st.lists(st.none(), max_size=4), st.integers(0, 100).map(D), st.lists(said, max_size=4))
def test_the_first_tolerance_that_is_said_counts(silent: list[None], first: D, later: list[D | None]) -> None:
    """G-12: 0 is said, None is not; nobody says one: 0."""
    assert tolerance_of(*silent, first, *later) == first
    assert tolerance_of(*silent) == 0


@given(st.integers(1, 100).map(D), st.integers(0, 120).map(D), st.integers(0, 100).map(D))
def test_a_line_that_lacks_no_more_than_the_tolerance_is_complete(ordered: D, moved: D, tolerance: D) -> None:
    """G-12: complete when what was delivered reaches the order less the tolerance; else all stays open."""
    row = Line(quantity=ordered, moved=moved)
    complete = moved >= ordered * (100 - tolerance) / 100
    assert rest_to_give_up(row, tolerance) == (to_move(row) if complete else 0)
