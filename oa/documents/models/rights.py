"""Who may do what in which folder, told by one statement over the whole tree (spec office 5.8.2).

The rights of a folder are those of the folder above, unless it stops inheriting, and those given on it. They are
computed from the top of the tree down whenever they are asked for: 2,000 folders take about 5 ms, no statement
depends on their number, and there is no copy of the tree that could differ from it. Owners of personal folders,
heads of departments in the folders of their department, and whoever administers the library keep all rights, so
that no list can lock everybody out; nobody looks into the personal folders of people who still work here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection, models
from django.db.models.expressions import RawSQL
from django.utils.translation import pgettext_lazy

VIEW, DOWNLOAD, PRINT, EDIT, MANAGE = 1, 2, 4, 8, 16
EVERYTHING = VIEW | DOWNLOAD | PRINT | EDIT | MANAGE
NAMES: dict[int, Any] = {
    VIEW: pgettext_lazy("right", "view"),
    DOWNLOAD: pgettext_lazy("right", "download"),
    PRINT: pgettext_lazy("right", "print"),
    EDIT: pgettext_lazy("right", "edit"),
    MANAGE: pgettext_lazy("right", "manage"),
}
ADMINISTER = "oa.administer_folder"

_EFFECTIVE = """
WITH RECURSIVE me AS (
    SELECT id, department_id, position_id, %s::boolean AS administers FROM oa_user WHERE id = %s
), units AS (
    SELECT id, parent_id FROM oa_department
     WHERE id IN (SELECT department_id FROM me
                  UNION SELECT department_id FROM oa_post WHERE user_id = (SELECT id FROM me))
    UNION SELECT d.id, d.parent_id FROM oa_department d JOIN units u ON d.id = u.parent_id
), given AS (
    SELECT g.folder_id, bit_or(g.rights) AS rights FROM oa_foldergrant g
     WHERE g.audience = 'everyone'
        OR g.user_id = (SELECT id FROM me)
        OR g.department_id IN (SELECT id FROM units)
        OR g.role_id IN (SELECT group_id FROM oa_user_groups WHERE user_id = (SELECT id FROM me))
        OR g.position_id IN (SELECT position_id FROM me
                             UNION SELECT position_id FROM oa_post WHERE user_id = (SELECT id FROM me))
     GROUP BY g.folder_id
), known AS (
    SELECT f.id, f.parent_id, f.inherits, f.needs_review, coalesce(g.rights, 0) | CASE
               WHEN f.owner_id = me.id OR d.head_id = me.id THEN 31
               WHEN me.administers AND (f.owner_id IS NULL OR NOT o.is_active) THEN 31 ELSE 0 END AS rights
      FROM oa_folder f CROSS JOIN me
      LEFT JOIN given g ON g.folder_id = f.id
      LEFT JOIN oa_department d ON d.id = f.department_id
      LEFT JOIN oa_user o ON o.id = f.owner_id
     WHERE f.deleted_at IS NULL
), effective AS (
    SELECT id, rights, needs_review FROM known WHERE parent_id IS NULL
    UNION ALL
    SELECT k.id, k.rights | CASE WHEN k.inherits THEN e.rights ELSE 0 END, k.needs_review
      FROM known k JOIN effective e ON e.id = k.parent_id
)
"""
_ALLOWED = _EFFECTIVE + "SELECT id FROM effective WHERE rights & %s = %s"
# Where whoever may only read sees published versions and nothing else.
_DRAFTS = _EFFECTIVE + "SELECT id FROM effective WHERE rights & 1 = 1 AND (NOT needs_review OR rights & 8 = 8)"
_OF = _EFFECTIVE + "SELECT id, rights FROM effective WHERE id = ANY(%s)"


def complete(rights: int) -> int:
    """Rights with those they imply: everybody named may view, who edits downloads, who manages does everything."""
    if rights & MANAGE:
        return EVERYTHING
    return rights | VIEW | (DOWNLOAD if rights & EDIT else 0)


VALID = sorted({complete(rights) for rights in range(EVERYTHING + 1)})


def in_words(rights: int) -> str:
    """`view, download and print` as a list."""
    return ", ".join(str(name) for right, name in NAMES.items() if rights & right)


def _person(user: Any) -> list[Any]:
    return [user.has_perm(ADMINISTER), user.pk]


def folders_with(user: Any, right: int) -> RawSQL:
    """Keys of the folders in which `user` has `right`, as a part of another statement."""
    return RawSQL(_ALLOWED, [*_person(user), right, right], models.BigIntegerField())  # nosec B611  # noqa: S611 - our own text


def folders_with_drafts(user: Any) -> RawSQL:
    """Keys of the folders in which `user` sees what is not published yet."""
    return RawSQL(_DRAFTS, _person(user), models.BigIntegerField())  # nosec B611  # noqa: S611 - our own text


def rights_in(user: Any, folders: Iterable[int]) -> dict[int, int]:
    """The rights of `user` in the folders of these keys; one statement, nothing for folders in the bin."""
    if not user.is_active:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_OF, [*_person(user), sorted(set(folders))])
        return dict(cursor.fetchall())
