"""The meta-test of the invariants: each one is broken by SQL, past all guards, and must be found."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from erp.finance.models import Allocation, JournalEntry, JournalLine, Payment, Period, Voucher
from erp.inventory.models import StockMove
from erp.purchasing.models import Bill, GoodsReceipt
from erp.sales.models import Delivery, Invoice
from kit.rules.checks import codes
from tests.erp.mutations_documents import MUTATIONS
from tests.invariants import assert_books, broken
from tests.oa import test_approvals_checks as approvals
from tests.oa import test_documents_checks as documents
from tests.oa import test_expenses_checks as expenses
from tests.oa import test_leave_checks as leave
from tests.oa import test_official_checks as official
from tests.oa import test_tasks_checks as tasks

pytestmark = pytest.mark.usefixtures("living")


def execute(sql: str, *params: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return cursor.rowcount


@contextmanager
def unguarded():
    """Triggers and foreign keys sleep, as for a superuser who means harm."""
    execute("SET LOCAL session_replication_role = replica")
    yield
    execute("SET LOCAL session_replication_role = origin")


def test_the_living_company_is_sound():
    """The data set has what the mutations need, and breaks nothing by itself."""
    assert_books()
    for model in (JournalEntry, StockMove, Allocation, Delivery, GoodsReceipt, Bill, Invoice, Payment, Voucher):
        assert model.objects.exists(), model
    for document in (Delivery, GoodsReceipt, Bill, Invoice, Payment, Voucher):
        assert document.objects.filter(state="reversed", reversal__state="posted").exists(), document
    assert JournalLine.objects.filter(red=True).exists() and JournalLine.objects.exclude(currency__code="CNY").exists()
    assert Period.objects.filter(state="closed").exists()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_a_broken_invariant_is_found(mutation):
    for table, name in mutation.drop:
        execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    with unguarded():
        assert execute(mutation.sql) > 0, "this mutation changes nothing"
    assert mutation.code in broken({mutation.code}), f"{mutation} was not found"


def test_every_invariant_has_a_mutation():
    sections = (approvals, expenses, leave, official, tasks)
    of_the_office = {row[0] for section in sections for row in section.MUTATIONS}
    of_the_office |= {row[0] for row in documents.BREAKS.values()}
    assert {mutation.code for mutation in MUTATIONS} | of_the_office == set(codes())
