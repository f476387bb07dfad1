"""The ways in which a row can reach the database, and what it means to be refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.db import DatabaseError, connection, models, transaction

INSERTS = ("save", "bulk_create", "SQL")


def execute(sql: str, *params: Any) -> Any:
    """Run one statement; returns the first column of its first row, if it returns any."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]


def refused(act: Callable[[], Any], match: str | None = None) -> None:
    """The database refuses `act` at the latest when its transaction would commit."""
    with pytest.raises(DatabaseError, match=match), transaction.atomic():
        act()
        execute("SET CONSTRAINTS ALL IMMEDIATE")


def insert(way: str, *rows: models.Model) -> None:
    """Write new rows of one model by `save`, `bulk_create` or plain `SQL`."""
    if way == "bulk_create":
        type(rows[0])._base_manager.bulk_create(rows)
        return
    for row in rows:
        if way == "save":
            row.save(force_insert=True)
        else:
            _insert_by_sql(row)


def _insert_by_sql(row: Any) -> None:
    meta = row._meta
    fields = [f for f in meta.concrete_fields if not f.generated and (not f.primary_key or row.pk is not None)]
    values = [f.get_db_prep_save(f.pre_save(row, True), connection) for f in fields]
    columns, places = ", ".join(f'"{f.column}"' for f in fields), ", ".join(["%s"] * len(fields))
    sql = f'INSERT INTO {meta.db_table} ({columns}) VALUES ({places}) RETURNING "{meta.pk.column}"'
    row.pk = execute(sql, *values)


def refused_to_change(row: models.Model, changes: Mapping[str, Any], match: str | None = None) -> None:
    """`changes` of a stored row are refused by save, bulk_update, update and SQL."""
    manager: Any = type(row)._base_manager

    def after_setting(write: Callable[[], Any]) -> Callable[[], Any]:
        def act() -> None:
            row.refresh_from_db()
            for name, value in changes.items():
                setattr(row, name, value)
            write()

        return act

    refused(after_setting(row.save), match)
    refused(after_setting(lambda: manager.bulk_update([row], list(changes))), match)
    refused(lambda: manager.filter(pk=row.pk).update(**changes), match)
    columns = ", ".join(f'"{row._meta.get_field(name).column}" = %s' for name in changes)
    key = row._meta.pk.column
    refused(
        lambda: execute(
            f'UPDATE {row._meta.db_table} SET {columns} WHERE "{key}" = %s',
            *(getattr(value, "pk", value) for value in changes.values()),
            row.pk,
        ),
        match,
    )
    row.refresh_from_db()
