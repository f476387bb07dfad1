"""What the ordinary forms of people and departments store (invariant I-34, rule G-22)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from oa.organisation.duties import rights_kept
from oa.organisation.models import Department, User
from oa.organisation.moves import join, refuse_switching_off
from oa.organisation.people import outranks, refuse_circle


@transaction.atomic
def save_person(person: User, *, by: Any) -> User:
    """Store a person: a new one joins; who is switched off or on again goes through the commands for that."""
    if person.pk is None:
        return join(person, by=by)
    stored = User.objects.select_for_update(of=("self",)).get(pk=person.pk)
    if by is not None and not (by.has_perm("oa.change_user") and outranks(by, stored)):
        raise BusinessError(_("You do not have the right to do this: %s. Ask your administrator for it.") % stored)
    if stored.is_active and not person.is_active:
        refuse_switching_off(stored)
    if person.is_active and stored.left_on is not None:
        raise BusinessError(_("%s has left. Use “Return”.") % stored, field="is_active")
    if person.manager_id != stored.manager_id:
        refuse_circle(person, person.manager)
    with rights_kept(user=person.pk):
        person.save()
    return person


@transaction.atomic
def save_department(department: Department, *, by: Any) -> Department:
    """Store a department: its head works here and does not report, over others, to one of its own people."""
    if by is not None and not by.has_perm(f"oa.{'change' if department.pk else 'add'}_department"):
        raise BusinessError(_("You do not have the right to do this: %s. Ask your administrator for it.") % department)
    head = department.head
    if head is not None and department.active:
        head = department.head = User.objects.select_for_update(of=("self",)).get(pk=head.pk)
        if not head.is_active:
            raise BusinessError(_("%s does not work here any more; choose somebody else.") % head, field="head")
    department.save()
    if head is not None and head.manager is not None:
        try:
            refuse_circle(head, head.manager)
        except BusinessError as error:
            raise BusinessError(str(error), field="head") from error
    return department
