"""When scheduled reports are due and which days they cover, on calendars with short and long days."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django_celery_beat.models import CrontabSchedule

from kit.exchange.params import Param
from oa.reporting.models import Frequency
from oa.reporting.timing import crontab_fields, from_crontab, last_due, next_due, period_of, period_params

SHANGHAI, BERLIN, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
SEVEN = dt.time(7)


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)


def test_a_daily_schedule_is_due_by_the_clock_of_the_company() -> None:
    """07:00 in Shanghai is 23:00 UTC of the day before."""
    before, after = utc(2026, 11, 23, 22, 59), utc(2026, 11, 23, 23, 0)
    assert last_due("daily", SEVEN, before, SHANGHAI) == (dt.date(2026, 11, 23), utc(2026, 11, 22, 23, 0))
    assert last_due("daily", SEVEN, after, SHANGHAI) == (dt.date(2026, 11, 24), after)
    assert next_due("daily", SEVEN, before, SHANGHAI) == after
    assert next_due("daily", SEVEN, after, SHANGHAI) == utc(2026, 11, 24, 23, 0)


@pytest.mark.parametrize(
    ("frequency", "due"),
    [("daily", "2026-11-29"), ("weekdays", "2026-11-27"), ("weekly", "2026-11-23"), ("monthly", "2026-11-01")],
)
def test_frequencies_pick_their_days(frequency: str, due: str) -> None:
    """Sunday, 29 November 2026."""
    sunday = utc(2026, 11, 29, 12, 0)
    assert last_due(frequency, SEVEN, sunday, BERLIN)[0].isoformat() == due


@pytest.mark.parametrize(
    ("frequency", "due", "first", "last"),
    [
        ("daily", "2026-03-01", "2026-02-28", "2026-02-28"),
        ("weekdays", "2026-11-24", "2026-11-23", "2026-11-23"),
        ("weekdays", "2026-11-23", "2026-11-20", "2026-11-22"),  # Monday: the weekend is not lost
        ("weekly", "2026-11-23", "2026-11-16", "2026-11-22"),
        ("monthly", "2027-01-01", "2026-12-01", "2026-12-31"),
    ],
)
def test_periods_cover_everything_since_the_time_before(frequency: str, due: str, first: str, last: str) -> None:
    period = period_of(frequency, dt.date.fromisoformat(due))
    assert [day.isoformat() for day in period] == [first, last]


def test_periods_join_without_gap_or_overlap() -> None:
    """Over three years every day is reported once by each frequency."""
    for frequency in Frequency.values:
        days: list[dt.date] = []
        now = utc(2026, 1, 1, 12, 0)
        seen = set()
        while now < utc(2029, 1, 1):
            due, _moment = last_due(frequency, SEVEN, now, NEW_YORK)
            if due not in seen:
                seen.add(due)
                first, last = period_of(frequency, due)
                days += [first + dt.timedelta(days=i) for i in range((last - first).days + 1)]
            now += dt.timedelta(hours=6)
        assert len(days) == len(set(days)), frequency
        assert (max(days) - min(days)).days + 1 == len(days), frequency


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, SHANGHAI, ZoneInfo("Pacific/Kiritimati")])
@pytest.mark.parametrize("at", [dt.time(0, 0), dt.time(2, 30), SEVEN, dt.time(23, 59)])
def test_every_local_day_is_due_once_also_those_of_23_and_25_hours(zone: ZoneInfo, at: dt.time) -> None:
    """Drill 22: a minute clock over a year sees each day of the calendar once, and moments rise."""
    now, end = utc(2026, 1, 2), utc(2027, 1, 2)
    dues: dict[dt.date, dt.datetime] = {}
    while now < end:
        day, moment = last_due("daily", at, now, zone)
        assert dues.setdefault(day, moment) == moment
        now += dt.timedelta(minutes=20)
    days, moments = sorted(dues), [dues[day] for day in sorted(dues)]
    assert days == [days[0] + dt.timedelta(days=i) for i in range(len(days))]
    assert moments == sorted(set(moments))


def test_the_timer_fires_where_we_say_it_is_due() -> None:
    """django-celery-beat's crontab and `next_due` agree, across both changes of the clock."""
    for frequency in Frequency.values:
        row = CrontabSchedule(**crontab_fields(frequency, SEVEN), timezone=BERLIN)
        for month in range(1, 13):
            now = utc(2026, month, 28, 9, 17)
            crontab = row.schedule
            crontab.nowfun = lambda now=now: now.astimezone(BERLIN)
            due = now + crontab.remaining_estimate(now.astimezone(BERLIN))
            assert due.replace(second=0, microsecond=0) == next_due(frequency, SEVEN, now, BERLIN), (frequency, month)


@pytest.mark.parametrize("frequency", Frequency.values)
def test_crontabs_are_read_back(frequency: str) -> None:
    fields = crontab_fields(frequency, dt.time(6, 5))
    days = fields["day_of_week"], fields["day_of_month"]
    assert from_crontab(fields["minute"], fields["hour"], days, fields["month_of_year"]) == (frequency, dt.time(6, 5))


def test_crontabs_that_no_frequency_says_are_left_alone() -> None:
    assert from_crontab("*/5", "7", ("*", "*"), "*") is None
    assert from_crontab("0", "7", ("2", "*"), "*") is None
    assert from_crontab("0", "7", ("*", "*"), "1") is None


def test_the_period_becomes_parameters() -> None:
    """A single day, a range, a balance day, a month; a report that begins by itself keeps its first day."""
    params = [
        Param("date", "", "date"), Param("date_from", "", "date"), Param("date_to", "", "date"), Param("as_of", "", "date"),
        Param("month", "", "period"), Param("customer", "", "model"),
    ]  # fmt: skip
    week = dt.date(2026, 11, 16), dt.date(2026, 11, 22)
    assert period_params(params, "weekly", week) == {
        "date": "2026-11-22", "date_from": "2026-11-16", "date_to": "2026-11-22", "as_of": "2026-11-22", "month": "2026-11",
    }  # fmt: skip
    weekend = dt.date(2026, 11, 20), dt.date(2026, 11, 22)
    assert period_params(params, "weekdays", weekend)["date"] == "2026-11-20"
    own = [Param("date_from", "", "date", lambda values: dt.date(2026, 1, 1)), Param("date_to", "", "date")]
    assert period_params(own, "daily", week) == {"date_to": "2026-11-22"}
