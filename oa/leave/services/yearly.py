"""What comes by itself: yearly grants, expiry and carry-forward, leave that is over. Each only once (rule H-01)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Q

from kit.rules.days import business_day
from oa.leave.course import Lapse
from oa.leave.granting import yearly_grant
from oa.leave.models import Employment, GrantStep, LeaveEntry, LeaveRequest, LeaveType
from oa.leave.models.ledger import EntryKind
from oa.leave.reading import courses
from oa.leave.services.ledger import lock_balances
from oa.organisation.models import User
from oa.records.timers import each_step


@transaction.atomic
def grant_year(year: int, *, until: dt.date | None = None) -> int:
    """Grant what everybody earns for `year`, as far as it is earned by `until`; returns how many entries were new.

    Running it again changes nothing: person, type and year are unique.
    """
    steps: dict[int, list[tuple[int, Decimal]]] = defaultdict(list)
    for step in GrantStep.objects.filter(type__active=True):
        steps[step.type_id].append((step.months, step.units))
    done = set(LeaveEntry.objects.filter(year=year).values_list("person", "type"))
    since = dict(Employment.objects.filter(worked_since__isnull=False).values_list("person", "worked_since"))
    made = []
    for key, joined in User.objects.filter(is_active=True, joined_on__isnull=False).values_list("pk", "joined_on"):
        assert joined is not None
        for leave, found in steps.items():
            earned = yearly_grant(year, worked_since=since.get(key) or joined, joined_on=joined, steps=found)
            if (key, leave) in done or earned is None or (until is not None and earned[0] > until):
                continue
            made.append(_grant(key, leave, year, *earned))
    LeaveEntry.objects.bulk_create(made, ignore_conflicts=True)
    return len(made)


def _grant(person: int, leave: int, year: int, day: dt.date, units: Decimal) -> LeaveEntry:
    return LeaveEntry(
        person_id=person,
        type_id=leave,
        kind=EntryKind.GRANT,
        date=day,
        units=units,
        year=year,
        expires_on=dt.date(year, 12, 31),
    )


@transaction.atomic
def expire_until(day: dt.date) -> int:
    """Book what of grants was left on their last day, and what of it goes over; returns how many grants ended.

    Only the part that nobody used expires: what is used first was consumed from the oldest grant.
    """
    types = list(LeaveType.objects.all())
    old = LeaveEntry.objects.filter(expires_on__lt=day).exclude(ends__kind=EntryKind.EXPIRY)
    people = set(old.values_list("person", flat=True))
    if not people:
        return 0
    lock_balances(people)
    ended = 0
    while True:  # what goes over may itself have ended meanwhile, when the timer stood still for long
        made = [
            entry
            for (person, leave), course in courses(types, people).items()
            for lapse in course.lapses
            if lapse.day <= day and lapse.lot > 0
            for entry in _ends(person, leave, lapse)
        ]
        if not made:
            return ended
        LeaveEntry.objects.bulk_create(made)
        ended += sum(1 for entry in made if entry.kind == EntryKind.EXPIRY)


def _ends(person: int, leave: int, lapse: Lapse) -> list[LeaveEntry]:
    common = {"person_id": person, "type_id": leave, "date": lapse.day, "grant_id": lapse.lot}
    made = [LeaveEntry(kind=EntryKind.EXPIRY, units=-lapse.units, **common)]
    if lapse.carried:
        made.append(LeaveEntry(kind=EntryKind.CARRY, units=lapse.carried, expires_on=lapse.expires_on, **common))
    return made


def finish_taken(day: dt.date) -> int:
    """Approved leave whose last day is over was taken; one statement."""
    over = Q(last_day__lt=day) | Q(back_on__lte=day)
    rows = LeaveRequest.objects.filter(over, state="approved")
    return rows.update(state="taken", version=F("version") + 1)


def nightly(day: dt.date | None = None) -> dict[str, int]:
    """Everything that a new day brings; in December also what the coming year grants, so that it can be planned."""
    from oa.leave.services.calendars import recount

    day = day or business_day()
    years = [(day.year, day)] + ([(day.year + 1, dt.date(day.year + 1, 1, 1))] if day.month == 12 else [])
    return each_step(
        granted=lambda: sum(grant_year(year, until=until) for year, until in years),
        expired=lambda: expire_until(day),
        taken=lambda: finish_taken(day),
        recounted=recount,
    )
