"""Rounding and distribution of money (rule G-13)."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.values.arithmetic import calculate
from kit.values.money import allocate, round_half_up, round_money
from kit.values.quantities import round_quantity

amounts = st.decimals(min_value=-(10**12), max_value=10**12, places=2)
weights = st.lists(st.decimals(min_value=0, max_value=10**9, places=4), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        ("0.005", 2, "0.01"),
        ("0.0049", 2, "0.00"),
        ("-0.005", 2, "-0.01"),
        ("2.675", 2, "2.68"),
        ("1.5", 0, "2"),
        ("-2.5", 0, "-3"),
        ("1.2345675", 6, "1.234568"),
        ("999999999999.995", 2, "1000000000000.00"),
    ],
)
def test_halves_round_away_from_zero(value: str, digits: int, expected: str) -> None:
    """G-13: half up, away from zero, the same on both sides."""
    assert round_half_up(D(value), digits) == D(expected)
    assert round_half_up(-D(value), digits) == -D(expected)


@settings(deadline=None)
@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6), st.integers(0, 4))
def test_rounding_is_near_and_stable(value: D, digits: int) -> None:
    """At most half a unit away, and rounding twice changes nothing."""
    rounded = round_money(value, digits)
    assert abs(rounded - value) <= D("0.5").scaleb(-digits)
    assert round_money(rounded, digits) == rounded


@settings(deadline=None)
@given(amounts, weights)
def test_parts_add_up_to_the_whole(total: D, given_weights: list[D]) -> None:
    """`allocate`: nothing is lost or made, no part is a unit off its exact share, equal weights at most one apart."""
    parts = allocate(total, given_weights)
    assert sum(parts) == total and len(parts) == len(given_weights)
    whole = sum(given_weights)
    if whole:
        assert all(abs(part - total * w / whole) < D("0.01") for part, w in zip(parts, given_weights, strict=True))
        assert all(part == 0 for part, w in zip(parts, given_weights, strict=True) if w == 0)


@pytest.mark.parametrize(
    ("total", "parts", "expected"),
    [
        ("100", (1, 1, 1), ("33.34", "33.33", "33.33")),
        ("-100", (1, 1, 1), ("-33.33", "-33.33", "-33.34")),
        ("0.01", (1, 1), ("0.01", "0")),
        ("10", (0, 0), ("10", "0")),
        ("13", (1, 2, 3), ("2.17", "4.33", "6.50")),
        ("10", (), ()),
    ],
)
def test_what_is_left_goes_to_the_largest_remainders(
    total: str, parts: tuple[int, ...], expected: tuple[str, ...]
) -> None:
    """First come first on a tie; all weights zero: all to the first."""
    assert allocate(D(total), [D(p) for p in parts]) == [D(e) for e in expected]


def test_currencies_without_decimals_are_distributed_in_whole_units() -> None:
    """JPY has no minor unit."""
    assert allocate(D(100), [D(1)] * 3, 0) == [34, 33, 33]


def test_quantities_have_at_most_four_decimals() -> None:
    """By the unit, never more than the column holds."""
    assert round_quantity(D("1.23456")) == D("1.2346") and round_quantity(D("1.5"), 0) == 2
    assert round_quantity(D("1.23456"), 6) == D("1.2346")


@pytest.mark.parametrize(
    ("text", "value"),
    [("40*1.05", "42.00"), ("(12+3)/4", "3.75"), ("-5", "-5"), ("0.1+0.2", "0.3"), ("1e3", "1000"), ("2*-3", "-6")],
)
def test_number_fields_calculate_exactly(text: str, value: str) -> None:
    """UX: a number field takes a calculation, in decimals."""
    assert calculate(text) == D(value)


@pytest.mark.parametrize(
    "text", ["", "x", "1+", "__import__('os')", "2**99999", "1<2", "'a'*9", "[1]", "True", "1" * 101]
)
def test_number_fields_calculate_nothing_else(text: str) -> None:
    """Names, powers, texts and comparisons are refused."""
    with pytest.raises(ValueError):
        calculate(text)


@pytest.mark.parametrize("text", ["1/0", "0/0", "9e999999*9e999999"])
def test_what_has_no_value_is_no_number(text: str) -> None:
    """As wrong as any other text."""
    with pytest.raises(ValueError):
        calculate(text)
