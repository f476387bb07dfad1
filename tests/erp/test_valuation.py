"""Moving average (rules V-02, V-11, V-12, V-20), against published examples."""

from __future__ import annotations

import csv
from collections import defaultdict
from decimal import Decimal as D
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erp.inventory.valuation import Passed, Stock, issue_value, residue, share_left
from kit.values.money import allocate, round_money

DATA = Path(__file__).parents[1] / "data" / "stock_valuation"
OUT = {"issue", "purchase_return", "transfer_out"}


def read(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


CASES: dict[str, list[dict[str, str]]] = defaultdict(list)
for row in read("moves"):
    CASES[row["case_id"]].append(row)


def moved(stock: Stock, move: dict[str, str], cost: D) -> tuple[Stock, D]:
    """The stock after a move, and its value; `cost` is what is issued without stock."""
    quantity = D(move["qty"] or 0)
    if move["type"] in OUT:
        value = issue_value(stock, quantity, stock.value / stock.quantity if stock.quantity > 0 else cost)
        return Stock(stock.quantity - quantity, stock.value - value), value
    if move["type"] in {"landed_cost", "revaluation"}:
        return Stock(stock.quantity, stock.value + D(move["amount"])), D(move["amount"])
    value = round_money(D(move["amount"]) if move["amount"] else quantity * D(move["unit_cost"] or 0))
    return Stock(stock.quantity + quantity, stock.value + value), value


@pytest.mark.parametrize("case", sorted(CASES))
def test_published_examples_of_the_moving_average(case: str) -> None:
    """V-02: value of every move, quantity, value and average after it, to the cent.

    Moves that change the past are left out (DESIGN decision 6: nothing is re-posted), and so is what follows.
    """
    stock, cost = Stock(D(0), D(0)), D(0)
    for move in CASES[case]:
        if move["type"].startswith("edit"):
            break
        if move["type"] == "set_standard_cost":
            cost = D(move["unit_cost"])
            continue
        if move["type"] == "transfer_in":  # into another warehouse, at the cost at which it left the first
            stock, move = Stock(D(0), D(0)), move | {"amount": move["expected_move_value"]}
        stock, value = moved(stock, move, cost)
        for column, found in (
            ("expected_move_value", value),
            ("expected_qty_after", stock.quantity),
            ("expected_value_after", stock.value),
        ):
            if move[column]:
                assert abs(found - D(move[column])) <= D("0.01"), (move["seq"], column)
        if move["expected_avg_cost_after"] and stock.quantity:
            assert abs(stock.value / stock.quantity - D(move["expected_avg_cost_after"])) <= D("0.01")


@pytest.mark.parametrize("case", ["LC1", "LC3", "LC5"])
def test_published_examples_of_sharing_a_charge(case: str) -> None:
    """P-14: no cent is lost, no share is negative."""
    [row] = [r for r in read("landed_cost_split") if r["case_id"] == case]
    weights = row["line_amounts" if row["basis"] == "amount" else "line_quantities"].replace(",", "")
    shares = (
        allocate(D(row["charge"]), [D(w) for w in weights.split(";")])
        if case != "LC1"
        else allocate(D(row["charge"]), [D(120), D(200), D(0)])
    )
    assert sum(shares) == D(row["charge"]) and min(shares) >= 0
    if row["expected_shares"]:
        assert sorted(shares) == sorted(D(share) for share in row["expected_shares"].split(";"))


quantities = st.decimals(min_value="0.0001", max_value="9999", places=4)
costs = st.decimals(min_value=0, max_value="9999", places=2)


@settings(deadline=None)
@given(st.lists(st.tuples(quantities, costs), min_size=1, max_size=8), st.lists(st.integers(1, 100), max_size=12))
def test_no_stock_means_no_value(receipts: list[tuple[D, D]], issues: list[int]) -> None:
    """V-02: values never become negative, the last issue takes all, everything issued is what came in."""
    stock, came = Stock(D(0), D(0)), D(0)
    for quantity, cost in receipts:
        value = round_money(quantity * cost)
        came += value
        stock = Stock(stock.quantity + quantity, stock.value + value)
    left = D(0)
    for share in [*issues, 100]:
        quantity = (stock.quantity * share / 100).quantize(D("0.0001")) if share < 100 else stock.quantity
        if quantity == 0:
            continue
        value = issue_value(stock, quantity)
        left += value
        stock = Stock(stock.quantity - quantity, stock.value - value)
        assert stock.value >= 0
    assert (stock.quantity, stock.value, left) == (0, 0, came)


@pytest.mark.parametrize(
    ("before", "quantity", "value", "expected"),
    [
        (("10", "100"), "5", "60", "0"),  # an ordinary receipt leaves nothing
        (("-3", "-21"), "3", "27", "6"),  # covered exactly: the difference cannot stay
        (("-3", "-21"), "10", "120", "15"),  # the seven that remain are worth their own price, 84
        (("-3", "-21"), "2", "24", "10"),  # two of three covered: the one that is not stays at 7
        (("2", "10"), "-2", "-12", "-2"),  # a reversal at the original cost empties stock: 2 too much left it
        (("5", "10"), "-4", "-12", "-2"),  # value below zero is put back
    ],
)
def test_what_stock_cannot_carry(before: tuple[str, str], quantity: str, value: str, expected: str) -> None:
    """V-02, V-11: the residue of a movement valued from outside."""
    assert residue(Stock(D(before[0]), D(before[1])), D(quantity), D(value)) == D(expected)


@settings(deadline=None)
@given(
    st.decimals(min_value=-99, max_value=99, places=2),
    st.decimals(min_value=-99, max_value=9999, places=2),
    st.decimals(min_value=-99, max_value=99, places=2).filter(bool),
    st.decimals(min_value=0, max_value=9999, places=2),
)
def test_after_its_residue_stock_is_sound(quantity: D, value: D, moved_quantity: D, amount: D) -> None:
    """V-02: no quantity, no value; stock has no negative value."""
    if quantity == 0:
        value = D(0)
    if quantity > 0:
        value = abs(value)
    signed = amount if moved_quantity > 0 else -amount
    left = residue(Stock(quantity, value), moved_quantity, signed)
    after = Stock(quantity + moved_quantity, value + signed - left)
    if after.quantity == 0:
        assert after.value == 0
    if after.quantity > 0:
        assert after.value >= 0
    if quantity < 0 < moved_quantity and after.quantity < 0:
        assert after.value == round_money(value * after.quantity / quantity)


@pytest.mark.parametrize(
    ("came", "after", "later", "part"),
    [
        ("10", "10", [], "1"),
        ("10", "25", [], "1"),
        ("10", "10", [("-6", "4")], "0.4"),
        ("10", "20", [("-5", "15"), ("-3", "12")], "0.6"),  # of the pool: 15/20, then 12/15
        ("10", "10", [("-5", "5"), ("5", "10"), ("-5", "5")], "0.5"),  # the first came back before the next left
        ("10", "10", [("-10", "0"), ("10", "10", "receipt")], "0"),  # what came later is not what was sold
        ("10", "10", [("-5", "5"), ("95", "100", "receipt")], "0.5"),
        ("10", "30", [("-20", "10", "receipt")], "1"),  # another receipt was taken back at its own value
        ("10", "6", [], "0.6"),  # four had been sold before
        ("10", "-2", [("20", "18", "receipt")], "0"),
        ("0", "5", [("-1", "4")], "0.8"),  # a value adjustment
        ("0", "-5", [], "0"),
    ],
)
def test_the_part_of_a_value_that_is_still_in_stock(
    came: str, after: str, later: list[tuple[str, ...]], part: str
) -> None:
    """V-12: every issue at the average takes its part along."""
    moves = [Passed(D(move[0]), D(move[1]), move[2:] == (), move[2:] == ("receipt",)) for move in later]
    assert share_left(D(came), D(after), moves) == D(part)
