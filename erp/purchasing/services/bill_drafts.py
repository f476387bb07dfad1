"""Drafts of supplier bills: what of an order to bill, and what a person typed (rules P-09, P-11)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from erp.finance.currencies import base_currency
from erp.finance.models import ExchangeRate, JournalLine
from erp.finance.models.accounts import Control
from erp.finance.rights import allow_making, allow_saving
from erp.inventory.ledger import plain
from erp.inventory.models import MoveKind, StockMove
from erp.purchasing.matching import oldest_first
from erp.purchasing.models import Bill, BillLine, GoodsReceiptLine, PurchaseOrder, PurchaseOrderLine
from erp.purchasing.models.bills import BILL_STATES
from erp.purchasing.pricing import find_price
from erp.purchasing.services.orders import HEAD, LINES, check_taken, fill_currency, order_lines
from erp.trade.billing import refuse_own_amount, take_discount
from erp.trade.lines import LineInput, check_inputs, fill_line, set_amounts, unit_factors, write_lines
from erp.trade.models import PRICED
from kit.rules.days import business_day
from kit.rules.prepared import Prepared
from kit.values.errors import BusinessError, Problem
from kit.values.money import ONE, ZERO
from oa.organisation.models import CompanyProfile
from oa.records.bulk import lockable, locked
from oa.records.commands import command

BILLS = lockable(Bill.objects.select_related("supplier", "currency", "payment_terms"))
ORIGIN = ("move_id", "move_account", "grni_account", "moved_since")


def _origin(receipt: str, line: str) -> dict[str, Any]:
    """Annotations: the stock move of a receipt line, its inventory account and the clearing account.

    And whether its goods moved since in the same warehouse, or had been sold before; else all of what it brought
    is still there.
    """
    moves = StockMove.objects.filter(
        source="erp.goodsreceipt", source_id=OuterRef(receipt), source_line=OuterRef(line)
    ).exclude(kind=MoveKind.VALUE)
    clearing = JournalLine.objects.filter(
        entry__source="erp.goodsreceipt",
        entry__source_id=OuterRef(receipt),
        entry__purpose="post",
        account__control=Control.GRNI,
    )
    since = StockMove.objects.filter(
        product=OuterRef("product"),
        warehouse=OuterRef(receipt.replace("_id", "__warehouse")),
        date__gte=OuterRef(receipt.replace("_id", "__date")),
        pk__gt=OuterRef("move_id"),
    )
    return {
        "move_id": Subquery(moves.values("pk")[:1]),
        "moved_since": ExpressionWrapper(
            Q(Exists(since.exclude(kind=MoveKind.VALUE))) | Q(Exists(moves.filter(quantity_after__lt=F("quantity")))),
            BooleanField(),
        ),
        "move_account": Subquery(moves.values("account_id")[:1]),
        "grni_account": Subquery(clearing.values("account_id")[:1]),
    }


# Posted receipt lines that are not billed in full, oldest first.
UNBILLED = (
    GoodsReceiptLine.objects.filter(receipt__state="posted", receipt__reversal_of=None, billed__lt=F("quantity"))
    .select_related("receipt")
    .annotate(**_origin("receipt_id", "pk"))
    .order_by("receipt__date", "pk")
)
DRAFTED = BillLine.objects.select_related("product__group", "tax_code", "receipt_line__receipt").annotate(
    **_origin("receipt_line__receipt_id", "receipt_line_id")
)


@transaction.atomic
def draft_bill(
    order: PurchaseOrder,
    quantities: Mapping[int, Decimal] | None = None,
    *,
    by: Any,
    date: dt.date | None = None,
    supplier_number: str = "",
) -> Bill:
    """A draft of what is received and not billed of an order, to be compared with the supplier's invoice."""
    day = date or business_day()
    order = lock_with_rate(order, day)
    allow_making(by, Bill, order)
    base = base_currency()
    bill, drafts = draft_of_order(
        order,
        order_lines([order]),
        quantities,
        by=by,
        date=day,
        rate=rate_of(order, base.code),
        number=supplier_number,
        base_exponent=base.exponent,
    )
    save_head(bill)
    write_lines(bill, "bill", drafts)
    return bill


def _rated(key: int, day: dt.date) -> QuerySet[PurchaseOrder]:
    rates = ExchangeRate.objects.filter(currency=OuterRef("currency"), date__lte=day).order_by("-date")
    found = HEAD.filter(pk=key).annotate(day_rate=Subquery(rates.values("rate")[:1]))
    return found.order_by().select_for_update(of=("self",))


_RATED = Prepared(_rated, key=-7_310_001, day=dt.date(1970, 1, 2))


def lock_with_rate(order: PurchaseOrder, day: dt.date) -> PurchaseOrder:
    """`lock_order` that also brings the rate of the order's currency on `day` (`day_rate`)."""
    return locked(_RATED, order.pk, day=day)


