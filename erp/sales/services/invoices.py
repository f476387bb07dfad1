"""Sales invoices: draft, post, reverse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _

from erp.finance.context import SALES, PostingContext, posting_context
from erp.finance.currencies import base_currency, rate_on
from erp.finance.ledger import Line, post_entry, source_of
from erp.finance.models.accounts import Purpose
from erp.finance.models.openitems import ItemKind
from erp.finance.openitems import Due, lock_documents, on_settled, open_items
from erp.finance.services.payments import posting_group_of_customer
from erp.sales.credit import INVOICING, check_blocked, terms_of
from erp.sales.models import CustomerTerms, Invoice, InvoiceLine, SalesOrder, SalesOrderLine
from erp.sales.models.invoices import INVOICE_STATES
from erp.sales.services.deliveries import order_lines
from erp.sales.services.orders import HEAD, lock_order
from erp.trade.billing import Amount, base_lines, dues_of, last_due, product_posting_group
from erp.trade.lines import (
    LineInput,
    check_inputs,
    fill_line,
    quantity_problem,
    set_amounts,
    unit_factors,
    write_lines,
)
from erp.trade.orders import lock_billed_orders, refresh_paid, save_progress
from erp.trade.progress import to_bill
from kit.values.errors import BusinessError, Problem
from kit.values.money import ONE, ZERO, round_money
from oa.records.bulk import bulk_set, locked
from oa.records.commands import command
from oa.records.numbering import next_number

LINE_FACTS = ("billed", "expensed_cost")
INVOICES = Invoice.objects.select_related("customer__terms", "currency", "payment_terms")
COPIED = ("product", "description", "unit_id", "factor", "price", "discount", "tax_code", "tax_rate")


@transaction.atomic
def invoice_order(
    order: SalesOrder, quantities: Mapping[int, Decimal] | None = None, *, by: Any, date: dt.date | None = None
) -> Invoice:
    """Invoice what is delivered and not invoiced of an order, or the given quantities by order line."""
    order = lock_order(order)
    lines = order_lines([order])
    invoice, drafts = _draft(order, lines, quantities, by=by, date=date)
    invoice.save()
    for draft in drafts:
        draft.invoice = invoice
    return _post(invoice, drafts, [order], lines, by=by, new=True)


@transaction.atomic
def draft_invoice(
    order: SalesOrder, quantities: Mapping[int, Decimal] | None = None, *, by: Any, date: dt.date | None = None
) -> Invoice:
    """A draft of what is delivered and not invoiced of an order."""
    order = lock_order(order)
    invoice, drafts = _draft(order, order_lines([order]), quantities, by=by, date=date)
    invoice.save()
    write_lines(invoice, "invoice", drafts)
    return invoice


def _draft(
    order: SalesOrder,
    lines: Sequence[SalesOrderLine],
    quantities: Mapping[int, Decimal] | None,
    *,
    by: Any,
    date: dt.date | None,
) -> tuple[Invoice, list[InvoiceLine]]:
    if order.state not in ("confirmed", "closed"):
        raise BusinessError(_("%s is not confirmed and cannot be invoiced.") % order)
    if quantities is not None and quantities.keys() - {line.pk for line in lines}:
        raise BusinessError(_("Some lines are not on %s any more.") % order)
    wanted = {line: to_bill(line) if quantities is None else quantities.get(line.pk, ZERO) for line in lines}
    problems = [
        problem
        for line, quantity in wanted.items()
        if quantity and quantities is not None and (problem := quantity_problem(quantity, line.unit))
    ]
    if problems:
        raise BusinessError(problems=problems)
    taken = {line: quantity for line, quantity in wanted.items() if quantity > 0}
    if not taken:
        raise BusinessError(_("Nothing delivered is left to invoice on %s.") % order)
    day = date or timezone.localdate()
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
    drafts = []
    for position, (line, quantity) in enumerate(taken.items(), start=1):
        draft = InvoiceLine(position=position, order_line=line, quantity=quantity)
        for name in COPIED:
            setattr(draft, name, getattr(line, name))
        drafts.append(draft)
    _set_amounts(invoice, drafts)
    return invoice, drafts


def _rate(order: SalesOrder, date: dt.date) -> Decimal:
    """The exchange rate of the day of the invoice (rule G-17); the order's own where no rates are kept."""
    if order.rate == ONE:
        return ONE
    try:
        return rate_on(order.currency, date)
    except BusinessError:
        return order.rate


def _set_amounts(invoice: Invoice, drafts: Sequence[InvoiceLine], base_exponent: int = 2) -> None:
    """Amounts of the lines by the tax method of the invoice."""
    set_amounts(invoice, drafts, invoice.currency.exponent, base_exponent)


