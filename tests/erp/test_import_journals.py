"""Journals from files: one posted voucher for each entry (T-03, F-01 to F-03)."""

from __future__ import annotations

import datetime as dt
import os
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Sum

from erp.finance.models import Account, Currency, JournalEntry, JournalLine, OpenItem, Voucher
from tests import factories as make
from tests.importing import DATA, Files, last, read, rows_of
from tests.invariants import assert_books

pytestmark = pytest.mark.django_db
# Journals whose licences allow no copy are read from a folder that SANHE_LEDGERS names, in the same form.
LEDGERS = [DATA / "ledger_demo", *sorted(Path(os.environ.get("SANHE_LEDGERS") or DATA / "none").glob("*/"))]


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """`manage.py import`."""
    return Files(tmp_path).load


@pytest.fixture
def export(tmp_path: Path) -> Any:
    """`manage.py export`."""
    return Files(tmp_path).export


@pytest.mark.parametrize("folder", LEDGERS, ids=lambda folder: folder.name)
def test_journals_of_other_programs(load: Any, folder: Path) -> None:
    """F-01: every entry of a real journal goes in; movements and balances of every month are the oracle's."""
    entries = read(folder / "journal_entries.csv")
    make.company(base_currency="GBP" if entries[0]["currency"] == "GBP" else "USD")
    if any(row["currency"] == "CAD" for row in entries):
        Currency.objects.create(code="CAD", name="Canadian dollar")
        make.currency("CAD", "1", dt.date(2000, 1, 1))
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
    rows = rows_of(content)
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
