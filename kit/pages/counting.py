"""How many rows a list has, told where it is cheap (UX 6.2.5)."""

from __future__ import annotations

import time
from typing import Any

from django.db import connection, models
from django.db.models import QuerySet

FEW = 100  # rows counted where a number stands beside a few rows, or on a tab
MANY = 3  # how many times the limit a table must have by the planner's estimate, which may be some days old
SECONDS = 60  # how long a table that is large counts as large
_WHOLE = """
SELECT CASE WHEN reltuples <= %s THEN (SELECT count(*) FROM (SELECT FROM {table} LIMIT %s) AS few) END
  FROM pg_class WHERE oid = %s::regclass"""

large_until: dict[tuple[str, int], float] = {}  # (table, limit) -> until when nobody asks again whether it has more


class CountOf(models.Subquery):
    """The number of rows of a query, inside another one; none beyond `FEW` are counted."""

    template = "(SELECT count(*) FROM (%(subquery)s) counted)"
    output_field = models.IntegerField()

    def __init__(self, rows: QuerySet[Any]) -> None:
        super().__init__(rows.order_by().values("pk")[:FEW])


def few_text(number: int | None) -> str:
    """What `CountOf` found in words: empty for nothing, `99+` for more than were counted."""
    return "" if not number else f"{FEW - 1}+" if number >= FEW else str(number)


def counted(rows: QuerySet[Any], limit: int) -> int:
    """The number of `rows`, or `limit` + 1 for more; of a large table that nothing narrows without counting."""
    if rows.query.where:
        return rows.order_by()[: limit + 1].count()
    table = connection.ops.quote_name(rows.model._meta.db_table)
    if large_until.get((table, limit), 0) > time.monotonic():
        return limit + 1
    with connection.cursor() as cursor:
        cursor.execute(_WHOLE.format(table=table), [MANY * limit, limit + 1, table])
        [number] = cursor.fetchone()
    if number is None:
        large_until[table, limit] = time.monotonic() + SECONDS
        return limit + 1
    return int(number)
