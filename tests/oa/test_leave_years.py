"""What comes by itself, calendars, and the ledger by hand (rules H-01, H-02)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from oa.leave.models import (
    CalendarAssignment,
    CalendarDay,
    Employment,
    LeaveEntry,
    LeaveRequest,
    LeaveType,
    WorkCalendar,
)
from oa.leave.services import requests, yearly
from oa.leave.services.calendars import recount, save_calendar_part
from oa.leave.services.ledger import save_entry, save_type
from oa.organisation.models import Department, User
from oa.records.models import Notification
from tests import factories as make
from tests.invariants import assert_books
from tests.oa.leaving import approved, balance, draft, grant, leave_type, monday, stopped, submitted

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def ann(db: Any) -> Any:
    return make.make_user("ann", "sales", joined_on=dt.date(2019, 3, 1))


@pytest.fixture
def annual(db: Any) -> LeaveType:
    return LeaveType.objects.get(code="ANNUAL")


def test_a_year_is_granted_once_by_service(ann: Any, annual: LeaveType) -> None:
    """H-01: five days, ten with ten years of work elsewhere; running again grants nothing."""
    old = make.make_user("old", "sales", joined_on=dt.date(2024, 1, 1))
    Employment.objects.create(person=old, worked_since=dt.date(2010, 1, 1))
    make.make_user("new", "sales")
    assert yearly.grant_year(2026) == 2 and yearly.grant_year(2026) == 0
    assert (balance(ann, annual), balance(old, annual)) == (5, 10)
    with pytest.raises(IntegrityError, match="leaveentry_year_once"), transaction.atomic():
        LeaveEntry.objects.create(person=ann, type=annual, kind="grant", units=5, year=2026)


def test_what_is_earned_later_in_the_year_is_granted_then(annual: LeaveType) -> None:
    """H-01: a year of service in July."""
    bob = make.make_user("bob", "sales", joined_on=dt.date(2025, 7, 1))
    assert yearly.grant_year(2026, until=dt.date(2026, 6, 30)) == 0
    assert yearly.grant_year(2026, until=dt.date(2026, 7, 1)) == 1
    assert LeaveEntry.objects.get(person=bob).date == dt.date(2026, 7, 1)


def test_only_the_unused_part_expires_and_is_carried_once(ann: Any, annual: LeaveType) -> None:
    """H-01 [hrms#133, PR#1297]: three of five used, one of the other two goes over and expires in its turn."""
    LeaveType.objects.filter(pk=annual.pk).update(carry_limit=1, carry_months=3)
    year = make.today().year - 1
    LeaveEntry.objects.create(
        person=ann, type=annual, kind="grant", units=5, year=year, date=dt.date(year, 1, 1),
        expires_on=dt.date(year, 12, 31),
    )  # fmt: skip
    first = dt.date(year, 6, 1)
    first += dt.timedelta(days=-first.weekday() % 7)
    LeaveType.objects.filter(pk=annual.pk).update(notice_days=0)
    annual.refresh_from_db()
    approved(ann, annual, first, first + 2 * DAY)
    assert yearly.expire_until(dt.date(year, 12, 31)) == 0
    assert yearly.expire_until(dt.date(year + 1, 1, 1)) == 1
    assert balance(ann, annual) == 1 and yearly.expire_until(dt.date(year + 1, 1, 2)) == 0
    carried = LeaveEntry.objects.get(kind="carry")
    assert (carried.units, carried.expires_on) == (D(1), dt.date(year + 1, 3, 31))
    assert balance(ann, annual, dt.date(year, 12, 31)) == 2  # as it was on that day
    assert yearly.expire_until(dt.date(year + 1, 4, 1)) == 1 and balance(ann, annual) == 0
    assert yearly.expire_until(dt.date(year + 1, 4, 2)) == 0
    lot = LeaveEntry.objects.get(kind="grant")
    with pytest.raises(IntegrityError, match="leaveentry_expires_once"), transaction.atomic():
        LeaveEntry.objects.create(person=ann, type=annual, kind="expiry", units=-1, grant=lot)
    assert_books()


def test_a_timer_that_stood_still_catches_up(ann: Any, annual: LeaveType) -> None:
    """H-01: the carried part that expired meanwhile expires in the same run."""
    LeaveType.objects.filter(pk=annual.pk).update(carry_limit=2, carry_months=1)
    grant(ann, annual, 5, date=dt.date(2022, 1, 1), expires_on=dt.date(2022, 12, 31))
    assert yearly.expire_until(make.today()) == 2 and balance(ann, annual) == 0
    assert LeaveEntry.objects.filter(kind="carry").count() == 1
    assert_books()


def test_statements_of_the_night_do_not_grow_with_people(annual: LeaveType) -> None:
    """PERFORMANCE: grants and expiry for two and for thirty people."""

    def night(year: int, people: int) -> int:
        for n in range(people):
            make.make_user(f"p{year}-{n}", "sales", joined_on=dt.date(2010, 1, 1))
        with CaptureQueriesContext(connection) as queries:
            assert yearly.grant_year(year) >= people
            assert yearly.expire_until(dt.date(year + 1, 1, 1)) >= people
        return len(queries)

    assert night(2021, 2) == night(2022, 30)


# ---- by hand ----


def test_the_ledger_by_hand_is_for_human_resources(ann: Any) -> None:
    """H-01: grant, adjust, pay out with a reason; never below what later days need, never changed afterwards."""
    leave, hr = leave_type(), make.make_user("hr", "hr")

    def entry(kind: str, units: int, reason: str = "agreed", **columns: Any) -> LeaveEntry:
        return LeaveEntry(person=ann, type=leave, kind=kind, units=units, reason=reason, **columns)

    with stopped("human resources"):
        save_entry(entry("grant", 5), by=ann)
    with stopped("reason"):
        save_entry(entry("grant", 5, " "), by=hr)
    with stopped("come by themselves"):
        save_entry(entry("use", -5), by=hr)
    row = save_entry(entry("grant", 5), by=hr)
    submitted(ann, leave, monday(), monday() + 2 * DAY)
    with stopped("does not suffice"):
        save_entry(entry("payout", 3), by=hr)
    assert save_entry(entry("payout", 2), by=hr).units == -2
    with stopped("never changed"):
        save_entry(row, by=hr)
    assert balance(ann, leave) == 3


def test_a_type_is_not_made_stricter_than_its_balances(ann: Any) -> None:
    """H-01, H-03: no rule is broken by changing the rule."""
    leave = leave_type(overdraft=1)
    approved(ann, leave, monday())
    leave.overdraft = D(0)
    with stopped("Somebody.s balance"):
        save_type(leave, by=None)
    leave.overdraft, leave.unit = D(1), "hour"
    with stopped("another unit"):
        save_type(leave, by=None)


# ---- calendars ----


def calendar(name: str, **columns: Any) -> WorkCalendar:
    return WorkCalendar.objects.create(name=name, **columns)


def test_whose_calendar_holds(ann: Any) -> None:
    """H-02: the own one, that of the nearest department above, the standard; each from its day on."""
    root = Department.objects.get(code="HQ")
    team = Department.objects.create(code="TEAM", name="Team", parent=root)
    ann.department = team
    ann.save()
    free = leave_type(limited=False)
    saturday = monday() + 5 * DAY
    assert draft(ann, free, monday(), saturday).units == 5
    six = calendar("Six days", saturday="09:00-12:00")
    CalendarAssignment.objects.create(calendar=six, department=root, since=monday())
    assert draft(ann, free, monday(), saturday).units == D("5.5")
    four = calendar("Four days", friday="")
    CalendarAssignment.objects.create(calendar=four, person=ann, since=saturday)
    assert draft(ann, free, monday(), saturday).units == 5  # her own week begins on that Saturday
    CalendarAssignment.objects.create(calendar=four, person=ann, since=monday())
    assert draft(ann, free, monday(), saturday).units == 4


def test_holidays_and_make_up_days(ann: Any) -> None:
    """H-02: a day off costs nothing, a Saturday that is worked does; 产假 counts both."""
    standard = WorkCalendar.objects.get(standard=True)
    CalendarDay.objects.create(calendar=standard, date=monday(), name="Spring Festival")
    CalendarDay.objects.create(calendar=standard, date=monday() + 5 * DAY, kind="work")
    week = (monday(), monday() + 6 * DAY)
    assert draft(ann, leave_type(limited=False), *week).units == 5
    assert draft(ann, leave_type(limited=False, counts_holidays=True), *week).units == 7


def test_leave_by_the_hour(ann: Any) -> None:
    """H-02: 调休 in hours, without the break."""
    lieu = LeaveType.objects.get(code="LIEU")
    grant(ann, lieu, 4)
    with stopped("Say from when"):
        submitted(ann, lieu, monday())
    times = {"from_time": dt.time(11), "to_time": dt.time(14, 10)}
    row = approved(ann, lieu, monday(), **times)
    assert row.units == D("2.5") and balance(ann, lieu) == D("1.5")
    assert_books()


def test_a_changed_calendar_recounts_open_requests_and_lists_approved_ones(ann: Any) -> None:
    """H-02 [hrms#2770]: drafts and requests in approval are told, approved leave stays until hr decides."""
    hr, leave = make.make_user("hr", "hr"), leave_type()
    grant(ann, leave, 20)
    week = [monday() + n * DAY for n in range(5)]
    fixed, waiting = approved(ann, leave, week[0], week[2]), submitted(ann, leave, week[3], week[4])
    opened = draft(ann, leave, week[0], week[4])
    standard = WorkCalendar.objects.get(standard=True)
    for day in (week[1], week[4]):
        save_calendar_part(CalendarDay(calendar=standard, date=day, name="Holiday"), by=hr)
    for row in (fixed, waiting, opened):
        row.refresh_from_db()
    assert (waiting.units, opened.units) == (D(1), D(3))
    assert (fixed.units, fixed.recounted, fixed.net) == (D(3), D(2), D(3)) and balance(ann, leave) == 17
    assert [n.text for n in Notification.objects.filter(user=hr, text__contains="calendar")] == [
        "The working calendar changed. Approved leave requests that are concerned: 1"
    ]
    assert Notification.objects.filter(user=ann, text__startswith="The working calendar changed").count() >= 1
    assert recount() == 0
    with stopped("human resources"):
        requests.take_over_count(fixed, by=ann)
    fixed = requests.take_over_count(fixed, by=hr)
    assert (fixed.net, fixed.recounted) == (D(2), None) and balance(ann, leave) == 18
    assert_books()


def test_what_was_agreed_can_stay(ann: Any) -> None:
    """H-02: where it would cost more, nothing is taken without the person."""
    hr, leave = make.make_user("hr", "hr"), leave_type()
    grant(ann, leave, 20)
    row = approved(ann, leave, monday(), monday() + 5 * DAY)
    save_calendar_part(
        CalendarDay(calendar=WorkCalendar.objects.get(standard=True), date=monday() + 5 * DAY, kind="work"), by=hr
    )
    row.refresh_from_db()
    assert row.recounted == 6
    with stopped("cost more"):
        requests.take_over_count(row, by=hr)
    assert requests.leave_count(row, by=hr).recounted is None and balance(ann, leave) == 15


def test_recounting_needs_as_many_statements_for_many_requests(ann: Any) -> None:
    """PERFORMANCE: two and thirty requests."""
    standard, free = WorkCalendar.objects.get(standard=True), leave_type(limited=False)

    def run(people: int, day: dt.date) -> int:
        for n in range(people):
            person = User.objects.create(username=f"r{day}{n}")
            draft(person, free, monday(), monday() + 4 * DAY)
        CalendarDay.objects.create(calendar=standard, date=day)
        with CaptureQueriesContext(connection) as queries:
            assert recount() >= people
        return len(queries)

    assert run(2, monday()) == run(30, monday() + DAY)
    assert LeaveRequest.objects.filter(units=3).count() == 32
