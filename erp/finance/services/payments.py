"""Receipts and payments: draft, post with allocations, reverse (rules A-01 to A-06)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from erp.finance.context import BANK, PostingContext, posting_context
from erp.finance.currencies import rate_on
from erp.finance.ledger import Line, entry_of, post_entry, reverse_entry, source_of
from erp.finance.models import OpenItem, Payment, PaymentAllocation
from erp.finance.models.accounts import Purpose
from erp.finance.models.openitems import ItemKind
from erp.finance.models.payments import INWARD, OF_CUSTOMERS, POSTED_STATES, Direction
from erp.finance.openitems import (
    Due,
    active_allocations,
    allocate_items,
    lock_documents,
    lock_items,
    lock_open,
    mirror_items,
    open_items,
    tell_settled,
    unallocate,
)
from erp.finance.rights import allow, allow_saving, allow_transition
from kit.rules.days import business_day
from kit.values.errors import BusinessError, Problem
from kit.values.money import ONE, ZERO, round_money
from oa.records.bulk import lockable, locked
from oa.records.commands import command
from oa.records.numbering import next_number

# Posting group of a customer, whose terms belong to sales: the section that keeps them sets the one entry.
posting_group_of_customer: list[Callable[[int], int | None]] = [lambda _customer: None]

SEQUENCES = {
    Direction.RECEIVE: "receipt",
    Direction.PAY: "payment",
    Direction.REFUND: "customer-refund",
    Direction.RECOVER: "supplier-refund",
}
PAYMENTS = lockable(Payment.objects.select_related("customer", "supplier", "currency", "account"))


def payment_sign(payment: Payment) -> int:
    """1 for money received, -1 for money paid: the sign on the bank account."""
    return 1 if payment.direction in INWARD else -1


@command
def save_payment(
    payment: Payment, allocations: Mapping[int, Decimal], *, by: Any, version: int | None = None
) -> Payment:
    """Store a draft and what it is meant for: open item key -> positive amount in the payment's currency."""
    allow_saving(by, payment, payment.customer)
    if payment.pk:
        current = locked(PAYMENTS, payment.pk, version=version)
        if current.state != "draft":
            raise BusinessError(_("%s is posted and cannot be changed; reverse it.") % current)
        payment.version = current.version + 1
        current.lines.all().delete()
    _prepare(payment, by)
    if payment.rate == ONE:
        payment.rate = rate_on(payment.currency, payment.date)
    wanted = {pk: amount for pk, amount in allocations.items() if amount}
    _check_amounts(payment, wanted)
    payment.save()
    PaymentAllocation.objects.bulk_create(
        PaymentAllocation(payment=payment, item_id=pk, amount=amount) for pk, amount in wanted.items()
    )
    return payment


def _prepare(payment: Payment, by: Any) -> None:
    """Refuse what no payment may hold and fill what was left open."""
    problems = []
    of_customer = payment.direction in OF_CUSTOMERS
    if payment.amount is None or payment.amount <= 0:
        problems.append(Problem(_("The amount must be more than 0."), "amount"))
    elif round_money(payment.amount, payment.currency.exponent) != payment.amount:
        problems.append(Problem(_decimals_of(payment), "amount"))
    if of_customer and payment.customer is None:
        problems.append(Problem(_("Choose a customer."), "customer"))
    if not of_customer and payment.supplier is None:
        problems.append(Problem(_("Choose a supplier."), "supplier"))
    if not payment.account.is_cash or payment.account.is_group or not payment.account.active:
        problems.append(Problem(_("%s is not a cash or bank account.") % payment.account, "account"))
    if problems:
        raise BusinessError(problems=problems)
    if payment.rate is None:
        payment.rate = rate_on(payment.currency, payment.date)
    elif payment.rate <= 0:
        raise BusinessError(_("The rate must be more than 0."), field="rate")
    partner = payment.customer if of_customer else payment.supplier
    if not payment.pk:
        payment.created_by = by
        payment.owner_id = payment.owner_id or getattr(partner, "owner_id", None) or (by.pk if by else None)
        payment.department_id = payment.department_id or getattr(partner, "department_id", None)


def _check_amounts(payment: Payment, wanted: Mapping[int, Decimal]) -> None:
    """What is settled is positive, has the decimals of the currency, and no more than the payment."""
    if any(amount <= 0 for amount in wanted.values()):
        raise BusinessError(_("What is settled must be more than 0."))
    if any(round_money(amount, payment.currency.exponent) != amount for amount in wanted.values()):
        raise BusinessError(_decimals_of(payment))
    if sum(wanted.values(), ZERO) > payment.amount:
        raise BusinessError(_("More is allocated than the amount of the payment."), field="amount")


