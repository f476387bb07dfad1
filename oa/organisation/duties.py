"""Duties kept apart (rule G-22): who holds both of a pair, and who did the other one on the same document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Permission
from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models
from django.db.models import Q
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError, Problem
from oa.organisation.models import DutyConflict, Role, User
from oa.organisation.models.duties import DutyMode

_HELD = """
WITH side AS (
    SELECT c.id, s.side, split_part(s.right, '.', 1) AS app, split_part(s.right, '.', 2) AS codename
      FROM oa_dutyconflict c CROSS JOIN LATERAL (
        SELECT 1 AS side, regexp_split_to_table(trim(c.first), '\\s+') AS right
        UNION ALL SELECT 2, regexp_split_to_table(trim(c.second), '\\s+')
      ) s WHERE c.active AND c.mode = 'person'
), held AS (
    SELECT side.id, side.side, ug.user_id, array_agg(DISTINCT ug.group_id) AS roles
      FROM side JOIN django_content_type t ON t.app_label = side.app
      JOIN auth_permission p ON p.content_type_id = t.id AND p.codename = side.codename
      JOIN auth_group_permissions gp ON gp.permission_id = p.id
      JOIN oa_user_groups ug ON ug.group_id = gp.group_id
      JOIN oa_user u ON u.id = ug.user_id AND u.is_active
     WHERE (%(user)s::bigint IS NULL OR ug.user_id = %(user)s)
       AND (%(role)s::bigint IS NULL
            OR ug.user_id IN (SELECT user_id FROM oa_user_groups WHERE group_id = %(role)s))
     GROUP BY side.id, side.side, ug.user_id
)
SELECT a.id, a.user_id, a.roles, b.roles FROM held a JOIN held b USING (id, user_id)
 WHERE a.side = 1 AND b.side = 2 ORDER BY a.id, a.user_id
"""
# Columns that say who did something to a document, by the verb of its right; others are `<verb>ed_by`.
_DONE_BY = {"add": "created_by", "release": "released_by"}


@dataclass(frozen=True)
class Held:
    """A person who holds both duties of a pair, and the roles through which."""

    rule: DutyConflict
    person: User
    first: Sequence[Role]
    second: Sequence[Role]

    def __str__(self) -> str:
        return _("%(rule)s: %(person)s would hold both duties, through %(first)s and %(second)s.") % {
            "rule": self.rule,
            "person": self.person,
            "first": ", ".join(map(str, self.first)),
            "second": ", ".join(map(str, self.second)),
        }


Keys = tuple[int, int, list[int], list[int]]


def held_keys(user: int | None = None, role: int | None = None) -> list[Keys]:
    """Who holds both duties of an active pair: rule, person, roles for the one and the other (one statement)."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, {"user": user, "role": role})
        return cursor.fetchall()


def held(keys: Sequence[Keys]) -> list[Held]:
    """`keys` with what they stand for, in as many statements for one as for all."""
    if not keys:
        return []
    rules = DutyConflict.objects.in_bulk({key[0] for key in keys})
    people = User.objects.select_related("department").in_bulk({key[1] for key in keys})
    roles = Role.objects.select_related("group").in_bulk({group for key in keys for group in (*key[2], *key[3])})
    return [
        Held(rules[rule], people[person], [roles[g] for g in one if g in roles], [roles[g] for g in two if g in roles])
        for rule, person, one, two in keys
    ]


@contextmanager
def rights_kept(user: int | None = None, role: int | None = None) -> Iterator[None]:
    """What is done inside gives nobody (the person `user`, those with `role`) both duties of a pair, and leaves
    somebody who gives roles. Only what is new is refused: who held both before may still be changed. In a transaction.
    """
    # One change of rights at a time: two that each leave the other's role giver would leave none.
    Permission.objects.select_for_update(of=("self",), no_key=True).get(
        content_type__app_label="oa", codename="change_role"
    )
    before, ruled = {key[:2] for key in held_keys(user, role)}, _somebody_gives_roles()
    yield
    if ruled and not _somebody_gives_roles():
        raise BusinessError(_("Then nobody could give roles any more. Let somebody else do so first."))
    new = [key for key in held_keys(user, role) if key[:2] not in before]
    if new:
        raise BusinessError(problems=[Problem(str(case)) for case in held(new)])


def _somebody_gives_roles() -> bool:
    gives = Q(groups__permissions__codename="change_role", groups__permissions__content_type__app_label="oa")
    return User.objects.filter(Q(is_superuser=True) | gives, is_active=True).exists()


def refuse_own_work(user: Any, permission: str, obj: models.Model) -> None:
    """Refuse to do to a document what does not go with what the same person did to it before (rule G-22).

    None stands for the system. Superusers are people, too: the rule is about four eyes, not about rights.
    """
    if user is None or getattr(user, "document_duties", None) is None or obj.pk is None:
        return
    for first, second in user.document_duties:
        others = second if permission in first else first if permission in second else set()
        for other in sorted(others):
            if other != permission and _did(user, other, obj):
                raise BusinessError(
                    _("You worked on %(document)s before: by the rule of separate duties somebody else does this.")
                    % {"document": obj}
                )


def _did(user: Any, permission: str, obj: models.Model) -> bool:
    """Whether the columns of `obj` say that `user` used `permission` on it."""
    verb, _underscore, model = permission.partition(".")[2].partition("_")
    if permission.partition(".")[0] != obj._meta.app_label or model != obj._meta.model_name:
        return False
    column = _DONE_BY.get(verb, f"{verb}ed_by")
    try:
        field = obj._meta.get_field(column)
    except FieldDoesNotExist:
        return False
    return getattr(obj, field.attname) == user.pk  # type: ignore[union-attr]


def install_duties(rows: Sequence[tuple[str, str, str, str, str, str]]) -> None:
    """Add shipped pairs that are missing, switched off: code, name, Chinese name, rule, one and other duty."""
    present = set(DutyConflict.objects.values_list("code", flat=True))
    DutyConflict.objects.bulk_create(
        DutyConflict(code=code, name=name, name_zh=name_zh, mode=DutyMode(mode), first=first, second=second)
        for code, name, name_zh, mode, first, second in rows
        if code not in present
    )