def rate_of(order: Any, base_code: str) -> Decimal:
    """The rate of the day that `lock_with_rate` brought (rule G-17); the order's own where no rates are kept."""
    if order.currency.code == base_code:
        return ONE
    return order.day_rate or order.rate


def draft_of_order(
    order: PurchaseOrder,
    lines: Sequence[PurchaseOrderLine],
    quantities: Mapping[int, Decimal] | None,
    *,
    by: Any,
    date: dt.date,
    rate: Decimal,
    number: str,
    base_exponent: int,
) -> tuple[Bill, list[BillLine]]:
    """A bill of a locked order and its lines, not stored; `quantities` by order line, None for all received."""
    if order.state not in ("confirmed", "closed"):
        raise BusinessError(_("%s is not confirmed and cannot be billed.") % order)
    bill = Bill(
        supplier=order.supplier,
        supplier_number=number,
        currency=order.currency,
        rate=rate,
        payment_terms=order.payment_terms,
        tax_method=order.tax_method,
        prices_include_tax=order.prices_include_tax,
        date=date,
        owner_id=order.owner_id,
        department_id=order.department_id,
        created_by=by,
    )
    drafts: list[BillLine] = []
    for line, receipt, quantity in _parts(lines, quantities):
        drafts.append(_line_of(line, receipt, quantity, len(drafts) + 1))
    if not drafts:
        raise BusinessError(_("Nothing received is left to bill on %s.") % order)
    take_discount(bill, drafts, order, lines)
    set_amounts(bill, drafts, bill.currency.exponent, base_exponent)
    return bill, drafts


def _line_of(line: Any, receipt: GoodsReceiptLine | None, quantity: Decimal, position: int) -> BillLine:
    """A line that bills a part of an order line, and of a receipt line where it was received."""
    draft = BillLine(position=position, order_line=line, receipt_line=receipt, quantity=quantity)
    for name in PRICED:
        setattr(draft, name, getattr(line, name))
    for name in ORIGIN:
        setattr(draft, name, getattr(receipt, name, None))
    return draft


@transaction.atomic
def add_received(bill: Bill, *, by: Any, version: int | None = None) -> Bill:
    """Add what else the supplier delivered on the bill's terms: one invoice for several orders (rule P-09).

    The terms are currency, kind of prices and discount in percent; an order with a discount amount of its own is
    billed by itself.
    """
    bill = locked(BILLS, bill.pk, version=version)
    allow_saving(by, bill)
    _refuse_posted(bill)
    refuse_own_amount(bill)
    existing = list(bill.lines.order_by("position"))
    waiting = UNBILLED.filter(
        receipt__supplier=bill.supplier_id,
        order_line__order__currency=bill.currency_id,
        order_line__order__prices_include_tax=bill.prices_include_tax,
        order_line__order__discount=bill.discount,
        order_line__order__discount_amount=0,
        receipt__date__lte=bill.date,
    ).exclude(pk__in=[line.receipt_line_id for line in existing if line.receipt_line_id])
    drafts = list(existing)
    for receipt in waiting.select_related("order_line__product", "order_line__tax_code"):
        left = receipt.quantity - receipt.billed
        drafts.append(_line_of(receipt.order_line, receipt, left, len(drafts) + 1))
    if len(drafts) == len(existing):
        raise BusinessError(_("Nothing else of %s waits for its bill.") % bill.supplier)
    set_amounts(bill, drafts, bill.currency.exponent, base_currency().exponent)
    bill.version, bill.excess_allowed_by = bill.version + 1, None
    bill.save()
    write_lines(bill, "bill", drafts, existing=existing)
    return bill


def _refuse_posted(bill: Bill) -> None:
    if bill.state != BILL_STATES.initial:
        raise BusinessError(_("%s is posted and cannot be changed; reverse it.") % bill)


def _parts(
    lines: Sequence[PurchaseOrderLine], quantities: Mapping[int, Decimal] | None
) -> list[tuple[PurchaseOrderLine, GoodsReceiptLine | None, Decimal]]:
    """What to bill: order line, receipt line (none for a service that was not received), quantity."""
    check_taken(lines, quantities)
    by_line: dict[int, list[GoodsReceiptLine]] = {line.pk: [] for line in lines}
    for receipt in UNBILLED.filter(order_line__in=by_line):
        by_line[receipt.order_line_id].append(receipt)
    parts: list[tuple[PurchaseOrderLine, GoodsReceiptLine | None, Decimal]] = []
    problems = []
    for row, line in enumerate(lines):
        received = by_line[line.pk]
        everything = sum((receipt.quantity - receipt.billed for receipt in received), ZERO)
        wanted = everything if quantities is None else quantities.get(line.pk, ZERO)
        taken, rest = oldest_first(wanted, received)
        parts += [(line, receipt, quantity) for receipt, quantity in taken]
        if rest > 0 and line.product.stocked:
            problems.append(too_much(line, everything, wanted, row))
        elif rest > 0:
            parts.append((line, None, rest))
    if problems:
        raise BusinessError(problems=problems)
    return parts


