"""Sales orders: draft, confirm, amend, hold, close, cancel."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from erp.finance.currencies import fill_rate
from erp.finance.models import Currency
from erp.finance.rights import allow, allow_saving, allow_transition
from erp.sales import approving
from erp.sales.credit import apply_credit_check, check_blocked, terms_of
from erp.sales.models import DeliveryLine, Invoice, InvoiceLine, SalesOrder, SalesOrderLine
from erp.sales.models.orders import ORDER_STATES, Hold
from erp.sales.pricing import customer_prices, find_price, price_rule
from erp.sales.services.reservations import release_lines, reserve_lines
from erp.trade.excess import agree_tolerances
from erp.trade.lines import LineInput, check_inputs, fill_line, set_amounts, unit_factors, write_lines
from erp.trade.orders import (
    Amendment,
    amend,
    check_own_units,
    check_warehouses,
    derive_progress,
    refresh_paid_order,
)
from erp.trade.progress import to_move
from kit.rules.days import business_day
from kit.values.errors import BusinessError, Problem
from kit.values.money import ZERO
from oa.organisation.models import CompanyProfile
from oa.records.bulk import bulk_set, lockable, locked
from oa.records.commands import command
from oa.records.numbering import given_number, next_number

HEAD = SalesOrder.objects.select_related(
    "customer__terms__credit_of__terms", "currency", "payment_terms", "warehouse"
).annotate(flow_in_force=models.Exists(approving.FLOWS))
_HEAD = lockable(HEAD)
AMENDABLE = (
    "required_date",
    "customer_reference",
    "ship_to",
    "ship_country",
    "note",
    "payment_terms_id",
    "discount",
    "discount_amount",
)


def lock_order(order: SalesOrder, version: int | None = None) -> SalesOrder:
    """Lock an order with its customer's terms (first statement of every command)."""
    return locked(_HEAD, order.pk, version=version)


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
            raise BusinessError(_not_a_draft(current))
        existing = list(current.lines.all())
        order.version = current.version + 1
    allow_saving(by, order, order.customer)
    check_inputs(lines)
    agree_tolerances(lines, existing, by=by)
    _check_head(order)
    check_warehouses((order.warehouse, *(line.warehouse for line in lines if line.pk is None)))
    exponent = _fill_head(order, by)
    drafts = _build_lines(order, lines, existing)
    check_own_units(drafts)
    set_amounts(order, drafts, order.currency.exponent, exponent)
    order.save()
    write_lines(order, "order", drafts, existing=existing)
    return order


def _not_a_draft(order: SalesOrder) -> str:
    if order.state == "approving":
        return _("%s is in approval; withdraw it before you change it.") % order
    return _("%s is confirmed; amend it instead.") % order


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
        kept = given.agreed is not None and given.agreed.price == line.price
        line.price_rule = given.agreed.price_rule if kept else price_rule(given.price, found)
        line.warehouse = given.warehouse or order.warehouse
        line.due_date = given.due_date or order.required_date
        line.tolerance = given.tolerance
        drafts.append(line)
    return drafts


AMENDMENT = Amendment(
    fields=AMENDABLE,
    build=_build_lines,
    drafts=DeliveryLine.objects.filter(delivery__state="draft"),
    document=Invoice,
    used=gettext_lazy("delivered or invoiced"),
    waiting=gettext_lazy(
        "%(quantity)s of this line are delivered and not invoiced. Invoice them first, at the price that holds for"
        " them; then change the price of the rest."
    ),
    billed=gettext_lazy(
        "This line is invoiced in full; its price and tax cannot change any more. Add a line at the new price instead."
    ),
)


