"""Stock into files and back: opening stock as it was entered, movements with their documents (T-03)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from erp.inventory.models import StockAdjustment, StockLevel, StockMove
from erp.inventory.services import reverse_adjustment
from tests import factories as make
from tests.importing import Files, last
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


@pytest.fixture(autouse=True)
def products(db: None) -> None:
    for code in ("P-1", "P-2"):
        make.make_product(code)


OPENED = (
    "product,warehouse,quantity,unit_cost,date\nP-1,MAIN,10,2.345678,2026-01-01\nP-2,MAIN,3,0,2026-01-01\n"
    "P-1,MAIN,30,3.1,2026-01-05\n"
)
MOVED = (
    "date,product,warehouse,quantity,unit_cost\n2026-02-01,P-1,MAIN,5,4\n2026-02-01,P-1,MAIN,-8,\n"
    "2026-02-03,P-1,MAIN,2,\n"
)


def test_opening_stock_of_two_days_is_the_same_file_again(load: Any, export: Any) -> None:
    """T-03: a product that came in on two days is known by both; neither day is entered twice."""
    assert load("opening-stock", OPENED)[0] == 0
    again = "opening-stock: 0 new, 0 updated, 3 unchanged, 0 errors"
    assert last(load("opening-stock", OPENED, "--update")) == again
    code, said = load("opening-stock", OPENED.replace("2026-01-05", "2026-01-06"), "--update")
    assert (code, said.splitlines()[0]) == (
        1,
        "Row 4, quantity: 10 were entered on 2026-01-01 already; use a stock adjustment.",
    )
    assert StockMove.objects.count() == 3


def test_opening_stock_comes_back_after_it_moved(load: Any, export: Any) -> None:
    """T-03: the export is what was entered, whatever left since; `as_of` is what was there on a day."""
    load("opening-stock", OPENED)
    load("stock-moves", MOVED)
    out = export("opening-stock").decode()
    assert out.replace("\r\n", "\n") == OPENED.replace("P-2,MAIN,3,0", "P-2,MAIN,3,0")
    assert last(load("opening-stock", out, "--update")) == "opening-stock: 0 new, 0 updated, 3 unchanged, 0 errors"
    day = export("opening-stock", "as_of=2026-02-02", "product=P-1").decode().splitlines()
    # 23.46 + 93.00 + 20.00 − 8 × 3.032444… = 112.20 for 37 pieces
    assert day == ["product,warehouse,quantity,unit_cost,date", "P-1,MAIN,37,3.032432,2026-02-02"]
    assert_books()


def test_movements_come_back_by_document(load: Any, export: Any) -> None:
    """T-03: lines of posted adjustments leave with their numbers and are known again; changed ones are refused."""
    load("opening-stock", OPENED)
    load("stock-moves", MOVED)
    make.stock(make.make_product("P-3"), 4, "2.5")  # opening stock is no movement
    out = export("stock-moves").decode()
    assert out.splitlines()[:3] == [
        "date,product,warehouse,quantity,unit_cost,number",
        "2026-02-01,P-1,MAIN,5,4,SA-2602-0001",
        "2026-02-01,P-1,MAIN,-8,,SA-2602-0001",
    ]
    assert len(out.splitlines()) == 4
    assert last(load("stock-moves", out, "--update")) == "stock-moves: 0 new, 0 updated, 2 unchanged, 0 errors"
    assert "exists already. Choose to update existing records." in load("stock-moves", out)[1]
    code, said = load("stock-moves", out.replace("MAIN,5,4", "MAIN,6,4"), "--update")
    assert (code, said.splitlines()[0]) == (
        1,
        "Row 2, number: SA-2602-0001 is posted and differs; reverse it, or correct the file.",
    )
    assert StockMove.objects.filter(product__code="P-1").count() == 5


def test_documents_of_a_day_stay_apart(load: Any) -> None:
    """T-03: rows of one day and warehouse with different numbers are documents of their own, known again each."""
    rows = (
        "date,product,warehouse,quantity,unit_cost,number\n2026-02-01,P-1,MAIN,5,4,A-1\n2026-02-01,P-1,MAIN,5,4,A-2\n"
    )
    assert last(load("stock-moves", rows)) == "stock-moves: 2 new, 0 updated, 0 unchanged, 0 errors"
    assert last(load("stock-moves", rows, "--update")) == "stock-moves: 0 new, 0 updated, 2 unchanged, 0 errors"
    assert StockLevel.objects.get().on_hand == 10


def test_what_was_taken_back_is_not_exported(load: Any, export: Any) -> None:
    """T-03: a reversed adjustment and its reversal are no movements of a new company."""
    load("opening-stock", OPENED)
    load("stock-moves", MOVED)
    reverse_adjustment(StockAdjustment.objects.latest("pk"), by=None)
    assert "2026-02-03" not in export("stock-moves").decode()
    assert_books()


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("stock-moves", "date,product,warehouse,quantity,unit_cost\n2026-02-01,P-1,MAIN,9999999999999,999999999\n"),
        ("opening-stock", "date,product,warehouse,quantity,unit_cost\n2026-02-01,P-1,MAIN,9999999999999,999999999\n"),
    ],
)
def test_amounts_beyond_every_column_are_told_by_row(load: Any, kind: str, rows: str) -> None:
    """T-03: what no column can hold is an error of its row, not of the file, and leaves nothing behind."""
    code, said = load(kind, rows)
    assert (code, said.splitlines()[0]) == (1, "Row 2: The amounts that come of this are too large.")
    assert not StockAdjustment.objects.exists()
