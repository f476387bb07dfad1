"""Northwind Traders from its raw files to the last payment: 830 real orders through importer and services.

The figures in `expected` were computed outside, by two other programs (see the README of the data).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[1] / "data" / "northwind"
OPENED = "1996-07-01"
PAID_AFTER = dt.timedelta(days=30)


def raw(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def expected(name: str) -> list[dict[str, str]]:
    return raw(f"expected/expected_{name}")


def write(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    rows = list(rows)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def people() -> dict[str, str]:
    return {row["EmployeeID"]: f"{row['FirstName']} {row['LastName']}" for row in raw("employees")}


def masters(folder: Path) -> Iterator[tuple[str, Path]]:
    """Customers, contacts, suppliers, products and their stock on the day before the first order."""
    yield (
        "customers",
        write(
            folder / "customers.csv",
            (
                {
                    "code": r["CustomerID"],
                    "name": r["CompanyName"],
                    "country": r["Country"],
                    "region": r["Region"],
                    "city": r["City"],
                    "address": r["Address"],
                    "phone": r["Phone"],
                }
                for r in raw("customers")
            ),
        ),
    )
    yield (
        "contacts",
        write(
            folder / "contacts.csv",
            (
                {"customer": r["CustomerID"], "name": r["ContactName"], "role": r["ContactTitle"], "phone": r["Phone"]}
                for r in raw("customers")
            ),
        ),
    )
    yield (
        "suppliers",
        write(
            folder / "suppliers.csv",
            (
                {
                    "code": r["SupplierID"],
                    "name": r["CompanyName"],
                    "country": r["Country"],
                    "city": r["City"],
                    "phone": r["Phone"],
                }
                for r in raw("suppliers")
            ),
        ),
    )
    categories = {r["CategoryID"]: r["CategoryName"] for r in raw("categories")}
    yield (
        "products",
        write(
            folder / "products.csv",
            (
                {
                    "code": r["ProductID"],
                    "name": r["ProductName"],
                    "category": categories[r["CategoryID"]],
                    "unit": "pc",
                    "unit_price": r["UnitPrice"],
                    "supplier": r["SupplierID"],
                }
                for r in raw("products")
            ),
        ),
    )
    sold: dict[str, Decimal] = defaultdict(Decimal)  # or ordered: what is open stays reserved
    for line in raw("order_details"):
        sold[line["ProductID"]] += Decimal(line["Quantity"])
    yield (
        "opening-stock",
        write(
            folder / "stock.csv",
            (
                {
                    "product": r["ProductID"],
                    "warehouse": "MAIN",
                    "date": OPENED,
                    "quantity": sold[r["ProductID"]] + Decimal(r["UnitsInStock"]),
                    "unit_cost": Decimal(r["UnitPrice"]) * 6 / 10,
                }
                for r in raw("products")
                if sold[r["ProductID"]] + Decimal(r["UnitsInStock"])
            ),
        ),
    )


def orders(folder: Path) -> Path:
    """All orders with what happened to them: invoiced on the day of shipping, paid 30 days later."""
    owners, heads = people(), {r["OrderID"]: r for r in raw("orders")}

    def rows() -> Iterator[dict[str, Any]]:
        for line in raw("order_details"):
            head = heads[line["OrderID"]]
            shipped = head["ShippedDate"]
            paid = (dt.date.fromisoformat(shipped) + PAID_AFTER).isoformat() if shipped else ""
            yield {
                "order": head["OrderID"],
                "customer": head["CustomerID"],
                "owner": owners[head["EmployeeID"]],
                "order_date": head["OrderDate"],
                "required_date": head["RequiredDate"],
                "product": line["ProductID"],
                "quantity": line["Quantity"],
                "unit_price": line["UnitPrice"],
                "discount": line["Discount"],
                "ship_country": head["ShipCountry"],
                "shipped_date": shipped,
                "invoiced_date": shipped,
                "paid_date": paid,
            }

    return write(folder / "orders.csv", rows())


def imported(kind: str, path: Path, *options: str) -> str:
    out = io.StringIO()
    try:
        call_command("import", kind, str(path), *options, stdout=out, stderr=out)
    except CommandError as error:
        raise AssertionError(out.getvalue()[:4000]) from error
    return out.getvalue()


class Statements:
    """Counts statements without keeping them."""

    count = 0

    def __enter__(self) -> Statements:
        self.hook = connection.execute_wrapper(self._counted)
        self.hook.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.hook.__exit__(*exception)

    def _counted(self, execute: Any, *args: Any) -> Any:
        self.count += 1
        return execute(*args)


@pytest.fixture(scope="module")
def northwind_once(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[Any]:
    """The whole company, loaded once in a transaction that is rolled back after this file."""
    folder = tmp_path_factory.mktemp("northwind")
    with django_db_blocker.unblock(), transaction.atomic():
        said = {kind: imported(kind, path) for kind, path in masters(folder)}
        path = orders(folder)
        start = time.monotonic()
        with Statements() as statements:
            said["sales-orders"] = imported("sales-orders", path)
        seconds = time.monotonic() - start
        print(f"\n830 orders in {seconds:.0f} s, {statements.count} statements")
        yield SimpleNamespace(said=said, orders=path, statements=statements.count)
        transaction.set_rollback(True)


@pytest.fixture
def northwind(northwind_once: Any) -> Iterator[Any]:
    """The company for one test."""
    point = transaction.savepoint()
    yield northwind_once
    transaction.savepoint_rollback(point)


@pytest.fixture(autouse=True)
def books_hold() -> None:
    """The books are checked by a test of their own here, once for all of this file."""


def report(group: str) -> dict[str, dict[str, str]]:
    """The sales report by `group`, as anybody gets it from the command line."""
    out = io.StringIO()
    call_command("report", "sales", "--param", f"group_by={group}", stdout=out)
    return {row[group]: row for row in csv.DictReader(io.StringIO(out.getvalue()))}


def cents(text: str) -> Decimal:
    return Decimal(text).quantize(Decimal("0.01"))


def test_everything_is_there(northwind: Any) -> None:
    """T-03: the importer counts what the files hold, and stores exactly that."""
    from erp.sales.models import Delivery, Invoice, SalesOrder, SalesOrderLine

    counts = {kind: said.splitlines()[-1] for kind, said in northwind.said.items()}
    assert counts == {
        "customers": "customers: 91 new, 0 updated, 0 unchanged, 0 errors",
        "contacts": "contacts: 91 new, 0 updated, 0 unchanged, 0 errors",
        "suppliers": "suppliers: 29 new, 0 updated, 0 unchanged, 0 errors",
        "products": "products: 77 new, 0 updated, 0 unchanged, 0 errors",
        "opening-stock": "opening-stock: 77 new, 0 updated, 0 unchanged, 0 errors",
        "sales-orders": "sales-orders: 830 new, 0 updated, 0 unchanged, 0 errors",
    }
    assert SalesOrder.objects.count() == 830
    assert SalesOrderLine.objects.count() == 2155
    assert Delivery.objects.count() == Invoice.objects.count() == 809
    assert SalesOrder.objects.filter(state="closed", paid_percent=100).count() == 809


@pytest.mark.parametrize(
    ("group", "name", "key"),
    [
        ("year", "year", "year_"),
        ("month", "month", "month_"),
        ("customer", "customer", "CustomerID"),
        ("product", "product", "ProductID"),
        ("category", "category", "CategoryName"),
        ("owner", "employee", "EmployeeID"),
        ("country", "ship_country", "ShipCountry"),
    ],
)
def test_sales_report_equals_the_oracle(northwind: Any, group: str, name: str, key: str) -> None:
    """T-04: quantities, gross and net sales by every group are those of the oracle, to the cent."""
    rows, wanted = report(group), expected(f"sales_by_{name}")
    logins = {number: text.replace(" ", ".") for number, text in people().items()}
    assert len(rows) == len(wanted)
    for line in wanted:
        found = rows[logins[line[key]] if group == "owner" else line[key]]
        assert cents(found["net"]) == cents(line["net_lines_rounded"])
        assert cents(found["gross"]) == cents(line["gross"])
        assert Decimal(found["quantity"]) == Decimal(line["qty"])
        if "orders" in line:
            assert int(found["documents"]) == int(line["orders"])


def test_what_is_open_is_open(northwind: Any) -> None:
    """G-11: the 21 orders without shipped date are confirmed, with the values of the oracle; no other is."""
    from erp.sales.models import SalesOrder

    confirmed = {order.number: order for order in SalesOrder.objects.filter(state="confirmed")}
    wanted = expected("open_orders")
    assert sorted(confirmed) == sorted(row["OrderID"] for row in wanted)
    for row in wanted:
        order = confirmed[row["OrderID"]]
        assert (order.net, order.tax, order.goods_percent) == (cents(row["net_lines_rounded"]), 0, 0)
        assert (str(order.date), str(order.required_date)) == (row["OrderDate"], row["RequiredDate"])


def test_stock_is_what_northwind_counted(northwind: Any) -> None:
    """V-21, S-06: after all deliveries what is not reserved for open orders is the stock of the oracle."""
    from erp.inventory.models import StockLevel

    levels = StockLevel.objects.select_related("product")
    free = {level.product.code: level.on_hand - level.reserved for level in levels}
    assert free == {row["ProductID"]: Decimal(row["on_hand"]) for row in expected("stock_on_hand")}
    open_orders = {row["OrderID"] for row in expected("open_orders")}
    ordered = sum(Decimal(row["Quantity"]) for row in raw("order_details") if row["OrderID"] in open_orders)
    assert sum(level.reserved for level in levels) == ordered


def test_trial_balance_is_zero(northwind: Any) -> None:
    """F-01: debits equal credits, and turnover is the net of all shipped orders."""
    from django.db.models import Sum

    from erp.finance.models import JournalLine
    from erp.finance.models.accounts import AccountType
    from erp.sales.models import SalesOrder

    sums = JournalLine.objects.aggregate(debit=Sum("debit"), credit=Sum("credit"))
    assert sums["debit"] == sums["credit"] > 0
    income = JournalLine.objects.filter(account__type=AccountType.INCOME).aggregate(sum=Sum("credit"))
    assert income["sum"] == SalesOrder.objects.filter(state="closed").aggregate(sum=Sum("net"))["sum"]


def test_the_books_hold(northwind: Any) -> None:
    """`manage.py verify` finds nothing, with numbers that Northwind gave and ours does not know."""
    from tests.invariants import assert_books

    assert_books()


def test_statements_do_not_grow_with_lines(northwind: Any) -> None:
    """House rule: some statements for each order, none for each of its lines."""
    assert northwind.statements < 830 * 100


def test_the_same_file_again_changes_nothing(northwind: Any) -> None:
    """F-18: importing the file a second time makes nothing; without update it says so and fails."""
    from erp.sales.models import SalesOrder

    before = SalesOrder.objects.count()
    said = imported("sales-orders", northwind.orders, "--update")
    assert said.splitlines()[-1] == "sales-orders: 0 new, 0 updated, 830 unchanged, 0 errors"
    assert SalesOrder.objects.count() == before


def test_orders_come_back_as_they_left(northwind: Any, tmp_path: Path) -> None:
    """The export has all orders with all dates, and is what the importer reads."""
    out = tmp_path / "out.csv"
    call_command("export", "sales-orders", str(out), stdout=io.StringIO())
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2155
    assert sum(1 for row in rows if not row["shipped_date"]) == 73
    said = imported("sales-orders", out, "--update")
    assert said.splitlines()[-1] == "sales-orders: 0 new, 0 updated, 830 unchanged, 0 errors"
