"""Joining, transfer, leaving and return of people: commands that keep every record with somebody (invariant I-34)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F, Q
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.organisation.duties import rights_kept
from oa.organisation.handover import hand_over as hand_over_records
from oa.organisation.handover import preview
from oa.organisation.lines import chain_of
from oa.organisation.models import Department, PersonnelChange, Position, Post, User
from oa.organisation.people import GIVES_ROLES, outranks, refuse_circle
from oa.organisation.rights import give_roles

MOVES = "oa.move_user"
Kind = PersonnelChange.Kind


@transaction.atomic
def join(person: User, *, by: Any, on: dt.date | None = None, roles: Collection[Group] = (), reason: str = "") -> User:
    """A new person with post, manager and roles; nobody can log in as them until a password is set."""
    _allow(by, None)
    person.joined_on = _day(on or person.joined_on)
    person.is_active, person.is_superuser, person.is_staff = True, False, False
    person.set_unusable_password()
    refuse_circle(person, person.manager)
    person.save()
    if roles:
        give_roles(person, roles, by=by)
    _note(person, Kind.JOINING, person.joined_on, by, reason)
    return person


@transaction.atomic
def transfer(
    user: User,
    *,
    by: Any,
    department: Department | None,
    position: Position | None = None,
    manager: User | None = None,
    on: dt.date | None = None,
    hand_over: bool = False,
    successor: User | None = None,
    reason: str = "",
) -> User:
    """Another main post and manager. With `hand_over` the successor takes what the person heads, leads and owns."""
    user, successor = _locked(user, successor)
    _allow(by, user)
    if not user.is_active:
        raise BusinessError(_("%s does not work here any more.") % user)
    before = user.department_id, user.position_id
    moved = 0
    if hand_over:
        successor = _fit(user, successor)
        moved = _place(user, successor) + hand_over_records(user, successor)
        user.refresh_from_db(fields=["version"])
    user.department, user.position, user.manager = department, position, manager
    user.version += 1
    user.__dict__.pop("own_department_ids", None)
    refuse_circle(user, manager)
    user.save(update_fields=["department", "position", "manager", "version"])
    Post.objects.filter(user=user, department=department, position=position).delete()
    _note(user, Kind.TRANSFER, _day(on, user.joined_on), by, reason, before, successor if hand_over else None, moved)
    return user


@transaction.atomic
def leave(user: User, *, by: Any, successor: User | None = None, on: dt.date | None = None, reason: str = "") -> User:
    """The person works here no more: nothing stays with them, and nobody is logged in as them from now on."""
    user, successor = _locked(user, successor)
    _allow(by, user)
    if not user.is_active:
        raise BusinessError(_("%s does not work here any more.") % user)
    if by is not None and by.pk == user.pk:
        raise BusinessError(_("Nobody leaves by themselves: somebody else enters it."))
    if user.is_superuser and not User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk).exists():
        raise BusinessError(_("%s is the last superuser and cannot leave.") % user)
    moved = 0
    if successor is not None or left_behind(user):
        successor = user.successor = _fit(user, successor)
        moved = _place(user, successor)
    Post.objects.filter(user=user).delete()
    with rights_kept(user=user.pk):
        _end(user, _day(on, user.joined_on))
    if successor is not None:  # after the end, so that nothing that goes on now comes back to the person
        moved += hand_over_records(user, successor)
    _note(user, Kind.LEAVING, user.left_on, by, reason, (user.department_id, user.position_id), successor, moved)
    return user


@transaction.atomic
def rejoin(
    user: User,
    *,
    by: Any,
    department: Department | None = None,
    position: Position | None = None,
    manager: User | None = None,
    on: dt.date | None = None,
    roles: Collection[Group] = (),
    reason: str = "",
) -> User:
    """Somebody who left comes back: without the old password and the old roles."""
    user, _nobody = _locked(user, None)
    _allow(by, user)
    if user.is_active:
        raise BusinessError(_("%s works here already.") % user)
    before = user.department_id, user.position_id
    user.groups.clear()
    user.is_active, user.left_on, user.joined_on, user.successor = True, None, _day(on), None
    user.department, user.position, user.manager = department, position, manager
    user.version += 1
    user.set_unusable_password()
    refuse_circle(user, manager)
    user.save()
    if roles:
        give_roles(user, roles, by=by)
    _note(user, Kind.RETURN, user.joined_on, by, reason, before)
    return user


def left_behind(user: User) -> list[tuple[Any, int]]:
    """What nobody would care for if the person left: departments, people, records, each with how many there are."""
    places = [
        (_("Departments headed"), Department.objects.filter(head=user).count()),
        (_("People who report here"), User.objects.filter(manager=user, is_active=True).count()),
    ]
    return [*((label, count) for label, count in places if count), *preview(user)]


def refuse_switching_off(user: User) -> None:
    """The ordinary forms do not switch off people who own, head or lead anything (invariant I-34)."""
    behind = left_behind(user)
    if behind:
        listed = ", ".join(f"{capfirst(str(label))}: {count}" for label, count in behind)
        raise BusinessError(
            _("%(person)s still has: %(what)s. Use “Leaving”, which hands this over to a successor.")
            % {"person": user, "what": listed},
            field="is_active",
        )


def _allow(by: Any, user: User | None) -> None:
    """Who may move people, and only those who are not above them in rights."""
    if by is None:
        return
    if not by.has_perm(MOVES) or not outranks(by, user):
        raise BusinessError(
            _("You do not have the right to do this: %s. Ask your administrator for it.") % _("move people")
        )


def _locked(user: User, successor: User | None) -> tuple[User, User | None]:
    """Both as they are now, held until the end, together with all superusers: none of them leaves meanwhile."""
    keys = [row.pk for row in (user, successor) if row is not None]
    wanted = Q(pk__in=keys) | Q(is_superuser=True, is_active=True)
    rows = {row.pk: row for row in User.objects.select_for_update(of=("self",)).filter(wanted).order_by("pk")}
    return rows[user.pk], rows[successor.pk] if successor is not None else None


def _fit(user: User, successor: User | None) -> User:
    """There is a successor who stays: the row is locked, so it cannot be switched off before the end."""
    if successor is None:
        raise BusinessError(_("Name a successor: %s still has something to hand over.") % user, field="successor")
    if successor.pk == user.pk:
        raise BusinessError(_("The successor must be somebody else."), field="successor")
    if not successor.is_active:
        raise BusinessError(_("%s does not work here any more; choose somebody else.") % successor, field="successor")
    return successor


def _place(user: User, successor: User) -> int:
    """The successor heads what the person headed and leads whom they led; who stood below takes their place."""
    if user in chain_of(successor):
        own = user.manager_id if user.manager_id != successor.pk else None
        User.objects.filter(pk=successor.pk).update(manager=own, version=F("version") + 1)
    raised: dict[str, Any] = {"version": F("version") + 1}
    heads = Department.objects.filter(head=user).update(head=successor, **raised)
    led = User.objects.filter(manager=user).exclude(pk=successor.pk)
    return heads + led.update(manager=successor, **raised)


def _end(user: User, on: dt.date) -> None:
    """Log-ins end with the password: every session carries its mark. Roles end, too, and are given anew on return."""
    user.is_active = user.is_superuser = user.is_staff = False
    user.left_on = on
    user.version += 1
    user.set_unusable_password()
    user.save()
    user.groups.clear()


def _day(on: dt.date | None, joined: dt.date | None = None) -> dt.date:
    """The day it takes effect: at once, so not later than today, and not before the person came."""
    day = on or business_day()
    if day > business_day():
        raise BusinessError(_("This takes effect at once: enter it on that day."), field="on")
    if joined is not None and day < joined:
        raise BusinessError(_("The person joined later than that."), field="on")
    return day


def _note(
    user: User,
    kind: str,
    on: dt.date | None,
    by: Any,
    reason: str,
    before: tuple[int | None, int | None] = (None, None),
    successor: User | None = None,
    moved: int = 0,
) -> None:
    PersonnelChange.objects.create(
        person=user, kind=kind, on=on, created_by=by, reason=reason.strip(), successor=successor, moved=moved,
        department_before_id=before[0], position_before_id=before[1],
        department_id=None if kind == Kind.LEAVING else user.department_id,
        position_id=None if kind == Kind.LEAVING else user.position_id,
    )  # fmt: skip


def roles_offered(by: Any) -> Iterable[Group]:
    """The roles `by` may give; none without the right to."""
    rows = Group.objects.filter(role__isnull=False).select_related("role").order_by("role__code")
    return rows if by.has_perm(GIVES_ROLES) else rows.none()
