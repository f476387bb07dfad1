"""Keeping views of lists: the kit's `ListMemory` in the database (UX 6.2)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, count
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet, Value
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.pages.memory import Memory, SavedList
from kit.rules.prepared import Prepared
from kit.values.errors import BusinessError
from oa.organisation.handover import Handover, handovers
from oa.organisation.models import Post, User
from oa.records.models import ListChoice, ListView, Share

CHOICE = "choice"  # beside the shares: a row that is no view
MOST = 50  # views of one person for one list


class StoredLists:
    """`kit.pages.memory.ListMemory` over two tables."""

    def recall(self, user: Any, page: str) -> Memory:
        """What `user` kept of a list and what others share of it (one statement)."""
        views, columns, opens = list[SavedList](), [], None
        for owner, share, key, name, query, kept in _kept.rows(
            user=user.pk, department=user.department_id or 0, page=page
        ):
            if share == CHOICE:
                columns, opens = kept, key
            else:
                views.append(SavedList(key, name, query, kept, owner == user.pk, share))
        views.sort(key=lambda view: (not view.mine, view.name, view.key))
        return Memory(views, columns, opens if opens in {view.key for view in views} else None)

    def keep_columns(self, user: Any, page: str, columns: Sequence[str], view: SavedList | None) -> None:
        """Show these columns from now on, in a view of one's own or outside of views; none: as shipped."""
        if view is not None and view.mine:
            ListView.objects.filter(pk=view.key, owner=user.pk).update(columns=list(columns))
            return
        ListChoice.objects.update_or_create(user_id=user.pk, page=page, defaults={"columns": list(columns)})

    @transaction.atomic
    def keep_view(self, user: Any, page: str, view: SavedList | None, **kept: Any) -> int:
        """A new view, or another name, filter, order or share of one's own; returns its key."""
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two windows name their views one by one
        mine = ListView.objects.filter(owner=user.pk, page=page)
        row = ListView(owner=user, page=page) if view is None else mine.filter(pk=view.key).first()
        if row is None:
            raise BusinessError(_("Only its owner changes a view."))
        for name, value in kept.items():
            setattr(row, name, value)
        row.name = row.name.strip()
        if not row.name:
            raise BusinessError(_("Enter a name."), field="name")
        if mine.filter(name=row.name).exclude(pk=row.pk).exists():
            raise BusinessError(_("You have a view of this name already."), field="name")
        if row.pk is None and mine.count() >= MOST:
            raise BusinessError(_("You have %s views of this list; delete some.") % MOST)
        row.department_id = user.department_id if row.share == Share.DEPARTMENT else None
        if row.share == Share.DEPARTMENT and row.department_id is None:
            raise BusinessError(_("You belong to no department."), field="share")
        row.save()
        return row.pk

    def drop_view(self, user: Any, page: str, view: SavedList) -> None:
        """Delete a view of one's own; who opened the list with it opens it as shipped."""
        ListView.objects.filter(pk=view.key, owner=user.pk, page=page).delete()

    def open_with(self, user: Any, page: str, view: SavedList | None) -> None:
        """Open the list with a view from now on, or as shipped."""
        opens = view.key if view is not None else None
        ListChoice.objects.update_or_create(user_id=user.pk, page=page, defaults={"opens_id": opens})

    def shares(self, user: Any) -> Sequence[tuple[str, Any]]:
        """With whom a view can be shared."""
        return Share.choices


def _within_reach(user: int, department: int, page: str) -> QuerySet[ListView]:
    here = Q(department=department) | Q(department__in=Post.objects.filter(user=user).values("department"))
    reach = Q(owner=user) | Q(share=Share.EVERYONE) | Q(here, share=Share.DEPARTMENT)
    return ListView.objects.filter(reach, page=page)


def _remembered(user: int, department: int, page: str) -> QuerySet[Any]:
    """Views, and among them a row that says how the list opens."""
    views = _within_reach(user, department, page).order_by()
    choice = ListChoice.objects.filter(user=user, page=page)
    return choice.values_list("user", Value(CHOICE), "opens", "page", "page", "columns").union(
        views.values_list("owner", "share", "pk", "name", "query", "columns"), all=True
    )


_kept = Prepared(_remembered, user=-7_310_001, department=-7_310_002, page="-7310003")


def _shared_by(user: User) -> QuerySet[Any]:
    return ListView.objects.filter(owner=user).exclude(share=Share.PRIVATE)


def _move(user: User, successor: User) -> int:
    """Shared views go on under the successor, with another name where the successor has one alike (3 statements)."""
    taken = set(ListView.objects.filter(owner=successor).values_list("page", "name"))
    moved = list(_shared_by(user).order_by("pk"))
    for row in moved:
        names = chain([row.name, f"{row.name[:40]} · {user}"[:60]], (f"{row.name[:50]} ({n})" for n in count(2)))
        row.owner, row.name = successor, next(name for name in names if (row.page, name) not in taken)
        taken.add((row.page, row.name))
    ListView.objects.bulk_update(moved, ["owner", "name"])
    return len(moved)


handovers.append(Handover(gettext_lazy("Views of lists"), _shared_by, _move))
