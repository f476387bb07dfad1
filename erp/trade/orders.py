"""What happens to orders of both directions: progress, completion, payment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from erp.trade.progress import billing_status, done, goods_status, order_percents
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
    orders: Sequence[Any], lines: Sequence[Any], line_fields: Sequence[str],
    *others: tuple[Sequence[Any], Sequence[str]],
) -> None:
    """Derive and store the progress of locked `orders`; `lines` are all their lines.

    `others` are further (rows, fields) to store in the same statement.
    """
    for order in orders:
        derive_progress(order, [line for line in lines if line.order_id == order.pk])
    bulk_set_all((lines, line_fields), (orders, PROGRESS), *others)


def refresh_paid(document: Any, line: Any, order_line: Any, order: Any, keys: set[int], sign: int) -> None:
    """Derive what is open on the invoices (or bills) `keys` and what is paid of their orders (two statements).

    `document`, `line`, `order_line` and `order` are the models; `sign` is 1 for receivables, -1 for payables.
    """
    table = {name: model._meta.db_table for name, model in
             {"doc": document, "line": line, "order_line": order_line, "orders": order}.items()}
    key = next(f.column for f in line._meta.fields if f.related_model is document)
    values = {"label": document._meta.label_lower, "keys": sorted(keys), "sign": sign}
    with connection.cursor() as cursor:
        cursor.execute(_OPEN.format(**table), values)
        cursor.execute(_PAID.format(key=key, **table), values)


_OPEN = """
UPDATE {doc} d SET open_amount = v.open
  FROM (SELECT source_id, sum(remaining) * %(sign)s AS open FROM erp_openitem
         WHERE source = %(label)s AND source_id = ANY(%(keys)s) GROUP BY source_id) v
 WHERE d.id = v.source_id
"""
_PAID = """
UPDATE {orders} o SET paid_percent = CASE WHEN v.paid >= o.total THEN 100
        ELSE greatest(0, least(99.99, trunc(v.paid * 100 / nullif(o.total, 0), 2))) END
  FROM (SELECT ol.order_id,
               sum((l.net + l.tax) * CASE WHEN d.state = 'posted' AND d.reversal_of_id IS NULL AND d.total <> 0
                                          THEN (d.total - d.open_amount) / d.total ELSE 0 END) AS paid
          FROM {line} l JOIN {order_line} ol ON ol.id = l.order_line_id JOIN {doc} d ON d.id = l.{key}
         WHERE ol.order_id IN (SELECT x.order_id FROM {line} t JOIN {order_line} x ON x.id = t.order_line_id
                                WHERE t.{key} = ANY(%(keys)s))
         GROUP BY ol.order_id) v
 WHERE o.id = v.order_id
"""
