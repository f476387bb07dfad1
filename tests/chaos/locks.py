"""How long a migration holds locks on tables that people work with, as the database tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

# Tables that were there before this transaction, with what keeps others from writing to them.
_HELD = """
SELECT c.relname, l.mode = 'AccessExclusiveLock' FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
 WHERE l.pid = pg_backend_pid() AND l.granted AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
   AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
"""
_NOW = "SELECT extract(epoch FROM clock_timestamp())::float8"


@dataclass
class Locks:
    """What one migration held: by table since when, for writing and for reading."""

    began: float
    there: set[str]
    since: dict[tuple[str, bool], float] = field(default_factory=dict)
    ended: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def tables(self) -> set[str]:
        """The tables that it locked."""
        return {table for table, _exclusive in self.since}

    @property
    def exclusive(self) -> float:
        """The longest time in which a table could not even be read."""
        return self._longest(exclusive=True)

    @property
    def writing(self) -> float:
        """The longest time in which a table could not be written."""
        return max(self.exclusive, self._longest(exclusive=False))

    @property
    def rows(self) -> int:
        """How many rows the locked tables have together: they are held until the last one is done."""
        return sum(self.counts.values())

    def words(self) -> str:
        """How many tables, and the one with the most rows."""
        most = max(self.counts, key=lambda table: self.counts[table], default="none")
        return f"{len(self.counts)}, {most}"

    def _longest(self, *, exclusive: bool) -> float:
        held = [self.ended - since for (_table, mode), since in self.since.items() if mode is exclusive]
        return round(max(held, default=0.0), 3)


class Watched:
    """Notes the locks of every migration that is run within."""

    def __init__(self) -> None:
        self.found: dict[str, Locks] = {}
        self.now: Locks | None = None

    def __enter__(self) -> Watched:
        self._apply = MigrationExecutor.apply_migration
        self._wrapper = connection.execute_wrapper(self._statement)
        MigrationExecutor.apply_migration = self._migration()  # type: ignore[method-assign]
        self._wrapper.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        MigrationExecutor.apply_migration = self._apply  # type: ignore[method-assign]
        self._wrapper.__exit__(*error)

    def _migration(self) -> Any:
        watched, apply = self, self._apply

        def migration(executor: Any, state: Any, migration: Any, *args: Any, **kwargs: Any) -> Any:
            connection.ensure_connection()
            watched.now = Locks(_ask(_NOW)[0][0], {row[0] for row in _ask(_TABLES)})
            try:
                return apply(executor, state, migration, *args, **kwargs)
            finally:
                found, watched.now = watched.now, None
                found.ended = _ask(_NOW)[0][0]
                found.counts = {table: _ask(f'SELECT count(*) FROM "{table}"')[0][0] for table in found.tables}
                watched.found[str(migration)] = found

        return migration

    def _statement(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if self.now is None:
            return execute(sql, params, many, context)
        before = _ask(_NOW)[0][0]  # it waits for the lock from here on at the earliest
        result = execute(sql, params, many, context)
        for table, exclusive in _ask(_HELD):
            if table in self.now.there:
                self.now.since.setdefault((table, exclusive), before)
        return result


_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


def _ask(sql: str) -> list[Any]:
    """Past Django, so that asking is not among what is watched."""
    return list(connection.connection.execute(sql).fetchall())


def grow(tables: set[str], rows: int) -> None:
    """So many more rows in each of the tables, copies of those that are there; triggers and unique columns look away.

    Only to see how long a migration takes: these are no books.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for table in sorted(tables):
            cursor.execute(
                "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('u', 'x')", [table]
            )
            for (name,) in cursor.fetchall():
                cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
            cursor.execute(
                "SELECT indexrelid::regclass::text FROM pg_index"
                " WHERE indrelid = %s::regclass AND indisunique AND NOT indisprimary",
                [table],
            )
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP INDEX {name}")
            _copy(cursor, table, rows)
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("ANALYZE")
    connection.close()


def _copy(cursor: Any, table: str, rows: int) -> None:
    """Copies with keys of their own; of a table that is empty there is nothing to copy."""
    cursor.execute(
        "SELECT column_name, column_name = 'id', data_type FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
        [table],
    )
    columns = cursor.fetchall()
    if not any(key for _name, key, _type in columns):
        key = next(name for name, _key, kind in columns if kind == "uuid")
        taken = [f'"{name}"' if name != key else "gen_random_uuid()" for name, _key, _type in columns]
    else:
        taken = [f'(SELECT max(id) FROM "{table}") + row_number() OVER ()' if key else f'"{name}"'
                 for name, key, _type in columns]  # fmt: skip
    names = ", ".join(f'"{name}"' for name, _key, _type in columns)
    cursor.execute(
        f'INSERT INTO "{table}" ({names}) OVERRIDING SYSTEM VALUE SELECT {", ".join(taken)} FROM "{table}",'
        f' generate_series(1, (SELECT %s / greatest(count(*), 1) + 1 FROM "{table}")) LIMIT %s',
        [rows, rows],
    )
