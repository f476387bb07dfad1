"""Sales orders: draft, confirm, amend, hold, close, cancel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from erp.finance.currencies import base_currency, fill_rate
from erp.finance.models import Currency
from erp.finance.rights import allow, allow_saving, allow_transition
from erp.inventory.ledger import plain
from erp.sales.credit import apply_credit_check, check_blocked, terms_of
from erp.sales.models import Invoice, InvoiceLine, SalesOrder, SalesOrderLine
from erp.sales.models.orders import ORDER_STATES, Hold
from erp.sales.pricing import customer_prices, find_price, price_rule
from erp.sales.services.reservations import release_lines, reserve_lines
from erp.trade.lines import LineInput, check_inputs, fill_line, set_amounts, unit_factors, write_lines
from erp.trade.orders import derive_progress, kept_inputs, refresh_paid_order
from erp.trade.progress import to_move
from kit.rules.days import business_day
from kit.values.errors import BusinessError, Problem
from kit.values.money import ZERO
from oa.organisation.models import CompanyProfile
from oa.records.bulk import bulk_set, locked
from oa.records.commands import command
from oa.records.numbering import given_number, next_number

HEAD = SalesOrder.objects.select_related("customer__terms", "currency", "payment_terms", "warehouse")
AMENDABLE = ("required_date", "customer_reference", "ship_to", "ship_country", "note", "payment_terms_id")


def lock_order(order: SalesOrder, version: int | None = None) -> SalesOrder:
    """Lock an order with its customer's terms (first statement of every command)."""
    return locked(HEAD, order.pk, version=version)


def lines_of(order: SalesOrder) -> list[SalesOrderLine]:
    """All lines of a locked order with what posting needs of their products."""
    rows = order.lines.select_related("product__group", "unit", "tax_code").order_by("position")
    lines = list(rows)
    for line in lines:
        line.order = order
    return lines


@command
def save_order(order: SalesOrder, lines: Sequence[LineInput], *, by: Any, version: int | None = None) -> SalesOrder:
    """Store a draft with its lines; fills what was left open from the customer, the masters and price finding.

    `order` carries the head fields as typed; `version` is the one the person opened. Raises BusinessError.
    """
    existing: list[SalesOrderLine] = []
    if order.pk:
        current = lock_order(order, version)
        if current.state != ORDER_STATES.initial:
            raise BusinessError(_("%s is confirmed; amend it instead.") % current)
        existing = list(current.lines.all())
        order.version = current.version + 1
    allow_saving(by, order, order.customer)
    check_inputs(lines)
    _check_head(order)
    exponent = _fill_head(order, by)
    drafts = _build_lines(order, lines, existing)
    set_amounts(order, drafts, order.currency.exponent, exponent)
    order.save()
    write_lines(order, "order", drafts, existing=existing)
    return order


def _check_head(order: SalesOrder) -> None:
    """The customer is active (rule G-24), and contact and contract are the customer's own."""
    problems = []
    if not order.customer.active:
        problems.append(Problem(_("%s is archived; choose another customer.") % order.customer, "customer"))
    for name in ("contact", "contract"):
        value = getattr(order, name)
        if value is not None and value.customer_id != order.customer_id:
            message = _("%(value)s does not belong to %(owner)s.") % {"value": value, "owner": order.customer}
            problems.append(Problem(message, name))
    if problems:
        raise BusinessError(problems=problems)


def _fill_head(order: SalesOrder, by: Any) -> int:
    """Defaults from the customer's terms and the company; returns the decimals of the base currency."""
    terms = terms_of(order.customer)
    company = CompanyProfile.current()
    base = Currency.objects.get(code=company.base_currency)
    if order.currency_id is None:
        order.currency = terms.currency if terms is not None and terms.currency is not None else base
    fill_rate(order, base)
    if not order.pk:
        if order.payment_terms_id is None and terms is not None:
            order.payment_terms_id = terms.payment_terms_id
        order.tax_method = company.tax_method
        order.created_by = by
        order.owner_id = order.owner_id or order.customer.owner_id or (by.pk if by else None)
        order.department_id = order.department_id or order.customer.department_id or getattr(by, "department_id", None)
    if not order.ship_to:
        order.ship_to = ", ".join(part for part in (order.customer.address, order.customer.city) if part)
    order.ship_country = order.ship_country or order.customer.country
    return base.exponent


