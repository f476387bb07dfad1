"""Reports of finance, stock and trade on books that were kept through the services."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pypdf
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from erp.finance.models import Account, Allocation, JournalLine
from erp.finance.services import reverse_payment
from erp.inventory.models import StockLevel, StockMove
from erp.sales import services as sales
from kit.exchange import reports
from kit.exchange.reports import SYSTEM, parse_params, run, to_csv
from kit.values.errors import BusinessError
from tests.erp.books import Books

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate()
D = Decimal


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def ago(days: int) -> dt.date:
    return TODAY - dt.timedelta(days=days)


@pytest.fixture
def books() -> Books:
    return Books()


def report(name: str, user: Any = SYSTEM, **params: Any) -> reports.ReportResult:
    given = {key: str(value) for key, value in params.items()}
    found = reports.get(name)
    return run(found, parse_params(found, given, user), user)


def rows(name: str, user: Any = SYSTEM, **params: Any) -> list[dict[str, str]]:
    """What a machine reads: the CSV."""
    return list(csv.DictReader(io.StringIO(to_csv(report(name, user, **params)).decode(), newline="")))


def keyed(name: str, key: str, **params: Any) -> dict[str, dict[str, str]]:
    return {row[key]: row for row in rows(name, **params)}


# General ledger ------------------------------------------------------------------------------------------------


@pytest.fixture
def vouchers(books: Books) -> Books:
    """Postings at the edges and in the middle of three months."""
    for date, amount in (("2025-01-10", "100"), ("2025-01-31", "20"), ("2025-02-01", "5"), ("2025-02-14", "7"),
                         ("2025-02-28", "11"), ("2025-03-01", "13"), ("2025-03-20", "17.55")):
        books.voucher(day(date), ("1001", amount, "0"), ("3001", "0", amount))
    return books


@pytest.mark.parametrize(
    ("start", "end", "opening", "turnover"),
    [
        ("2025-02-01", "2025-02-28", "120.00", "23.00"),  # one whole period
        ("2025-01-01", "2025-03-31", "0.00", "173.55"),  # several whole periods
        ("2025-02-14", "2025-02-28", "125.00", "18.00"),  # the first period cut
        ("2025-02-01", "2025-02-14", "120.00", "12.00"),  # the last period cut
        ("2025-02-02", "2025-02-27", "125.00", "7.00"),  # within one period
        ("2025-01-31", "2025-03-01", "100.00", "56.00"),  # both cut, a whole one between
        ("2025-03-20", "2025-03-20", "156.00", "17.55"),  # one day
        ("2024-01-01", "2024-12-31", None, None),  # before everything
        ("2026-01-01", "2026-01-31", "173.55", "0.00"),  # after everything
    ],
)
def test_trial_balance(vouchers: Books, start: str, end: str, opening: str | None, turnover: str | None) -> None:
    """F-10: opening, debit, credit and closing for whole and cut periods; recomputing gives the same."""
    found = keyed("trial-balance", "account", date_from=start, date_to=end)
    assert found == keyed("trial-balance", "account", date_from=start, date_to=end, recompute="yes")
    if opening is None:
        assert found == {}
        return
    cash, capital = found["1001"], found["3001"]
    assert (cash["opening"], cash["debit"], cash["credit"]) == (opening, turnover, "0.00")
    assert D(cash["closing"]) == D(opening) + D(turnover) == -D(capital["closing"])
    assert list(cash) == ["account", "name", "opening", "debit", "credit", "closing"]


def test_trial_balance_totals_are_balanced(vouchers: Books) -> None:
    """F-01: debits equal credits over all accounts, openings and closings add up to nothing."""
    (totals,) = report("trial-balance", date_from="2025-02-01", date_to="2025-02-28").totals
    assert totals == {"opening": 0, "debit": D("23.00"), "credit": D("23.00"), "closing": 0}


def test_trial_balance_starts_with_the_fiscal_year(vouchers: Books) -> None:
    """F-10: without a first day the fiscal year of the last day counts."""
    params = parse_params(reports.get("trial-balance"), {"date_to": "2025-03-31"})
    assert params["date_from"] == day("2025-01-01")
    assert parse_params(reports.get("trial-balance"), {"date_from": "2025-02-01"})["date_to"] == TODAY


def test_trial_balance_reads_few_statements(vouchers: Books) -> None:
    """STYLE 22: two statements, one when recomputed, however many postings there are."""
    found = reports.get("trial-balance")
    for texts, count in (({}, 2), ({"recompute": "yes"}, 1)):
        params = parse_params(found, {"date_from": "2025-01-31", "date_to": "2025-03-01", **texts})
        with CaptureQueriesContext(connection) as queries:
            run(found, params, SYSTEM)
        assert len(queries) == count


def test_general_ledger_runs_from_the_opening(vouchers: Books) -> None:
    """F-10: an opening row, then every movement with the balance after it, account by account."""
    found = rows("general-ledger", date_from="2025-02-01", date_to="2025-02-28", account="1001")
    assert [(row["date"], row["debit"], row["balance"]) for row in found] == [
        ("2025-02-01", "", "120.00"), ("2025-02-01", "5.00", "125.00"), ("2025-02-14", "7.00", "132.00"),
        ("2025-02-28", "11.00", "143.00"),
    ]
    assert list(found[0]) == ["account", "date", "entry", "document", "memo", "partner", "debit", "credit", "balance"]
    assert found[0]["memo"] == "Opening balance"
    assert found[1]["memo"] == "Adjustment"
    every = rows("general-ledger", date_from="2025-02-01", date_to="2025-02-28")
    assert [row["account"] for row in every] == ["1001"] * 4 + ["3001"] * 4
    lines = JournalLine.objects.filter(date__range=("2025-02-01", "2025-02-28"))
    assert {row["entry"] for row in every if row["entry"]} == {line.entry.number for line in lines}


def test_general_ledger_of_a_group(books: Books) -> None:
    """F-09: a group account shows the accounts below it."""
    books.voucher(day("2025-02-03"), ("100201", "50", "0"), ("1001", "0", "50"))
    found = rows("general-ledger", date_from="2025-01-01", date_to="2025-12-31", account="1002")
    assert [(row["account"], row["debit"]) for row in found] == [("100201", "50.00")]


def test_general_ledger_names_partner_and_document(books: Books) -> None:
    """F-10: movements of control accounts carry partner and source document."""
    order = books.sell(books.acme, ago(5), (books.motor, "2", "100"))
    books.buy(ago(9), (books.motor, "5", "60"))
    books.deliver(order, ago(4))
    invoice = books.invoice(order, ago(3))
    receivable = Account.objects.get(control="receivable")
    (row,) = rows("general-ledger", date_from=ago(9), account=receivable.code)
    assert (row["partner"], row["document"], row["debit"]) == ("ACME", invoice.number, "226.00")


# Ageing --------------------------------------------------------------------------------------------------------


@pytest.fixture
def debts(books: Books) -> Books:
    """Invoices of 100 days and of 20 days ago, net 30 days; money for a part of the first one 10 days ago."""
    books.buy(ago(150), (books.motor, "100", "10"))
    for number, days in enumerate((100, 20)):
        order = books.sell(books.hengtuo, ago(days), (books.motor, "10", "100"), payment_terms=books.net_30())
        books.deliver(order, ago(days))
        invoice = books.invoice(order, ago(days))
        if not number:
            books.receive_money(books.hengtuo, ago(10), "300", books.item_of(invoice))
    return books


def test_aged_receivables_by_due_date(debts: Books) -> None:
    """A-12: what is left falls into the bucket of its days overdue."""
    (row,) = rows("aged-receivables")
    assert list(row) == ["partner", "currency", "not_due", "d1_30", "d31_60", "d61_90", "over_90", "total"]
    assert (row["partner"], row["currency"]) == ("HT", "CNY")
    assert (row["not_due"], row["d61_90"], row["total"]) == ("1130.00", "830.00", "1960.00")
    assert {row["d1_30"], row["d31_60"], row["over_90"]} == {"0.00"}


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (101, {}),  # nothing invoiced yet
        (100, {"not_due": "1130.00"}),
        (70, {"not_due": "1130.00"}),  # due on this very day
        (69, {"d1_30": "1130.00"}),
        (40, {"d1_30": "1130.00"}),  # 30 days overdue
        (39, {"d31_60": "1130.00"}),
        (11, {"d31_60": "1130.00", "not_due": "1130.00"}),  # the day before the money came
        (10, {"d31_60": "830.00", "not_due": "1130.00"}),  # 60 days overdue, money in
        (9, {"d61_90": "830.00", "not_due": "1130.00"}),
    ],
)
def test_aged_receivables_as_of_a_past_day(debts: Books, days: int, expected: dict[str, str]) -> None:
    """A-03, T-04: a past day shows what was open and overdue then; later money does not count."""
    found = rows("aged-receivables", as_of=ago(days))
    shown = {k: v for row in found for k, v in row.items() if v != "0.00" and k not in {"partner", "currency", "total"}}
    assert shown == expected


def test_ageing_follows_an_undone_allocation(debts: Books) -> None:
    """A-02: a reversed payment opens the debt from its day on, not before."""
    payment = Allocation.objects.get().credit_item
    reverse_payment(type(debts.receive_money(debts.acme, ago(6), "1")).objects.get(pk=payment.source_id),
                    by=debts.boss, date=ago(5))
    for days, left in ((11, "1130.00"), (10, "830.00"), (5, "1130.00")):
        (row,) = [r for r in rows("aged-receivables", as_of=ago(days)) if r["partner"] == "HT"]
        assert D(row["d31_60"]) + D(row["d61_90"]) == D(left)


def test_unallocated_money_is_credit(debts: Books) -> None:
    """A-10: an overpayment stays as a negative amount of its customer."""
    debts.receive_money(debts.acme, ago(3), "50")
    row = keyed("aged-receivables", "partner")["ACME"]
    assert row["total"] == "-50.00"


def test_ageing_keeps_currencies_apart(debts: Books) -> None:
    """A-12, G-17: in the currency of the document, with one total for each currency."""
    order = debts.sell(debts.acme, ago(2), (debts.motor, "1", "10"), currency=debts.usd, rate=D("7.1"))
    debts.deliver(order, ago(2))
    debts.invoice(order, ago(2))
    result = report("aged-receivables")
    assert [(row["currency"], row["total"]) for row in result.rows] == [("CNY", D("1960.00")), ("USD", D("11.30"))]
    assert [(row["currency"], row["total"]) for row in result.totals] == [("CNY", D("1960.00")), ("USD", D("11.30"))]
    assert result.chart == ""


def test_aged_payables_are_positive(books: Books) -> None:
    """A-12: what we owe a supplier is positive; it ties to the control account."""
    order = books.buy(ago(50), (books.motor, "10", "60"), payment_terms=books.net_30())
    books.bill(order, ago(45))
    (row,) = rows("aged-payables")
    assert (row["partner"], row["d1_30"], row["total"]) == ("MK", "678.00", "678.00")
    payable = Account.objects.get(control="payable")
    assert keyed("trial-balance", "account", date_from=ago(90))[payable.code]["closing"] == "-678.00"


def test_ageing_ties_to_the_control_account(debts: Books) -> None:
    """I-11: the total of the ageing equals the balance of receivables on any day."""
    receivable = Account.objects.get(control="receivable").code
    for days in (100, 50, 11, 10, 0):
        balance = keyed("trial-balance", "account", date_from="2020-01-01", date_to=ago(days))[receivable]["closing"]
        assert balance == f"{sum(D(row['total']) for row in rows('aged-receivables', as_of=ago(days))):.2f}"


def test_ageing_reads_two_statements(debts: Books) -> None:
    """STYLE 22: items and allocations, however many there are."""
    found = reports.get("aged-receivables")
    params = parse_params(found, {})
    with CaptureQueriesContext(connection) as queries:
        run(found, params, SYSTEM)
    assert len(queries) == 2


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
        ("CB-05", "MAIN", "3", "29.97", "9.99"), ("SV-750W", "MAIN", "16", "1110.00", "69.375"),
        ("SV-750W", "NORTH", "2", "160.00", "80"),
    ]
    assert report("stock-on-hand").totals == [{"value": D("1299.97")}]


@pytest.mark.parametrize(
    ("days", "expected"),
    [(31, []), (30, [("10", "600.00")]), (20, [("6", "360.00")]), (11, [("6", "360.00")]), (10, [("16", "1110.00")]),
     (0, [("16", "1110.00"), ("2", "160.00")])],
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
        ("receipt", "10", "600.00", "10", "600.00"), ("delivery", "-4", "-240.00", "6", "360.00"),
        ("receipt", "10", "750.00", "16", "1110.00"),
    ]
    moves = StockMove.objects.filter(product=stocked.motor, warehouse=stocked.warehouse).order_by("id")
    assert [row["number"] for row in found] == [move.number for move in moves]


def test_stock_card_over_all_warehouses(stocked: Books) -> None:
    """V-21: without a warehouse the balances run over all of them, also from a day on."""
    found = rows("stock-card", product="SV-750W", date_from=ago(10))
    assert [(r["quantity"], r["quantity_after"], r["value_after"]) for r in found] == [
        ("10", "16", "1110.00"), ("2", "18", "1270.00"),
    ]
    assert [r["date"] for r in rows("stock-card", product="SV-750W", date_to=ago(15))] == [
        ago(30).isoformat(), ago(20).isoformat(),
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
    """Three confirmed orders in two months and currencies, one draft, one cancelled."""
    books.sell(books.hengtuo, day("2025-01-15"), (books.motor, "3", "33.335"), (books.cable, "7", "1.15"), discount="15")
    books.sell(books.hengtuo, day("2025-01-20"), (books.motor, "1", "100"), ship_country="中国")
    books.sell(books.acme, day("2025-02-01"), (books.motor, "2", "12.345"), currency=books.usd, rate=D("7.1"))
    cancelled = books.sell(books.acme, day("2025-02-02"), (books.motor, "50", "1"))
    sales.cancel_order(cancelled, by=books.boss, reason="test")
    books.draft(books.acme, day("2025-02-03"), (books.motor, "60", "1"))
    return books


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
    assert [found["2025-02"][name] for name in ("gross", "net", "tax", "total")] == ["175.30", "175.30", "22.79", "198.09"]
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
    assert (row["supplier"], row["name"], row["net"], row["total"]) == ("MK", "Shanghai Motor Works", "100.01", "113.01")
    assert [row["country"] for row in rows("purchases", group_by="country")] == ["China"]


def test_trade_reports_read_two_statements(orders: Books) -> None:
    """STYLE 22: the decimals of the base currency and the sums (one more for the picture)."""
    found = reports.get("sales")
    for group in ("month", "customer", "product"):
        params = parse_params(found, {"group_by": group})
        with CaptureQueriesContext(connection) as queries:
            found.rows(params, SYSTEM)
        assert len(queries) == 2


# Command line and files ----------------------------------------------------------------------------------------


def test_report_command_writes_every_format(orders: Books, tmp_path: Path) -> None:
    """`manage.py report NAME --format …`: the same rows as CSV, JSON, XLSX and PDF."""
    def made(format: str) -> bytes:
        path = tmp_path / f"sales.{format}"
        call_command("report", "sales", "--param", "group_by=customer", "--format", format, "-o", str(path))
        return path.read_bytes()

    assert made("csv").decode().splitlines()[0] == "customer,name,documents,lines,quantity,gross,net,tax,total"
    document = json.loads(made("json"))
    assert document["rows"][0]["customer"] == "HT"
    assert document["rows"][0]["net"] == "191.84"
    assert document["totals"][0]["net"] == "367.14"
    assert document["params"] == {"group_by": "customer"}
    sheet = openpyxl.load_workbook(io.BytesIO(made("xlsx"))).active
    formulas = [c.value for row in sheet.iter_rows() for c in row if c.data_type == "f"]
    assert formulas == [f"=SUM({letter}6:{letter}7)" for letter in "CDEFGHI"]
    shown = openpyxl.load_workbook(io.BytesIO(made("xlsx")), data_only=True).active
    assert shown["G8"].value == 367.14
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made("pdf"))).pages)
    for part in ("Sales", "无锡恒拓自动化", "191.84", "367.14", "Total", "Page 1 of 1"):
        assert part in text


def test_report_command_prints_csv(orders: Books, capsys: pytest.CaptureFixture[str]) -> None:
    """Without -o the bytes go to standard output."""
    call_command("report", "sales", "--param", "group_by=year")
    assert capsys.readouterr().out == (
        "year,name,documents,lines,quantity,gross,net,tax,total\r\n2025,2025,3,4,13,383.36,367.14,47.73,414.87\r\n"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "trial-balance"),
        (["sales", "--param", "group_by=colour"], "country"),
        (["sales", "--param", "colour=red"], "group_by"),
        (["sales", "--param", "group_by"], "NAME=VALUE"),
        (["sales", "--param", "date_from=1.1.2025"], "2026-11-30"),
        (["sales", "--param", "date_from=2025-02-01", "--param", "date_to=2025-01-01"], "after the last day"),
        (["general-ledger", "--param", "account=9999"], "9999"),
        (["sales", "--user", "nobody"], "nobody"),
    ],
)
def test_report_command_refuses_in_words(books: Books, arguments: list[str], words: str) -> None:
    """UX 7.4: what is wrong, with the value, and what there is instead."""
    with pytest.raises(CommandError, match=words):
        call_command("report", *arguments)


def test_totals_of_several_currencies_are_conditional_sums(debts: Books) -> None:
    """6.7: formulas in the workbook add up only rows of the same currency."""
    order = debts.sell(debts.acme, ago(2), (debts.motor, "1", "10"), currency=debts.usd, rate=D("7.1"))
    debts.deliver(order, ago(2))
    debts.invoice(order, ago(2))
    sheet = openpyxl.load_workbook(io.BytesIO(reports.to_xlsx(report("aged-receivables")))).active
    formulas = [c.value for row in sheet.iter_rows() for c in row if c.data_type == "f"]
    assert formulas[0] == "=SUMIF(B6:B7,B8,C6:C7)"
    assert formulas[-1] == "=SUMIF(B6:B7,B9,H6:H7)"
