"""What of a value that came into stock is still there (rule V-12), read from the stock ledger."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import groupby

from django.db import connection

from erp.inventory.models import MoveKind
from erp.inventory.valuation import Passed, share_left

# A movement and, in the order of posting, what moved the same product in the same warehouse since its day.
_SINCE = """
SELECT o.id, o.quantity, o.quantity_after, m.kind, m.quantity, m.quantity_after
  FROM erp_stockmove o
  LEFT JOIN erp_stockmove m ON m.product_id = o.product_id AND m.warehouse_id = o.warehouse_id
       AND m.date >= o.date AND m.id > o.id AND m.kind <> 'value'
 WHERE o.id = ANY(%s) ORDER BY o.id, m.id
"""


def shares_left(moves: Iterable[int]) -> dict[int, Decimal]:
    """The part of the value of each of `moves` (keys) that is still in stock; lock their levels before."""
    keys = sorted(set(moves))
    if not keys:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_SINCE, [keys])
        rows = cursor.fetchall()
    found = {}
    for (key, came, after), group in groupby(rows, key=lambda row: row[:3]):
        later = [
            Passed(quantity, left, kind == MoveKind.DELIVERY, kind == MoveKind.RECEIPT)
            for *_origin, kind, quantity, left in group
            if kind is not None
        ]
        found[key] = share_left(came, after, later)
    return found
