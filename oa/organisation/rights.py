"""Roles and who has them: commands (rules G-21, G-22)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from oa.organisation.duties import rights_kept
from oa.organisation.models import Role, User
from oa.organisation.people import GIVES_ROLES, outranks
from oa.roles import FOREIGN_GRANTS, SHIPPED

_SHIPPED = {role.code for role in SHIPPED}


def offered_rights() -> QuerySet[Permission]:
    """What a role can hold: rights of our apps; history is written by triggers, so only viewing it can be granted."""
    ours = Q(content_type__app_label__in=["oa", "crm", "erp", *FOREIGN_GRANTS])
    written = Q(codename__endswith="history") & ~Q(codename__startswith="view_")
    return Permission.objects.filter(ours & ~written).select_related("content_type")


def is_shipped(role: Role) -> bool:
    """Whether the role came with the program: it may be changed and never be deleted."""
    return role.code in _SHIPPED


@transaction.atomic
def save_role(role: Role, *, by: Any, name: str, rights: Collection[int]) -> Role:
    """Store a new or changed role with its name and the keys of its rights. Raises BusinessError."""
    right = GIVES_ROLES if role.pk else "oa.add_role"
    if by is not None and not by.has_perm(right):
        raise BusinessError(
            _("You do not have the right to do this: %s. Ask your administrator for it.") % _("change roles")
        )
    name = name.strip()
    if not name or Group.objects.filter(name=name).exclude(pk=role.pk).exists():
        raise BusinessError(_("There is another role of this name.") if name else _("Give it a name."), field="name")
    keys = set(offered_rights().filter(pk__in=rights).values_list("pk", flat=True))
    with rights_kept(role=role.pk or 0):
        if role.pk:
            Group.objects.filter(pk=role.pk).update(name=name)
        else:
            role.group = Group.objects.create(name=name)
        role.save()
        kept = role.group.permissions.exclude(pk__in=offered_rights())  # what the editor does not offer stays
        role.group.permissions.set([*keys, *kept.values_list("pk", flat=True)])
    return role


@transaction.atomic
def give_roles(person: User, roles: Iterable[Group], *, by: Any) -> None:
    """Let `person` have exactly these roles. Raises BusinessError, naming duties that do not go together."""
    if by is not None and not (by.has_perm(GIVES_ROLES) and outranks(by, person)):
        raise BusinessError(
            _("You do not have the right to do this: %s. Ask your administrator for it.") % _("give roles"),
            field="groups",
        )
    with rights_kept(user=person.pk):
        person.groups.set(roles)
    person.__dict__.pop("granted", None)
