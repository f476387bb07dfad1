"""Who may run a command on what: services ask the same as pages do (rule G-21, RELIABILITY S-03)."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from kit.rules.permissions import ALL
from kit.rules.states import Transition, command_permission
from kit.values.errors import BusinessError
from oa.organisation.duties import refuse_own_work


def allow(by: Any, permission: str, action: Any, *records: models.Model | None) -> None:
    """Refuse unless `by` holds `permission` (`erp.post_invoice`) and may see each of `records`.

    `action` says in words what was tried. None stands for the system itself, which may do everything.
    A record outside the scope is refused like one that does not exist: nothing of it is told.
    """
    if by is None:
        return
    if not by.has_perm(permission):
        raise BusinessError(_("You do not have the right to do this: %s. Ask your administrator for it.") % action)
    for record in records:
        if record is not None and not _seen(by, record):
            raise BusinessError(
                _("This %s is not among the records that you may see.") % record._meta.verbose_name,
            )
        if record is not None:
            refuse_own_work(by, permission, record)


def allow_transition(by: Any, document: Any, name: str) -> Transition:
    """Refuse unless the state of `document` allows transition `name` and `by` may do it there."""
    transition: Transition = document.STATES.check(name, document)
    allow(by, command_permission(document, transition), transition.label, document)
    return transition


def allow_saving(by: Any, document: Any, *others: models.Model | None) -> None:
    """Refuse unless `by` may store `document` (new or changed) for `others`, such as its customer."""
    meta = document._meta
    if document.pk is None:
        allow(by, f"{meta.app_label}.add_{meta.model_name}", _("create %s") % meta.verbose_name, *others)
    else:
        action = _("change %s") % meta.verbose_name
        allow(by, f"{meta.app_label}.change_{meta.model_name}", action, document, *others)


def allow_making(by: Any, model: type[models.Model], origin: models.Model) -> None:
    """Refuse unless `by` may create a `model` and may see `origin`, the document it is made from."""
    meta = model._meta
    allow(by, f"{meta.app_label}.add_{meta.model_name}", _("create %s") % meta.verbose_name, origin)


def _seen(by: Any, record: models.Model) -> bool:
    """Whether `record` is among the rows that pages show to `by`; no statement for people who see all."""
    scope = by.data_scope(type(record))
    if scope is None or scope == ALL:
        return scope == ALL
    rows: Any = type(record)._default_manager
    return bool(rows.visible_to(by).filter(pk=record.pk).exists())
