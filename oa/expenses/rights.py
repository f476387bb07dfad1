"""Who may do what to claims and advances: services ask the same as pages do (rule G-21)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from kit.rules.states import Transition, command_permission
from kit.values.errors import BusinessError
from oa.organisation.duties import refuse_own_work


def allow(by: Any, permission: str, action: Any, document: Any) -> None:
    """Refuse unless `by` holds `permission` and may see `document`; None stands for the system itself."""
    if by is None:
        return
    if not by.has_perm(permission):
        raise BusinessError(_("You do not have the right to do this: %s. Ask your administrator for it.") % action)
    if document.pk is not None and not type(document).objects.visible_to(by).filter(pk=document.pk).exists():
        raise BusinessError(_("This %s is not among the records that you may see.") % document._meta.verbose_name)
    refuse_own_work(by, permission, document)


def allow_transition(by: Any, document: Any, name: str) -> Transition:
    """Refuse unless the state of `document` allows transition `name` and `by` may do it there."""
    transition: Transition = document.STATES.check(name, document)
    allow(by, command_permission(document, transition), transition.label, document)
    return transition


def only_own(by: Any, document: Any) -> None:
    """Money is asked for by the person who gets it, nobody else."""
    if by is not None and document.owner_id is not None and document.owner_id != by.pk:
        raise BusinessError(_("Only %s can change this.") % document.owner)


def never_own(by: Any, document: Any) -> None:
    """Nobody decides about money for oneself."""
    if by is not None and document.owner_id == by.pk:
        raise BusinessError(_("This is your own; somebody else has to decide about it."))