def _decimals_of(payment: Payment) -> str:
    return _("%(currency)s has %(digits)s decimals.") % {
        "currency": payment.currency.code,
        "digits": payment.currency.exponent,
    }


@transaction.atomic
def post_payment(payment: Payment, *, by: Any, version: int | None = None) -> Payment:
    """Post a draft: bank against receivables or payables, its open item, its allocations."""
    payment = locked(PAYMENTS, payment.pk, version=version)
    allow_transition(by, payment, "post")
    wanted = dict(payment.lines.values_list("item_id", "amount"))
    return _post(payment, wanted, lock_items(wanted), by=by)


@command
def pay(payment: Payment, allocations: Mapping[int, Decimal] | None = None, *, by: Any) -> Payment:
    """Store and post a new payment in one step; without `allocations` the oldest open items are settled."""
    allow_saving(by, payment, payment.customer)
    allow(by, "erp.post_payment", POSTED_STATES.transition("post").label)
    _prepare(payment, by)
    items = _candidates(payment) if allocations is None else lock_items(allocations)
    wanted = propose(payment, list(items.values())) if allocations is None else dict(allocations)
    items = {pk: items[pk] for pk in wanted if pk in items}
    payment.save()
    PaymentAllocation.objects.bulk_create(
        PaymentAllocation(payment=payment, item_id=pk, amount=amount) for pk, amount in wanted.items()
    )
    return _post(payment, wanted, items, by=by)


def _candidates(payment: Payment) -> dict[int, OpenItem]:
    rows = OpenItem.objects.filter(customer=payment.customer, supplier=payment.supplier, currency=payment.currency)
    return lock_open(rows.exclude(remaining=0))


def propose(payment: Payment, items: Sequence[OpenItem]) -> dict[int, Decimal]:
    """What a payment would settle: an item of exactly its amount, else the oldest due first (rule A-04).

    Only items on one control account, and none that is dated after the payment.
    """
    sign = payment_sign(payment)
    due = sorted(
        (i for i in items if i.remaining * sign > 0 and i.date <= payment.date), key=lambda i: (i.due_date, i.pk)
    )
    due = [item for item in due if item.account_id == due[0].account_id]
    exact = next((i for i in due if i.remaining * sign == payment.amount), None)
    if exact is not None:
        return {exact.pk: payment.amount}
    left, wanted = payment.amount, {}
    for item in due:
        part = min(left, item.remaining * sign)
        if part <= 0:
            break
        wanted[item.pk] = part
        left -= part
    return wanted


def _post(payment: Payment, wanted: Mapping[int, Decimal], items: Mapping[int, OpenItem], *, by: Any) -> Payment:
    """Common path of posting; `items` are locked."""
    _check_wanted(payment, wanted, items)
    context = posting_context(payment.date, BANK)
    if payment.currency_id == context.base_currency_id and payment.rate != 1:
        raise BusinessError(_("The rate of %s is 1.") % context.base_code, field="rate")
    if payment.currency_id != context.base_currency_id and payment.rate == ONE:  # nobody typed a rate
        payment.rate = rate_on(payment.currency, payment.date, base_code=context.base_code)
    payment.base_amount = round_money(payment.amount * payment.rate, context.exponent)
    payment.number = next_number(SEQUENCES[Direction(payment.direction)], payment.date)
    own = _post_money(context, payment, list(items.values()), by)
    if wanted:
        inward = payment.direction in INWARD
        pairs = [(items[pk], own, amount) if inward else (own, items[pk], amount) for pk, amount in wanted.items()]
        allocate_items(context, pairs, by=by)
    payment.state, payment.posted_at, payment.posted_by = "posted", timezone.now(), by
    payment.version += 1
    payment.save()
    tell_settled(items[pk] for pk in wanted)
    return payment


def _check_wanted(payment: Payment, wanted: Mapping[int, Decimal], items: Mapping[int, OpenItem]) -> None:
    """Refuse allocations that do not fit, and payments to blocked suppliers (rule G-24)."""
    _check_amounts(payment, wanted)
    if missing := [pk for pk in wanted if pk not in items]:
        raise BusinessError(_("What this payment is meant for does not exist any more (%s).") % missing)
    later = [item for item in items.values() if item.date > payment.date]
    if later:
        raise BusinessError(
            _("%(item)s is dated %(date)s, after the payment. Post the payment first and allocate it then.")
            % {"item": later[0], "date": later[0].date},
            field="date",
        )
    if payment.direction == Direction.PAY and payment.supplier is not None and payment.supplier.blocked:
        raise BusinessError(_("%s is blocked for orders and payments.") % payment.supplier, field="supplier")


