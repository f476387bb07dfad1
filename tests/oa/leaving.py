"""Makers of leave for tests."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from typing import Any

import pytest

from kit.values.errors import BusinessError
from oa.leave.models import CalendarAssignment, Employment, LeaveEntry, LeaveRequest, LeaveType, WorkCalendar
from oa.leave.services import requests
from oa.leave.services.ledger import save_entry
from oa.organisation.models import Department, User
from tests import factories as make

_numbers = itertools.count(1)
D = Decimal


def monday(weeks: int = 3) -> dt.date:
    """A Monday so many weeks ahead (negative: ago), counting only those whose fortnight lies in one year."""
    today, step = make.today(), 1 if weeks > 0 else -1
    day, left = today - dt.timedelta(days=today.weekday()), abs(weeks)
    while left or (day + dt.timedelta(days=13)).year != day.year:
        day += dt.timedelta(weeks=step)
        left -= left > 0 and (day + dt.timedelta(days=13)).year == day.year
    return day


def leave_type(code: str = "", **columns: Any) -> LeaveType:
    """A type that asks for nothing but a balance."""
    return LeaveType.objects.create(code=code or f"T{next(_numbers)}", name="Rest", **columns)


def grant(person: User, leave: LeaveType, units: Any, **columns: Any) -> LeaveEntry:
    """Days by hand, long ago unless said otherwise."""
    columns.setdefault("date", dt.date(2020, 1, 1))
    columns.setdefault("kind", "grant")
    return save_entry(LeaveEntry(person=person, type=leave, units=D(units), reason="test", **columns), by=None)


def draft(person: User, leave: LeaveType, first: dt.date, last: dt.date | None = None, **columns: Any) -> LeaveRequest:
    """A draft of one's own."""
    row = LeaveRequest(person=person, type=leave, first_day=first, last_day=last or first, **columns)
    return requests.save_leave(row, by=person)


def submitted(person: User, leave: LeaveType, first: dt.date, last: dt.date | None = None, **columns: Any) -> Any:
    return requests.submit_leave(draft(person, leave, first, last, **columns), by=person)


def approved(person: User, leave: LeaveType, first: dt.date, last: dt.date | None = None, **columns: Any) -> Any:
    return requests.approve_leave(submitted(person, leave, first, last, **columns), by=None)


def balance(person: User, leave: LeaveType, day: dt.date | None = None) -> Decimal:
    """The balance on a day as the ledger has it: a sum, and nothing else."""
    rows = LeaveEntry.objects.filter(person=person, type=leave)
    if day is not None:
        rows = rows.filter(date__lte=day)
    return sum(rows.values_list("units", flat=True), D(0))


def living(kind: str) -> Any:
    """An example row."""
    number = next(_numbers)
    if kind == "calendar":
        return WorkCalendar.objects.create(name=f"Shift {number}")
    if kind == "assignment":
        department = Department.objects.create(code=f"LV{number}", name=f"Team {number}")
        return CalendarAssignment.objects.create(
            calendar=WorkCalendar.objects.get(standard=True), department=department
        )
    person = User.objects.create(username=f"leaver{number}", name=f"Leaver {number}")
    if kind == "employment":
        return Employment.objects.create(person=person, gender="female")
    leave = LeaveType.objects.get(code="PERSONAL")
    if kind == "entry":
        return grant(person, leave, 5)
    return draft(person, leave, monday())


def stopped(match: str) -> Any:
    """The command inside is refused in these words."""
    return pytest.raises(BusinessError, match=match)
