"""Reports of stock, sales and purchases, on books that were kept through the services."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from erp.finance.models import Account
from erp.inventory.models import StockLevel, StockMove
from erp.sales import services as sales
from kit.exchange import reports
from kit.exchange.reports import SYSTEM, parse_params
from kit.values.errors import BusinessError
from tests.erp.books import Books, ago, keyed, report, rows

pytestmark = pytest.mark.django_db


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.fixture
def books() -> Books:
    return Books()


# Stock ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def stocked(books: Books) -> Books:
    """Two receipts into one warehouse, one into another, one delivery between."""
    books.buy(ago(30), (books.motor, "10", "60"), (books.cable, "3", "9.99"))
    order = books.sell(books.acme, ago(20), (books.motor, "4", "100"))
    books.deliver(order, ago(20))
    books.buy(ago(10), (books.motor, "10", "75"))
    books.buy(ago(5), (books.motor, "2", "80"), warehouse=books.north)
    return books


def test_stock_on_hand_now(stocked: Books) -> None:
    """V-14: quantity, value and average cost per product and warehouse."""
    found = rows("stock-on-hand")
    assert list(found[0]) == ["product", "warehouse", "quantity", "value", "average_cost"]
    assert [tuple(row.values()) for row in found] == [
        ("CB-05", "MAIN", "3", "29.97", "9.99"),
        ("SV-750W", "MAIN", "16", "1110.00", "69.375"),
        ("SV-750W", "NORTH", "2", "160.00", "80"),
    ]
    assert report("stock-on-hand").totals == [{"value": D("1299.97")}]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (31, []),
        (30, [("10", "600.00")]),
        (20, [("6", "360.00")]),
        (11, [("6", "360.00")]),
        (10, [("16", "1110.00")]),
        (0, [("16", "1110.00"), ("2", "160.00")]),
    ],
)
def test_stock_on_hand_of_a_past_day(stocked: Books, days: int, expected: list[tuple[str, str]]) -> None:
    """T-04: stock as of any day, from the movements dated until then."""
    found = [row for row in rows("stock-on-hand", as_of=ago(days)) if row["product"] == "SV-750W"]
    assert [(row["quantity"], row["value"]) for row in found] == expected


def test_stock_ties_to_the_ledger(stocked: Books) -> None:
    """V-14: the value of stock is the balance of the inventory account on any day."""
    inventory = Account.objects.get(control="inventory").code
    for days in (30, 20, 10, 0):
        value = sum(row["value"] for row in report("stock-on-hand", as_of=ago(days)).rows)
        balance = keyed("trial-balance", "account", date_from="2020-01-01", date_to=ago(days))[inventory]
        assert D(balance["closing"]) == value
    assert sum(level.value for level in StockLevel.objects.all()) == value


def test_stock_card(stocked: Books) -> None:
    """V-21: every movement with what was left after it, as posted."""
    found = rows("stock-card", product="SV-750W", warehouse="MAIN")
    assert list(found[0]) == ["date", "number", "kind", "quantity", "value", "quantity_after", "value_after"]
    assert [(r["kind"], r["quantity"], r["value"], r["quantity_after"], r["value_after"]) for r in found] == [
        ("receipt", "10", "600.00", "10", "600.00"),
        ("delivery", "-4", "-240.00", "6", "360.00"),
        ("receipt", "10", "750.00", "16", "1110.00"),
    ]
    moves = StockMove.objects.filter(product=stocked.motor, warehouse=stocked.warehouse).order_by("id")
    assert [row["number"] for row in found] == [move.number for move in moves]


def test_stock_card_over_all_warehouses(stocked: Books) -> None:
    """V-21: without a warehouse the balances run over all of them, also from a day on."""
    found = rows("stock-card", product="SV-750W", date_from=ago(10))
    assert [(r["quantity"], r["quantity_after"], r["value_after"]) for r in found] == [
        ("10", "16", "1110.00"),
        ("2", "18", "1270.00"),
    ]
    assert [r["date"] for r in rows("stock-card", product="SV-750W", date_to=ago(15))] == [
        ago(30).isoformat(),
        ago(20).isoformat(),
    ]


def test_stock_card_needs_a_product(books: Books) -> None:
    """UX 7.4: what is missing or unknown is named at its field."""
    for given, words in (({}, "required"), ({"product": "XX"}, "XX")):
        with pytest.raises(BusinessError) as error:
            parse_params(reports.get("stock-card"), given)
        assert [problem.field for problem in error.value] == ["product"]
        assert words in str(error.value)


# Sales and purchases -------------------------------------------------------------------------------------------


@pytest.fixture
def orders(books: Books) -> Books:
    return books.orders()


def test_sales_by_month_round_each_line(orders: Books) -> None:
    """G-14, G-17: gross, net, tax and total in base currency, each line rounded by itself."""
    found = keyed("sales", "month", group_by="month")
    head = ["month", "name", "documents", "lines", "quantity", "gross", "net", "tax", "total"]
    assert list(found["2025-01"]) == head
    january = found["2025-01"]
    # 3 × 33.335 = 100.005 → 100.01; 7 × 1.15 = 8.05; 100.00
    assert january["gross"] == "208.06"
    # 100.005 × 0.85 = 85.00425 → 85.00; 8.05 × 0.85 = 6.8425 → 6.84; 100.00
    assert january["net"] == "191.84"
    assert january["tax"] == "24.94"  # 11.05 + 0.89 + 13.00
    assert january["total"] == "216.78"
    assert (january["documents"], january["lines"], january["quantity"]) == ("2", "3", "11")
    # USD 24.69 × 7.1 = 175.299 → 175.30; tax USD 3.21 × 7.1 = 22.791 → 22.79
    assert [found["2025-02"][name] for name in ("gross", "net", "tax", "total")] == [
        "175.30",
        "175.30",
        "22.79",
        "198.09",
    ]
    assert set(found) == {"2025-01", "2025-02"}  # neither drafts nor cancelled orders count


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("year", {"2025": ("2025", "3")}),
        ("month", {"2025-01": ("2025-01", "2"), "2025-02": ("2025-02", "1")}),
        ("customer", {"HT": ("无锡恒拓自动化", "2"), "ACME": ("Acme Ltd.", "1")}),
        ("product", {"SV-750W": ("Servo motor 750 W", "3"), "CB-05": ("Cable 5 m", "1")}),
        ("category", {"motors": ("Motors", "3"), "": ("", "1")}),
        ("owner", {"boss": ("Li Man", "3")}),
        ("ship_country", {"中国": ("中国", "2"), "United Kingdom": ("United Kingdom", "1")}),
        ("country", {"中国": ("中国", "2"), "United Kingdom": ("United Kingdom", "1")}),
    ],
)
def test_sales_by_every_group(orders: Books, group: str, expected: dict[str, tuple[str, str]]) -> None:
    """T-04: the key column is named after the group; all groups add up to the same."""
    found = keyed("sales", group, group_by=group)
    assert {key: (row["name"], row["documents"]) for key, row in found.items()} == expected
    for name, total in (("net", "367.14"), ("gross", "383.36"), ("total", "414.87"), ("quantity", "13")):
        assert sum(D(row[name]) for row in found.values()) == D(total)


def test_orders_are_not_added_where_they_would_count_twice(orders: Books) -> None:
    """T-02: an order with two products stands in two rows, so their number has no total."""
    assert "documents" not in report("sales", group_by="product").totals[0]
    assert report("sales", group_by="customer").totals[0]["documents"] == 3


def test_sales_between_dates_and_in_chinese(orders: Books) -> None:
    """Order dates limit the rows; people read labels and names in their language, machines the field names."""
    assert [row["month"] for row in rows("sales", date_from="2025-01-16", date_to="2025-01-31")] == ["2025-01"]
    assert rows("sales", date_from="2025-01-16", date_to="2025-01-31")[0]["net"] == "100.00"
    with translation.override("zh-hans"):
        assert keyed("sales", "product", group_by="product")["SV-750W"]["name"] == "伺服电机 750W"
        assert keyed("sales", "category", group_by="category")["motors"]["name"] == "电机"


def test_short_closed_orders_still_count(orders: Books) -> None:
    """G-09: what was closed short counts as ordered, and the notes say so."""
    order = orders.sell(orders.acme, day("2025-03-01"), (orders.motor, "9", "10"))
    sales.close_order(order, by=orders.boss, reason="enough")
    row = keyed("sales", "month")["2025-03"]
    assert (row["quantity"], row["net"]) == ("9", "90.00")
    assert "closed short" in report("sales").notes


def test_purchases_by_supplier(books: Books) -> None:
    """T-04: purchases mirror sales; the country is the supplier's."""
    books.buy(day("2025-01-15"), (books.motor, "3", "33.335"), receive=False)
    (row,) = rows("purchases", group_by="supplier")
    assert (row["supplier"], row["name"], row["net"], row["total"]) == (
        "MK",
        "Shanghai Motor Works",
        "100.01",
        "113.01",
    )
    assert [row["country"] for row in rows("purchases", group_by="country")] == ["China"]


def test_trade_reports_read_two_statements(orders: Books) -> None:
    """STYLE 22: the decimals of the base currency and the sums (one more for the picture)."""
    found = reports.get("sales")
    for group in ("month", "customer", "product"):
        params = parse_params(found, {"group_by": group})
        with CaptureQueriesContext(connection) as queries:
            found.rows(params, SYSTEM)
        assert len(queries) == 2
