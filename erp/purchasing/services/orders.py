"""Purchase orders: draft, confirm, amend, close, cancel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from erp.finance.currencies import rate_on
from erp.finance.models import Currency, Supplier
from erp.finance.rights import allow_saving, allow_transition
from erp.purchasing.models import Bill, BillLine, GoodsReceiptLine, PurchaseOrder, PurchaseOrderLine
from erp.purchasing.models.orders import PURCHASE_STATES
from erp.purchasing.pricing import find_price, order_prices
from erp.trade.excess import agree_tolerances
from erp.trade.lines import (
    LineInput,
    check_inputs,
    check_quantities,
    fill_line,
    set_amounts,
    unit_factors,
    write_lines,
)
from erp.trade.orders import (
    Amendment,
    amend,
    check_own_units,
    check_warehouses,
    derive_progress,
    refresh_paid_order,
)
from erp.trade.progress import to_move
from kit.values.errors import BusinessError
from kit.values.money import ONE, ZERO
from oa.organisation.models import CompanyProfile
from oa.records.bulk import bulk_set, lockable, locked
from oa.records.commands import command
from oa.records.numbering import given_number, next_number

HEAD = PurchaseOrder.objects.select_related("supplier", "currency", "payment_terms", "warehouse")
_HEAD = lockable(HEAD)
LINES = PurchaseOrderLine.objects.select_related("product__group", "product__unit", "unit", "tax_code")
AMENDABLE = ("required_date", "supplier_reference", "note", "payment_terms_id", "discount", "discount_amount")


def lock_order(order: PurchaseOrder, version: int | None = None) -> PurchaseOrder:
    """Lock an order (first statement of every command)."""
    return locked(_HEAD, order.pk, version=version)


def order_lines(orders: Sequence[PurchaseOrder], rows: Any = LINES) -> list[PurchaseOrderLine]:
    """All lines of locked orders with what posting needs of their products; `rows` may tell more about them."""
    by_pk = {order.pk: order for order in orders}
    lines = list(rows.filter(order__in=by_pk).order_by("order", "position"))
    for line in lines:
        line.order = by_pk[line.order_id]
    return lines


def check_taken(lines: Sequence[PurchaseOrderLine], quantities: Mapping[int, Decimal] | None) -> None:
    """Refuse quantities by order line that are negative, do not fit the unit, or are of other lines."""
    if quantities is None:
        return
    if quantities.keys() - {line.pk for line in lines}:
        raise BusinessError(_("Some lines are not on the order any more."))
    check_quantities(lines, quantities)


def check_supplier(supplier: Supplier) -> None:
    """Refuse orders to archived and blocked suppliers (rule G-24)."""
    if not supplier.active:
        raise BusinessError(_("%s is archived; choose another supplier.") % supplier, field="supplier")
    if supplier.blocked:
        raise BusinessError(
            _("%s is blocked for orders and payments. Choose another supplier, or ask accounting.") % supplier,
            field="supplier",
        )


@command
def save_order(
    order: PurchaseOrder, lines: Sequence[LineInput], *, by: Any, version: int | None = None
) -> PurchaseOrder:
    """Store a draft with its lines; fills what was left open from the supplier, the masters and earlier orders.

    `order` carries the head fields as typed; `version` is the one the person opened. Raises BusinessError.
    """
    existing: list[PurchaseOrderLine] = []
    if order.pk:
        current = lock_order(order, version)
        if current.state != PURCHASE_STATES.initial:
            raise BusinessError(_("%s is confirmed; amend it instead.") % current)
        existing = list(current.lines.all())
        order.version = current.version + 1
    allow_saving(by, order)
    check_inputs(lines)
    agree_tolerances(lines, existing, by=by)
    check_supplier(order.supplier)
    check_warehouses((order.warehouse, *(line.warehouse for line in lines if line.pk is None)))
    exponent = _fill_head(order, by)
    drafts = _build_lines(order, lines, existing)
    check_own_units(drafts)
    set_amounts(order, drafts, order.currency.exponent, exponent)
    order.save()
    write_lines(order, "order", drafts, existing=existing)
    return order


def _fill_head(order: PurchaseOrder, by: Any) -> int:
    """Defaults from the supplier and the company; returns the decimals of the base currency."""
    supplier, company = order.supplier, CompanyProfile.current()
    base = fill_currency(order, supplier, company)
    if not order.pk:
        order.payment_terms_id = order.payment_terms_id or supplier.payment_terms_id
        order.tax_method = company.tax_method
        order.created_by = by
        order.owner_id = order.owner_id or (by.pk if by else None)
        order.department_id = order.department_id or getattr(by, "department_id", None)
    return base.exponent


def fill_currency(document: Any, supplier: Supplier, company: CompanyProfile) -> Currency:
    """Set what is open of a draft's currency and rate (rule G-17); returns the base currency."""
    base = Currency.objects.get(code=company.base_currency)
    if document.currency_id is None:
        document.currency = supplier.currency or base
    if document.currency_id == base.pk:
        document.rate = ONE
    elif document.rate is None or document.rate == ONE:  # nobody typed a rate
        document.rate = rate_on(document.currency, document.date, base_code=base.code)
    return base


def _build_lines(
    order: PurchaseOrder, lines: Sequence[LineInput], existing: Sequence[PurchaseOrderLine]
) -> list[PurchaseOrderLine]:
    by_pk = {line.pk: line for line in existing}
    factors = unit_factors(lines)
    open_prices = {line.product.pk for line in lines if line.price is None}
    last = order_prices(order, open_prices) if open_prices else {}
    drafts = []
    for position, given in enumerate(lines, start=1):
        line = (by_pk.get(given.pk) if given.pk else None) or PurchaseOrderLine()
        fill_line(line, given, position, factors)
        line.price = find_price(given.product, line.factor, last, order.rate) if given.price is None else given.price
        line.warehouse = given.warehouse or order.warehouse
        line.due_date = given.due_date or order.required_date
        line.tolerance = given.tolerance
        drafts.append(line)
    return drafts