def too_much(line: Any, left: Decimal, wanted: Decimal, row: int) -> Problem:
    """More is billed than was received (rule P-09)."""
    return Problem(
        _("Only %(open)s of %(product)s are received and not billed; you entered %(entered)s.")
        % {"open": plain(max(left, ZERO)), "product": line.product.code, "entered": plain(wanted)},
        "quantity",
        row,
    )


def save_head(bill: Bill) -> None:
    """Store a draft's head; refuses a supplier's invoice number that was entered already (rule P-11)."""
    bill.supplier_number = " ".join(bill.supplier_number.split())
    try:
        with transaction.atomic():
            bill.save()
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") != "bill_number_once":
            raise
        same = Bill.objects.filter(supplier=bill.supplier_id, supplier_number=bill.supplier_number)
        other = same.filter(reversal_of=None).exclude(state="reversed").exclude(pk=bill.pk).first()
        raise BusinessError(
            _("The invoice number %(number)s of %(supplier)s was entered already: %(other)s.")
            % {"number": bill.supplier_number, "supplier": bill.supplier, "other": other},
            field="supplier_number",
        ) from error


@command
def save_bill(bill: Bill, lines: Sequence[LineInput], *, by: Any, version: int | None = None) -> Bill:
    """Store a draft with its lines.

    `LineInput.origin` is the receipt line that a line is matched with, the order line of a service, or None for
    a cost of its own.
    """
    existing: list[BillLine] = []
    if bill.pk:
        current = locked(BILLS, bill.pk, version=version)
        _refuse_posted(current)
        existing = list(current.lines.all())
        bill.version, bill.excess_allowed_by = current.version + 1, None
    allow_saving(by, bill)
    check_inputs(lines)
    if not bill.supplier.active and not any(line.origin or line.pk for line in lines):
        raise BusinessError(_("%s is archived; choose another supplier.") % bill.supplier, field="supplier")
    exponent = _fill_head(bill, by)
    drafts = _build_lines(bill, lines, existing)
    set_amounts(bill, drafts, bill.currency.exponent, exponent)
    save_head(bill)
    write_lines(bill, "bill", drafts, existing=existing)
    return bill


def _fill_head(bill: Bill, by: Any) -> int:
    """Defaults from the supplier and the company; returns the decimals of the base currency."""
    supplier, company = bill.supplier, CompanyProfile.current()
    base = fill_currency(bill, supplier, company)
    if not bill.pk:
        bill.payment_terms_id = bill.payment_terms_id or supplier.payment_terms_id
        bill.tax_method = company.tax_method
        bill.created_by = by
        bill.owner_id = bill.owner_id or (by.pk if by else None)
        bill.department_id = bill.department_id or getattr(by, "department_id", None)
    return base.exponent


def _build_lines(bill: Bill, lines: Sequence[LineInput], existing: Sequence[BillLine]) -> list[BillLine]:
    """The lines of a draft; what is matched keeps product and unit of its order line."""
    by_pk = {line.pk: line for line in existing}
    drafts = [(by_pk.get(given.pk) if given.pk else None) or _matched(given.origin) for given in lines]
    parents = LINES.in_bulk({draft.order_line_id for draft in drafts if draft.order_line_id})
    for given, draft in zip(lines, drafts, strict=True):
        parent = parents.get(draft.order_line_id or 0)
        given.unit = parent.unit if parent else given.unit
    factors = unit_factors([given for given, draft in zip(lines, drafts, strict=True) if not draft.order_line_id])
    problems = []
    for row, (given, draft) in enumerate(zip(lines, drafts, strict=True)):
        parent = parents.get(draft.order_line_id or 0)
        if parent is not None and given.tax_code is None:
            given.tax_code = parent.tax_code
        fill_line(draft, given, row + 1, factors)
        draft.factor = parent.factor if parent else draft.factor
        usual = parent.price if parent else find_price(given.product, draft.factor, {}, bill.rate)
        draft.price = usual if given.price is None else given.price
        if parent is not None and draft.tax_code_id == parent.tax_code_id:
            draft.tax_rate = parent.tax_rate
        if parent is not None and parent.product_id != given.product.pk:
            problems.append(Problem(_("The line is matched with %s.") % parent.product, "product", row))
        elif draft.receipt_line_id is None and given.product.stocked:
            problems.append(not_received(given.product, row))
    if problems:
        raise BusinessError(problems=problems)
    return drafts


def _matched(origin: Any) -> BillLine:
    """A new line that takes from a receipt line, from an order line, or from nothing."""
    if isinstance(origin, GoodsReceiptLine):
        return BillLine(receipt_line=origin, order_line_id=origin.order_line_id)
    return BillLine(order_line=origin)


def not_received(product: Any, row: int) -> Problem:
    """Goods are billed when they are received."""
    return Problem(_("%s is kept in stock; bill it from a goods receipt.") % product.code, "product", row)
