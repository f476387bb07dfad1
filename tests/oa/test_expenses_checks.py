"""Each invariant of expenses finds what it claims to find (I-74 to I-77)."""

from __future__ import annotations

import pytest

from oa.expenses import services
from tests.invariants import assert_books, broken
from tests.oa import spending as spend
from tests.oa.test_tasks_checks import execute, unguarded

pytestmark = pytest.mark.django_db

CODES = ("I-74", "I-75", "I-76", "I-77")
MUTATIONS = [
    ("I-74", "UPDATE oa_expenseclaim SET total = total + 1 WHERE state = 'posted'"),
    ("I-74", "UPDATE oa_expenseline SET allowed_base = allowed_base - 1"),
    ("I-74", "UPDATE oa_expenseline SET base_amount = base_amount * 2, allowed_base = allowed_base * 2"),
    ("I-74", "UPDATE oa_expenseline SET invoice = 'SAME', live = true"),
    ("I-74", "UPDATE oa_expenseline SET live = NOT live"),
    ("I-74", "DELETE FROM oa_expenseline WHERE claim_id = (SELECT max(id) FROM oa_expenseclaim)"),
    ("I-75", "UPDATE oa_advancemove SET amount = amount * 9 WHERE kind = 'offset'"),
    ("I-75", "UPDATE oa_advance SET state = 'settled' WHERE state = 'paid'"),
    ("I-75", "UPDATE oa_advance SET amount = amount + 1"),
    ("I-75", "UPDATE oa_advancemove SET date = date - 1 WHERE kind = 'undone'"),
    ("I-76", "DELETE FROM oa_advancemove WHERE kind = 'offset' AND claim_id IN (SELECT id FROM oa_expenseclaim WHERE state = 'paid')"),
    ("I-76", "UPDATE oa_claimpayment SET amount = amount + 1"),
    ("I-76", "UPDATE oa_expenseclaim SET state = 'paid' WHERE state = 'posted'"),
    ("I-76", "UPDATE oa_claimoffset SET amount = amount - 1"),
    ("I-77", "UPDATE oa_claimpayment SET amount = amount - 1"),
    ("I-77", "UPDATE erp_journalline SET employee_id = (SELECT max(id) FROM oa_user) WHERE employee_id IS NOT NULL"),
    ("I-77", "UPDATE erp_journalline SET employee_id = NULL WHERE employee_id IS NOT NULL"),
    ("I-77", "UPDATE oa_expenseclaim SET posted_on = posted_on - 1 WHERE state = 'posted'"),
    ("I-77", "UPDATE erp_expensepaymentline SET amount = amount + 1"),
    ("I-77", "UPDATE erp_expensepayment SET amount = amount + 1"),
    ("I-77", "UPDATE erp_journalentry SET purpose = 'other' WHERE source = 'oa.expenseclaim' AND purpose = 'post'"),
]  # fmt: skip
RULES = (
    ("oa_expenseline", "expense_line_allowed"),
    ("oa_expenseline", "expense_line_cut_reason"),
    ("oa_expenseclaim", "claim_amounts"),
)


@pytest.fixture
def spent() -> None:
    """Advances in every state, claims that are paid, posted, reversed and returned."""
    ann, bob = spend.person(), spend.person()
    spend.paid_advance(ann, 50)
    paid = spend.posted(ann, spend.line(80, invoice="P1"))
    spend.pay(paid)
    spend.paid_advance(ann, 100)
    services.reverse_claim(spend.posted(ann, spend.line(10, invoice="P2")), by=None)
    spend.posted(bob, spend.line(70, invoice="P3"))
    services.reject_claim(spend.submitted(bob, spend.line(7, invoice="P4")), by=None, reason="x")
    spend.submitted(bob, spend.line(6, invoice="P5"))
    execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_books_are_sound(spent: None) -> None:
    """What the mutations break is there, and nothing is broken before."""
    assert_books()


@pytest.mark.parametrize(("code", "sql"), MUTATIONS)
def test_a_broken_invariant_is_found(spent: None, code: str, sql: str) -> None:
    """Broken by SQL past all guards."""
    for table, name in RULES:
        execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    execute("DROP INDEX expense_invoice_once")
    with unguarded():
        assert execute(sql) > 0
    assert broken((code,))
