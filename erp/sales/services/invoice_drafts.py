"""Drafts of invoices: what of an order to invoice, and what a person typed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, prefetch_related_objects
from django.utils.translation import gettext as _

from erp.finance.currencies import base_currency, fill_rate, rate_on
from erp.finance.models import Currency
from erp.finance.rights import allow_making, allow_saving
from erp.sales.credit import terms_of
from erp.sales.models import Invoice, InvoiceLine, SalesOrder, SalesOrderLine
from erp.sales.pricing import customer_prices, find_price
from erp.sales.services.lines import order_lines
from erp.sales.services.orders import lock_order
from erp.trade.billing import refuse_own_amount, take_discount
from erp.trade.lines import (
    LineInput,
    check_inputs,
    check_quantities,
    fill_line,
    set_amounts,
    unit_factors,
    write_lines,
)
from erp.trade.models import PRICED
from erp.trade.progress import to_bill
from kit.rules.days import business_day
from kit.values.errors import BusinessError, Problem
from kit.values.money import ONE, ZERO
from oa.organisation.models import CompanyProfile
from oa.records.bulk import lockable, locked
from oa.records.commands import command

INVOICES = lockable(Invoice.objects.select_related("customer__terms__credit_of__terms", "currency", "payment_terms"))


@transaction.atomic
def draft_invoice(
    order: SalesOrder, quantities: Mapping[int, Decimal] | None = None, *, by: Any, date: dt.date | None = None
) -> Invoice:
    """A draft of what is delivered and not invoiced of an order."""
    order = lock_order(order)
    allow_making(by, Invoice, order)
    invoice, drafts = draft_of_order(order, order_lines([order]), quantities, by=by, date=date)
    invoice.save()
    write_lines(invoice, "invoice", drafts)
    return invoice


def draft_of_order(
    order: SalesOrder,
    lines: Sequence[SalesOrderLine],
    quantities: Mapping[int, Decimal] | None,
    *,
    by: Any,
    date: dt.date | None,
) -> tuple[Invoice, list[InvoiceLine]]:
    """An invoice of a locked order and its lines, not stored; `quantities` by order line, None for all delivered."""
    taken = _taken(order, lines, quantities)
    day = date or business_day()
    invoice = Invoice(
        customer=order.customer,
        currency=order.currency,
        rate=_rate(order, day),
        payment_terms=order.payment_terms,
        tax_method=order.tax_method,
        prices_include_tax=order.prices_include_tax,
        date=day,
        owner_id=order.owner_id,
        department_id=order.department_id,
        created_by=by,
    )
    drafts = [_line_of(*part, position) for position, part in enumerate(taken.items(), start=1)]
    take_discount(invoice, drafts, order, lines)
    base = 2 if order.rate == ONE else base_currency().exponent
    set_amounts(invoice, drafts, invoice.currency.exponent, base)
    return invoice, drafts


def _line_of(line: SalesOrderLine, quantity: Decimal, position: int) -> InvoiceLine:
    """A line that invoices a part of an order line."""
    draft = InvoiceLine(position=position, order_line=line, quantity=quantity)
    for name in PRICED:
        setattr(draft, name, getattr(line, name))
    return draft


@transaction.atomic
def add_delivered(invoice: Invoice, *, by: Any, version: int | None = None) -> Invoice:
    """Add what else was delivered to the customer on the invoice's terms: one invoice for several orders (G-10).

    The terms are currency, kind of prices and discount in percent; an order with a discount amount of its own is
    invoiced by itself.
    """
    invoice = locked(INVOICES, invoice.pk, version=version)
    allow_saving(by, invoice)
    _refuse_posted(invoice)
    refuse_own_amount(invoice)
    existing = list(invoice.lines.order_by("position"))
    orders = SalesOrder.objects.filter(
        customer=invoice.customer_id,
        currency=invoice.currency_id,
        prices_include_tax=invoice.prices_include_tax,
        discount=invoice.discount,
        discount_amount=0,
        state__in=("confirmed", "closed"),
    )
    lines = SalesOrderLine.objects.filter(
        order__in=orders if by is None else orders.visible_to(by), moved__gt=F("billed")
    ).exclude(invoice_lines__invoice=invoice)
    waiting = lines.select_related("product", "tax_code").order_by("order__date", "order", "position")
    taken = [(line, to_bill(line)) for line in waiting if to_bill(line) > 0]
    if not taken:
        raise BusinessError(_("Nothing else that was delivered to %s waits for its invoice.") % invoice.customer)
    drafts = existing + [_line_of(*part, position) for position, part in enumerate(taken, start=len(existing) + 1)]
    set_amounts(invoice, drafts, invoice.currency.exponent, base_currency().exponent)
    invoice.version += 1
    invoice.save()
    write_lines(invoice, "invoice", drafts, existing=existing)
    return invoice


def _refuse_posted(invoice: Invoice) -> None:
    if invoice.state != "draft":
        raise BusinessError(_("%s is posted and cannot be changed; reverse it.") % invoice)


def _taken(
    order: SalesOrder, lines: Sequence[SalesOrderLine], quantities: Mapping[int, Decimal] | None
) -> dict[SalesOrderLine, Decimal]:
    """The quantities of one invoice: as given, else what is delivered and not invoiced."""
    if order.state not in ("confirmed", "closed"):
        raise BusinessError(_("%s is not confirmed and cannot be invoiced.") % order)
    if quantities is not None:
        if quantities.keys() - {line.pk for line in lines}:
            raise BusinessError(_("Some lines are not on %s any more.") % order)
        check_quantities(lines, quantities)
    wanted = {line: to_bill(line) if quantities is None else quantities.get(line.pk, ZERO) for line in lines}
    taken = {line: quantity for line, quantity in wanted.items() if quantity > 0}
    if not taken:
        raise BusinessError(_("Nothing delivered is left to invoice on %s.") % order)
    return taken


def _rate(order: SalesOrder, date: dt.date) -> Decimal:
    """The exchange rate of the day of the invoice (rule G-17); the order's own where no rates are kept."""
    if order.rate == ONE:
        return ONE
    try:
        return rate_on(order.currency, date)
    except BusinessError:
        return order.rate


