"""Reports of the ledger and of open items, on books that were kept through the services."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from erp.finance.models import Account, Allocation, JournalLine
from erp.finance.services import reverse_payment
from kit.exchange import reports
from kit.exchange.reports import SYSTEM, parse_params, run
from tests.erp.books import Books, ago, keyed, report, rows

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate()


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.fixture
def books() -> Books:
    return Books()


# General ledger ------------------------------------------------------------------------------------------------


@pytest.fixture
def vouchers(books: Books) -> Books:
    """Postings at the edges and in the middle of three months."""
    for date, amount in (
        ("2025-01-10", "100"),
        ("2025-01-31", "20"),
        ("2025-02-01", "5"),
        ("2025-02-14", "7"),
        ("2025-02-28", "11"),
        ("2025-03-01", "13"),
        ("2025-03-20", "17.55"),
    ):
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
        ("2025-02-01", "2025-03-20", "120.00", "53.55"),  # nothing is posted in the rest of the last period
        ("2025-02-14", "2025-03-25", "125.00", "48.55"),  # the first period cut, and that
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
    assert parse_params(reports.get("trial-balance"), {"date_from": "2025-02-01"})["date_to"] == timezone.localdate()


def test_trial_balance_reads_few_statements(vouchers: Books) -> None:
    """STYLE 22: a few statements, however many postings there are: two of them add up, others ask for whole periods."""
    found = reports.get("trial-balance")
    for texts, count in (
        ({}, 3),
        ({"date_from": "2025-02-01", "date_to": "2025-02-28"}, 2),
        ({"date_from": "2025-01-01", "date_to": "2025-03-25"}, 3),
        ({"recompute": "yes"}, 1),
    ):
        params = parse_params(found, {"date_from": "2025-01-31", "date_to": "2025-03-01", **texts})
        with CaptureQueriesContext(connection) as queries:
            run(found, params, SYSTEM)
        assert len(queries) == count


def test_general_ledger_runs_from_the_opening(vouchers: Books) -> None:
    """F-10: an opening row, then every movement with the balance after it, account by account."""
    found = rows("general-ledger", date_from="2025-02-01", date_to="2025-02-28", account="1001")
    assert [(row["date"], row["debit"], row["balance"]) for row in found] == [
        ("2025-02-01", "", "120.00"),
        ("2025-02-01", "5.00", "125.00"),
        ("2025-02-14", "7.00", "132.00"),
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
    return books.debts()


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
    reverse_payment(
        type(debts.receive_money(debts.acme, ago(6), "1")).objects.get(pk=payment.source_id), by=debts.boss, date=ago(5)
    )
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
