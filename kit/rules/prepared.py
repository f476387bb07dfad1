"""Statements that every request asks: Django puts them together once, after that only their values change.

Compiling a query takes Django several times as long as PostgreSQL needs to answer it by key.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import QuerySet


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
    def _compiled(self) -> tuple[Any, str, list[tuple[str, Any]]]:
        """The model, the statement, and for each of its parameters a name or (without one) a value."""
        query = self.build(**self.samples).query
        sql, params = query.sql_with_params()
        names = {(type(sample), sample): name for name, sample in self.samples.items()}
        slots = [(names.get((type(param), param), ""), param) for param in params]
        assert {name for name, _param in slots} >= set(self.samples), "a sample did not come out as it went in"
        return query.model, sql, slots

    def _params(self, values: dict[str, Any]) -> list[Any]:
        return [values[name] if name else param for name, param in self._compiled[2]]

    def objects(self, **values: Any) -> list[Any]:
        """The records, with their annotations."""
        model, sql, _slots = self._compiled
        return list(model._base_manager.raw(sql, self._params(values)))

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """The rows of a `values_list` as the database gives them."""
        with connection.cursor() as cursor:
            cursor.execute(self._compiled[1], self._params(values))
            return list(cursor.fetchall())