def _post_money(context: PostingContext, payment: Payment, settled: Sequence[OpenItem], by: Any) -> OpenItem:
    """The entry of a payment and its open item."""
    source, sign = source_of(payment), payment_sign(payment)
    control = _control_account(context, payment, settled)
    lines = _ledger_lines(payment, control, sign)
    posted = post_entry(context, source, lines, by=by, memo=f"{payment.number} {payment.reference}".strip())
    assert posted is not None
    [own] = open_items(
        source,
        posted[0],
        control,
        [Due(payment.date, -sign * payment.amount, -sign * payment.base_amount)],
        kind=ItemKind.RECEIPT if sign > 0 else ItemKind.PAYMENT,
        date=payment.date,
        currency_id=payment.currency_id,
        customer_id=payment.customer_id,
        supplier_id=payment.supplier_id,
        owner_id=payment.owner_id,
        department_id=payment.department_id,
    )
    return own


def _control_account(context: PostingContext, payment: Payment, items: Sequence[OpenItem]) -> int:
    """The control account of what is settled, else of the partner's posting group."""
    accounts = {item.account_id for item in items}
    if len(accounts) == 1:
        return accounts.pop()
    if payment.customer_id is not None:
        return context.account(Purpose.RECEIVABLE, None, posting_group_of_customer[0](payment.customer_id))
    assert payment.supplier is not None
    return context.account(Purpose.PAYABLE, None, payment.supplier.posting_group_id)


def _ledger_lines(payment: Payment, control: int, sign: int) -> list[Line]:
    money: dict[str, Any] = {
        "currency_id": payment.currency_id,
        "rate": payment.rate,
        "department_id": payment.department_id,
    }
    base, amount = sign * payment.base_amount, sign * payment.amount
    return [
        Line(payment.account_id, base, currency_amount=amount, memo=payment.reference, **money),
        Line(
            control,
            -base,
            currency_amount=-amount,
            customer_id=payment.customer_id,
            supplier_id=payment.supplier_id,
            memo=payment.reference,
            **money,
        ),
    ]


@transaction.atomic
def reverse_payment(payment: Payment, *, by: Any, date: dt.date | None = None, version: int | None = None) -> Payment:
    """Reverse a posted payment: its allocations are undone, what they settled is open again (A-02, G-04)."""
    original = locked(PAYMENTS, payment.pk, version=version)
    allow_transition(by, original, "reverse")
    if original.reversal_of_id:
        raise BusinessError(_("%s is a reversal itself and cannot be reversed.") % original)
    day = date or business_day()
    if day < original.date:
        raise BusinessError(_("The reversal cannot be dated before %s.") % original.date, field="date")
    own_key = OpenItem.objects.get(source=original._meta.label_lower, source_id=original.pk).pk
    allocations = active_allocations([own_key])
    latest = max([a.date for a in allocations], default=day)
    if day < latest:
        raise BusinessError(
            _("%(payment)s settled an item on %(date)s; the reversal cannot be dated earlier.")
            % {"payment": original, "date": latest},
            field="date",
        )
    items = lock_items({own_key, *(pk for a in allocations for pk in (a.debit_item_id, a.credit_item_id))})
    context = posting_context(day, BANK)
    counter = _counter(original, day, by)
    source = source_of(counter)
    unallocate(context, source, allocations, items, by=by)
    own = items[own_key]
    entry = entry_of(source_of(original))
    assert entry is not None
    posted = reverse_entry(context, source, entry, by=by, memo=f"{_('Reversal of')} {original.number}")
    assert posted is not None
    allocate_items(context, mirror_items(source, posted[0], [own], day), by=by)
    counter.state, counter.posted_at, counter.posted_by = "posted", timezone.now(), by
    counter.save()
    original.state = "reversed"
    original.version += 1
    original.save(update_fields=["state", "version", "updated_at"])
    tell_settled(item for pk, item in items.items() if pk != own_key)
    return counter


def _counter(original: Payment, day: dt.date, by: Any) -> Payment:
    copied = (
        "direction",
        "customer",
        "supplier",
        "account",
        "currency",
        "rate",
        "reference",
        "owner_id",
        "department_id",
    )
    counter = Payment(
        date=day,
        amount=-original.amount,
        base_amount=-original.base_amount,
        reversal_of=original,
        created_by=by,
        **{name: getattr(original, name) for name in copied},
    )
    counter.number = next_number(SEQUENCES[Direction(original.direction)], day)
    counter.save()
    return counter


def _lock_payments(keys: set[int]) -> None:
    list(Payment.objects.filter(pk__in=keys).order_by("pk").select_for_update().values_list("pk"))


lock_documents["erp.payment"] = _lock_payments
