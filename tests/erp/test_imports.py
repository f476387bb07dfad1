"""Stock, journals and orders from files: the same documents as if somebody had typed them (T-03)."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from erp.finance.models import Account, JournalEntry, JournalLine, OpenItem, Payment, Voucher
from erp.inventory.models import StockAdjustment, StockLevel, StockMove, Warehouse
from erp.purchasing.models import Bill, GoodsReceipt, PurchaseOrder
from erp.sales.models import CustomerTerms, Delivery, Invoice, SalesOrder
from erp.trade.order_rows import split
from oa.records.models import Counter
from tests import factories as make
from tests.invariants import assert_books, broken
from tests.kit.test_importing import run

pytestmark = pytest.mark.django_db
DATA = Path(__file__).parents[1] / "data"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "ledger_oracles"
LEDGERS = [
    DATA / "ledger_demo",
    *(SHARED / name for name in ("beancount_basic", "hledger_quickstart", "hledger_sample", "hledger_vat")),
]


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def loaded(kind: str, content: Any, *options: str) -> tuple[int, str]:
        if not isinstance(content, str | bytes):
            content = table(content)
        return run(kind, content, *options, folder=tmp_path)

    return loaded


@pytest.fixture
def export(tmp_path: Path) -> Any:
    def exported(kind: str, *filters: str, name: str = "out.csv") -> bytes:
        path = tmp_path / name
        given = [part for text in filters for part in ("--filter", text)]
        call_command("export", kind, str(path), *given, stdout=io.StringIO())
        return path.read_bytes()

    return exported


def table(rows: list[dict[str, Any]]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def last(answer: tuple[int, str]) -> str:
    return answer[1].splitlines()[-1]


# ---- terms, stock ----


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
            "Warehouse “EAST” is new and was created.",
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
    assert export("opening-stock", "warehouse=MAIN", "date=2026-02-01").decode().splitlines() == [
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


# ---- journals ----


@pytest.mark.parametrize("folder", LEDGERS, ids=lambda folder: folder.name)
def test_journals_of_other_programs(load: Any, folder: Path) -> None:
    """F-01: every entry of a real journal goes in; movements and balances of every month are the oracle's."""
    if not folder.exists():
        pytest.skip(f"{folder.name} is not here: its licence does not allow a copy")
    entries = read(folder / "journal_entries.csv")
    make.company(base_currency="GBP" if entries[0]["currency"] == "GBP" else "USD")
    if any(row["currency"] == "CAD" for row in entries):
        make.currency_code = make.currency("USD")
        cad = type(make.currency("USD")).objects.create(code="CAD", name="Canadian dollar")
        make.currency(cad.code, "1", dt.date(2000, 1, 1))
    code, said = load("journal-entries", (folder / "journal_entries.csv").read_bytes(), "--create-accounts")
    assert code == 0, said
    count = len({row["entry_id"] for row in entries})
    assert last((code, said)) == f"journal-entries: {count} new, 0 updated, 0 unchanged, 0 errors"
    assert Voucher.objects.filter(state="posted").count() == JournalEntry.objects.count() == count
    assert not Account.objects.filter(code__in={row["account"] for row in entries}).exclude(control="").exists()
    _compare(read(folder / "expected_trial_balance_by_month.csv"))
    assert_books()


