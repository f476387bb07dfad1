"""Who sees which rows. Every list, picker, export, panel and report starts from `visible_to(user)`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q

OWN, DEPARTMENT, SUBTREE, ALL = "own", "department", "subtree", "all"


class VisibleQuerySet(models.QuerySet):
    """Rows narrowed by the view permission and by the data scope that comes with it.

    `scope_paths` are the relation prefixes ("" for the row itself, "customer__") at whose end an `owner`
    and a `department` stand; one match is enough. Empty: every row is visible to whoever may view the model.
    """

    scope_paths: ClassVar[tuple[str, ...]] = ()

    def visible_to(self, user: Any) -> Self:
        """Rows `user` may see; none without the view permission. `user` has `data_scope(model)`."""
        scope = user.data_scope(self.model)
        if scope is None:
            return self.none()
        if scope == ALL or not self.scope_paths:
            return self
        condition = Q()
        for path in self.scope_paths:
            condition |= Q(**{f"{path}owner": user.pk})
            if scope == DEPARTMENT:
                condition |= Q(**{f"{path}department__in": user.own_department_ids})
            elif scope == SUBTREE:
                condition |= Q(**{f"{path}department__in": user.department_ids})
        return self.filter(condition)


def scoped(*paths: str) -> type[VisibleQuerySet]:
    """A queryset class whose rows belong to the owners at the end of `paths` (see `VisibleQuerySet`)."""
    return type("ScopedQuerySet", (VisibleQuerySet,), {"scope_paths": paths})


def may(user: Any, action: str, model: Any) -> bool:
    """Whether `user` holds `action` (view, add, change, delete, or a transition's verb) on `model`."""
    meta = model._meta
    return bool(user.has_perm(f"{meta.app_label}.{action}_{meta.model_name}"))


def beyond_reach(user: Any, model: Any, given: Mapping[str, Any]) -> Iterator[str]:
    """Which of the values `owner` and `department` put a record out of the part of the company `user` works in.

    Nobody writes in the name of people whose records they would not see, or gives a record away to them
    (rules G-21, C-15). The owner of the `customer` a document is for may own the document too.
    """
    scope = user.data_scope(model)
    paths = getattr(model._default_manager.all(), "scope_paths", ())
    if scope == ALL or "" not in paths:
        return
    near = set(user.department_ids if scope == SUBTREE else user.own_department_ids)
    owner, department = given.get("owner"), given.get("department")
    known = {user.pk, getattr(given.get("customer"), "owner_id", None)}
    if owner is not None and owner.pk not in known and (scope == OWN or owner.department_id not in near):
        yield "owner"
    if department is not None and department.pk not in near:
        yield "department"
