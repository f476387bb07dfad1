"""The books behind expense claims: accounts, entries, reversals (rules E-04 to E-06). Registered with `oa.expenses`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _

from erp.finance.context import GENERAL, PostingContext, posting_context
from erp.finance.currencies import rate_on
from erp.finance.ledger import Line, entry_of, post_entry, reverse_entry, source_of
from erp.finance.models import Account, Currency, ExpenseAccount, JournalLine, Period, PostingRule
from erp.finance.models.accounts import Control, Purpose
from kit.rules.days import business_day
from kit.values.errors import BusinessError
from kit.values.money import ZERO, round_money
from oa.expenses import accounting
from oa.organisation.models import Department

EMPLOYEE = (Purpose.EMPLOYEE_PAYABLE, Purpose.EMPLOYEE_ADVANCE)


def currencies() -> dict[str, int]:
    """Active currencies with their decimals (one statement)."""
    return dict(Currency.objects.filter(active=True).order_by("code").values_list("code", "exponent"))


def rate(code: str, date: dt.date) -> Decimal:
    """Base currency per unit on a day; refused in words where none is kept."""
    currency = Currency.objects.filter(code=code).first()
    if currency is None:
        raise BusinessError(_("%s is not a currency we know.") % code, field="currency")
    return rate_on(currency, date)


def open_day(day: dt.date) -> dt.date:
    """The day a claim is booked on: its own, or today when its period is closed by now (rule E-05)."""
    closed = Period.objects.filter(start__lte=day, end__gte=day).exclude(state="open").exists()
    return business_day() if closed else day


def employee_account(context: PostingContext, purpose: Purpose) -> int:
    """The control account of employees for a purpose; refused where the rule leads to another account."""
    account = context.account(purpose)
    if not Account.objects.filter(pk=account, control=Control.EMPLOYEE).exists():
        raise BusinessError(
            _("The posting rule for “%s” has to lead to a control account of employees.") % purpose.label
        )
    return account


def post(claim: Any, lines: Sequence[Any], by: Any) -> dt.date:
    """Book a claim in one entry: expenses by account and department, input tax, advances used, the rest owed."""
    day = open_day(claim.date)
    context = posting_context(day, GENERAL)
    rows = [*_expense_lines(context, claim, lines)]
    for purpose, amount in (
        (Purpose.EMPLOYEE_ADVANCE, claim.offset),
        (Purpose.EMPLOYEE_PAYABLE, claim.allowed - claim.offset),
    ):
        if amount:
            account = employee_account(context, purpose)
            rows.append(Line(account, -amount, memo=claim.title, employee_id=claim.owner_id))
    memo = f"{claim.number} {claim.owner} {claim.title}"
    if day != claim.date:
        memo = _("%(memo)s (of %(date)s)") % {"memo": memo[:270], "date": claim.date}
    post_entry(context, source_of(claim), rows, by=by, memo=memo)
    return day


def _expense_lines(context: PostingContext, claim: Any, lines: Sequence[Any]) -> Iterable[Line]:
    accounts = _accounts({line.type_id for line in lines})
    above = dict(Department.objects.values_list("pk", "parent_id"))
    known = dict(Currency.objects.values_list("code", "pk"))
    for line in lines:
        if not line.allowed_base:
            continue
        department = line.department_id or claim.department_id
        found = _nearest(accounts, above, line.type_id, department)
        account = context.account(Purpose.EXPENSE) if found is None else found.account_id
        deducts = found is not None and found.tax_account_id is not None and line.allowed_tax
        tax = line.allowed_tax if deducts else ZERO
        base_tax = round_money(tax * line.rate, context.exponent)
        common: dict[str, Any] = {"currency_id": known[line.currency], "rate": line.rate, "department_id": department}
        if line.allowed_base != base_tax:
            yield Line(
                account, line.allowed_base - base_tax, currency_amount=line.allowed - tax, memo=str(line.type), **common
            )
        if base_tax and found is not None and found.tax_account_id is not None:
            yield Line(found.tax_account_id, base_tax, currency_amount=tax, memo=line.invoice, **common)


def _accounts(types: set[int]) -> dict[tuple[int, int | None], ExpenseAccount]:
    rows = ExpenseAccount.objects.filter(type__in=types)
    return {(row.type_id, row.department_id): row for row in rows}


def _nearest(
    accounts: Mapping[tuple[int, int | None], ExpenseAccount],
    above: Mapping[int, int | None],
    type_id: int,
    department: int | None,
) -> ExpenseAccount | None:
    """The row of the department or the nearest one above it, else that for all."""
    while department is not None:
        if (type_id, department) in accounts:
            return accounts[type_id, department]
        department = above.get(department)
    return accounts.get((type_id, None))


def reverse(claim: Any, day: dt.date, by: Any) -> None:
    """Take the entry of a claim back, in red letters where the company writes so (rule G-05)."""
    source = source_of(claim)
    entry = entry_of(source)
    if entry is None:
        raise BusinessError(_("%s has no entry.") % claim)
    context = posting_context(day, GENERAL)
    memo = f"{_('Reversal of')} {claim.number}"
    reverse_entry(context, source, entry, by=by, memo=memo, purpose="reverse")


def stays(then: Sequence[PostingRule]) -> str:
    """Why the rules for employees cannot be changed to `then`: something is open on the account they lead to now."""
    leading = {rule.account_id for rule in then if rule.purpose in EMPLOYEE}
    now = set(PostingRule.objects.filter(purpose__in=EMPLOYEE).values_list("account_id", flat=True))
    left = now - leading
    if not left:
        return ""
    rows = JournalLine.objects.filter(account__in=left, employee__isnull=False).order_by()
    sums = rows.values("account", "employee").annotate(rest=Sum("debit") - Sum("credit"))
    for row in sums:
        if row["rest"]:
            account = Account.objects.get(pk=row["account"])
            return _("Something is open with employees on %s; settle it first.") % account
    return ""


accounting.register(accounting.Books(currencies=currencies, rate=rate, post=post, reverse=reverse))
PostingRule.guards.append(stays)
