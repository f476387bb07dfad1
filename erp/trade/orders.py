"""What happens to orders of both directions: progress, completion, payment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db import connection

from erp.trade.lines import LineInput
from erp.trade.progress import billing_status, done, goods_status, order_percents
from kit.values.money import ZERO
from oa.records.bulk import bulk_set_all

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


def kept_inputs(lines: Sequence[LineInput], existing: Sequence[Any]) -> list[LineInput]:
    """What an amendment leaves open on a line that exists stays as it was agreed (rule G-08)."""
    by_pk = {line.pk: line for line in existing}
    kept = []
    for given in lines:
        old = by_pk.get(given.pk) if given.pk else None
        if old is not None and old.product_id == given.product.pk:
            given = replace(
                given,
                price=old.price if given.price is None else given.price,
                unit=given.unit or old.unit,
                tax_code=given.tax_code or old.tax_code,
                description=given.description or old.description,
                warehouse=given.warehouse or old.warehouse,
                due_date=given.due_date or old.due_date,
                tolerance=old.tolerance if given.tolerance is None else given.tolerance,
            )
        kept.append(given)
    return kept


def keep_agreed(lines: Sequence[Any], agreed: Mapping[int, tuple[int | None, Decimal]]) -> None:
    """Tax rates stay those of the day of the order (rule G-25); what was given up is at most what is not used.

    `agreed` tells tax code and rate of the lines that existed.
    """
    for line in lines:
        tax_code_id, tax_rate = agreed.get(line.pk or 0, (None, ZERO))
        if line.pk and line.tax_code_id == tax_code_id:
            line.tax_rate = tax_rate
        line.cancelled = max(ZERO, min(line.cancelled, line.quantity - max(line.moved, line.billed)))


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
