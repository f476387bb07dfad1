"""A database that fails at a chosen statement, and the sum of everything in it (drill F-16)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

# A deadlock, a serialisation failure, and a lock that did not come in time, in turn.
STATES = ("40P01", "40001", "55P03")
_FAIL = "DO $$ BEGIN RAISE EXCEPTION 'it fails' USING ERRCODE = '{state}'; END $$"
_TABLE = "SELECT '{0}', count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0) FROM \"{0}\" t"


class Failing:
    """Instead of the k-th statement the server gets one that fails, so that it gives the transaction up itself."""

    def __init__(self, at: int) -> None:
        self.at, self.seen = at, 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.seen += 1
        if self.seen == self.at:
            return execute(_FAIL.format(state=STATES[self.at % len(STATES)]), None, False, context)
        return execute(sql, params, many, context)


@contextmanager
def failing(at: int) -> Iterator[Failing]:
    """The statements of this connection meanwhile."""
    wrapper = Failing(at)
    with connection.execute_wrapper(wrapper):
        yield wrapper


def checksum() -> dict[str, str]:
    """For every table the number of its rows and the sum of their contents, in one statement that is planned once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name = 'checksum'")
        if cursor.fetchone() == (0,):
            tables = sorted(connection.introspection.table_names(cursor))
            cursor.execute("PREPARE checksum AS " + " UNION ALL ".join(_TABLE.format(table) for table in tables))
        cursor.execute("EXECUTE checksum")
        return dict(cursor.fetchall())
