"""Statements whose number does not grow with the number of rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, overload

from django.db import connection, models, transaction
from django.utils.translation import gettext as _

from kit.rules.prepared import Prepared
from kit.values.errors import VersionConflict

ModelT = TypeVar("ModelT", bound=models.Model)


def bulk_set(rows: Iterable[models.Model], fields: Sequence[str]) -> None:
    """Write `fields` of `rows` (of one model) in one UPDATE from values, in key order."""
    bulk_set_all((rows, fields))


def bulk_set_all(*groups: tuple[Iterable[models.Model], Sequence[str]]) -> None:
    """`bulk_set` of several models, each given once, in one statement."""
    updates: list[str] = []
    values: list[Any] = []
    for rows, fields in groups:
        ordered = sorted(rows, key=lambda row: row.pk)
        if ordered:
            sql, parameters = _update(ordered, fields)
            updates.append(sql)
            values += parameters
    if not updates:
        return
    *first, last = updates
    tables = ", ".join(f"u{i} AS ({sql})" for i, sql in enumerate(first))
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {tables} {last}" if first else last, values)


def _update(ordered: Sequence[models.Model], fields: Sequence[str]) -> tuple[str, list[Any]]:
    """The UPDATE of `fields` of sorted rows of one model, and its parameters."""
    model = type(ordered[0])
    columns: list[Any] = [model._meta.get_field(name) for name in fields]
    quote = connection.ops.quote_name
    sets = ", ".join(f"{quote(c.column)} = v.{quote(c.column)}" for c in columns)
    names = ", ".join(quote(c.column) for c in columns)
    types = [c.rel_db_type(connection) if c.is_relation else c.db_type(connection) for c in columns]
    arrays = ", ".join(f"%s::{kind}[]" for kind in types)
    values: list[Any] = [[row.pk for row in ordered]]
    values += [[c.get_db_prep_save(getattr(row, c.attname), connection) for row in ordered] for c in columns]
    sql = (
        f"UPDATE {quote(model._meta.db_table)} t SET {sets} "
        f"FROM unnest(%s::bigint[], {arrays}) AS v(id, {names}) WHERE t.id = v.id"
    )
    return sql, values


def lockable(queryset: models.QuerySet[Any]) -> Prepared:
    """`queryset` for `locked`, with a plan that is kept: what belongs to a row takes longer to plan than to find."""
    return Prepared(lambda key: queryset.filter(pk=key).order_by().select_for_update(of=("self",)), key=-7_310_001)


@overload
def locked(rows: models.QuerySet[ModelT], key: Any, *, version: int | None = None) -> ModelT: ...


@overload
def locked(rows: Prepared, key: Any, *, version: int | None = None, **values: Any) -> Any: ...


def locked(rows: models.QuerySet[Any] | Prepared, key: Any, *, version: int | None = None, **values: Any) -> Any:
    """The row `key` of `rows`, locked until the transaction ends; refuses when it was saved meanwhile.

    Always the first statement of a command, so that everything read after it is up to date.
    """
    if isinstance(rows, Prepared):
        if not connection.in_atomic_block:
            raise transaction.TransactionManagementError("Outside of a transaction nothing stays locked.")
        row = rows.get(key=key, **values)
    else:
        row = rows.select_for_update(of=("self",)).get(pk=key)
    if version is not None and getattr(row, "version", version) != version:
        raise VersionConflict(_("%s was changed by somebody else meanwhile.") % row)
    return row