def _build_lines(
    order: SalesOrder, lines: Sequence[LineInput], existing: Sequence[SalesOrderLine]
) -> list[SalesOrderLine]:
    by_pk = {line.pk: line for line in existing}
    factors = unit_factors(lines)
    products = {line.product.pk for line in lines}
    agreed = customer_prices(order.customer_id, products, order.currency_id, order.date)
    terms = terms_of(order.customer)
    drafts = []
    for position, given in enumerate(lines, start=1):
        line = (by_pk.get(given.pk) if given.pk else None) or SalesOrderLine()
        if given.tax_code is None and given.taxed and terms is not None and terms.tax_code is not None:
            given.tax_code = terms.tax_code
        fill_line(line, given, position, factors)
        found = find_price(given.product, given.quantity, line.factor, agreed, order.rate)
        line.price = found.price if given.price is None else given.price
        line.price_rule = price_rule(given.price, found)
        line.warehouse = given.warehouse or order.warehouse
        line.due_date = given.due_date or order.required_date
        line.tolerance = given.tolerance
        drafts.append(line)
    return drafts


@transaction.atomic
def confirm_order(order: SalesOrder, *, by: Any, version: int | None = None, number: str | None = None) -> SalesOrder:
    """Issue the order: number, credit check, reservation of what is free (rules S-03, S-04, S-06).

    `number` is for orders that had one before they were imported.
    """
    order = lock_order(order, version)
    allow_transition(by, order, "confirm")
    lines = lines_of(order)
    if not lines:
        raise BusinessError(_("Enter at least one line."))
    _check_head(order)
    terms = terms_of(order.customer)
    check_blocked(terms)
    order.warning = apply_credit_check(terms, order, lines, business_day())
    if order.hold == Hold.NONE:
        reserve_lines(lines)
    order.number = given_number(order.SEQUENCE, number) if number else next_number(order.SEQUENCE, order.date)
    order.state, order.confirmed_at = "confirmed", timezone.now()
    derive_progress(order, lines)
    order.version += 1
    order.save()
    return order


@transaction.atomic
def cancel_order(order: SalesOrder, *, by: Any, reason: str = "", version: int | None = None) -> SalesOrder:
    """Cancel an order that has no posted deliveries or invoices (rule G-06); frees its reservations."""
    order = lock_order(order, version)
    allow_transition(by, order, "cancel")
    lines = lines_of(order)
    if any(line.moved or line.billed for line in lines):
        raise BusinessError(_children_message(order))
    release_lines(lines)
    order.state, order.closing_reason, order.hold = "cancelled", reason[:300], Hold.NONE
    order.version += 1
    order.save()
    return order


def _children_message(order: SalesOrder) -> str:
    """Names the posted documents that stand in the way (rule G-06)."""
    children = SalesOrderLine.objects.filter(order=order)
    numbers = set(
        children.filter(delivery_lines__delivery__state="posted").values_list(
            "delivery_lines__delivery__number", flat=True
        )
    )
    numbers |= set(
        children.filter(invoice_lines__invoice__state="posted").values_list("invoice_lines__invoice__number", flat=True)
    )
    return _("%(order)s has posted documents: %(numbers)s. Reverse them first.") % {
        "order": order,
        "numbers": ", ".join(sorted(n for n in numbers if n)),
    }


@transaction.atomic
def close_order(order: SalesOrder, *, by: Any, reason: str = "", version: int | None = None) -> SalesOrder:
    """Short-close: give up the open quantities of every line with a reason (rule G-09)."""
    order = lock_order(order, version)
    allow_transition(by, order, "close")
    if not reason.strip():
        raise BusinessError(_("Enter the reason."), field="reason")
    lines = lines_of(order)
    release_lines(lines)
    for line in lines:
        line.cancelled += to_move(line)
    bulk_set(lines, ("cancelled",))
    order.closing_reason = reason.strip()[:300]
    derive_progress(order, lines)
    order.version += 1
    order.save()
    refresh_order(order)
    return order


def refresh_order(order: SalesOrder) -> None:
    """Derive what is paid of an order whose total or open quantities changed."""
    order.paid_percent = refresh_paid_order(Invoice, InvoiceLine, SalesOrderLine, order)