@command
def save_invoice(invoice: Invoice, lines: Sequence[LineInput], *, by: Any, version: int | None = None) -> Invoice:
    """Store a draft with its lines: parts of order lines (`origin`), or services without an order."""
    existing: list[InvoiceLine] = []
    if invoice.pk:
        current = locked(INVOICES, invoice.pk, version=version)
        if current.state != "draft":
            raise BusinessError(_("%s is posted and cannot be changed; reverse it.") % current)
        existing = list(current.lines.select_related("order_line__unit", "order_line__tax_code"))
        invoice.version = current.version + 1
    else:
        invoice.created_by = by
        invoice.owner_id = invoice.owner_id or invoice.customer.owner_id or (by.pk if by else None)
        invoice.department_id = invoice.department_id or invoice.customer.department_id
    check_inputs(lines)
    drafts = _build_lines(lines, existing)
    base = base_currency()
    if invoice.currency_id is None:
        invoice.currency = base
    if invoice.currency_id == base.pk:
        invoice.rate = ONE
    elif invoice.rate is None or invoice.rate == ONE:  # nobody typed a rate
        invoice.rate = rate_on(invoice.currency, invoice.date, base_code=base.code)
    _set_amounts(invoice, drafts, base.exponent)
    invoice.save()
    write_lines(invoice, "invoice", drafts, existing=existing)
    return invoice


def _build_lines(lines: Sequence[LineInput], existing: Sequence[InvoiceLine]) -> list[InvoiceLine]:
    """Lines of a draft; what is left open comes from the order line, for services without one from the product."""
    by_pk = {line.pk: line for line in existing}
    prefetch_related_objects([given.origin for given in lines if given.origin is not None], "unit", "tax_code")
    given_lines = [_from_origin(given, by_pk.get(given.pk) if given.pk else None) for given in lines]
    factors = unit_factors(given_lines)
    drafts, problems = [], []
    for row, given in enumerate(given_lines):
        draft = (by_pk.get(given.pk) if given.pk else None) or InvoiceLine(order_line=given.origin)
        fill_line(draft, given, row + 1, factors)
        draft.price = given.product.price if given.price is None else given.price
        origin = given.origin
        if origin is None and given.product.stocked:
            problems.append(Problem(_("Goods are invoiced from an order."), "product", row))
        elif origin is not None and origin.product_id != given.product.pk:
            problems.append(Problem(_("The order line is about another product."), "product", row))
        if origin is not None:
            draft.factor = origin.factor
            if draft.tax_code_id == origin.tax_code_id:
                draft.tax_rate = origin.tax_rate
        drafts.append(draft)
    if problems:
        raise BusinessError(problems=problems)
    return drafts


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


@transaction.atomic
def post_invoice(invoice: Invoice, *, by: Any, version: int | None = None) -> Invoice:
    """Post a draft: number, entry, open items, progress of its orders (rules G-02, A-01)."""
    invoice = locked(INVOICES, invoice.pk, version=version)
    INVOICE_STATES.check("post", invoice)
    drafts = list(invoice.lines.select_related("product__group", "tax_code"))
    keys = SalesOrderLine.objects.filter(pk__in=[d.order_line_id for d in drafts]).values("order")
    orders = list(HEAD.filter(pk__in=keys).order_by("pk").select_for_update(of=("self",)))
    return _post(invoice, drafts, orders, order_lines(orders), by=by)


def _post(
    invoice: Invoice,
    drafts: list[InvoiceLine],
    orders: Sequence[SalesOrder],
    lines: Sequence[SalesOrderLine],
    *,
    by: Any,
    new: bool = False,
) -> Invoice:
    """Common path of posting; everything it needs is locked and loaded. `new` lines are not stored yet."""
    context = posting_context(invoice.date, SALES)
    facts = {line.pk: line for line in lines}
    _check(invoice, drafts, facts)
    invoice.base_total = round_money(invoice.total * invoice.rate, context.exponent)
    for draft in drafts:
        _take_over(draft, facts, context)
    if new:
        InvoiceLine.objects.bulk_create(drafts)
    elif any(draft.cost for draft in drafts):
        bulk_set(drafts, ("cost",))
    dues = dues_of(invoice, invoice.payment_terms, 1, invoice.currency.exponent, context.exponent)
    _snapshot(invoice, dues)
    invoice.number = next_number(invoice.SEQUENCE, invoice.date)
    posted = post_entry(
        context,
        source_of(invoice),
        ledger_lines(context, invoice, drafts),
        by=by,
        memo=f"{_('Invoice')} {invoice.number} {invoice.customer}",
    )
    if posted and dues:
        open_items(
            source_of(invoice),
            posted[0],
            _receivable(context, invoice),
            dues,
            kind=ItemKind.INVOICE,
            date=invoice.date,
            currency_id=invoice.currency_id,
            customer_id=invoice.customer_id,
            owner_id=invoice.owner_id,
            department_id=invoice.department_id,
        )
    invoice.state, invoice.posted_at, invoice.posted_by = "posted", timezone.now(), by
    invoice.version += 1
    invoice.save()
    if orders:
        save_progress(orders, lines, LINE_FACTS)
    return invoice


