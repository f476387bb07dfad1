"""Clocks that are wrong: of the machine that a child process believes to be on, and of the database itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from config import clock

# The moment at which demo companies are made whose plans are read: with the day their rows change, and so do the plans.
THAT_DAY = dt.datetime(2026, 11, 29, 2, tzinfo=dt.UTC)

# In front of a child's script: its machine's clock is SHIFT seconds ahead, as everything but the database sees it.
WRONG = """
import datetime, sys, time
SHIFT = float(sys.argv[3])
_seconds, _datetime = time.time, datetime.datetime
class _Any(type(_datetime)):
    def __instancecheck__(cls, value):
        return isinstance(value, _datetime)
class _Moved(_datetime, metaclass=_Any):
    @classmethod
    def now(cls, tz=None):
        return _datetime.now(tz) + datetime.timedelta(seconds=SHIFT)
    @classmethod
    def utcnow(cls):
        return _datetime.utcnow() + datetime.timedelta(seconds=SHIFT)
time.time = lambda: _seconds() + SHIFT
datetime.datetime = _Moved
"""
_FUNCTIONS = """
CREATE SCHEMA moved;
CREATE TABLE moved.clock (by interval NOT NULL);
INSERT INTO moved.clock VALUES ('0');
CREATE FUNCTION moved.clock_timestamp() RETURNS timestamptz VOLATILE LANGUAGE sql
    AS 'SELECT pg_catalog.clock_timestamp() + by FROM moved.clock';
CREATE FUNCTION moved.now() RETURNS timestamptz VOLATILE LANGUAGE sql
    AS 'SELECT pg_catalog.clock_timestamp() + by FROM moved.clock';
SET search_path = moved, pg_catalog, public;
"""
# Of these two the condition was bound to the server's true clock when they were made.
_GUARDS = """
SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname) FROM pg_trigger
 WHERE tgname ~ '^pgtrigger_posted_(now|then)_'
"""


@contextmanager
def moved_database() -> Iterator[Callable[[dt.datetime], None]]:
    """`set_to(moment)`: from here on the database's clock, and everybody's with it, goes on from that moment.

    Within the transaction of a test, with which everything of it goes. Files, which no transaction takes back, lie in
    a storage of its own: by another clock they are as old as it says, and belong to nothing (I-33).
    """
    with connection.cursor() as cursor:
        cursor.execute(_GUARDS)
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
        cursor.execute(_FUNCTIONS)

    def set_to(moment: dt.datetime) -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE moved.clock SET by = %s - pg_catalog.clock_timestamp()", [moment])
        clock.ask(connection)
        assert abs(timezone.now() - moment) < dt.timedelta(minutes=1)

    try:
        with override_settings(STORAGES=settings.STORAGES):  # begins with an empty one, and so does what follows
            yield set_to
    finally:
        _back()


def _back() -> None:
    if connection.needs_rollback or connection.connection is None:  # the test has failed: its rollback tidies up
        connection.close()
        return
    with connection.cursor() as cursor:
        cursor.execute("SET search_path TO DEFAULT")
    clock.ask(connection)
