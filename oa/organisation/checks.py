"""Invariant I-34: nothing that is still to do belongs to somebody who left, and no tree is a circle."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet, Value
from django.utils.translation import gettext_lazy as _

from kit.rules.checks import LIMIT, Row, check, rows
from kit.rules.prepared import Prepared
from oa.organisation.handover import live, owned_models

_HEADS = """
SELECT d.id AS department, d.code, u.username AS head FROM oa_department d JOIN oa_user u ON u.id = d.head_id
 WHERE d.active AND NOT u.is_active
"""
_MANAGERS = """
SELECT u.id AS person, u.username, m.username AS manager FROM oa_user u JOIN oa_user m ON m.id = u.manager_id
 WHERE u.is_active AND NOT m.is_active
"""
_CIRCLE = """
WITH RECURSIVE up(start, id) AS (
    SELECT id, {column} FROM {table} WHERE {column} IS NOT NULL
    UNION SELECT up.start, t.{column} FROM up JOIN {table} t ON t.id = up.id WHERE t.{column} IS NOT NULL
)
SELECT '{table}' AS table, start AS id, '{column}' AS circle FROM up WHERE start = up.id
"""


@check("I-34", _("what is still to do has an owner who works here, or none"))
def owners() -> list[Row]:
    """Masters, and documents that are not finished; all tables in one statement."""
    return [{"table": table, "id": key, "owner": owner} for table, key, owner in _left_behind.rows()]


def _of_leavers() -> QuerySet[Any]:
    first, *others = [
        live(model)
        .filter(owner__is_active=False)
        .order_by()
        .annotate(table=Value(model._meta.db_table))
        .values_list("table", "pk", "owner__username")[:LIMIT]
        for model in owned_models()
    ]
    return first.union(*others, all=True).order_by("table", "pk")


_left_behind = Prepared(_of_leavers)


@check("I-34", _("heads of departments and managers work here"))
def leaders() -> list[Row]:
    """Departments that are in use, people who work here."""
    return [*rows(_HEADS), *rows(_MANAGERS)]


@check("I-34", _("no department lies below itself, nobody reports to oneself over others"))
def circles() -> list[Row]:
    """Both trees."""
    trees = (("oa_department", "parent_id"), ("oa_user", "manager_id"))
    return [row for table, column in trees for row in rows(_CIRCLE.format(table=table, column=column))]
