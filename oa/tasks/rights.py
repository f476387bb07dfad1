"""Who may do what to a task or meeting: services ask the same as pages do (rule G-21)."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from kit.rules.permissions import may
from kit.values.errors import BusinessError


def allow(by: Any, action: str, record: models.Model, *, manage: bool = False) -> None:
    """Refuse unless `by` may see `record` and holds `action` on it; to `manage`, taking part is not enough.

    None stands for the system. What a person may not see is refused like something that does not exist.
    """
    if by is None:
        return
    name = record._meta.verbose_name
    if not may(by, action, type(record)):
        raise BusinessError(_("You do not have the right to change this %s.") % name)
    rows: Any = type(record)._default_manager.all()
    if record.pk is None:
        return
    if not rows.visible_to(by).filter(pk=record.pk).exists():
        raise BusinessError(_("This %s is not among the records that you may see.") % name)
    if manage and not manages(by, record):
        raise BusinessError(_("Only who owns or gave this %s can do that.") % name)


def manages(by: Any, record: Any) -> bool:
    """Whether `by` has a say in `record`: owner, giver, or superior."""
    if by is None or by.pk in (record.owner_id, record.created_by_id):
        return True
    return bool(type(record)._default_manager.managed_by(by).filter(pk=record.pk).exists())
