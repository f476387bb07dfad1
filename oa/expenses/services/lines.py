"""The lines of a claim: what a person typed becomes amounts, and what is wrong with it is said in words."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from kit.rules.days import business_day
from kit.values.errors import BusinessError, Problem
from kit.values.money import ONE, ZERO, round_money
from oa.expenses import accounting
from oa.expenses.amounts import Spent, Standards, by_days, in_base, sums
from oa.expenses.models import ExpenseClaim, ExpenseLimit, ExpenseLine, ExpenseType

_LOOSE = re.compile(r"[\s\-_/]+")


@dataclass(frozen=True)
class LineInput:
    """A line as typed. `rate` None: that of the day; `pk`: the stored line it changes."""

    type: ExpenseType
    amount: Decimal | None = None
    date: dt.date | None = None
    description: str = ""
    city: str = ""
    days: Decimal = ONE
    department: Any = None
    currency: str = ""
    rate: Decimal | None = None
    tax: Decimal = ZERO
    invoice: str = ""
    excess_reason: str = ""
    pk: int | None = None


def invoice_number(text: str) -> str:
    """A number as it is compared: without blanks and dashes, in capitals."""
    return _LOOSE.sub("", text).upper()


def standards_for(person: Any, types: Collection[ExpenseType]) -> Standards:
    """What the company grants a person for these types (one statement)."""
    position = getattr(person, "position_id", None)
    rows = ExpenseLimit.objects.filter(type__in={t.pk for t in types})
    granted = {(row.type_id, row.position_id, row.city): row.amount for row in rows}
    return Standards(granted, {t.pk: t.standard for t in types}, position)


def filled(inputs: Sequence[LineInput], person: Any) -> tuple[list[LineInput], list[Problem]]:
    """The lines with currency, rate and per-diem amounts filled in, and what is wrong with them."""
    base, known = accounting.base_code(), accounting.currencies()
    standards = standards_for(person, [line.type for line in inputs])
    rates: dict[tuple[str, dt.date], Decimal] = {}
    made, problems = [], []
    for row, line in enumerate(inputs):
        try:
            complete = _filled(line, base, known, standards, rates)
        except BusinessError as error:
            problems += [Problem(p.message, p.field or "rate", row) for p in error]
            complete = replace(line, amount=line.amount or ZERO, date=line.date or business_day(), rate=ONE)
        problems += _wrong(complete, row, base, known)
        made.append(complete)
    return made, problems


def _filled(
    line: LineInput,
    base: str,
    known: Mapping[str, int],
    standards: Standards,
    rates: dict[tuple[str, dt.date], Decimal],
) -> LineInput:
    date = line.date or business_day()
    common: dict[str, Any] = {"date": date, "invoice": invoice_number(line.invoice), "days": line.days or ONE}
    if line.type.per_diem:
        standard = standards.amount(line.type.pk, line.city)
        if standard is None:
            raise BusinessError(_("There is no standard for %s here; ask finance for one.") % line.type, field="type")
        amount = by_days(common["days"], standard, known.get(base, 2))
        return replace(line, currency=base, rate=ONE, amount=amount, tax=ZERO, **common)
    currency = line.currency or base
    rate = ONE if currency == base else line.rate
    if rate is None:
        key = (currency, date)
        rate = rates.get(key) or rates.setdefault(key, accounting.rate_on(currency, base, date))
    return replace(line, currency=currency, rate=rate, amount=line.amount or ZERO, tax=line.tax or ZERO, **common)


def _wrong(line: LineInput, row: int, base: str, known: Mapping[str, int]) -> list[Problem]:
    problems = []
    exponent = known.get(line.currency)
    amount = line.amount or ZERO
    if line.currency and exponent is None:
        problems.append(Problem(_("%s is not a currency we know.") % line.currency, "currency", row))
    if amount <= 0:
        problems.append(Problem(_("The amount must be more than 0."), "amount", row))
    elif exponent is not None and round_money(amount, exponent) != amount:
        text = _("%(currency)s has %(digits)s decimals.") % {"currency": line.currency, "digits": exponent}
        problems.append(Problem(text, "amount", row))
    elif in_base(amount, line.rate or ONE, known.get(base, 2)) <= 0:
        problems.append(Problem(_("This is less than the smallest amount in base currency."), "amount", row))
    if line.tax < 0 or (line.tax and line.tax >= amount):
        problems.append(Problem(_("The tax is part of the amount and less than it."), "tax", row))
    if line.rate is not None and line.rate <= 0:
        problems.append(Problem(_("The rate must be more than 0."), "rate", row))
    if line.days <= 0:
        problems.append(Problem(_("The days must be more than 0."), "days", row))
    if line.date is not None and line.date > business_day():
        problems.append(Problem(_("An expense cannot lie in the future."), "date", row))
    return problems


def rows_from(claim: ExpenseClaim, inputs: Sequence[LineInput], person: Any) -> list[ExpenseLine]:
    """Lines that are not stored yet, from complete inputs, with base amounts and what lies above the standards."""
    base, known = accounting.base_code(), accounting.currencies()
    exponent = known.get(base, 2)
    bases = [in_base(line.amount or ZERO, line.rate or ONE, exponent) for line in inputs]
    spent = [
        Spent(line.type.pk, "" if line.type.per_diem else line.type.per, line.city, line.days, amount)
        for line, amount in zip(inputs, bases, strict=True)
    ]
    found = sums(spent, standards_for(person, [line.type for line in inputs]))
    columns = ("date", "description", "city", "days", "currency", "rate", "tax", "invoice", "excess_reason")
    return [
        ExpenseLine(
            pk=line.pk,
            claim=claim,
            position=position,
            type=line.type,
            department=line.department,
            amount=line.amount,
            base_amount=amount,
            excess=excess,
            allowed=line.amount,
            allowed_tax=line.tax,
            allowed_base=amount,
            **{name: getattr(line, name) for name in columns},
        )
        for position, (line, amount, excess) in enumerate(zip(inputs, bases, found.excess, strict=True), start=1)
    ]


def taken_invoices(claim: ExpenseClaim, numbers: Sequence[str]) -> list[Problem]:
    """Which invoices are twice in the claim, or in another one that is not rejected: named (one statement)."""
    problems, seen = [], set[str]()
    rows = ExpenseLine.objects.filter(invoice__in={n for n in numbers if n}, live=True).exclude(claim=claim.pk)
    others = {row.invoice: row.claim for row in rows.select_related("claim__owner")}
    for row, number in enumerate(numbers):
        if number in seen:
            problems.append(Problem(_("Invoice %s is twice in this claim.") % number, "invoice", row))
        elif number in others:
            problems.append(Problem(in_another(number, others[number]), "invoice", row))
        if number:
            seen.add(number)
    return problems


def in_another(number: str, other: ExpenseClaim) -> str:
    """That an invoice is claimed already, and where; of a draft only whose it is."""
    return _("Invoice %(number)s is in %(claim)s of %(person)s already.") % {
        "number": number,
        "claim": other.number or _("a draft"),
        "person": other.owner,
    }