@command
def save_invoice(invoice: Invoice, lines: Sequence[LineInput], *, by: Any, version: int | None = None) -> Invoice:
    """Store a draft with its lines: parts of order lines (`origin`), or services without an order."""
    existing: list[InvoiceLine] = []
    if invoice.pk:
        current = locked(INVOICES, invoice.pk, version=version)
        _refuse_posted(current)
        existing = list(current.lines.select_related("order_line__unit", "order_line__tax_code"))
        invoice.version = current.version + 1
    allow_saving(by, invoice, invoice.customer)
    check_inputs(lines)
    exponent = _fill_head(invoice, by)
    drafts = _build_lines(invoice, lines, existing)
    set_amounts(invoice, drafts, invoice.currency.exponent, exponent)
    invoice.save()
    write_lines(invoice, "invoice", drafts, existing=existing)
    return invoice


def _fill_head(invoice: Invoice, by: Any) -> int:
    """Defaults from the customer's terms and the company; returns the decimals of the base currency."""
    terms, company = terms_of(invoice.customer), CompanyProfile.current()
    base = Currency.objects.get(code=company.base_currency)
    if not invoice.pk:
        if not invoice.customer.active:
            raise BusinessError(_("%s is archived; choose another customer.") % invoice.customer, field="customer")
        if invoice.payment_terms_id is None and terms is not None:
            invoice.payment_terms_id = terms.payment_terms_id
        invoice.tax_method = company.tax_method
        invoice.created_by = by
        invoice.owner_id = invoice.owner_id or invoice.customer.owner_id or (by.pk if by else None)
        invoice.department_id = invoice.department_id or invoice.customer.department_id
    if invoice.currency_id is None:
        invoice.currency = terms.currency if terms is not None and terms.currency is not None else base
    fill_rate(invoice, base)
    return base.exponent


def _build_lines(invoice: Invoice, lines: Sequence[LineInput], existing: Sequence[InvoiceLine]) -> list[InvoiceLine]:
    """Lines of a draft; what is left open comes from the order line, for services without one from price finding."""
    by_pk = {line.pk: line for line in existing}
    prefetch_related_objects([given.origin for given in lines if given.origin is not None], "unit", "tax_code")
    given_lines = [_from_origin(given, by_pk.get(given.pk) if given.pk else None) for given in lines]
    factors = unit_factors(given_lines)
    direct = {given.product.pk for given in given_lines if given.origin is None and given.price is None}
    agreed = customer_prices(invoice.customer_id, direct, invoice.currency_id, invoice.date) if direct else []
    terms = terms_of(invoice.customer)
    drafts, problems = [], []
    for row, given in enumerate(given_lines):
        draft = (by_pk.get(given.pk) if given.pk else None) or InvoiceLine(order_line=given.origin)
        origin = given.origin
        if origin is None and given.tax_code is None and given.taxed and terms is not None:
            given.tax_code = terms.tax_code
        fill_line(draft, given, row + 1, factors)
        if given.price is None:
            found = find_price(given.product, given.quantity, draft.factor, agreed, invoice.rate)
            draft.price = found.price
        else:
            draft.price = given.price
        problems += origin_problems(given, row)
        if origin is not None:
            draft.factor = origin.factor
            if draft.tax_code_id == origin.tax_code_id:
                draft.tax_rate = origin.tax_rate
        drafts.append(draft)
    if problems:
        raise BusinessError(problems=problems)
    return drafts


def origin_problems(given: LineInput, row: int) -> list[Problem]:
    """Goods are invoiced from the order line that they were delivered for (rule G-10)."""
    if given.origin is None and given.product.stocked:
        return [Problem(_("Goods are invoiced from an order."), "product", row)]
    if given.origin is not None and given.origin.product_id != given.product.pk:
        return [Problem(_("The order line is about another product."), "product", row)]
    return []


def _from_origin(given: LineInput, existing: InvoiceLine | None) -> LineInput:
    """Complete an input from the order line it invoices."""
    origin = given.origin or (existing.order_line if existing else None)
    if origin is None:
        return given
    return replace(
        given,
        origin=origin,
        unit=origin.unit,
        price=origin.price if given.price is None else given.price,
        tax_code=given.tax_code or origin.tax_code,
        description=given.description or origin.description,
    )
