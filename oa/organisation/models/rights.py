"""Who was given which role and which right, when and by whom: kept by the database, as all history (rule G-20)."""

from __future__ import annotations

from typing import Any

import pghistory
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _

from oa.organisation.models.people import User


def kept(model: Any) -> Any:
    """Class decorator: an event for every row of a table between two models that is added or removed."""
    events: Any = (pghistory.InsertEvent("given"), pghistory.DeleteEvent("taken"))
    return pghistory.track(*events, obj_field=None, model_name=f"{model.__name__}History")(model)


@kept
class UserRole(User.groups.through):  # type: ignore[name-defined]
    """A role of a person."""

    class Meta:
        proxy = True
        verbose_name = _("role of a person")
        verbose_name_plural = _("roles of people")
        default_permissions = ()


@kept
class UserRight(User.user_permissions.through):  # type: ignore[name-defined]
    """A right that a person has besides the roles."""

    class Meta:
        proxy = True
        verbose_name = _("right of a person")
        verbose_name_plural = _("rights of people")
        default_permissions = ()


@kept
class RoleRight(Group.permissions.through):  # type: ignore[name-defined]
    """A right of a role."""

    class Meta:
        proxy = True
        verbose_name = _("right of a role")
        verbose_name_plural = _("rights of roles")
        default_permissions = ()
