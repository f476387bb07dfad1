"""Paying employees: a run over claims and advances in one bank entry, money given back, and reversals (rule E-04)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from erp.finance.context import BANK, PostingContext, posting_context
from erp.finance.expenses import employee_account
from erp.finance.ledger import Line, entry_of, post_entry, reverse_entry, source_of
from erp.finance.models import Account, ExpensePayment, ExpensePaymentLine
from erp.finance.models.accounts import Purpose
from erp.finance.models.expenses import Flow
from erp.finance.rights import allow, allow_transition
from kit.rules.days import business_day
from kit.values.errors import BusinessError
from kit.values.money import ZERO
from oa.expenses import services
from oa.expenses.models import Advance, ExpenseClaim
from oa.expenses.services.posting import lock_advances, lock_claims, paid_on
from oa.records.bulk import locked
from oa.records.numbering import next_number

PAYMENTS = ExpensePayment.objects.select_related("account")


def claims_to_pay() -> Any:
    """Booked claims that leave something to pay."""
    rows = ExpenseClaim.objects.filter(state="posted").annotate(left=F("allowed") - F("offset"))
    return rows.select_related("owner", "department").order_by("posted_on", "pk")


def advances_to_pay() -> Any:
    """Approved advances."""
    return Advance.objects.filter(state="approved").select_related("owner", "department").order_by("date", "pk")


@transaction.atomic
def pay_employees(
    claims: Iterable[int],
    advances: Iterable[int],
    account: Account,
    *,
    by: Any,
    date: dt.date | None = None,
    reference: str = "",
) -> ExpensePayment:
    """Pay all that these claims leave and these advances in one entry; all of them or none."""
    day = date or business_day()
    _may_pay(by, account)
    found = lock_claims(sorted(set(claims)))
    asked = lock_advances(sorted(set(advances)))
    if set(claims) - set(found) or set(advances) - set(asked):
        raise BusinessError(_("Some of it does not exist any more; look at the list again."))
    before = paid_on(list(found))
    amounts = {key: claim.allowed - claim.offset - before[key] for key, claim in found.items()}
    total = sum(amounts.values(), ZERO) + sum((row.amount for row in asked.values()), ZERO)
    if not found and not asked:
        raise BusinessError(_("Choose what is to be paid."))
    _payable([*found.values(), *asked.values()])
    context = posting_context(day, BANK)
    payment = _new(Flow.PAY, account, total, day, reference, by)
    number = payment.number or ""
    paid = services.pay_claim(amounts, number=number, day=day, by=by) if amounts else []
    moves = services.pay_advance(list(asked), number=number, day=day, by=by) if asked else []
    rows = [
        ExpensePaymentLine(
            payment=payment, employee=found[row.claim_id].owner, claim_id=row.claim_id, paid=row, amount=row.amount
        )
        for row in paid
    ] + [
        ExpensePaymentLine(
            payment=payment, employee=asked[row.advance_id].owner, advance_id=row.advance_id, move=row,
            amount=row.amount,
        )
        for row in moves
    ]  # fmt: skip
    return _post(context, payment, rows, by)


def _payable(documents: Iterable[Any]) -> None:
    """Booked claims and approved advances only."""
    for row in documents:
        if row.state not in ("posted", "approved") or isinstance(row, Advance) == (row.state == "posted"):
            raise BusinessError(_("%s is not booked or paid already.") % row)


def _may_pay(by: Any, account: Account) -> None:
    allow(by, "erp.add_expensepayment", _("create %s") % ExpensePayment._meta.verbose_name)
    allow(by, "erp.post_expensepayment", _("Post"))
    if not account.is_cash or account.is_group or not account.active:
        raise BusinessError(_("%s is not a cash or bank account.") % account, field="account")


def _new(flow: Flow, account: Account, total: Decimal, day: dt.date, reference: str, by: Any) -> ExpensePayment:
    """A draft that has its number already, since rows elsewhere name it; it is posted in the same transaction."""
    payment = ExpensePayment(
        flow=flow, account=account, amount=total, date=day, reference=reference, created_by=by, owner=by
    )
    payment.number = next_number(ExpensePayment.SEQUENCE, day)
    payment.save()
    return payment


def _post(
    context: PostingContext, payment: ExpensePayment, rows: Sequence[ExpensePaymentLine], by: Any
) -> ExpensePayment:
    """Employees against the bank, one entry for all lines."""
    ExpensePaymentLine.objects.bulk_create(rows)
    sign = 1 if payment.flow == Flow.PAY else -1
    payable = {
        purpose: employee_account(context, purpose)
        for purpose, used in (
            (Purpose.EMPLOYEE_PAYABLE, any(row.claim_id for row in rows)),
            (Purpose.EMPLOYEE_ADVANCE, any(row.advance_id for row in rows)),
        )
        if used
    }
    lines = [
        Line(
            payable[Purpose.EMPLOYEE_PAYABLE if row.claim_id else Purpose.EMPLOYEE_ADVANCE],
            sign * row.amount,
            employee_id=row.employee_id,
            memo=str(row.employee),
        )
        for row in rows
    ]
    lines.append(Line(payment.account_id, -sign * payment.amount, memo=payment.reference))
    post_entry(context, source_of(payment), lines, by=by, memo=f"{payment.number} {payment.reference}".strip())
    payment.state, payment.posted_at, payment.posted_by = "posted", timezone.now(), by
    payment.version += 1
    payment.save()
    return payment


@transaction.atomic
def take_back(
    amounts: Mapping[int, Decimal],
    account: Account,
    *,
    by: Any,
    date: dt.date | None = None,
    reference: str = "",
) -> ExpensePayment:
    """People give back what they did not spend of advances (by key)."""
    day = date or business_day()
    _may_pay(by, account)
    advances = lock_advances(sorted(amounts))
    context = posting_context(day, BANK)
    payment = _new(Flow.RETURN, account, sum(amounts.values(), ZERO), day, reference, by)
    moves = services.return_advance(amounts, number=payment.number or "", day=day, by=by)
    rows = [
        ExpensePaymentLine(
            payment=payment, employee=advances[row.advance_id].owner, advance_id=row.advance_id, move=row,
            amount=-row.amount,
        )
        for row in moves
    ]  # fmt: skip
    return _post(context, payment, rows, by)


@transaction.atomic
def reverse_expense_payment(payment: ExpensePayment, *, by: Any, date: dt.date | None = None) -> ExpensePayment:
    """Take a payment back by a counter document: its claims and advances wait for their money again (G-04, G-05)."""
    original = locked(PAYMENTS, payment.pk)
    allow_transition(by, original, "reverse")
    if original.reversal_of_id:
        raise BusinessError(_("%s is a reversal itself and cannot be reversed.") % original)
    day = date or business_day()
    if day < original.date:
        raise BusinessError(_("The reversal cannot be dated before %s.") % original.date, field="date")
    context = posting_context(day, BANK)
    rows = list(original.lines.select_related("paid", "move").order_by("pk"))
    counter = ExpensePayment(
        flow=original.flow, account=original.account, amount=-original.amount, date=day,
        reference=original.reference, created_by=by, owner=original.owner, reversal_of=original,
    )  # fmt: skip
    counter.number = next_number(ExpensePayment.SEQUENCE, day)
    counter.save()
    paid, moves = [r.paid for r in rows if r.paid is not None], [r.move for r in rows if r.move is not None]
    if paid:
        services.unpay_claim(paid, number=counter.number, day=day, by=by)
    if moves:
        services.undo_move(moves, number=counter.number, day=day, by=by)
    entry = entry_of(source_of(original))
    assert entry is not None
    reverse_entry(
        context, source_of(counter), entry, by=by, memo=f"{_('Reversal of')} {original.number}", purpose="post"
    )
    counter.state, counter.posted_at, counter.posted_by = "posted", timezone.now(), by
    counter.save()
    original.state = "reversed"
    original.version += 1
    original.save(update_fields=["state", "version", "updated_at"])
    return counter
