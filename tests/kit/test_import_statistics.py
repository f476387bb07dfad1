"""A long import in a database that was empty: the planner learns what is there now (PERFORMANCE, volume)."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from kit.exchange.importing_batch import keep_statistics

pytestmark = pytest.mark.django_db(transaction=True)


def taken_for() -> tuple[int, int]:
    """(pages, rows) of the table as the planner knows it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpages, reltuples::int FROM pg_class WHERE relname = 'test_filling'")
        pages, rows = cursor.fetchone()
    return int(pages), int(rows)


def test_a_table_that_was_seen_before_its_rows_were_committed_is_counted_again() -> None:
    """Vacuum takes rows of an open transaction for none; the transaction itself counts them."""
    other = connection.copy()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE test_filling (n int)")
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO test_filling SELECT generate_series(1, 5000)")
            with other.cursor() as cursor:
                cursor.execute("VACUUM test_filling")
            assert taken_for()[0] > 0 and taken_for()[1] == 0
            keep_statistics()
            assert taken_for()[1] == 5000
    finally:
        other.close()
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE test_filling")
