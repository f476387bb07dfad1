"""What the processes of the concurrency tests do to expense claims (see `worker`, which has set up Django before)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from erp.finance.expense_payments import pay_employees
from oa.expenses import services as expenses
from oa.expenses.models import ExpenseClaim, ExpenseType
from oa.organisation.models import User
from tests import factories as make
from tests.concurrency.office import Outcome, attempt


def once_tried(effect: Callable[[], Any]) -> Outcome:
    """What comes of one attempt."""
    outcome: Outcome = Counter()
    attempt(outcome, effect)
    return outcome


def post_claim(claim: int) -> Outcome:
    """Book an audited claim."""
    return once_tried(lambda: expenses.post_claim(ExpenseClaim.objects.get(pk=claim), by=None))


def submit_claim(claim: int) -> Outcome:
    """Submit a draft claim."""
    found = ExpenseClaim.objects.get(pk=claim)
    return once_tried(lambda: expenses.submit_claim(found, by=found.owner))


def claim_invoice(user: int, kind: int, invoice: str) -> Outcome:
    """Save a new claim with one invoice."""
    line = expenses.LineInput(type=ExpenseType.objects.get(pk=kind), amount=Decimal(5), invoice=invoice)
    person = User.objects.get(pk=user)
    return once_tried(lambda: expenses.save_claim(ExpenseClaim(title="x"), [line], by=person))


def pay_claim(claim: int) -> Outcome:
    """Pay a booked claim."""
    return once_tried(lambda: pay_employees([claim], [], make.bank(), by=None))


COMMANDS: dict[str, Callable[..., Outcome]] = {
    command.__name__: command for command in (post_claim, submit_claim, claim_invoice, pay_claim)
}
