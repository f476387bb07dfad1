"""Vouchers: draft, post, reverse (rules F-01 to F-03)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from erp.finance.context import PostingContext, posting_context
from erp.finance.currencies import base_currency, rate_on
from erp.finance.ledger import Line, Source, entry_of, post_entry, reverse_entry, source_of
from erp.finance.models import Account, Currency, Voucher, VoucherLine
from erp.finance.models.accounts import Control, Purpose
from erp.finance.models.openitems import ItemKind, OpenItem
from erp.finance.openitems import (
    Due,
    active_allocations,
    allocate_items,
    items_of,
    mirror_items,
    new_item,
    store_items,
)
from erp.finance.rights import allow_saving, allow_transition
from kit.rules.days import business_day
from kit.values.errors import BusinessError, Problem
from kit.values.money import ONE, ZERO, round_money
from oa.records.bulk import lockable, locked
from oa.records.commands import command
from oa.records.numbering import next_number

VOUCHERS = lockable(Voucher.objects.select_related("journal"))


@dataclass
class EntryInput:
    """A voucher line as typed: either `debit` or `credit`, in `currency` (base currency when None).

    `rate` None: that of the voucher's date.
    """

    account: Account
    debit: Decimal = ZERO
    credit: Decimal = ZERO
    memo: str = ""
    currency: Currency | None = None
    rate: Decimal | None = None
    customer: Any = None
    supplier: Any = None
    department: Any = None


@command
def save_voucher(voucher: Voucher, lines: Sequence[EntryInput], *, by: Any, version: int | None = None) -> Voucher:
    """Store a draft; it may be unbalanced. Lines are replaced."""
    allow_saving(by, voucher)
    if voucher.pk:
        current = locked(VOUCHERS, voucher.pk, version=version)
        if current.state != "draft":
            raise BusinessError(_("%s is posted and cannot be changed; reverse it.") % current)
        voucher.version = current.version + 1
        current.lines.all().delete()
    else:
        voucher.created_by, voucher.owner = by, by
    base = base_currency()
    check_lines(lines, base)
    rates = _rates(voucher, lines, base)
    voucher.save()
    VoucherLine.objects.bulk_create(
        VoucherLine(
            voucher=voucher,
            position=position,
            memo=line.memo or voucher.memo,
            account=line.account,
            customer=line.customer,
            supplier=line.supplier,
            department_id=line.department.pk if line.department else voucher.department_id,
            currency=line.currency or base,
            rate=rates[line.currency] if line.rate is None else line.rate,
            debit=line.debit,
            credit=line.credit,
        )
        for position, line in enumerate(lines, start=1)
    )
    return voucher


def _rates(voucher: Voucher, lines: Sequence[EntryInput], base: Currency) -> dict[Currency | None, Decimal]:
    """The rates of the day for lines whose rate was left open, by currency (rule G-17)."""
    wanted = {line.currency for line in lines if line.rate is None}
    return {currency: rate_on(currency or base, voucher.date, base_code=base.code) for currency in wanted}


def check_lines(lines: Sequence[EntryInput], base: Currency) -> None:
    """Refuse what no draft may hold, naming every line (0-based rows)."""
    problems = [] if lines else [Problem(_("Enter at least two lines."))]
    for row, line in enumerate(lines):
        problems += _account_problems(line.account, row)
        if line.debit and line.credit:
            problems.append(Problem(_("Enter either a debit or a credit."), "debit", row))
        problems += _amount_problems(line, base, row)
    if problems:
        raise BusinessError(problems=problems)


def _account_problems(account: Account, row: int) -> list[Problem]:
    """Leaf accounts only, and none that is archived (rule F-02)."""
    if account.is_group:
        return [Problem(_("%s is a group; choose one of its accounts.") % account, "account", row)]
    if not account.active:
        return [Problem(_("%s is archived; choose another account.") % account, "account", row)]
    return []


def _amount_problems(line: EntryInput, base: Currency, row: int) -> list[Problem]:
    """Amounts have the decimals of their currency (rule G-13), and a rate that fits it (rule G-17)."""
    currency = line.currency or base
    problems = []
    for side in ("debit", "credit"):
        amount = getattr(line, side)
        if round_money(amount, currency.exponent) != amount:
            message = _("%(currency)s has %(digits)s decimals.")
            values = {"currency": currency.code, "digits": currency.exponent}
            problems.append(Problem(message % values, side, row))
    if line.rate is not None and line.rate <= 0:
        problems.append(Problem(_("The rate must be more than 0."), "rate", row))
    elif line.rate is not None and line.rate != ONE and currency.pk == base.pk:
        problems.append(Problem(_("The rate of %s is 1.") % currency.code, "rate", row))
    return problems


@transaction.atomic
def post_voucher(voucher: Voucher, *, by: Any, version: int | None = None) -> Voucher:
    """Post a draft that balances; lines on receivables and payables open items of their partner (F-01, A-01)."""
    voucher = locked(VOUCHERS, voucher.pk, version=version)
    allow_transition(by, voucher, "post")
    lines = list(voucher.lines.select_related("account", "customer", "supplier"))
    context = posting_context(voucher.date, voucher.journal.code)
    _check_lines_to_post(lines)
    ledger = _ledger_lines(context, lines)
    if rounding := _rounding(context, voucher, lines, ledger):
        lines.append(rounding)
        ledger = _ledger_lines(context, lines)
    _check_balance(ledger)
    voucher.number = next_number("voucher", voucher.date)
    source = source_of(voucher)
    posted = post_entry(context, source, ledger, by=by, memo=voucher.memo, as_given=True)
    assert posted is not None
    store_items(
        _item(voucher, source, posted[0], *pair)
        for pair in zip(lines, ledger, strict=True)
        if pair[0].account.control in (Control.RECEIVABLE, Control.PAYABLE)
    )
    voucher.state, voucher.posted_at, voucher.posted_by = "posted", timezone.now(), by
    voucher.version += 1
    voucher.save()
    return voucher


def _item(voucher: Voucher, source: Source, entry_id: int, line: VoucherLine, posted: Line) -> OpenItem:
    """The open item of a line on a control account."""
    due = Due(voucher.date, line.debit - line.credit, posted.amount)
    return new_item(
        source,
        entry_id,
        line.account_id,
        due,
        kind=ItemKind.OPENING,
        date=voucher.date,
        currency_id=line.currency_id,
        customer_id=line.customer_id,
        supplier_id=line.supplier_id,
        owner_id=voucher.owner_id,
        department_id=line.department_id,
    )


def _ledger_lines(context: PostingContext, lines: Sequence[VoucherLine]) -> list[Line]:
    return [
        Line(
            line.account_id,
            round_money((line.debit - line.credit) * line.rate, context.exponent),
            currency_id=line.currency_id,
            currency_amount=line.debit - line.credit,
            rate=line.rate,
            memo=line.memo,
            customer_id=line.customer_id,
            supplier_id=line.supplier_id,
            department_id=line.department_id,
            red=(line.debit or line.credit) < 0,
            credit_side=bool(line.credit),
        )
        for line in lines
    ]


def _rounding(
    context: PostingContext, voucher: Voucher, lines: Sequence[VoucherLine], ledger: Sequence[Line]
) -> VoucherLine | None:
    """A line for what converting a voucher that balances in its one foreign currency leaves over (rule G-17)."""
    one_currency = len({(line.currency_id, line.rate) for line in lines}) == 1
    if not one_currency or sum((line.debit - line.credit for line in lines), ZERO):
        return None
    rest = sum((line.amount for line in ledger), ZERO)
    if not rest:
        return None
    return VoucherLine.objects.create(
        voucher=voucher,
        position=lines[-1].position + 1,
        memo=_("Rounding difference"),
        account=Account.objects.get(pk=context.account(Purpose.ROUNDING)),
        currency_id=context.base_currency_id,
        debit=max(-rest, ZERO),
        credit=max(rest, ZERO),
    )


def _check_lines_to_post(lines: Sequence[VoucherLine]) -> None:
    """F-01 no zero lines; F-02 stock and clearing accounts take documents only; F-03 partners; F-04 summary."""
    problems = []
    for row, line in enumerate(lines):
        account = line.account
        problems += _account_problems(account, row)
        if not line.debit and not line.credit:
            problems.append(Problem(_("Enter a debit or a credit."), "debit", row))
        if not line.memo:
            problems.append(Problem(_("Enter a summary."), "memo", row))
        if account.control in (Control.INVENTORY, Control.GRNI):
            problems.append(Problem(_("%s takes postings of stock documents only.") % account, "account", row))
        if account.control == Control.EMPLOYEE:
            problems.append(Problem(_("%s takes expense claims and advances only.") % account, "account", row))
        if account.control == Control.RECEIVABLE and line.customer_id is None:
            problems.append(Problem(_("%s needs a customer.") % account, "customer", row))
        if account.control == Control.PAYABLE and line.supplier_id is None:
            problems.append(Problem(_("%s needs a supplier.") % account, "supplier", row))
        if line.customer_id is not None and line.supplier_id is not None:
            problems.append(Problem(_("Choose either a customer or a supplier."), "supplier", row))
    if len(lines) < 2:
        problems.append(Problem(_("Enter at least two lines.")))
    if problems:
        raise BusinessError(problems=problems)


def _check_balance(ledger: Sequence[Line]) -> None:
    """Debits equal credits in base currency (rule F-01)."""
    for row, line in enumerate(ledger):
        if not line.amount:
            raise BusinessError(_("Line %s is less than the smallest amount in base currency.") % (row + 1), row=row)
    difference = sum((line.amount for line in ledger), ZERO)
    if difference:
        raise BusinessError(_("Debits and credits differ by %s.") % f"{difference:,.2f}")


@transaction.atomic
def reverse_voucher(voucher: Voucher, *, by: Any, date: dt.date | None = None, version: int | None = None) -> Voucher:
    """Reverse a posted voucher by a counter voucher; refused while its items are settled (G-04, G-06)."""
    original = locked(VOUCHERS, voucher.pk, version=version)
    allow_transition(by, original, "reverse")
    if original.reversal_of_id:
        raise BusinessError(_("%s is a reversal itself and cannot be reversed.") % original)
    day = date or business_day()
    if day < original.date:
        raise BusinessError(_("The reversal cannot be dated before %s.") % original.date, field="date")
    items = items_of(source_of(original))
    if active_allocations(item.pk for item in items):
        raise BusinessError(_("%s is settled by payments. Undo those first.") % original)
    context = posting_context(day, original.journal.code)
    counter = _counter(original, day, by)
    source = source_of(counter)
    entry = entry_of(source_of(original))
    assert entry is not None
    posted = reverse_entry(context, source, entry, by=by, memo=f"{_('Reversal of')} {original.number}")
    assert posted is not None
    if items:
        allocate_items(context, mirror_items(source, posted[0], items, day), by=by)
    counter.state, counter.posted_at, counter.posted_by = "posted", timezone.now(), by
    counter.save()
    original.state = "reversed"
    original.version += 1
    original.save(update_fields=["state", "version", "updated_at"])
    return counter


def _counter(original: Voucher, day: dt.date, by: Any) -> Voucher:
    counter = Voucher.objects.create(
        journal=original.journal,
        date=day,
        memo=original.memo,
        reference=original.reference,
        owner_id=original.owner_id,
        reversal_of=original,
        created_by=by,
        number=next_number("voucher", day),
    )
    VoucherLine.objects.bulk_create(
        VoucherLine(
            voucher=counter,
            position=line.position,
            memo=line.memo,
            account_id=line.account_id,
            customer_id=line.customer_id,
            supplier_id=line.supplier_id,
            department_id=line.department_id,
            currency_id=line.currency_id,
            rate=line.rate,
            debit=-line.debit,
            credit=-line.credit,
        )
        for line in original.lines.all()
    )
    return counter