def _check(invoice: Invoice, drafts: Sequence[InvoiceLine], facts: Mapping[int, SalesOrderLine]) -> None:
    check_blocked(terms_of(invoice.customer), INVOICING)
    problems = []
    for row, draft in enumerate(drafts):
        if draft.order_line_id is None:
            continue
        line = facts[draft.order_line_id]
        if line.order.customer_id != invoice.customer_id or line.order.currency_id != invoice.currency_id:
            problems.append(Problem(_("%s belongs to another customer or currency.") % line.order, row=row))
        elif draft.quantity > to_bill(line):
            problems.append(
                Problem(
                    _("Only %(open)s of %(product)s are delivered and not invoiced; you entered %(entered)s.")
                    % {
                        "open": f"{max(to_bill(line), ZERO).normalize():f}",
                        "product": line.product.code,
                        "entered": f"{draft.quantity.normalize():f}",
                    },
                    "quantity",
                    row,
                )
            )
    if problems:
        raise BusinessError(problems=problems)


def _take_over(draft: InvoiceLine, facts: Mapping[int, SalesOrderLine], context: PostingContext) -> None:
    """Carry the quantity to the order line and, where cost waited for the invoice, its share of the cost (D-04)."""
    if draft.order_line_id is None:
        return
    line = facts[draft.order_line_id]
    line.billed += draft.quantity
    if line.expensed_cost == line.delivered_cost:
        return
    invoiced = min(line.billed - line.credited, line.moved)
    share = line.delivered_cost
    if invoiced < line.moved:
        share = round_money(line.delivered_cost * invoiced / line.moved, context.exponent)
    draft.cost = max(share - line.expensed_cost, ZERO)
    line.expensed_cost += draft.cost


def _snapshot(invoice: Invoice, dues: Sequence[Due]) -> None:
    """Copy the party's data and the due date, which later edits of the masters must not change (G-25)."""
    customer = invoice.customer
    invoice.due_date = last_due(dues, invoice.date)
    invoice.open_amount = invoice.total
    invoice.billing_name = invoice.billing_name or customer.invoice_title or customer.name
    invoice.billing_tax_number = invoice.billing_tax_number or customer.tax_number
    address = customer.invoice_address or ", ".join(part for part in (customer.address, customer.city) if part)
    invoice.billing_address = (invoice.billing_address or address)[:400]


def _receivable(context: PostingContext, invoice: Invoice) -> int:
    terms = terms_of(invoice.customer)
    return context.account(Purpose.RECEIVABLE, None, terms.posting_group_id if terms else None)


def ledger_lines(context: PostingContext, invoice: Invoice, drafts: Sequence[InvoiceLine]) -> list[Line]:
    """Receivable against revenue by product group and output tax by tax code; cost where it waited for the invoice."""
    terms = terms_of(invoice.customer)
    partner_group = terms.posting_group_id if terms else None
    amounts: list[Amount] = []
    cost: list[Line] = []
    for draft in drafts:
        group = product_posting_group(draft.product)
        amounts.append((context.account(Purpose.REVENUE, group, partner_group), -draft.net))
        if draft.tax:
            if draft.tax_code is None or draft.tax_code.output_account_id is None:
                raise BusinessError(_("The tax code %s has no output tax account.") % (draft.tax_code or ""))
            amounts.append((draft.tax_code.output_account_id, -draft.tax))
        if draft.cost:
            cost.append(
                Line(
                    context.account(Purpose.COGS, group, partner_group), draft.cost, department_id=invoice.department_id
                )
            )
            cost.append(Line(context.account(Purpose.SHIPPED, group, partner_group), -draft.cost))
    control = Line(
        _receivable(context, invoice),
        invoice.base_total,
        currency_id=invoice.currency_id,
        currency_amount=invoice.total,
        rate=invoice.rate,
        customer_id=invoice.customer_id,
        department_id=invoice.department_id,
    )
    return base_lines(context, invoice, amounts, control) + cost


def refresh_invoices(keys: set[int]) -> None:
    """Derive what is open on invoices, and what is paid of their orders, from the open items."""
    refresh_paid(Invoice, InvoiceLine, SalesOrderLine, SalesOrder, keys, 1)


def _lock(keys: set[int]) -> None:
    lock_billed_orders(Invoice, InvoiceLine, SalesOrderLine, SalesOrder, keys)


def _posting_group(customer_id: int) -> int | None:
    return CustomerTerms.objects.filter(customer=customer_id).values_list("posting_group", flat=True).first()


on_settled["erp.invoice"] = refresh_invoices
lock_documents["erp.invoice"] = _lock
posting_group_of_customer[0] = _posting_group
