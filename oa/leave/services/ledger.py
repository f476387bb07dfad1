"""The only writers of the ledger of leave (rule H-01)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.leave.course import Fact
from oa.leave.models import Employment, LeaveEntry, LeaveRequest, LeaveType
from oa.leave.models.ledger import EntryKind
from oa.leave.reading import course_with, courses
from oa.leave.rules import with_unit

BY_HAND = (EntryKind.GRANT, EntryKind.ADJUST, EntryKind.PAYOUT)


def lock_balances(people: Iterable[int]) -> None:
    """Hold the balances of people until the transaction ends: their employments, in key order."""
    keys = sorted(set(people))
    Employment.objects.bulk_create((Employment(person_id=key) for key in keys), ignore_conflicts=True)
    list(Employment.objects.select_for_update(of=("self",)).filter(person__in=keys).order_by("person_id"))


@transaction.atomic
def save_entry(entry: LeaveEntry, *, by: Any) -> LeaveEntry:
    """A grant, an adjustment or a payment by hand, with its reason; no later day may fall below what is allowed."""
    if by is not None and not by.has_perm("oa.manage_leaverequest"):
        raise BusinessError(_("Balances are changed by human resources."))
    if entry.pk is not None:
        raise BusinessError(_("Entries are never changed; make another one."))
    lock_balances([entry.person_id])
    if entry.kind not in BY_HAND:
        raise BusinessError(_("Entries of this kind come by themselves."), field="kind")
    if not entry.reason.strip():
        raise BusinessError(_("Enter a reason."), field="reason")
    entry.units = abs(entry.units) if entry.kind == EntryKind.GRANT else entry.units
    entry.units = -abs(entry.units) if entry.kind == EntryKind.PAYOUT else entry.units
    if not entry.units:
        raise BusinessError(_("Enter how much."), field="units")
    if entry.units < 0:
        entry.expires_on = None
        _suffices(entry)
    entry.created_by = by
    entry.save()
    return entry


def _suffices(entry: LeaveEntry) -> None:
    leave = entry.type
    if not leave.limited:
        return
    course = course_with(entry.person_id, leave, [Fact(0, entry.date, entry.units)])
    lowest, day = course.lowest(entry.date)
    if lowest < -leave.overdraft:
        raise BusinessError(
            _("The balance of %(type)s does not suffice: on %(day)s it would be %(balance)s.")
            % {"type": leave, "day": day, "balance": with_unit(leave, lowest)},
            field="units",
        )


def write_use(request: LeaveRequest, by: Any) -> LeaveEntry:
    """Approved leave takes its days on its first one; the database refuses a second entry."""
    return LeaveEntry.objects.create(
        person_id=request.person_id,
        type_id=request.type_id,
        kind=EntryKind.USE,
        date=request.first_day,
        units=-request.units,
        request=request,
        created_by=by,
    )


def give_back(request: LeaveRequest, units: Decimal, *, day: dt.date, by: Any, reason: str) -> LeaveEntry:
    """What was not taken in the end, as of `day`: as long valid as the grant it came from.

    Where the grant has expired meanwhile it stays valid without end: the person could not use it any more.
    """
    return LeaveEntry.objects.create(
        person_id=request.person_id,
        type_id=request.type_id,
        kind=EntryKind.RETURN,
        date=day,
        units=units,
        expires_on=_validity(request, max(day, business_day())),
        request=request,
        reason=reason[:200],
        created_by=by,
    )


def _validity(request: LeaveRequest, day: dt.date) -> dt.date | None:
    """Until when the latest grant that the leave consumed was valid."""
    key = request.entries.filter(kind=EntryKind.USE).values_list("pk", flat=True).first()
    course = courses([request.type], [request.person_id]).get((request.person_id, request.type_id))
    ends = course.sources.get(key or 0, []) if course is not None else []
    if not ends or None in ends:
        return None
    latest = max(end for end in ends if end is not None)
    return latest if latest >= day else None


@transaction.atomic
def save_type(leave: LeaveType, *, by: Any) -> LeaveType:
    """Store a type; refused when balances that exist would break its rules, or its unit changed after use."""
    before = LeaveType.objects.select_for_update().filter(pk=leave.pk).first() if leave.pk else None
    if before is not None and before.unit != leave.unit and before.entries.exists():
        raise BusinessError(_("Its entries are counted in another unit already."), field="unit")
    leave.save()
    if before is not None and leave.limited:
        for course in courses([leave]).values():
            lowest, day = course.lowest(dt.date.min)
            if lowest < -leave.overdraft:
                given = {"day": day, "balance": with_unit(leave, lowest)}
                raise BusinessError(_("Somebody's balance would be %(balance)s on %(day)s.") % given, field="limited")
    return leave
