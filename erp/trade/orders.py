"""What happens to orders of both directions: amendment, progress, completion, payment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, models
from django.utils.translation import gettext as _

from erp.finance.currencies import base_currency
from erp.inventory.ledger import plain
from erp.inventory.units import own_unit_problems
from erp.trade.amounts import Discount, shown_amount
from erp.trade.billing import discount_given
from erp.trade.lines import LineInput, check_inputs, set_amounts, write_lines
from erp.trade.progress import billing_status, done, goods_status, order_percents, to_bill
from kit.values.errors import BusinessError, Problem
from kit.values.money import ZERO, round_money
from oa.records.bulk import bulk_set, bulk_set_all

PROGRESS = ("state", "goods_status", "billing_status", "goods_percent", "billed_percent")


def derive_progress(order: Any, lines: Sequence[Any]) -> None:
    """Set the derived columns of `order` from the facts on its lines, idempotently (rule G-11).

    A confirmed order whose lines are all done is closed; one that a reversal opened again is confirmed.
    """
    order.goods_status, order.billing_status = goods_status(lines), billing_status(lines)
    order.goods_percent, order.billed_percent = order_percents(lines)
    finished = all(done(line) for line in lines)
    if order.state == "confirmed" and finished:
        order.state = "closed"
    elif order.state == "closed" and not finished:
        order.state = "confirmed"


def save_progress(
    orders: Sequence[Any],
    lines: Sequence[Any],
    line_fields: Sequence[str],
    *others: tuple[Sequence[Any], Sequence[str]],
) -> None:
    """Derive and store the progress of locked `orders`; `lines` are all their lines.

    `others` are further (rows, fields) to store in the same statement.
    """
    for order in orders:
        derive_progress(order, [line for line in lines if line.order_id == order.pk])
    bulk_set_all((lines, line_fields), (orders, PROGRESS), *others)


@dataclass(frozen=True)
class Amendment:
    """What differs between sales and purchase orders when they are amended, by the words a clerk reads too."""

    fields: tuple[str, ...]  # of the head
    build: Callable[[Any, Sequence[LineInput], Sequence[Any]], list[Any]]  # (order, inputs, existing) -> lines
    drafts: models.QuerySet[Any]  # lines of deliveries or receipts that are not posted
    document: type[models.Model]  # the invoice or bill
    used: Any  # delivered or invoiced
    waiting: Any  # what to do about goods that are moved and not billed
    billed: Any  # why nothing is left to change the price of


def amend(order: Any, typed: Any, lines: Sequence[LineInput], existing: Sequence[Any], kind: Amendment) -> list[Any]:
    """Give a locked order the head of `typed` and `lines` as a new revision; returns the lines (rule G-08).

    No line falls below what was moved or billed. Where price or tax of a line changes after a part was billed,
    this part stays as a line of its own and the rest goes on as a new one. Raises BusinessError.
    """
    if order.state != "confirmed":
        raise BusinessError(_("Only a confirmed order can be amended."))
    check_warehouses(line.warehouse for line in lines if line.pk is None)
    kept = kept_inputs(lines, existing)
    check_inputs(kept)
    _check_amendment(kept, existing, kind)
    _check_discount(order, typed, existing, kind)
    inputs = _parted(kept, kind)
    for name in kind.fields:
        setattr(order, name, getattr(typed, name))
    drafts = kind.build(order, inputs, existing)
    keep_agreed(drafts, inputs)
    check_own_units(drafts)
    set_amounts(order, drafts, order.currency.exponent, base_currency().exponent)
    _check_rest(order, drafts, kind)
    write_lines(order, "order", drafts, existing=existing)
    _follow(drafts, inputs, kind)
    order.revision += 1
    return drafts


def kept_inputs(lines: Sequence[LineInput], existing: Sequence[Any]) -> list[LineInput]:
    """What an amendment leaves open on a line that exists stays as it was agreed (rule G-08)."""
    models.prefetch_related_objects(list(existing), "warehouse")
    by_pk = {line.pk: copy(line) for line in existing}
    kept = []
    for given in lines:
        old = by_pk.get(given.pk) if given.pk else None
        if old is not None and old.product_id == given.product.pk:
            given = replace(
                given,
                price=old.price if given.price is None else given.price,
                unit=given.unit or old.unit,
                tax_code=given.tax_code or (old.tax_code if given.taxed else None),
                taxed=given.taxed and (given.tax_code or old.tax_code) is not None,
                description=given.description or old.description,
                warehouse=given.warehouse or old.warehouse,
                due_date=given.due_date or old.due_date,
                agreed=old,
            )
        kept.append(given)
    return kept


def keep_agreed(lines: Sequence[Any], inputs: Sequence[LineInput]) -> None:
    """What was given up of an amended line stays given up, at most what is not used of it (rule G-09)."""
    for line, given in zip(lines, inputs, strict=True):
        given_up = (given.agreed or line).cancelled
        line.cancelled = max(ZERO, min(given_up, line.quantity - max(line.moved, line.billed)))


def _check_amendment(lines: Sequence[LineInput], existing: Sequence[Any], kind: Amendment) -> None:
    """Lines that are moved or billed stay, with their unit and at least the quantity that is used."""
    given = {line.pk: (row, line) for row, line in enumerate(lines) if line.pk}
    problems: list[Problem] = []
    for old in existing:
        if not (old.moved or old.billed):
            continue
        row, new = given.get(old.pk, (None, None))
        if new is None or new.agreed is None:
            message = _("Line %(line)s is %(used)s and must stay.")
            problems.append(Problem(message % {"line": old.position, "used": kind.used}))
            continue
        used = max(old.moved - old.returned_replace, old.billed)
        if new.quantity < min(used, old.quantity):
            message = _("%(quantity)s are %(used)s; the quantity cannot be less.")
            problems.append(Problem(message % {"quantity": plain(used), "used": kind.used}, "quantity", row))
        if new.unit.pk != old.unit_id:
            message = _("The line is %s; its unit cannot change any more.")
            problems.append(Problem(message % kind.used, "unit", row))
    if problems:
        raise BusinessError(problems=problems)


def _check_discount(order: Any, typed: Any, existing: Sequence[Any], kind: Amendment) -> None:
    """The document's discount stays once a part is billed, because that part was given its share (rule G-14).

    A draft was given its share as well.
    """
    names = ("discount", "discount_amount")
    changed = [name for name in names if (getattr(typed, name) or ZERO) != getattr(order, name)]
    if not changed:
        return
    if any(line.billed for line in existing):
        message = _("A part of %s is invoiced; its discount cannot change any more.") % order
        raise BusinessError(message, field=changed[0])
    if kind.document._default_manager.filter(state="draft", lines__order_line__in=existing).exists():
        message = _("%s stands on a draft that was made with its present discount. Delete that draft first.") % order
        raise BusinessError(message, field=changed[0])


def _check_rest(order: Any, lines: Sequence[Any], kind: Amendment) -> None:
    """What is left to bill can carry what earlier documents did not give of the discount amount (rule G-14)."""
    if not order.discount_amount or not any(line.billed for line in lines):
        return
    exponent = order.currency.exponent
    parts = (shown_amount(order, x) * max(x.quantity - x.billed, ZERO) / x.quantity for x in lines)
    worth = round_money(sum(parts, ZERO), exponent)
    left = order.discount_amount - discount_given(kind.document, order)
    if left > worth - Discount(order.discount).of(worth, exponent):
        message = _("%s of the discount are not given yet, and what is left to invoice is worth less. Close the rest.")
        raise BusinessError(message % left)


def _parted(lines: Sequence[LineInput], kind: Amendment) -> list[LineInput]:
    """Part lines whose price or tax changes after something was billed into the billed and the open part (G-08).

    Posted deliveries and receipts belong to the old line for good, so that goods among them which are not billed
    yet have to be billed first, at whatever price their bill gives them.
    """
    parts, problems = [], []
    for row, given in enumerate(lines):
        old = given.agreed
        if old is None or not old.billed or not _repriced(given, old):
            parts.append(given)
            continue
        kept, open_quantity = old.moved - old.returned_replace, to_bill(old)
        if open_quantity > 0:
            problems.append(Problem(kind.waiting % {"quantity": plain(open_quantity)}, "price", row))
        elif not 0 < kept < given.quantity:
            problems.append(Problem(kind.billed, "price", row))
        before = {"price": old.price, "discount": old.discount, "tax_code": old.tax_code}
        parts.append(replace(given, quantity=kept, taxed=old.tax_code is not None, **before))
        parts.append(replace(given, pk=None, quantity=given.quantity - kept))
    if problems:
        raise BusinessError(problems=problems)
    return parts


def _repriced(given: LineInput, old: Any) -> bool:
    tax_code_id = given.tax_code.pk if given.tax_code else None
    return (given.price, given.discount, tax_code_id) != (old.price, old.discount, old.tax_code_id)


def _follow(lines: Sequence[Any], inputs: Sequence[LineInput], kind: Amendment) -> None:
    """Drafts of deliveries and receipts take from the open part of a line that was parted (rule G-10)."""
    parted = {given.agreed.pk: line for line, given in zip(lines, inputs, strict=True) if given.agreed and not given.pk}
    if not parted:
        return
    rows = list(kind.drafts.filter(order_line__in=parted))
    for row in rows:
        row.order_line = parted[row.order_line_id]
    bulk_set(rows, ("order_line",))


def changed_since(draft: Any, line: Any, row: int) -> Problem | None:
    """A draft that was made before its order line got another product or unit would move something else."""
    if (draft.product_id, draft.unit_id, draft.factor) == (line.product_id, line.unit_id, line.factor):
        return None
    message = _("The order line of %(product)s was changed after this draft was made. Remove it and create it again.")
    return Problem(message % {"product": draft.product.code}, "quantity", row)


def check_warehouses(warehouses: Iterable[Any]) -> None:
    """Refuse archived warehouses on what is new (rule G-24)."""
    for warehouse in warehouses:
        if warehouse is not None and not warehouse.active:
            raise BusinessError(_("%s is archived; choose another warehouse.") % warehouse, field="warehouse")


def check_own_units(lines: Sequence[Any]) -> None:
    """Refuse quantities that do not fit the product's own unit (rule G-13)."""
    problems = own_unit_problems(lines)
    if problems:
        raise BusinessError(problems=problems)


