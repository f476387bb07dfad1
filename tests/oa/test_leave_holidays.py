"""Public holidays in working calendars (rule H-02)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from erp.setup.demo.paper import first_day
from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.leave.holidays import countries, public_days
from oa.leave.models import CalendarDay, WorkCalendar
from oa.leave.reading import calendars_between, counted
from oa.leave.services.calendars import enter_holidays
from tests import factories as make
from tests.oa.leaving import draft, leave_type
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)

# What the State Council announced for 2026: (first, last) day off, and the weekends that are worked.
OFF_2026 = (("01-01", "01-03"), ("02-15", "02-23"), ("04-04", "04-06"), ("05-01", "05-05"), ("06-19", "06-21"),
            ("09-25", "09-27"), ("10-01", "10-07"))  # fmt: skip
WORKED_2026 = ("01-04", "02-14", "02-28", "05-09", "09-20", "10-10")


def standard() -> WorkCalendar:
    return WorkCalendar.objects.get(standard=True)


def entered(calendar: WorkCalendar, year: int) -> None:
    CalendarDay.objects.bulk_create(
        CalendarDay(calendar=calendar, date=day.date, kind="work" if day.works else "holiday", name=day.name)
        for day in public_days("CN", year)
    )


def test_a_year_is_worked_as_it_was_announced() -> None:
    """H-02: every day of 2026, weekends that are exchanged included."""
    entered(standard(), 2026)
    first, last = dt.date(2026, 1, 1), dt.date(2026, 12, 31)
    plan = calendars_between(first, last).plan(0, None)
    worked = {dt.date.fromisoformat(f"2026-{day}") for day in WORKED_2026}
    off = [(dt.date.fromisoformat(f"2026-{a}"), dt.date.fromisoformat(f"2026-{b}")) for a, b in OFF_2026]
    for n in range(365):
        day = first + n * DAY
        usual = day.weekday() < 5 and not any(a <= day <= b for a, b in off)
        assert plan(day).works == (day in worked or usual), day


def test_names_are_in_the_language_of_the_reader() -> None:
    """T-01: where the library has none of the two languages, the country's own words stand there."""
    with translation.override("zh-hans"):
        assert ("CN", "中国") in countries()
        assert "春节" in {day.name for day in public_days("CN", 2026)}
    assert ("DE", "Germany") in countries()
    assert public_days("CN", 2026)[0].name == "New Year's Day"
    assert "German Unity Day" in {day.name for day in public_days("DE", 2026)}


def test_the_command_enters_what_is_missing_and_counts_leave_anew() -> None:
    """H-02: this year and the next; a day that is there stays as somebody entered it, and a second time nothing comes."""
    calendar, hr, today = standard(), make.make_user("hr", "hr"), business_day()
    following = {day.date for day in public_days("CN", today.year + 1)}
    kept, other = sorted(day for day in following if day.weekday() < 5)[:2]
    CalendarDay.objects.create(calendar=calendar, date=kept, kind="work", name="Stocktaking")
    request = draft(make.make_user("ann", "sales"), leave_type("DAYS", limited=False), other, other)
    assert request.units == 1
    found = enter_holidays(calendar, by=hr)
    entered = dict(CalendarDay.objects.filter(calendar=calendar).values_list("date", "kind"))
    this = public_days("CN", today.year)
    assert set(entered) == {day.date for day in this} | following
    assert entered.pop(kept) == "work" and {day for day, kind in entered.items() if kind == "work"} == {
        day.date for day in [*this, *public_days("CN", today.year + 1)] if day.works
    }
    assert counted([request]) == {request.pk: D(0)}
    for year in (today.year, today.year + 1):
        known = any(day.works for day in public_days("CN", year))
        assert (str(year) in getattr(found, "warning", "")) is not known
    with pytest.raises(BusinessError, match="are there"):
        enter_holidays(calendar, by=hr)


def test_holidays_are_entered_on_the_calendar_s_page_by_who_may() -> None:
    """G-21: a button for human resources, none for others; none for a calendar without a country."""
    calendar = standard()
    url = f"/leave/calendars/{calendar.pk}/do/holidays/"
    assert client_of(make.make_user("s", "sales")).post(url).status_code in (403, 404)
    hr = client_of(make.make_user("hr", "hr"))
    assert url in hr.get(f"/leave/calendars/{calendar.pk}/").content.decode()
    assert hr.post(url, follow=True).status_code == 200 and calendar.days.exists()
    WorkCalendar.objects.update(country="")
    assert url not in hr.get(f"/leave/calendars/{calendar.pk}/").content.decode()
    with pytest.raises(BusinessError, match="human resources"):
        enter_holidays(calendar, by=make.make_user("b", "sales"))


def test_statements_do_not_grow_with_the_days() -> None:
    """A year of many holidays takes no more statements than one of few."""
    made = [WorkCalendar.objects.create(name=code, country=code) for code in ("GB", "CN")]
    counts = []
    for calendar in made:
        with CaptureQueriesContext(connection) as queries:
            enter_holidays(calendar, by=None)
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("length", [1, 3, 5])
def test_leave_of_the_demo_company_can_be_asked_for_on_any_day(length: int) -> None:
    """Whatever day the demo company is made on: a leave begins on a day of work and ends in the same year."""
    entered(standard(), 2026)
    person = make.make_user("ann", "sales")
    plan = calendars_between(dt.date(2026, 1, 1), dt.date(2027, 3, 1)).plan(person.pk, None)
    for n in range(365):
        day = dt.date(2026, 1, 1) + n * DAY
        first = first_day(person, day, length)
        assert first >= day and plan(first).works and (first + (length - 1) * DAY).year == first.year
