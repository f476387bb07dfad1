"""What the rules of leave are fed with: working plans of people, and the facts of balances. Few statements each."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from oa.leave.course import Course, Fact, follow
from oa.leave.hours import OFF, Hours, Plan, parse_hours
from oa.leave.models import CalendarAssignment, CalendarDay, LeaveEntry, LeaveRequest, LeaveType, WorkCalendar
from oa.leave.models.ledger import EntryKind
from oa.organisation.models import Department


@dataclass
class Calendars:
    """All calendars with their special days from `first` to `last`, and for whom they hold."""

    weeks: dict[int, list[Hours]] = field(default_factory=dict)
    special: dict[tuple[int, dt.date], Hours] = field(default_factory=dict)
    standard: int | None = None
    people: dict[int, list[tuple[dt.date, int]]] = field(default_factory=lambda: defaultdict(list))
    departments: dict[int, list[tuple[dt.date, int]]] = field(default_factory=lambda: defaultdict(list))
    parents: dict[int, int | None] = field(default_factory=dict)

    def calendar_on(self, day: dt.date, person: int, department: int | None) -> int | None:
        """The calendar of a person on a day: the own one, that of the nearest department above, the standard."""
        sources = [self.people.get(person, ())]
        while department is not None:
            sources.append(self.departments.get(department, ()))
            department = self.parents.get(department)
        for rows in sources:
            found = [calendar for since, calendar in rows if since <= day]
            if found:
                return found[-1]
        return self.standard

    def plan(self, person: int, department: int | None) -> Plan:
        """The hours of a person on each day."""

        def hours(day: dt.date) -> Hours:
            calendar = self.calendar_on(day, person, department)
            if calendar is None:
                return OFF
            return self.special.get((calendar, day)) or self.weeks[calendar][day.weekday()]

        return hours


def calendars_between(first: dt.date, last: dt.date) -> Calendars:
    """The calendars for a period: four statements, whoever is asked for."""
    made = Calendars()
    for calendar in WorkCalendar.objects.filter(active=True):
        made.weeks[calendar.pk] = calendar.week
        made.standard = calendar.pk if calendar.standard else made.standard
    for day in CalendarDay.objects.filter(calendar__in=made.weeks, date__gte=first, date__lte=last):
        monday = made.weeks[day.calendar_id][0]
        worked = parse_hours(day.hours) if day.hours else monday
        made.special[day.calendar_id, day.date] = worked if day.kind == "work" else OFF
    for row in CalendarAssignment.objects.filter(calendar__in=made.weeks).order_by("since", "pk"):
        held = made.people[row.person_id] if row.person_id is not None else made.departments[row.department_id or 0]
        held.append((row.since, row.calendar_id))
    made.parents = dict(Department.objects.values_list("pk", "parent_id"))
    return made


def counted(requests: Iterable[LeaveRequest]) -> dict[int, Decimal]:
    """The days or hours of requests by the present calendars, by key: four statements for all of them."""
    from oa.leave.counting import units_of

    rows = list(requests)
    if not rows:
        return {}
    calendars = calendars_between(min(r.first_day for r in rows), max(r.last_day for r in rows))
    return {
        row.pk: units_of(row.period, calendars.plan(row.person_id, row.person.department_id), row.type.rule)
        for row in rows
    }


# ---- balances ----


def fact_of(entry: LeaveEntry) -> Fact:
    """An entry as the rules know it; what is granted or given back may be carried forward, once."""
    return Fact(
        key=entry.pk,
        date=entry.date,
        units=entry.units,
        expires_on=entry.expires_on,
        lot=entry.grant_id if entry.kind == EntryKind.EXPIRY else None,
        carries=entry.kind in (EntryKind.GRANT, EntryKind.RETURN),
        carried=entry.kind == EntryKind.CARRY,
    )


def courses(types: Iterable[LeaveType], people: Collection[int] | None = None) -> dict[tuple[int, int], Course]:
    """(person, type) -> the course of the balance: one statement."""
    known = {leave.pk: leave for leave in types}
    rows = LeaveEntry.objects.filter(type__in=known)
    if people is not None:
        rows = rows.filter(person__in=people)
    facts: dict[tuple[int, int], list[Fact]] = defaultdict(list)
    for entry in rows.order_by("date", "pk"):
        facts[entry.person_id, entry.type_id].append(fact_of(entry))
    return {key: follow(found, known[key[1]].carry) for key, found in facts.items()}


def course_with(person: int, leave: LeaveType, extra: Iterable[Fact] = (), *, but: int | None = None) -> Course:
    """The course of one balance as it will be when what waits for approval is approved: two statements.

    `extra` facts come on top; the request with key `but` is left out. Negative keys mark what is not booked yet.
    """
    facts = [fact_of(entry) for entry in LeaveEntry.objects.filter(person=person, type=leave)]
    waiting = LeaveRequest.objects.filter(person=person, type=leave, state="approving").exclude(pk=but)
    facts += [Fact(-key, day, -units) for key, day, units in waiting.values_list("pk", "first_day", "units")]
    return follow([*facts, *extra], leave.carry)


def present(leave: LeaveType, course: Course | None, day: dt.date) -> Any:
    """The balance on a day, None for a type without."""
    return (course.on(day) if course is not None else Decimal(0)) if leave.limited else None