def refresh_paid(document: Any, line: Any, order_line: Any, order: Any, keys: set[int], sign: int) -> None:
    """Derive what is open on the invoices (or bills) `keys` and what is paid of their orders (one statement).

    `document`, `line`, `order_line` and `order` are the models; `sign` is 1 for receivables, -1 for payables.
    """
    values = {"label": document._meta.label_lower, "keys": sorted(keys), "sign": sign, "orders": []}
    with connection.cursor() as cursor:
        cursor.execute(_PAID.format(**_tables(document, line, order_line, order)), values)


def refresh_paid_order(document: Any, line: Any, order_line: Any, order: Any) -> Any:
    """Derive and return what is paid of one order, in percent."""
    values = {"label": document._meta.label_lower, "keys": [], "sign": 1, "orders": [order.pk]}
    with connection.cursor() as cursor:
        cursor.execute(_PAID.format(**_tables(document, line, order_line, type(order))), values)
        row = cursor.fetchone()
    return row[0] if row else order.paid_percent


def lock_billed_orders(document: Any, line: Any, order_line: Any, order: Any, keys: set[int]) -> None:
    """Lock the invoices (or bills) `keys` and then their orders, each in key order (one statement).

    What a payment derives on them must be locked before open items and counters are (lock order).
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK.format(**_tables(document, line, order_line, order)), {"keys": sorted(keys)})


def _tables(document: Any, line: Any, order_line: Any, order: Any) -> dict[str, str]:
    models = {"doc": document, "line": line, "order_line": order_line, "orders": order}
    key = next(f.column for f in line._meta.fields if f.related_model is document)
    return {"key": key} | {name: model._meta.db_table for name, model in models.items()}


_LOCK = """
WITH docs AS MATERIALIZED (
    SELECT id FROM {doc} WHERE id = ANY(%(keys)s) ORDER BY id FOR UPDATE
), orders AS MATERIALIZED (
    SELECT id FROM {orders}
     WHERE id IN (SELECT x.order_id FROM docs JOIN {line} t ON t.{key} = docs.id
                    JOIN {order_line} x ON x.id = t.order_line_id)
     ORDER BY id FOR UPDATE
)
SELECT (SELECT count(*) FROM docs), (SELECT count(*) FROM orders)
"""
# An order is paid in full when everything to bill is billed and settled, even where the rounding of several
# invoices differs from the order's own by a cent; one that costs nothing is paid once it is billed.
_PAID = """
WITH opened AS (
    UPDATE {doc} d SET open_amount = v.open
      FROM (SELECT source_id, sum(remaining) * %(sign)s AS open FROM erp_openitem
             WHERE source = %(label)s AND source_id = ANY(%(keys)s) GROUP BY source_id) v
     WHERE d.id = v.source_id RETURNING d.id, d.open_amount
), affected AS (
    SELECT x.order_id FROM {line} t JOIN {order_line} x ON x.id = t.order_line_id WHERE t.{key} = ANY(%(keys)s)
    UNION SELECT unnest(%(orders)s::bigint[])
), billed AS (
    SELECT ol.order_id, l.net + l.tax AS amount, d.total, coalesce(opened.open_amount, d.open_amount) AS open
      FROM affected JOIN {order_line} ol ON ol.order_id = affected.order_id
      JOIN {line} l ON l.order_line_id = ol.id JOIN {doc} d ON d.id = l.{key}
      LEFT JOIN opened ON opened.id = d.id
     WHERE d.state = 'posted' AND d.reversal_of_id IS NULL
)
UPDATE {orders} o SET paid_percent = CASE
        WHEN v.paid >= o.total AND o.total > 0 OR v.settled AND o.billing_status IN ('complete', 'over') THEN 100
        WHEN o.total = 0 THEN 0
        ELSE greatest(0, least(99.99, trunc(v.paid * 100 / nullif(o.total, 0), 2))) END
  FROM (SELECT affected.order_id, bool_and(open = 0) AS settled,
               coalesce(sum(CASE WHEN total = 0 THEN 0 ELSE amount * (total - open) / total END), 0) AS paid
          FROM affected LEFT JOIN billed ON billed.order_id = affected.order_id GROUP BY affected.order_id) v
 WHERE o.id = v.order_id RETURNING o.paid_percent
"""