AMENDMENT = Amendment(
    fields=AMENDABLE,
    build=_build_lines,
    drafts=GoodsReceiptLine.objects.filter(receipt__state="draft"),
    document=Bill,
    used=gettext_lazy("received or billed"),
    waiting=gettext_lazy(
        "%(quantity)s of this line are received and not billed. Post their bill first, at the price that holds for"
        " them; then change the price of the rest."
    ),
    billed=gettext_lazy(
        "This line is billed in full; its price and tax cannot change any more. Add a line at the new price instead."
    ),
)


@transaction.atomic
def confirm_order(
    order: PurchaseOrder, *, by: Any, version: int | None = None, number: str | None = None
) -> PurchaseOrder:
    """Issue the order: it gets its number and waits for goods.

    `number` is for orders that had one before they were imported.
    """
    order = lock_order(order, version)
    allow_transition(by, order, "confirm")
    lines = order_lines([order])
    if not lines:
        raise BusinessError(_("Enter at least one line."))
    check_supplier(order.supplier)
    order.number = given_number(order.SEQUENCE, number) if number else next_number(order.SEQUENCE, order.date)
    order.copy_party(order.supplier)
    order.state, order.confirmed_at = "confirmed", timezone.now()
    derive_progress(order, lines)
    order.version += 1
    order.save()
    return order


@transaction.atomic
def cancel_order(order: PurchaseOrder, *, by: Any, reason: str = "", version: int | None = None) -> PurchaseOrder:
    """Cancel an order that has no posted receipts or bills (rule G-06)."""
    order = lock_order(order, version)
    allow_transition(by, order, "cancel")
    lines = order_lines([order])
    if any(line.moved or line.billed for line in lines):
        raise BusinessError(_children_message(order))
    order.state, order.closing_reason = "cancelled", reason.strip()[:300]
    order.version += 1
    order.save()
    return order


def _children_message(order: PurchaseOrder) -> str:
    """Names the posted documents that stand in the way (rule G-06)."""
    children = PurchaseOrderLine.objects.filter(order=order)
    numbers = set(
        children.filter(receipt_lines__receipt__state="posted", receipt_lines__receipt__reversal_of=None).values_list(
            "receipt_lines__receipt__number", flat=True
        )
    )
    numbers |= set(
        children.filter(bill_lines__bill__state="posted", bill_lines__bill__reversal_of=None).values_list(
            "bill_lines__bill__number", flat=True
        )
    )
    return _("%(order)s has posted documents: %(numbers)s. Reverse them first.") % {
        "order": order,
        "numbers": ", ".join(sorted(n for n in numbers if n)),
    }


@transaction.atomic
def close_order(order: PurchaseOrder, *, by: Any, reason: str = "", version: int | None = None) -> PurchaseOrder:
    """Short-close: give up the open quantities of every line with a reason (rule G-09).

    What was received can still be billed; the order is completed with its last bill.
    """
    order = lock_order(order, version)
    allow_transition(by, order, "close")
    if not reason.strip():
        raise BusinessError(_("Enter the reason."), field="reason")
    lines = order_lines([order])
    for line in lines:
        line.cancelled += to_move(line)
    bulk_set(lines, ("cancelled",))
    order.closing_reason = reason.strip()[:300]
    derive_progress(order, lines)
    order.version += 1
    order.save()
    _refresh_paid(order)
    return order


def _refresh_paid(order: PurchaseOrder) -> None:
    """Derive what is paid of an order whose total or open quantities changed."""
    order.paid_percent = refresh_paid_order(Bill, BillLine, PurchaseOrderLine, order)


@transaction.atomic
def reopen_order(order: PurchaseOrder, *, by: Any, version: int | None = None) -> PurchaseOrder:
    """Take back a short-close (rule G-09).

    An order that waits for its last bill is confirmed although its rest was given up: it reopens as well.
    """
    order = lock_order(order, version)
    lines = order_lines([order])
    given_up = any(line.cancelled for line in lines)
    if not (order.state == "confirmed" and given_up):
        allow_transition(by, order, "reopen")
    if not given_up:
        raise BusinessError(_("Everything on %s is received and billed; there is nothing to reopen.") % order)
    check_supplier(order.supplier)
    for line in lines:
        line.cancelled = ZERO
    bulk_set(lines, ("cancelled",))
    derive_progress(order, lines)
    order.closing_reason = ""
    order.version += 1
    order.save()
    _refresh_paid(order)
    return order


@transaction.atomic
def amend_order(
    order: PurchaseOrder, lines: Sequence[LineInput], *, by: Any, version: int | None = None
) -> PurchaseOrder:
    """Change a confirmed order: a new revision whose old state the history keeps (rule G-08).

    `order` carries the head fields as typed. No line may fall below what was received or billed; a new price
    holds for what is not billed yet.
    """
    current = lock_order(order, version)
    allow_saving(by, current)
    before = current.base_total
    existing = order_lines([current])
    agree_tolerances(lines, existing, by=by)
    drafts = amend(current, order, lines, existing, AMENDMENT)
    if current.base_total > before:
        check_supplier(current.supplier)
    derive_progress(current, drafts)
    current.version += 1
    current.save()
    _refresh_paid(current)
    return current
