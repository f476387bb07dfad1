"""Where things lie in the library: the tree beside a page and the way to a folder, as one person sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from oa.documents.models import Folder, FolderGrant, Space
from oa.documents.models.rights import in_words

MOST = 500  # folders shown under one folder

_UP = """
WITH RECURSIVE up AS (
    SELECT id, parent_id, inherits, 0 AS distance, TRUE AS counts FROM oa_folder WHERE id = %s
    UNION ALL
    SELECT f.id, f.parent_id, f.inherits, u.distance + 1, u.counts AND u.inherits
      FROM oa_folder f JOIN up u ON f.id = u.parent_id WHERE u.distance < 50
) SELECT id, counts FROM up ORDER BY distance
"""


@dataclass(frozen=True)
class Node:
    """A folder in the tree beside a page."""

    folder: Folder
    depth: int
    current: bool

    @property
    def steps(self) -> range:
        """One for each folder it hangs below."""
        return range(self.depth)

    @property
    def name(self) -> str:
        """What the person calls it."""
        return title_of(self.folder)


def title_of(folder: Folder) -> str:
    """The name of a folder; the top of a person's own tree is named after the person."""
    return _("Documents of %s") % folder if folder.parent_id is None and folder.space == Space.PERSONAL else str(folder)


def chain(folder: Folder) -> list[tuple[int, bool]]:
    """Keys of a folder and of those above it, from below, and whether their permissions count for it."""
    with connection.cursor() as cursor:
        cursor.execute(_UP, [folder.pk])
        return cursor.fetchall()


def way_to(folder: Folder, user: Any) -> list[Folder]:
    """The folders from the top down to `folder`, beginning below the last one that `user` may not see."""
    keys = [key for key, _counts in chain(folder)]
    seen = {row.pk: row for row in Folder.objects.visible_to(user).filter(pk__in=keys)}
    way: list[Folder] = []
    for key in keys:
        if key not in seen:
            break
        way.insert(0, seen[key])
    return way


def tree_for(user: Any, way: list[Folder]) -> list[Node]:
    """The tops of the tree, and along the way to the present folder what lies beside and in it; two statements.

    A folder whose folder above is closed to the person is a top of its own.
    """
    seen = Folder.objects.visible_to(user)
    tops = list(seen.exclude(parent__in=seen.values("pk")).order_by("space", "name", "pk")[:MOST])
    inside: dict[int, list[Folder]] = {}
    for row in seen.filter(parent__in=[folder.pk for folder in way]).order_by("name", "pk")[:MOST]:
        inside.setdefault(row.parent_id or 0, []).append(row)
    current = way[-1].pk if way else 0

    def nodes(rows: list[Folder], depth: int) -> list[Node]:
        made = []
        for row in rows:
            made.append(Node(row, depth, row.pk == current))
            made += nodes(inside.get(row.pk, []), depth + 1)
        return made

    return nodes(tops, 0)


@dataclass(frozen=True)
class Access:
    """One sentence of who may do what in a folder."""

    grant: FolderGrant
    who: str
    what: str
    own: bool
    above: str  # the folder above that it comes from, where the reader may see that one


def access_of(folder: Folder, user: Any) -> list[Access]:
    """Who may do what in a folder, its own list first; four statements however long the lists are."""
    order = {key: place for place, (key, counts) in enumerate(chain(folder)) if counts}
    seen = dict(Folder.objects.visible_to(user).filter(pk__in=order).values_list("pk", "name"))
    rows = FolderGrant.objects.filter(folder__in=order)
    rows = rows.select_related("department", "role__group", "position", "user")
    return [
        Access(row, str(row.who), in_words(row.rights), row.folder_id == folder.pk, seen.get(row.folder_id, ""))
        for row in sorted(rows, key=lambda row: (order[row.folder_id], row.audience, row.pk))
    ]
