"""Statements that every request asks: Django puts them together once, and the database plans them once a connection.

Compiling a query takes Django several times as long as PostgreSQL needs to answer it by key, and planning it takes
PostgreSQL longer than carrying it out. Django's own cursors put the values into the text of a statement; psycopg's send
them beside it and leave the plan with the server from the sixth time on (option `prepare_threshold` of the database).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg
from django.db import connection
from django.db.models import QuerySet
from django.db.models.query import get_related_populators


@dataclass(frozen=True)
class _Compiled:
    """A statement, for each parameter a name or (without one) a value, and how Django reads what comes back."""

    sql: str
    slots: list[tuple[str, Any]]
    converters: dict[int, tuple[list[Any], Any]]
    columns: list[str]  # of the model; none where the query selects values
    annotations: dict[str, int]
    related: list[Any]  # put the records of `select_related` in their places


class Prepared:
    """A query with named values, made by `build` from keyword arguments.

    `samples` are values of the types that the names take, each of them unlike any other value of the query: where they
    come out of Django's compiler, the values of a call go in.

        members = Prepared(lambda team: User.objects.filter(team=team), team=-7_310_002)
        members.objects(team=12)
    """

    def __init__(self, build: Callable[..., QuerySet[Any]], **samples: Any) -> None:
        self.build, self.samples = build, samples

    @cached_property
    def _query(self) -> Any:
        built: Any = self.build(**self.samples)
        assert not built._prefetch_related_lookups, (
            "what is fetched beside it would be lost, and what that hides be seen"
        )
        return built.query

    @property
    def model(self) -> Any:
        """Whose records they are."""
        return self._query.model

    @cached_property
    def _compiled(self) -> _Compiled:
        compiler: Any = self._query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        if sql.startswith("("):  # a union; what notes the context of changes knows reading by its first word
            sql = f"SELECT * FROM ({sql}) found"
        names = {(type(sample), sample): name for name, sample in self.samples.items()}
        slots = [(names.get((type(param), param), ""), param) for param in params]
        assert {name for name, _param in slots} >= set(self.samples), "a sample did not come out as it went in"
        converters = compiler.get_converters([select[0] for select in compiler.select])
        model = compiler.klass_info or {}
        columns = [compiler.select[place][0].target.attname for place in model.get("select_fields", [])]
        related = get_related_populators(model, compiler.select, connection.alias)  # type: ignore[call-arg]
        return _Compiled(sql, slots, converters, columns, dict(compiler.annotation_col_map or {}), related)

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """What the query selects, as Django reads it."""
        compiled = self._compiled
        database: Any = connection
        with database.cursor() as usual, database._prepare_cursor(psycopg.Cursor(usual.connection)) as cursor:
            cursor.execute(compiled.sql, [values[name] if name else param for name, param in compiled.slots])
            found = [list(row) for row in cursor.fetchall()]
        for place, (converters, expression) in compiled.converters.items():
            for row in found:
                for convert in converters:
                    row[place] = convert(row[place], expression, connection)
        return [tuple(row) for row in found]

    def objects(self, **values: Any) -> list[Any]:
        """The records, with their annotations and those that belong to them."""
        compiled = self._compiled
        made = []
        for row in self.rows(**values):
            record = self.model.from_db(connection.alias, compiled.columns, row[: len(compiled.columns)])
            for populator in compiled.related:
                populator.populate(row, record)
            for name, place in compiled.annotations.items():
                setattr(record, name, row[place])
            made.append(record)
        return made

    def get(self, **values: Any) -> Any:
        """The only record; raises DoesNotExist."""
        found = self.objects(**values)
        if len(found) != 1:
            raise self.model.DoesNotExist(f"{self.model._meta.object_name} {values}")
        return found[0]
