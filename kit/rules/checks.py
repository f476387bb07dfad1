"""Registry of invariants: statements about the whole database that must hold at every moment.

The `checks` rooms of the sections register queries that find what breaks them; `manage.py verify` and the
tests run them all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError

LIMIT = 1000  # rows shown per check: more of the same kind tell nothing new

Row = str | Mapping[str, Any]
Finder = Callable[[], Iterable[Row]]


@dataclass(frozen=True)
class Check:
    """One way to look for what breaks invariant `code`; several checks may share a code."""

    code: str
    statement: Any
    find: Finder


@dataclass(frozen=True)
class Finding:
    """What came of one invariant: the offending rows in words, and how long it took in seconds."""

    code: str
    statement: str
    rows: list[str]
    seconds: float


_registered: list[Check] = []


def check(code: str, statement: Any) -> Callable[[Finder], Finder]:
    """Decorator: register a function that returns the rows which break invariant `code`."""

    def register(find: Finder) -> Finder:
        _registered.append(Check(code, statement, find))
        return find

    return register


def rows(sql: str, params: Mapping[str, Any] | None = None) -> list[Row]:
    """The first rows of a query by column name."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchmany(LIMIT)]


def values(sql: str) -> list[Any]:
    """The first column of all rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [row[0] for row in cursor.fetchall()]


def codes() -> list[str]:
    """Codes of all registered invariants."""
    return sorted({entry.code for entry in _registered})


def run(only: Collection[str] | None = None) -> dict[str, list[str]]:
    """Offending rows by invariant, an empty list where it holds. All see the same state of the database."""
    return {finding.code: finding.rows for finding in findings(only)}


def findings(only: Collection[str] | None = None) -> Iterator[Finding]:
    """Run the invariants one after the other; raises BusinessError for codes that do not exist."""
    known = codes()
    unknown = sorted(set(only or ()) - set(known))
    if unknown:
        raise BusinessError(_("There is no invariant %s.") % ", ".join(unknown))
    with _snapshot():
        for code in known:
            if only is None or code in only:
                yield _look(code)


def _look(code: str) -> Finding:
    start = time.monotonic()
    entries = [entry for entry in _registered if entry.code == code]
    found = [_in_words(row) for entry in entries for row in entry.find()]
    statement = "; ".join(str(entry.statement) for entry in entries)
    return Finding(code, statement, found, time.monotonic() - start)


def _in_words(row: Row) -> str:
    return row if isinstance(row, str) else ", ".join(f"{name} {value}" for name, value in row.items())


@contextmanager
def _snapshot() -> Iterator[None]:
    """One read-only snapshot for all checks; inside a transaction, such as a test's, that transaction."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute("SET LOCAL statement_timeout = 0")
        yield
