"""Orders from files: confirmed, moved, billed and paid as it happened (T-03)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from erp.finance.models import Payment, TaxCode
from erp.inventory.models import Product, StockLevel, Warehouse
from erp.purchasing.models import Bill, GoodsReceipt, PurchaseOrder
from erp.sales.models import Delivery, Invoice, SalesOrder
from erp.trade.order_rows import split
from oa.records.models import Counter
from tests import factories as make
from tests.importing import Files, last, rows_of
from tests.invariants import assert_books, broken

pytestmark = pytest.mark.django_db


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """`manage.py import`."""
    return Files(tmp_path).load


@pytest.fixture
def export(tmp_path: Path) -> Any:
    """`manage.py export`."""
    return Files(tmp_path).export


ORDER_HEAD = "order,line,customer,order_date,product,quantity,unit_price,discount,tax_code,warehouse,shipped_date,invoiced_date,paid_date\n"


@pytest.fixture
def shop(db: None) -> None:
    """A customer, a supplier and two products with stock since the new year."""
    make.make_customer("One", code="C-1")
    make.make_supplier("Acme", code="S-1")
    for code in ("P-1", "P-2"):
        make.stock(make.make_product(code, price="50"), 100, "20", date=dt.date(2026, 1, 1))


def test_an_order_with_its_whole_life(load: Any, shop: None) -> None:
    """O2C: confirmed, delivered, invoiced and paid on the dates of the file, with the number it had."""
    rows = ORDER_HEAD + (
        "10248,,C-1,2026-02-01,P-1,10,9.99,0.15,V13,,2026-02-03,2026-02-04,2026-03-01\n"
        "10248,,C-1,2026-02-01,P-2,1,100,,,,2026-02-03,2026-02-04,2026-03-01\n"
    )
    assert last(load("sales-orders", rows)) == "sales-orders: 1 new, 0 updated, 0 unchanged, 0 errors"
    order = SalesOrder.objects.get(number="10248")
    assert (order.state, str(order.date), order.net, order.tax, order.total) == (
        "closed",
        "2026-02-01",
        Decimal("184.92"),
        Decimal("11.04"),
        Decimal("195.96"),
    )
    assert [line.tax_code for line in order.lines.order_by("position")][1] is None  # although the product has one
    assert order.lines.get(position=1).discount == 15
    dates = [str(model.objects.get().date) for model in (Delivery, Invoice, Payment)]
    assert dates == ["2026-02-03", "2026-02-04", "2026-03-01"]
    assert (Invoice.objects.get().open_amount, order.paid_percent) == (0, 100)
    assert not Counter.objects.filter(key__startswith="sales-order:").exists()
    assert make.make_order(order.customer, make.line(order.lines.first().product, 1)).number is None
    assert_books()


def test_parts_of_a_line_go_separate_ways(load: Any, export: Any, shop: None) -> None:
    """G-11: rows with the same line number are one line that was delivered, invoiced and paid in parts."""
    rows = ORDER_HEAD + (
        "A-1,1,C-1,2026-02-01,P-1,4,10,,,,2026-02-02,2026-02-05,2026-02-20\n"
        "A-1,1,C-1,2026-02-01,P-1,3,10,,,,2026-02-03,2026-02-05,\n"
        "A-1,1,C-1,2026-02-01,P-1,2,10,,,,2026-02-03,,\n"
        "A-1,1,C-1,2026-02-01,P-1,1,10,,,,,,\n"
    )
    assert load("sales-orders", rows)[0] == 0
    line = SalesOrder.objects.get(number="A-1").lines.get()
    assert (line.quantity, line.moved, line.billed) == (10, 9, 7)
    assert [(str(d.date), d.lines.get().quantity) for d in Delivery.objects.order_by("date")] == [
        ("2026-02-02", 4),
        ("2026-02-03", 5),
    ]
    assert sorted((i.total, i.open_amount) for i in Invoice.objects.all()) == [(30, 30), (40, 0)]
    content = export("sales-orders", "order=A-1")
    told = [(r["quantity"], r["shipped_date"], r["invoiced_date"], r["paid_date"]) for r in rows_of(content)]
    assert told == [
        ("4", "2026-02-02", "2026-02-05", "2026-02-20"),
        ("3", "2026-02-03", "2026-02-05", ""),
        ("2", "2026-02-03", "", ""),
        ("1", "", "", ""),
    ]
    assert last(load("sales-orders", content, "--update")) == "sales-orders: 0 new, 0 updated, 1 unchanged, 0 errors"
    assert_books()


def test_split_is_exact() -> None:
    """Parts add up to the line, whatever was delivered and billed in whichever steps."""
    d, one = dt.date, Decimal(1)
    assert split(10 * one, [], []) == [(10, None, None)]
    assert split(3 * one, [(d(2026, 1, 1), 5 * one)], [("B", 2 * one)]) == [
        (2, d(2026, 1, 1), "B"),
        (3, d(2026, 1, 1), None),
    ]
    assert split(5 * one, [(d(2026, 1, 1), 2 * one), (d(2026, 1, 1), 3 * one)], [("B", 5 * one)]) == [
        (5, d(2026, 1, 1), "B")
    ]
    assert split(0 * one, [], []) == []


def test_a_refused_delivery_takes_the_whole_order_with_it(load: Any, shop: None) -> None:
    """I-39: with --partial nothing remains of an order that fails half way, and the others are whole."""
    rows = ORDER_HEAD + (
        "B-1,,C-1,2026-02-01,P-1,60,10,,,,2026-02-02,2026-02-02,\n"
        "B-2,,C-1,2026-02-01,P-2,1,10,,,,2026-02-03,2026-02-03,\n"
        "B-2,,C-1,2026-02-01,P-1,70,10,,,,2026-02-03,2026-02-03,\n"
        "B-3,,C-1,2026-02-04,P-1,40,10,,,,2026-02-05,2026-02-05,\n"
    )
    code, said = load("sales-orders", rows)
    assert (code, said.splitlines()) == (
        1,
        [
            "Row 4, quantity: Only 40 of P-1 are available; 70 are needed. Lower the quantity or receive stock first.",
            "sales-orders: 2 new, 0 updated, 0 unchanged, 2 errors",
            "Nothing was written.",
        ],
    )
    assert not SalesOrder.objects.exists()
    assert load("sales-orders", rows, "--partial")[0] == 0
    assert sorted(SalesOrder.objects.values_list("number", flat=True)) == ["B-1", "B-3"]
    assert Delivery.objects.count() == Invoice.objects.count() == 2
    assert StockLevel.objects.get(product__code="P-2").on_hand == 100
    assert_books()


def test_bad_orders_are_told_by_cell(load: Any, shop: None) -> None:
    """T-03: dates in order and not in the future, heads that agree, fractions as discounts, customers that exist."""
    rows = ORDER_HEAD + (
        "E-1,1,C-1,2026-02-01,P-1,1,10,15,,,2026-01-31,,2026-02-02\n"
        "E-2,1,C-1,2026-02-01,P-1,1,10,,,,2999-01-01,,\n"
        "E-3,1,C-1,2026-02-01,P-1,1,10,,,,,,\n"
        "E-3,1,C-1,2026-02-01,P-1,1,11,,,,,,\n"
        "E-3,2,C-9,2026-02-02,P-1,1,10,,,,,,\n"
        "d-7,1,C-1,2026-02-01,P-1,0,10,,,,,,\n"
    )
    code, said = load("sales-orders", rows)
    assert code == 1
    assert said.splitlines()[:-1] == [
        "Row 2, shipped_date: 2026-01-31 is before “order_date”.",
        "Row 2, paid_date: “invoiced_date” must be filled in as well.",
        "Row 2, discount: The discount is a fraction: 0.15 is 15 %.",
        "Row 3, shipped_date: 2999-01-01 lies in the future.",
        "Row 6, customer: There is no customer “C-9”.",
        "Row 6, order_date: Row 4 of the same document says something else.",
        "Row 7, order: “d-7” cannot be the number of an order.",
        "sales-orders: 0 new, 0 updated, 0 unchanged, 6 errors",
    ]
    assert (
        "Row 2, quantity: Quantity must be more than 0."
        in load("sales-orders", ORDER_HEAD + "E-9,,C-1,2026-02-01,P-1,0,10,,,,,,\n")[1]
    )


def test_warehouses_and_prices_with_tax(load: Any, shop: None) -> None:
    """G-15, D-02: an order may ship from two warehouses on one day, at prices that include tax."""
    make.stock(
        make.line(StockLevel.objects.first().product).product,
        5,
        "10",
        date=dt.date(2026, 1, 1),
        where=make.warehouse("EAST"),
    )
    product = StockLevel.objects.filter(warehouse__code="EAST").get().product.code
    rows = (
        "order,customer,order_date,product,quantity,unit_price,tax_code,tax_included,warehouse,shipped_date,invoiced_date\n"
        f"W-1,C-1,2026-02-01,{product},2,11.30,V13,yes,EAST,2026-02-02,2026-02-02\n"
        f"W-1,C-1,2026-02-01,{product},3,11.30,V13,yes,MAIN,2026-02-02,2026-02-02\n"
    )
    assert load("sales-orders", rows) == (0, "sales-orders: 1 new, 0 updated, 0 unchanged, 0 errors\n")
    order = SalesOrder.objects.get()
    assert (order.total, order.net, order.state) == (Decimal("56.50"), Decimal("50.00"), "closed")
    assert {d.warehouse.code: d.lines.get().quantity for d in Delivery.objects.all()} == {"EAST": 2, "MAIN": 3}
    assert Warehouse.objects.count() == 2
    assert_books()


def test_lines_are_due_on_days_of_their_own(load: Any, export: Any, shop: None) -> None:
    """T-03: an order is due with its first line, and leaves as it came."""
    head = "order,line,supplier,order_date,product,quantity,unit_price,required_date\n"
    rows = (
        f"{head}A,1,S-1,2026-01-02,P-1,1,50,2026-01-20\nA,2,S-1,2026-01-02,P-2,1,50,2026-01-10\n"
        "A,3,S-1,2026-01-02,P-2,1,50,\n"
    )
    assert load("purchase-orders", rows)[0] == 0
    order = PurchaseOrder.objects.get()
    days = [dt.date(2026, 1, day) for day in (20, 10, 10)]
    assert (order.required_date, [line.due_date for line in order.lines.order_by("position")]) == (days[1], days)
    out = export("purchase-orders")
    assert [row["required_date"] for row in rows_of(out)] == [str(day) for day in days]
    for again in (rows, out):
        said = last(load("purchase-orders", again, "--update"))
        assert said == "purchase-orders: 0 new, 0 updated, 1 unchanged, 0 errors"


def test_tax_without_a_column_is_that_of_the_product(load: Any, shop: None) -> None:
    """T-03: a missing column is filled with defaults, as if somebody had typed the order; an empty cell says no tax."""
    product = Product.objects.get(code="P-1")
    product.tax_code = TaxCode.objects.get(code="V13")
    product.save()
    head, rest = "order,customer,order_date,product,quantity,unit_price", "C-1,2026-01-02,P-1,1,100"
    assert load("sales-orders", f"{head}\nA,{rest}\n")[0] == 0
    assert load("sales-orders", f"{head},tax_code\nB,{rest},\nC,{rest},V6\n")[0] == 0
    orders = SalesOrder.objects.order_by("number").values_list("number", "net", "tax")
    assert list(orders) == [("A", 100, 13), ("B", 100, 0), ("C", 100, 6)]
    assert load("purchase-orders", f"{head.replace('customer', 'supplier')}\nA,{rest.replace('C-1', 'S-1')}\n")[0] == 0
    assert PurchaseOrder.objects.get().tax == 13


def test_numbers_of_our_own_form_are_never_given_twice(load: Any, shop: None) -> None:
    """G-07, I-07, I-08: an imported SO-2602-0007 moves the counter; gaps before it are not ours, later ones are."""
    rows = (
        ORDER_HEAD
        + "SO-2602-0007,,C-1,2026-02-01,P-1,1,10,,,,,,\nSO-2602-0003,,C-1,2026-02-01,P-1,1,10,,,,,,\nX/1,,C-1,2026-02-01,P-1,1,10,,,,,,\n"
    )
    assert load("sales-orders", rows)[0] == 0
    assert Counter.objects.get(key="sales-order:2602").last == 7
    customer = SalesOrder.objects.first().customer
    product = StockLevel.objects.first().product
    orders = [make.confirmed_order(customer, make.line(product, 1), date=dt.date(2026, 2, 5)) for _ in range(3)]
    assert [order.number for order in orders] == ["SO-2602-0008", "SO-2602-0009", "SO-2602-0010"]
    assert_books()
    SalesOrder.objects.filter(number="SO-2602-0009").update(number="SO-2602-0099")
    assert set(broken(["I-07", "I-08"])) == {"I-07", "I-08"}


def test_statements_for_an_order_do_not_grow_with_its_lines(load: Any, shop: None) -> None:
    """House rule: an order of 40 lines takes as many statements as one of 2, from the file to the payment."""

    def count(number: str, lines: int) -> int:
        row = "{},,C-1,2026-02-01,P-{},1,10,,V13,,2026-02-02,2026-02-03,2026-02-04\n"
        content = ORDER_HEAD + "".join(row.format(number, i % 2 + 1) for i in range(lines))
        with CaptureQueriesContext(connection) as statements:
            assert load("sales-orders", content)[0] == 0
        return len(statements)

    count("N-1", 1)  # makes the fiscal year
    assert count("N-40", 40) == count("N-2", 2)


def test_statements_for_known_orders_do_not_grow_with_them(load: Any, shop: None) -> None:
    """House rule: a file that was imported before is compared by some statements for all of its orders."""
    head = "order,customer,order_date,product,quantity,unit_price\n"
    rows = [f"A-{i},C-1,2026-01-02,P-1,1,50\n" for i in range(20)]
    assert load("sales-orders", head + "".join(rows))[0] == 0

    def count(lines: list[str]) -> int:
        with CaptureQueriesContext(connection) as statements:
            assert " unchanged, 0 errors" in last(load("sales-orders", head + "".join(lines), "--update"))
        return len(statements)

    assert count(rows) == count(rows[:2])


def test_a_purchase_order_with_its_whole_life(load: Any, export: Any, shop: None) -> None:
    """P2P: confirmed, received, billed and paid on the dates of the file, and back into a file."""
    rows = (
        "order,line,supplier,order_date,product,quantity,unit_price,tax_code,received_date,billed_date,paid_date,bill_number\n"
        "4711,1,Acme,2026-02-01,P-1,10,3.33,V13,2026-02-03,2026-02-10,2026-03-01,INV-9\n"
        "4711,2,Acme,2026-02-01,P-2,5,4,,2026-02-04,,,\n"
        "4712,1,Acme,2026-02-05,P-2,2,4,,,,,\n"
    )
    assert last(load("purchase-orders", rows)) == "purchase-orders: 2 new, 0 updated, 0 unchanged, 0 errors"
    order = PurchaseOrder.objects.get(number="4711")
    assert (order.state, order.net, order.tax) == ("confirmed", Decimal("53.30"), Decimal("4.33"))
    assert [str(r.date) for r in GoodsReceipt.objects.order_by("date")] == ["2026-02-03", "2026-02-04"]
    bill = Bill.objects.get()
    assert (bill.supplier_number, str(bill.date), bill.total, bill.open_amount) == (
        "INV-9",
        "2026-02-10",
        Decimal("37.63"),
        0,
    )
    assert (Payment.objects.get().direction, Payment.objects.get().amount) == ("pay", Decimal("37.63"))
    assert StockLevel.objects.get(product__code="P-1").value == Decimal("2033.30")
    content = export("purchase-orders")
    assert (
        last(load("purchase-orders", content, "--update")) == "purchase-orders: 0 new, 0 updated, 2 unchanged, 0 errors"
    )
    assert_books()
