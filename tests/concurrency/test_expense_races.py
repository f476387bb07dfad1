"""Several claims at one advance, one invoice, one budget, one payment (rules E-01 to E-04)."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from oa.expenses.models import ExpenseBudget, ExpenseClaim, ExpenseLine
from oa.organisation.models import Department
from tests import factories as make
from tests.invariants import assert_books
from tests.oa import spending as spend

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

CODES = ["I-06", "I-07", "I-08", "I-14", "I-29", "I-74", "I-75", "I-76", "I-77"]


def total(outcomes: list[Counter[str]]) -> Counter[str]:
    return sum(outcomes, Counter())


def claims_on_one_advance() -> tuple[Any, list[ExpenseClaim]]:
    """An advance of 300, and 8 audited claims that each want 100 of it."""
    ann = spend.person()
    held = spend.paid_advance(ann, 300)
    return held, [spend.audited(ann, spend.line(100)) for _n in range(8)]


def test_claims_never_take_more_than_is_open(crowd: Any) -> None:
    """E-02: 8 processes book claims that want 800 of 300; three get theirs, the others read what is open."""
    held, claims = claims_on_one_advance()
    outcome = total(crowd.run("post_claim", [{"claim": claim.pk} for claim in claims]))
    assert outcome == Counter(ok=3, refused=5)
    assert spend.open_of(held) == Decimal(0) and spend.fresh(held).state == "settled"
    assert_books(CODES)


def test_without_the_lock_they_collide(crowd: Any) -> None:
    """The control: everybody finds 300 open; only the trigger of the database stops them, with errors and no words."""
    held, claims = claims_on_one_advance()
    outcome = total(crowd.run("post_claim", [{"claim": claim.pk} for claim in claims], control=True))
    assert outcome["refused"] < 5 and sum(outcome.values()) - outcome["ok"] - outcome["refused"] > 0
    assert spend.open_of(held) >= 0


def test_without_lock_and_guard_more_is_taken(crowd: Any) -> None:
    """The control of the guard: with the trigger asleep too, the advance is overdrawn."""
    held, claims = claims_on_one_advance()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE oa_advancemove DISABLE TRIGGER USER")
    crowd.run("post_claim", [{"claim": claim.pk} for claim in claims], control=True)
    assert spend.open_of(held) < 0


def test_one_invoice_is_claimed_once(crowd: Any) -> None:
    """E-01: 8 people save the same invoice at the same moment."""
    people = [spend.person() for _n in range(8)]
    kind = spend.kind("RACE")
    given = [{"user": person.pk, "kind": kind.pk, "invoice": "ONE"} for person in people]
    assert total(crowd.run("claim_invoice", given)) == Counter(ok=1, refused=7)
    assert ExpenseLine.objects.filter(invoice="ONE").count() == 1


def test_a_strict_budget_holds(crowd: Any) -> None:
    """E-03: 8 claims of 100 at a budget of 250: two fit."""
    department = Department.objects.get(code="HQ")
    ExpenseBudget.objects.create(department=department, year=make.today().year, amount=250, over="refuse")
    claims = [spend.claim(spend.person(), spend.line(100)) for _n in range(8)]
    given = [{"claim": claim.pk} for claim in claims]
    assert total(crowd.run("submit_claim", given)) == Counter(ok=2, refused=6)
    assert ExpenseClaim.objects.filter(state="approving").count() == 2


def test_a_claim_is_paid_once(crowd: Any) -> None:
    """E-04: 8 payment runs over the same claim."""
    claim = spend.posted(spend.person())
    given = [{"claim": claim.pk} for _n in range(8)]
    assert total(crowd.run("pay_claim", given)) == Counter(ok=1, refused=7)
    assert_books(CODES)
