"""How many rows a list has, told where it is cheap (UX 6.2.5)."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import QuerySet

MANY = 3  # how many times the limit a table must have by the planner's estimate, which may be some days old
_WHOLE = """
SELECT CASE WHEN reltuples > %s THEN %s ELSE (SELECT count(*) FROM (SELECT FROM {table} LIMIT %s) AS few) END
  FROM pg_class WHERE oid = %s::regclass"""


def counted(rows: QuerySet[Any], limit: int) -> int:
    """The number of `rows`, or `limit` + 1 for more; of a large table that nothing narrows without counting."""
    if rows.query.where:
        return rows.order_by()[: limit + 1].count()
    table = connection.ops.quote_name(rows.model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(_WHOLE.format(table=table), [MANY * limit, limit + 1, limit + 1, table])
        return int(cursor.fetchone()[0])