def _compare(expected: list[dict[str, str]]) -> None:
    """Our lines against the oracle's trial balance by month, account and currency."""
    moved: dict[tuple[str, str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for line in JournalLine.objects.select_related("account", "currency"):
        key = (
            f"{line.date:%Y-%m}",
            line.account.code,
            line.currency.symbol if line.currency.symbol == "$" else line.currency.code,
        )
        moved[key][0 if line.debit else 1] += abs(line.amount)
    balances: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    names = {"USD": "$", "$": "$"}
    for row in sorted(expected, key=lambda row: row["month_end"]):
        currency = names.get(row["currency"], row["currency"])
        debit, credit = moved.pop((row["month_end"][:7], row["account"], currency), [Decimal(0), Decimal(0)])
        balances[row["account"], currency] += debit - credit
        told = debit, credit, balances[row["account"], currency]
        assert told == tuple(Decimal(row[name]) for name in ("debit_movement", "credit_movement", "closing_balance")), (
            row
        )
    assert not moved


def test_journal_comes_back_as_it_left(load: Any, export: Any) -> None:
    """T-03: the export of vouchers is the journal again; importing it changes nothing."""
    make.company(base_currency="USD")
    given = read(DATA / "ledger_demo" / "journal_entries.csv")
    load("journal-entries", given, "--create-accounts")
    content = export("journal-entries")
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    names = ("date", "entry", "account", "memo")
    assert [[row[n] for n in names] for row in rows] == [
        [r["date"], r["entry_id"], r["account"], r["memo"]] for r in given
    ]
    assert sum(Decimal(row["debit"] or 0) for row in rows) == sum(Decimal(r["debit"] or 0) for r in given)
    assert (
        last(load("journal-entries", content, "--update"))
        == "journal-entries: 0 new, 0 updated, 13 unchanged, 0 errors"
    )
    code, said = load("journal-entries", content)
    assert code == 1
    assert "Row 2, entry: This entry was imported already as VC-1012-0001." in said
    changed = (
        content.replace(b"Organic Co-op", b"Organic Co-op")
        .replace(b",37.50,", b",37.40,", 1)
        .replace(b",225.00,", b",224.90,")
    )
    assert "is posted as VC-1012-0002 and differs" in load("journal-entries", changed, "--update")[1]
    assert len(export("journal-entries", "date_from=2011-04-01").splitlines()) == 7


def test_lines_on_control_accounts(load: Any) -> None:
    """F-02, F-03: receivables need their customer, stock accounts take documents only; every line is told."""
    make.make_customer("One", code="C-1")
    receivable, stock = Account.objects.get(control="receivable"), Account.objects.filter(control="inventory").first()
    other = Account.objects.filter(type="equity", is_group=False).first()
    rows = [
        {"date": "2026-01-05", "entry": "A", "account": receivable.code, "debit": "10", "credit": "", "customer": ""},
        {"date": "2026-01-05", "entry": "A", "account": other.code, "debit": "", "credit": "10", "customer": ""},
        {"date": "2026-01-05", "entry": "B", "account": stock.code, "debit": "10", "credit": "", "customer": ""},
        {"date": "2026-01-05", "entry": "B", "account": other.code, "debit": "", "credit": "10", "customer": ""},
        {
            "date": "2026-01-05",
            "entry": "C",
            "account": receivable.code,
            "debit": "10",
            "credit": "",
            "customer": "C-1",
        },
        {"date": "2026-01-05", "entry": "C", "account": other.code, "debit": "", "credit": "10", "customer": ""},
        {"date": "2026-01-05", "entry": "D", "account": other.code, "debit": "10", "credit": "", "customer": ""},
        {"date": "2026-01-05", "entry": "D", "account": other.code, "debit": "", "credit": "9", "customer": ""},
        {"date": "2026-01-05", "entry": "E", "account": "No:Such", "debit": "1", "credit": "", "customer": ""},
        {"date": "2026-01-06", "entry": "E", "account": other.code, "debit": "", "credit": "1", "customer": ""},
    ]
    code, said = load("journal-entries", rows)
    assert code == 1
    assert said.splitlines() == [
        f"Row 2, customer: {receivable} needs a customer.",
        f"Row 4, account: {stock} takes postings of stock documents only.",
        "Row 8: Debits and credits differ by 1.00.",
        "Row 11, date: Row 10 of the same document says something else.",
        "journal-entries: 1 new, 0 updated, 0 unchanged, 8 errors",
        "Nothing was written.",
    ]
    assert not Voucher.objects.exists()
    assert load("journal-entries", rows, "--partial")[0] == 0
    assert [(v.reference, v.number) for v in Voucher.objects.all()] == [("C", "VC-2601-0001")]
    assert OpenItem.objects.get().customer.code == "C-1"
    assert_books()
    rows = rows[8:]
    rows[1]["date"] = "2026-01-05"
    assert "There is no account “No:Such”. Import accounts first" in load("journal-entries", rows)[1]


def test_journals_in_foreign_currency(load: Any) -> None:
    """G-17: the rate of the line, else the rate of the day; without any the entry is refused."""
    make.currency("USD", "7", dt.date(2026, 1, 1))
    bank = make.bank().code
    other = Account.objects.filter(type="equity", is_group=False).first().code
    head = "date,entry,account,debit,credit,currency,rate\n"
    rows = f"2026-01-05,1,{bank},10,,USD,\n2026-01-05,1,{other},,10,USD,\n2026-01-06,2,{bank},10,,USD,7.2\n2026-01-06,2,{other},,72,,\n"
    assert load("journal-entries", head + rows)[0] == 0
    assert JournalLine.objects.filter(account__code=bank).aggregate(sum=Sum("debit"))["sum"] == 142
    assert (
        "There is no exchange rate for EUR"
        in load("journal-entries", f"{head}2026-01-05,3,{bank},1,,EUR,\n2026-01-05,3,{other},,1,EUR,\n")[1]
    )
    assert_books()


# ---- orders ----

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
    told = [
        (r["quantity"], r["shipped_date"], r["invoiced_date"], r["paid_date"])
        for r in csv.DictReader(io.StringIO(content.decode()))
    ]
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


def test_everything_that_is_exported_can_be_imported(load: Any, export: Any, living: Any) -> None:
    """T-03: all rows of every kind of a living company come back unchanged, as CSV and as XLSX."""
    for kind in (
        "accounts",
        "customers",
        "contacts",
        "suppliers",
        "products",
        "customer-terms",
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
