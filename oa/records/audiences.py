"""From an audience to people, in one statement for any number of records (rule N-01).

Who may address whom: with the right `address_everyone` the whole company. Others address departments at or below
those of their own posts, and people who have a post there; roles and positions reach through the whole company,
so they need the right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from kit.pages.resources import name_of
from kit.values.errors import BusinessError, Problem
from oa.organisation.models import Post, User
from oa.records.models.audiences import ADDRESS_ALL, Addressed

PARTS = ("to_everyone", "to_departments", "to_positions", "to_roles", "to_people")
COMPANY_WIDE = ("to_everyone", "to_positions", "to_roles")  # parts that need the right
LEFT_OUT = ("except_departments", "except_people")
AUDIENCE = (*PARTS, *LEFT_OUT)

# Everybody who is meant once; who is left out goes, whichever way they were meant. Only people who may read.
_PAIRS = """
WITH RECURSIVE wanted(record_id, department_id) AS (
    SELECT {to_departments.owner}, {to_departments.target} FROM {to_departments.table}
     WHERE {to_departments.owner} IN ({keys})
    UNION SELECT w.record_id, d.id FROM wanted w JOIN oa_department d ON d.parent_id = w.department_id
), unwanted(record_id, department_id) AS (
    SELECT {except_departments.owner}, {except_departments.target} FROM {except_departments.table}
     WHERE {except_departments.owner} IN ({keys})
    UNION SELECT w.record_id, d.id FROM unwanted w JOIN oa_department d ON d.parent_id = w.department_id
), readers AS (
    SELECT u.id, u.department_id, u.position_id FROM oa_user u
     WHERE u.is_active AND (u.is_superuser OR EXISTS (
        SELECT 1 FROM oa_user_groups g JOIN auth_group_permissions p ON p.group_id = g.group_id
         WHERE g.user_id = u.id AND p.permission_id = (
            SELECT x.id FROM auth_permission x JOIN django_content_type c ON c.id = x.content_type_id
             WHERE c.app_label = '{app}' AND c.model = '{model}' AND x.codename = 'view_{model}')))
), meant(record_id, user_id) AS (
    SELECT r.id, u.id FROM {records} r CROSS JOIN readers u WHERE r.to_everyone AND r.id IN ({keys})
    UNION SELECT w.record_id, u.id FROM wanted w JOIN readers u ON u.department_id = w.department_id
    UNION SELECT w.record_id, p.user_id FROM wanted w JOIN oa_post p ON p.department_id = w.department_id
    UNION SELECT t.{to_positions.owner}, u.id FROM {to_positions.table} t
            JOIN readers u ON u.position_id = t.{to_positions.target} WHERE t.{to_positions.owner} IN ({keys})
    UNION SELECT t.{to_positions.owner}, p.user_id FROM {to_positions.table} t
            JOIN oa_post p ON p.position_id = t.{to_positions.target} WHERE t.{to_positions.owner} IN ({keys})
    UNION SELECT t.{to_roles.owner}, g.user_id FROM {to_roles.table} t
            JOIN oa_user_groups g ON g.group_id = t.{to_roles.target} WHERE t.{to_roles.owner} IN ({keys})
    UNION SELECT {to_people.owner}, {to_people.target} FROM {to_people.table} WHERE {to_people.owner} IN ({keys})
)
SELECT m.record_id, m.user_id FROM meant m JOIN readers u ON u.id = m.user_id
 WHERE NOT EXISTS (SELECT 1 FROM {except_people.table} e
                    WHERE e.{except_people.owner} = m.record_id AND e.{except_people.target} = m.user_id)
   AND NOT EXISTS (SELECT 1 FROM unwanted w WHERE w.record_id = m.record_id AND w.department_id = u.department_id)
"""


class _Set:
    """Table and columns of one set of an audience."""

    def __init__(self, model: type[Addressed], name: str) -> None:
        field: Any = model._meta.get_field(name)
        self.table, self.owner = field.m2m_db_table(), field.m2m_column_name()
        self.target = field.m2m_reverse_name()


def pairs_sql(model: type[Addressed], keys: Iterable[int]) -> str:
    """The SELECT of (record_id, user_id) for the audiences of records of `model`.

    It has no parameters: keys are whole numbers, all other names come from the model.
    """
    meta = model._meta
    return _PAIRS.format(
        records=meta.db_table,
        keys=", ".join(str(int(key)) for key in keys) or "NULL",
        app=meta.app_label,
        model=meta.model_name,
        **{name: _Set(model, name) for name in AUDIENCE if name != "to_everyone"},
    )


def resolve(audience: Addressed) -> QuerySet[User]:
    """The active people whom a record addresses now and who may read records of its kind."""
    pairs = pairs_sql(type(audience), [audience.pk])
    return User.objects.filter(pk__in=RawSQL(f"SELECT user_id FROM ({pairs}) resolved", ()))  # nosec B611  # noqa: S611


def chosen_in(audience: Addressed) -> dict[str, Any]:
    """The parts of a stored audience, as a form would give them."""
    sets = {name: list(getattr(audience, name).all()) for name in AUDIENCE if name != "to_everyone"}
    return {"to_everyone": audience.to_everyone, **sets}


def describe(audience: Addressed) -> str:
    """The audience in words."""
    chosen = chosen_in(audience)
    parts = [_("everyone")] if chosen["to_everyone"] else []
    parts += [_("%s and below") % row for row in chosen["to_departments"]]
    parts += [str(row) for row in (*chosen["to_positions"], *chosen["to_roles"], *chosen["to_people"])]
    out = [_("%s and below") % row for row in chosen["except_departments"]]
    out += [str(row) for row in chosen["except_people"]]
    words = ", ".join(parts) or _("nobody")
    return _("%(people)s, but not %(others)s") % {"people": words, "others": ", ".join(out)} if out else words


def check_audience(chosen: Mapping[str, Any], *, by: Any) -> None:
    """Refuse an audience without anybody, and one beyond the reach of `by` (see the head of this file)."""
    if not any(chosen.get(name) for name in PARTS):
        raise BusinessError(_("Choose for whom it is."), field="to_everyone")
    if by is None or by.has_perm(ADDRESS_ALL):
        return
    problems = [
        Problem(_("You may address your own departments only, not the whole company."), name)
        for name in COMPANY_WIDE
        if chosen.get(name)
    ]
    near = set(by.department_ids)
    far = [row for row in chosen.get("to_departments") or () if row.pk not in near]
    problems += [Problem(_("%s is not one of your departments.") % row, "to_departments") for row in far[:3]]
    people = [row for row in chosen.get("to_people") or () if row.department_id not in near]
    posts = Post.objects.filter(user__in=people, department__in=near) if people else Post.objects.none()
    known = set(posts.values_list("user_id", flat=True))
    strangers = [row for row in people if row.pk not in known]
    problems += [Problem(_("%s is in none of your departments.") % name_of(row), "to_people") for row in strangers[:3]]
    if problems:
        raise BusinessError(problems=problems)
