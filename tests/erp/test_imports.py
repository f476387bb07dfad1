"""Terms and stock from files: the same documents as if somebody had typed them (T-03)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from erp.inventory.models import StockAdjustment, StockLevel, StockMove
from erp.sales.models import CustomerTerms
from tests import factories as make
from tests.importing import DATA, Files, last, read
from tests.invariants import assert_books

pytestmark = pytest.mark.django_db


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """`manage.py import`."""
    return Files(tmp_path).load


@pytest.fixture
def export(tmp_path: Path) -> Any:
    """`manage.py export`."""
    return Files(tmp_path).export


def test_terms_of_customers(load: Any) -> None:
    """S-04: credit, payment and tax terms by customer; an empty limit is no limit."""
    customer = make.make_customer("One", code="C-1")
    rows = 'customer,credit_limit,payment_terms,currency,tax_category\nC-1,"10,000",NET30,USD,V13\n'
    assert load("customer-terms", rows) == (0, "customer-terms: 1 new, 0 updated, 0 unchanged, 0 errors\n")
    terms = CustomerTerms.objects.get(customer=customer)
    assert (terms.credit_limit, terms.payment_terms.code, terms.currency.code, terms.tax_code.code) == (
        10_000,
        "NET30",
        "USD",
        "V13",
    )
    assert last(load("customer-terms", rows, "--update")) == "customer-terms: 0 new, 0 updated, 1 unchanged, 0 errors"
    assert "1 updated" in last(load("customer-terms", "customer,credit_limit\nC-1,\n", "--update"))
    terms.refresh_from_db()
    assert (terms.credit_limit, terms.currency.code) == (None, "USD")


def test_opening_stock_is_one_adjustment_per_warehouse_and_day(load: Any, export: Any) -> None:
    """V-42: posted adjustments with their own entries; unknown warehouses are made; a second time nothing happens."""
    for code in ("P-1", "P-2"):
        make.make_product(code)
    rows = (
        "product,warehouse,quantity,unit_cost,date\nP-1,MAIN,10,2.5,2026-01-01\nP-2,MAIN,4,1,2026-01-01\n"
        "P-1,EAST,3,2,2026-01-01\nP-2,EAST,1,9.99,2026-01-02\n"
    )
    code, said = load("opening-stock", rows)
    assert (code, said.splitlines()) == (
        0,
        [
            "Warehouse “EAST” is new; the import creates it.",
            "opening-stock: 4 new, 0 updated, 0 unchanged, 0 errors",
        ],
    )
    assert [
        (a.warehouse.code, str(a.date), a.reason, a.value)
        for a in StockAdjustment.objects.order_by("date", "warehouse__code")
    ] == [
        ("EAST", "2026-01-01", "opening", 6),
        ("MAIN", "2026-01-01", "opening", 29),
        ("EAST", "2026-01-02", "opening", Decimal("9.99")),
    ]
    assert_books()
    assert "The opening stock of P-1 P-1 in Main warehouse was entered already." in load("opening-stock", rows)[1]
    assert last(load("opening-stock", rows, "--update")) == "opening-stock: 0 new, 0 updated, 4 unchanged, 0 errors"
    assert "10 were entered on 2026-01-01 already" in load("opening-stock", rows.replace(",10,", ",11,"), "--update")[1]
    assert export("opening-stock", "warehouse=MAIN", "as_of=2026-02-01").decode().splitlines() == [
        "product,warehouse,quantity,unit_cost,date",
        "P-1,MAIN,10,2.5,2026-02-01",
        "P-2,MAIN,4,1,2026-02-01",
    ]


def test_bad_opening_stock_is_told_by_cell(load: Any) -> None:
    """T-03: what the service refuses stands at its row and column; the good rows can go in without it."""
    make.make_product("P-1")
    make.make_service("S-1")
    rows = (
        "product,warehouse,quantity,unit_cost,date\nP-1,MAIN,1.5,2,2026-01-01\nS-1,MAIN,1,2,2026-01-01\n"
        "P-1,MAIN,-1,2,2026-01-02\nP-1,MAIN,5,2,2026-01-03\nP-1,MAIN,5,2,2999-01-01\nP-9,MAIN,5,2,2026-01-03\n"
    )
    code, said = load("opening-stock", rows)
    assert code == 1
    assert said.splitlines() == [
        "Row 2, quantity: Piece has 0 decimals.",
        "Row 3, product: S-1 is a service and not kept in stock.",
        "Row 4, quantity: Quantity must be more than 0.",
        "Row 6, date: 2999-01-01 lies in the future; post with a date up to today.",
        "Row 7, product: There is no product “P-9”.",
        "opening-stock: 1 new, 0 updated, 0 unchanged, 5 errors",
        "Nothing was written.",
    ]
    assert not StockAdjustment.objects.exists()
    assert load("opening-stock", rows, "--partial")[0] == 0
    assert StockLevel.objects.get().on_hand == 5
    assert_books()


@pytest.mark.parametrize("case", ["A01", "A19"])
def test_moves_are_valued_as_the_oracle(load: Any, case: str) -> None:
    """V-02, V-20: textbook cases of the moving average, each move with its value and what it leaves."""
    make.make_product("P-1")
    moves = [row for row in read(DATA / "stock_valuation" / "moves.csv") if row["case_id"] == case]
    start = dt.date(2026, 1, 1)
    out = {"issue", "purchase_return"}
    load(
        "stock-moves",
        [
            {
                "date": start + dt.timedelta(days=int(row["seq"])),
                "product": "P-1",
                "warehouse": "MAIN",
                "quantity": f"-{row['qty']}" if row["type"] in out else row["qty"],
                "unit_cost": "" if row["type"] in out else row["unit_cost"],
            }
            for row in moves
        ],
    )
    stored = list(StockMove.objects.order_by("pk"))
    assert len(stored) == len(moves)
    cent = Decimal("0.01")
    for move, row in zip(stored, moves, strict=True):
        assert abs(move.value) == Decimal(row["expected_move_value"]).quantize(cent)
        assert (move.quantity_after, move.value_after) == (
            Decimal(row["expected_qty_after"]),
            Decimal(row["expected_value_after"]).quantize(cent),
        )
    assert_books()


def test_moves_of_a_day_follow_the_file(load: Any) -> None:
    """V-02: rows of one day are valued in the order of the file, days in the order of the calendar."""
    make.make_product("P-1")
    rows = (
        "date,product,warehouse,quantity,unit_cost\n2026-01-02,P-1,MAIN,-5,\n2026-01-02,P-1,MAIN,5,4\n"
        "2026-01-02,P-1,MAIN,-5,\n2026-01-01,P-1,MAIN,10,2\n"
    )
    assert last(load("stock-moves", rows)) == "stock-moves: 2 new, 0 updated, 0 unchanged, 0 errors"
    assert [(m.quantity, m.value) for m in StockMove.objects.order_by("pk")] == [
        (10, 20),
        (-5, -10),
        (5, 20),
        (-5, -15),
    ]
    assert "These movements were imported already" in load("stock-moves", rows)[1]
    assert last(load("stock-moves", rows, "--update")) == "stock-moves: 0 new, 0 updated, 2 unchanged, 0 errors"
    assert StockMove.objects.count() == 4
    assert_books()


def test_moves_that_stock_does_not_cover(load: Any) -> None:
    """D-01: the day that fails is left out with --partial and leaves no trace, the others go in."""
    make.make_product("P-1")
    make.make_product("P-2")
    rows = (
        "date,product,warehouse,quantity,unit_cost\n2026-01-01,P-1,MAIN,3,2\n2026-01-02,P-2,MAIN,7,1\n2026-01-02,P-1,MAIN,-5,\n"
        "2026-01-03,P-1,MAIN,-1,9\n2026-01-04,P-1,MAIN,-2,\n"
    )
    code, said = load("stock-moves", rows)
    assert (code, said.splitlines()) == (
        1,
        [
            "Row 4, quantity: Only 3 of P-1 are available; 5 are needed. Lower the quantity or receive stock first.",
            "Row 5, unit_cost: What leaves stock has the average cost; leave this cell empty.",
            "stock-moves: 2 new, 0 updated, 0 unchanged, 3 errors",
            "Nothing was written.",
        ],
    )
    assert not StockMove.objects.exists()
    assert load("stock-moves", rows, "--partial")[0] == 0
    assert [(m.product.code, m.quantity) for m in StockMove.objects.order_by("pk")] == [("P-1", 3), ("P-1", -2)]
    assert StockAdjustment.objects.count() == 2
    assert_books()


def test_everything_that_is_exported_can_be_imported(load: Any, export: Any, living: Any) -> None:
    """T-03: all rows of every kind of a living company come back unchanged, as CSV and as XLSX."""
    for kind in (
        "accounts",
        "customers",
        "contacts",
        "suppliers",
        "products",
        "customer-terms",
        "opening-stock",
        "stock-moves",
        "journal-entries",
        "sales-orders",
        "purchase-orders",
    ):
        content = export(kind)
        code, said = load(kind, content, "--update")
        assert code == 0, f"{kind}: {said}"
        assert " 0 new, 0 updated" in last((code, said)), f"{kind}: {said}"
        book = export(kind, name="out.xlsx")
        assert last(load(kind, book, "--update")) == last((code, said)), kind