@transaction.atomic
def confirm_order(order: SalesOrder, *, by: Any, version: int | None = None, number: str | None = None) -> SalesOrder:
    """Issue the order: number, credit check, reservation of what is free (rules S-03, S-04, S-06).

    `number` is for orders that had one before they were imported. An order that an approval flow asks for is refused:
    it is submitted, and the last approval confirms it (rule X-10).
    """
    order = lock_order(order, version)
    allow_transition(by, order, "confirm")
    why = approving.needed_for(order, by) if getattr(order, "flow_in_force", True) else ""
    if why:
        raise BusinessError(_("This order needs approval (%s). Submit it for approval.") % why)
    return _issue(order, number)


def _issue(order: SalesOrder, number: str | None = None) -> SalesOrder:
    """Confirm a locked order."""
    lines = lines_of(order)
    if not lines:
        raise BusinessError(_("Enter at least one line."))
    _check_head(order)
    check_blocked(terms_of(order.customer))
    order.warning = apply_credit_check(order, lines, business_day())
    if order.hold == Hold.NONE:
        reserve_lines(lines)
    order.number = given_number(order.SEQUENCE, number) if number else next_number(order.SEQUENCE, order.date)
    order.copy_party(order.customer)
    order.state, order.confirmed_at = "confirmed", timezone.now()
    derive_progress(order, lines)
    order.version += 1
    order.save()
    return order


@transaction.atomic
def go_on_approved(order: SalesOrder) -> SalesOrder:
    """What approval means: a draft is confirmed, an amended order is not on hold any more (rules X-07, X-08)."""
    order = lock_order(order)
    if order.state == "approving":
        ORDER_STATES.check("approve", order)
        return _issue(order)
    lines = lines_of(order)
    check_blocked(terms_of(order.customer))
    order.hold, order.hold_reason = Hold.NONE, ""
    order.warning = apply_credit_check(order, lines, business_day())
    if order.hold == Hold.NONE:
        reserve_lines(lines)
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
    check_blocked(terms_of(order.customer))
    order.warning = apply_credit_check(order, lines, business_day())
    derive_progress(order, lines)
    if order.hold == Hold.NONE:
        reserve_lines(lines)
    order.closing_reason = ""
    order.version += 1
    order.save()
    refresh_order(order)
    return order


def _not_now(order: SalesOrder) -> str:
    return _("The change of %s is in approval; withdraw it before you change the order again.") % order


def _ask_again(order: SalesOrder, by: Any) -> None:
    """What was approved is not what the order says now: it waits on hold for a new run (rule X-08)."""
    why = approving.needed_for(order, by)
    if why:
        order.hold, order.hold_reason = Hold.APPROVAL, _("changed after approval: %s") % why
    elif order.hold == Hold.APPROVAL:
        order.hold, order.hold_reason = Hold.NONE, ""


@transaction.atomic
def amend_order(order: SalesOrder, lines: Sequence[LineInput], *, by: Any, version: int | None = None) -> SalesOrder:
    """Change a confirmed order: a new revision whose old state the history keeps (rule G-08).

    `order` carries the head fields as typed. No line may fall below what was delivered or invoiced; a new price
    holds for what is not invoiced yet; credit is checked again when the amount rises.
    """
    current = lock_order(order, version)
    allow_saving(by, current)
    existing, before = lines_of(current), current.base_total
    if current.hold == Hold.APPROVAL and approving.requests_of(current).filter(state="running").exists():
        raise BusinessError(_not_now(current))
    held = [copy(line) for line in existing]
    agree_tolerances(lines, existing, by=by)
    drafts = amend(current, order, lines, existing, AMENDMENT)
    current.warning = ""
    if current.base_total > before:
        check_blocked(terms_of(current.customer))
        current.warning = apply_credit_check(current, drafts, business_day())
    release_lines(held)  # after the customer's terms are locked (lock order)
    drafts = lines_of(current)
    if getattr(current, "flow_in_force", True):
        _ask_again(current, by)
    if current.hold == Hold.NONE:
        reserve_lines(drafts)
    derive_progress(current, drafts)
    current.version += 1
    current.save()
    refresh_order(current)
    return current
