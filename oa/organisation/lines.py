"""Who reports to whom: read from the tree of departments and the managers of people, one statement a question.

A person's manager is the one named in the own record, else the head of the own (main) department. Somebody who heads
that department reports to the head of the next one above. Whoever has left is passed over, the line goes on behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from oa.organisation.models import User

# A walk over nodes: a person (`department` empty), or the department in which the manager of `walker` is looked for.
# The walk ends where it would come back, so that a circle made by heads of departments ends it, too.
_CHAIN = """
WITH RECURSIVE line(origin, person, department, walker) AS (
    SELECT id, id, NULL::bigint, id FROM oa_user WHERE id = ANY(%(users)s)
    UNION ALL
    SELECT l.origin, step.person, step.department, coalesce(step.person, l.walker)
      FROM line l
      LEFT JOIN oa_user p ON p.id = l.person
      LEFT JOIN oa_department d ON d.id = l.department
      LEFT JOIN oa_user h ON h.id = d.head_id AND h.is_active AND h.id <> l.walker
     CROSS JOIN LATERAL (
        SELECT CASE WHEN l.department IS NULL THEN p.manager_id ELSE h.id END AS person,
               CASE WHEN l.department IS NOT NULL THEN CASE WHEN h.id IS NULL THEN d.parent_id END
                    WHEN p.manager_id IS NULL THEN p.department_id END AS department
     ) step
     WHERE step.person IS NOT NULL OR step.department IS NOT NULL
) CYCLE origin, person, department, walker SET again USING path
SELECT u.*, line.origin AS below FROM line JOIN oa_user u ON u.id = line.person
 WHERE NOT again AND u.is_active AND u.id <> line.origin ORDER BY line.origin, array_length(path, 1) LIMIT %(levels)s
"""
_HEADS = """
WITH RECURSIVE up(id, parent_id, head_id) AS (
    SELECT id, parent_id, head_id FROM oa_department WHERE id = %(department)s
    UNION ALL SELECT d.id, d.parent_id, d.head_id FROM oa_department d JOIN up ON d.id = up.parent_id
) CYCLE id SET again USING path
, heads AS (SELECT head_id, min(array_length(path, 1)) AS level FROM up WHERE NOT again GROUP BY head_id)
SELECT u.* FROM heads JOIN oa_user u ON u.id = heads.head_id WHERE u.is_active ORDER BY level
"""
_HOLDERS = """
WITH RECURSIVE below AS (
    SELECT id FROM oa_department WHERE id = %(department)s
    UNION SELECT d.id FROM oa_department d JOIN below b ON d.parent_id = b.id
), held AS (
    SELECT id AS user_id, department_id FROM oa_user WHERE position_id = %(position)s
    UNION ALL SELECT user_id, department_id FROM oa_post WHERE position_id = %(position)s
)
SELECT u.* FROM oa_user u WHERE u.is_active AND u.id IN (
    SELECT user_id FROM held
     WHERE %(department)s::bigint IS NULL OR department_id IN (SELECT id FROM below)
) ORDER BY u.username
"""


def manager_of(user: User) -> User | None:
    """The active person whom `user` reports to, None at the top."""
    return next(iter(chain_of(user, 1)), None)


def chain_of(user: User, levels: int | None = None) -> list[User]:
    """The reporting line above `user`, nearest first: active people, each once, at most `levels` of them."""
    return _people(_CHAIN, users=[user.pk], levels=levels)


def chains_of(keys: Iterable[int]) -> dict[int, list[User]]:
    """The reporting lines above several people, by their keys."""
    found: dict[int, list[User]] = defaultdict(list)
    for person in _people(_CHAIN, users=list(keys), levels=None):
        found[person.below].append(person)  # type: ignore[attr-defined]
    return found


def head_of(department_id: int | None) -> User | None:
    """The active head of a department; where it has none, of the nearest department above that has one."""
    return next(iter(heads_above(department_id)), None)


def heads_above(department_id: int | None) -> list[User]:
    """The active heads from a department (its own head first) up to the top, each once."""
    return _people(_HEADS, department=department_id) if department_id is not None else []


def holders(position_id: int, department_id: int | None = None) -> list[User]:
    """Active people with a position in the main or a further post, in that department and below if one is given."""
    return _people(_HOLDERS, position=position_id, department=department_id)


def _people(sql: str, **params: Any) -> list[User]:
    return list(User.objects.raw(sql, params))