@transaction.atomic
def reopen_order(order: SalesOrder, *, by: Any, version: int | None = None) -> SalesOrder:
    """Take back a short-close; the credit check runs again (rule G-09).

    An order that waits for its last invoice is confirmed although its rest was given up: it reopens as well.
    """
    order = lock_order(order, version)
    lines = lines_of(order)
    given_up = any(line.cancelled for line in lines)
    if order.state == "confirmed" and given_up:
        allow(by, "erp.close_salesorder", ORDER_STATES.transition("reopen").label, order)
    else:
        allow_transition(by, order, "reopen")
    if not given_up:
        raise BusinessError(_("Everything on %s is delivered and invoiced; there is nothing to reopen.") % order)
    for line in lines:
        line.cancelled = ZERO
    bulk_set(lines, ("cancelled",))
    terms = terms_of(order.customer)
    check_blocked(terms)
    order.warning = apply_credit_check(terms, order, lines, business_day())
    derive_progress(order, lines)
    if order.hold == Hold.NONE:
        reserve_lines(lines)
    order.closing_reason = ""
    order.version += 1
    order.save()
    refresh_order(order)
    return order


@transaction.atomic
def amend_order(order: SalesOrder, lines: Sequence[LineInput], *, by: Any, version: int | None = None) -> SalesOrder:
    """Change a confirmed order: a new revision whose old state the history keeps (rule G-08).

    `order` carries the head fields as typed. No line may fall below what was delivered or invoiced, a price
    changes only while nothing of the line is invoiced; credit is checked again when the amount rises.
    """
    current = lock_order(order, version)
    allow_saving(by, current)
    if current.state != "confirmed":
        raise BusinessError(_("Only a confirmed order can be amended."))
    check_inputs(lines)
    existing = lines_of(current)
    _check_amendment(lines, existing)
    before = current.base_total
    agreed = {line.pk: (line.tax_code_id, line.tax_rate, line.price, line.price_rule) for line in existing}
    for name in AMENDABLE:
        setattr(current, name, getattr(order, name))
    release_lines(existing)
    drafts = _build_lines(current, kept_inputs(lines, existing), existing)
    _keep_agreed(drafts, agreed)
    set_amounts(current, drafts, current.currency.exponent, base_currency().exponent)
    write_lines(current, "order", drafts, existing=existing)
    terms = terms_of(current.customer)
    current.warning = ""
    if current.base_total > before:
        check_blocked(terms)
        current.warning = apply_credit_check(terms, current, drafts, business_day())
    drafts = lines_of(current)
    if current.hold == Hold.NONE:
        reserve_lines(drafts)
    current.revision += 1
    derive_progress(current, drafts)
    current.version += 1
    current.save()
    refresh_order(current)
    return current


def _keep_agreed(drafts: Sequence[SalesOrderLine], agreed: Mapping[int, tuple[Any, ...]]) -> None:
    """Tax rates are those of the day of the order (rule G-25); what was given up is at most what is not used."""
    for line in drafts:
        tax_code_id, tax_rate, price, price_rule_before = agreed.get(line.pk or 0, (None,) * 4)
        if line.pk and line.tax_code_id == tax_code_id:
            line.tax_rate = tax_rate
        if line.pk and line.price == price:
            line.price_rule = price_rule_before
        line.cancelled = max(ZERO, min(line.cancelled, line.quantity - max(line.moved, line.billed)))


def _check_amendment(lines: Sequence[LineInput], existing: Sequence[SalesOrderLine]) -> None:
    given = {line.pk: (row, line) for row, line in enumerate(lines) if line.pk}
    problems = []
    for old in existing:
        used = max(old.moved, old.billed)
        row, new = given.get(old.pk, (None, None))
        if used and (new is None or new.product.pk != old.product_id or row is None):
            problems.append(Problem(_("Line %s is delivered or invoiced and must stay.") % old.position))
            continue
        if new is None or row is None:
            continue
        if used:
            problems += _line_problems(old, new, used, row)
    if problems:
        raise BusinessError(problems=problems)


def _line_problems(old: SalesOrderLine, new: LineInput, used: Decimal, row: int) -> list[Problem]:
    """What may not change on a line that is delivered or invoiced in part."""
    problems = []
    if new.quantity < used:
        problems.append(
            Problem(
                _("%(used)s are delivered or invoiced; the quantity cannot be less.") % {"used": plain(used)},
                "quantity",
                row,
            )
        )
    if new.unit is not None and new.unit.pk != old.unit_id:
        problems.append(Problem(_("The line is delivered or invoiced; its unit cannot change any more."), "unit", row))
    repriced = (new.price is not None and new.price != old.price) or new.discount != old.discount
    if old.billed and (repriced or (new.tax_code is not None and new.tax_code.pk != old.tax_code_id)):
        problems.append(Problem(_("The line is invoiced; its price and tax cannot change any more."), "price", row))
    return problems
