"""Makers of expense types, claims and advances for tests, from the draft to the money."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

from erp.finance.expense_payments import pay_employees
from erp.finance.models import ExpenseAccount, ExpensePayment, TaxCode
from oa.expenses import services
from oa.expenses.models import Advance, ExpenseClaim, ExpenseType
from oa.expenses.services import LineInput
from oa.organisation.models import Department, User
from tests import factories as make

_numbers = itertools.count(1)


def kind(code: str = "", **columns: Any) -> ExpenseType:
    """A type of expense that needs no invoice."""
    code = code or f"T{next(_numbers)}"
    columns.setdefault("needs_invoice", False)
    return ExpenseType.objects.get_or_create(code=code, defaults={"name": f"Type {code}", **columns})[0]


def account_of(of: ExpenseType, code: str = "5601", department: Department | None = None, tax: bool = True) -> Any:
    """Where a type is booked; with the account of input tax."""
    from erp.finance.models import Account

    return ExpenseAccount.objects.create(
        type=of,
        department=department,
        account=Account.objects.get(code=code),
        tax_account=TaxCode.objects.get(code="V13").input_account if tax else None,
    )


def person(name: str = "", **columns: Any) -> User:
    """Somebody without special rights."""
    columns.setdefault("department", Department.objects.get(code="HQ"))
    return make.make_user(name or f"spender{next(_numbers)}", "sales", **columns)


def finance(name: str = "") -> User:
    """Somebody who audits, books and pays."""
    return make.make_user(name or f"books{next(_numbers)}", "accountant")


def chief(name: str = "") -> User:
    """Somebody who approves and reverses."""
    return make.make_user(name or f"chief{next(_numbers)}", "chief-accountant")


def line(amount: str | int = 100, of: ExpenseType | None = None, **more: Any) -> LineInput:
    """A line; numbers as text."""
    for name in ("tax", "rate", "days"):
        if name in more:
            more[name] = Decimal(str(more[name]))
    return LineInput(type=of or kind("ANY"), amount=Decimal(str(amount)), **more)


def claim(by: User, *lines: LineInput, **columns: Any) -> ExpenseClaim:
    """A draft."""
    columns.setdefault("title", "Trip to Suzhou")
    return services.save_claim(ExpenseClaim(**columns), lines or [line()], by=by)


def submitted(by: User, *lines: LineInput, **columns: Any) -> ExpenseClaim:
    return services.submit_claim(claim(by, *lines, **columns), by=by)


def approved(by: User, *lines: LineInput, **columns: Any) -> ExpenseClaim:
    return services.approve_claim(submitted(by, *lines, **columns), by=None)


def audited(by: User, *lines: LineInput, offsets: Any = None, **columns: Any) -> ExpenseClaim:
    return services.audit_claim(approved(by, *lines, **columns), offsets=offsets, by=None)


def posted(by: User, *lines: LineInput, **columns: Any) -> ExpenseClaim:
    return services.post_claim(audited(by, *lines, **columns), by=None)


def advance(by: User, amount: str | int = 500, **columns: Any) -> Advance:
    """An approved advance."""
    columns.setdefault("title", "Fair in Canton")
    made = services.save_advance(Advance(amount=Decimal(str(amount)), **columns), by=by)
    return services.approve_advance(services.submit_advance(made, by=by), by=None)


def pay(*documents: Any, by: User | None = None, **more: Any) -> ExpensePayment:
    """Claims and advances in one run."""
    claims = [d.pk for d in documents if isinstance(d, ExpenseClaim)]
    advances = [d.pk for d in documents if isinstance(d, Advance)]
    return pay_employees(claims, advances, more.pop("account", None) or make.bank(), by=by, **more)


def paid_advance(by: User, amount: str | int = 500, **columns: Any) -> Advance:
    made = advance(by, amount, **columns)
    pay(made)
    return fresh(made)


def open_of(row: Advance) -> Decimal:
    """What is open of an advance."""
    return Advance.objects.with_open().get(pk=row.pk).open_amount


def fresh(row: Any) -> Any:
    return type(row)._default_manager.get(pk=row.pk)
