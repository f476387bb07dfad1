"""People that files name before anybody has made them."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.models import Group
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from kit.values.errors import BusinessError
from oa.organisation.lines import chain_of
from oa.organisation.models import User

_NOT_IN_NAMES = re.compile(r"[^\w.@+-]+")
_LONGEST = 150


gettext_noop("Can let people join, transfer and leave")  # the right to move people, as the role editor calls it
GIVES_ROLES = "oa.change_role"  # who holds it decides what others may do


def outranks(actor: Any, target: User | None) -> bool:
    """Whether `actor` may touch the account of `target`: nobody raises rights through somebody else's (rule G-22)."""
    if target is None or target.pk is None or actor.is_superuser:
        return True
    return not target.is_superuser and (actor.has_perm(GIVES_ROLES) or not target.has_perm(GIVES_ROLES))


def refuse_circle(person: User, manager: User | None) -> None:
    """A manager works here, is somebody else, and does not report to the person, not over others either."""
    if manager is None:
        return
    if not manager.is_active:
        raise BusinessError(_("%s does not work here any more; choose somebody else.") % manager, field="manager")
    if person.pk is not None and (manager.pk == person.pk or person in chain_of(manager)):
        raise BusinessError(
            _("%(manager)s reports to %(person)s: nobody reports to oneself, not over others either.")
            % {"manager": manager, "person": person},
            field="manager",
        )


def person_called(name: str, by: Any, role: str = "sales") -> User:
    """An active person without a password, with one role: owner of records that are imported.

    The person cannot log in before an administrator sets a password. Refused to whoever may not make users.
    """
    if by is not None and not by.has_perm("oa.add_user"):
        raise BusinessError(_("There is no user “%s”; only an administrator can add one.") % name)
    stem = _NOT_IN_NAMES.sub(".", name).strip(".")[: _LONGEST - 10] or "user"
    taken = set(User.objects.filter(username__startswith=stem).values_list("username", flat=True))
    username = next(text for text in (stem, *(f"{stem}{n}" for n in range(2, 10_000))) if text not in taken)
    person = User(username=username, name=name[:100])
    person.set_unusable_password()
    person.save()
    person.groups.set(Group.objects.filter(role__code=role))
    return person
