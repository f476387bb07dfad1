"""Sales invoices: post an order or a draft."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from erp.finance.context import SALES, PostingContext, posting_context
from erp.finance.ledger import Line, post_entry, source_of
from erp.finance.models.accounts import Purpose
from erp.finance.models.openitems import ItemKind
from erp.finance.openitems import Due, lock_documents, on_settled, open_items
from erp.finance.rights import allow, allow_making, allow_transition
from erp.finance.services.payments import posting_group_of_customer
from erp.inventory.ledger import plain
from erp.sales.credit import INVOICING, check_blocked, check_invoice_credit, terms_of
from erp.sales.models import CustomerTerms, Invoice, InvoiceLine, SalesOrder, SalesOrderLine
from erp.sales.models.invoices import INVOICE_STATES
from erp.sales.services.invoice_drafts import INVOICES, draft_of_order
from erp.sales.services.lines import lock_orders, order_lines
from erp.sales.services.orders import lock_order
from erp.trade.billing import Amount, base_lines, dues_of, last_due, product_posting_group
from erp.trade.orders import changed_since, lock_billed_orders, refresh_paid, save_progress
from erp.trade.progress import to_bill
from kit.rules.days import business_day
from kit.values.errors import BusinessError, Problem
from kit.values.money import ZERO, round_money
from oa.records.bulk import bulk_set, locked
from oa.records.numbering import next_number

LINE_FACTS = ("billed", "expensed_cost")


@transaction.atomic
def invoice_order(
    order: SalesOrder, quantities: Mapping[int, Decimal] | None = None, *, by: Any, date: dt.date | None = None
) -> Invoice:
    """Invoice what is delivered and not invoiced of an order, or the given quantities by order line."""
    order = lock_order(order)
    allow_making(by, Invoice, order)
    allow(by, "erp.post_invoice", INVOICE_STATES.transition("post").label)
    lines = order_lines([order])
    invoice, drafts = draft_of_order(order, lines, quantities, by=by, date=date)
    invoice.save()
    for draft in drafts:
        draft.invoice = invoice
    return _post(invoice, drafts, [order], lines, by=by, new=True)


@transaction.atomic
def post_invoice(invoice: Invoice, *, by: Any, version: int | None = None) -> Invoice:
    """Post a draft: number, entry, open items, progress of its orders (rules G-02, A-01)."""
    invoice = locked(INVOICES, invoice.pk, version=version)
    allow_transition(by, invoice, "post")
    orders = lock_orders(invoice)
    drafts = list(invoice.lines.select_related("product__group", "tax_code"))
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
    _check_credit(invoice, drafts)
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
    _post_entry(context, invoice, drafts, dues, by)
    invoice.state, invoice.posted_at, invoice.posted_by = "posted", timezone.now(), by
    invoice.version += 1
    invoice.save()
    if orders:
        save_progress(orders, lines, LINE_FACTS)
    if not invoice.total:
        refresh_invoices({invoice.pk})  # nothing is due, so no payment will ever tell that it is paid
    return invoice


def _check_credit(invoice: Invoice, drafts: Sequence[InvoiceLine]) -> None:
    """The credit check for what no order was checked for before (rule S-04, direct invoice)."""
    direct = sum((draft.net + draft.tax for draft in drafts if draft.order_line_id is None), ZERO)
    if direct:
        amount = round_money(direct * invoice.rate)
        invoice.warning = check_invoice_credit(invoice.customer, amount, business_day())


def _post_entry(
    context: PostingContext, invoice: Invoice, drafts: Sequence[InvoiceLine], dues: Sequence[Due], by: Any
) -> None:
    """The journal entry of a numbered invoice and what is due by it."""
    source, memo = source_of(invoice), f"{_('Invoice')} {invoice.number} {invoice.customer}"
    posted = post_entry(context, source, ledger_lines(context, invoice, drafts), by=by, memo=memo)
    if not posted or not dues:
        return
    open_items(
        source,
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


def _check(invoice: Invoice, drafts: Sequence[InvoiceLine], facts: Mapping[int, SalesOrderLine]) -> None:
    """Blocked customers, orders of others, and more than is delivered and not invoiced are refused (rule G-11)."""
    check_blocked(terms_of(invoice.customer), INVOICING)
    problems = []
    taken: dict[int, Decimal] = {}  # several lines may take from one order line
    for row, draft in enumerate(drafts):
        if draft.order_line_id is None:
            continue
        line = facts[draft.order_line_id]
        if line.order.customer_id != invoice.customer_id or line.order.currency_id != invoice.currency_id:
            problems.append(Problem(_("%s belongs to another customer or currency.") % line.order, row=row))
            continue
        if line.order.prices_include_tax != invoice.prices_include_tax:
            problems.append(Problem(_("%s has prices of the other kind, with or without tax.") % line.order, row=row))
            continue
        if problem := changed_since(draft, line, row):
            problems.append(problem)
            continue
        taken[line.pk] = taken.get(line.pk, ZERO) + draft.quantity
        if taken[line.pk] > to_bill(line):
            problems.append(
                Problem(
                    _("Only %(open)s of %(product)s are delivered and not invoiced; you entered %(entered)s.")
                    % {
                        "open": plain(max(to_bill(line), ZERO)),
                        "product": line.product.code,
                        "entered": plain(taken[line.pk]),
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
    invoice.due_date = last_due(dues, invoice.date)
    invoice.open_amount = invoice.total
    invoice.copy_billing_party()


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
