"""A demo of many orders is copies of a few hundred: whole, without gaps, and nothing of it tells the original's name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Count, F

from crm.customers.models import Customer
from erp.finance.models import JournalEntry
from erp.sales.models import Invoice, SalesOrder
from erp.setup import demo
from erp.setup.demo import copies
from kit.rules.search import matching
from tests.invariants import assert_books

BASE, ORDERS = 30, 120
pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.usefixtures("company")]


class _Undo(Exception):
    """Ends a transaction without a trace."""


def indexes() -> list[str]:
    """Every index of what is copied, as the database tells it."""
    tables = [model._meta.db_table for model in copies.COPIED]
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = ANY(%s) ORDER BY 1", [tables])
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture(scope="module")
def company(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[str]]:
    """A small demo and three copies of it, in batches of two, with indexes made anew; the indexes from before."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        for module, name, value in ((demo, "BY_HAND", BASE), (demo, "BASE", BASE), (copies, "MANY", 0)):
            patch.setattr(module, name, value)
        patch.setattr(copies, "BATCH", 2)
        try:
            with transaction.atomic():
                before = indexes()
                demo.make_demo(ORDERS, 3)
                yield before
                raise _Undo
        except _Undo:
            pass


def test_the_books_of_copies_are_clean() -> None:
    """Every invariant holds: numbers without gaps, counters, balances, stock, open items, cost."""
    assert SalesOrder.objects.count() == ORDERS
    assert_books()


def test_a_copy_is_the_original_under_other_names() -> None:
    """As many documents and the same amounts a copy; numbers, customers and their names are its own."""
    totals = SalesOrder.objects.exclude(number=None).values("total").annotate(n=Count("pk"))
    assert {row["n"] % (ORDERS // BASE) for row in totals} == {0}
    assert not Customer.objects.values("name").annotate(n=Count("pk")).filter(n__gt=1).exists()
    assert not Customer.objects.exclude(tax_number="").values("tax_number").annotate(n=Count("pk")).filter(n__gt=1)
    other = Invoice.objects.exclude(billing_name="").exclude(billing_name=F("customer__invoice_title"))
    assert not other.exclude(billing_name=F("customer__name")).exists()
    last = Customer.objects.exclude(pinyin="").latest("pk")
    assert last in matching(Customer.objects.all(), last.name[:4])


def test_texts_name_the_documents_of_their_copy() -> None:
    """An entry names its own document, wherever it stands in the text; its number and its sequence agree."""
    for entry in JournalEntry.objects.filter(source="erp.invoice", reversal_of=None).order_by("-pk")[:50]:
        assert re.findall(r"IV-\d{4}-\d{4,}", entry.memo)[:1] == [entry.source_number]
    for entry in JournalEntry.objects.order_by("-pk")[:50]:
        assert int(entry.number.rpartition("-")[2]) == entry.sequence


def test_indexes_and_guards_are_there_again(company: list[str]) -> None:
    """What was left out while rows were copied is as before."""
    assert indexes() == company
    with connection.cursor() as cursor:
        cursor.execute("SHOW session_replication_role")
        assert cursor.fetchone() == ("origin",)
