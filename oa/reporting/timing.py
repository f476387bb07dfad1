"""When a schedule is due, and which days its report covers. Pure functions of the schedule and the clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from oa.reporting.models import Frequency

DAY = dt.timedelta(days=1)
Period = tuple[dt.date, dt.date]

# Day of week and day of month as cron writes them.
_DAYS = {
    Frequency.DAILY: ("*", "*"),
    Frequency.WEEKDAYS: ("1-5", "*"),
    Frequency.WEEKLY: ("1", "*"),
    Frequency.MONTHLY: ("*", "1"),
}


def crontab_fields(frequency: str, at: dt.time) -> dict[str, str]:
    """The columns of django-celery-beat's crontab for a frequency and a time of day."""
    day_of_week, day_of_month = _DAYS[Frequency(frequency)]
    return {
        "minute": str(at.minute),
        "hour": str(at.hour),
        "day_of_week": day_of_week,
        "day_of_month": day_of_month,
        "month_of_year": "*",
    }


def from_crontab(minute: str, hour: str, days: tuple[str, str], month: str) -> tuple[str, dt.time] | None:
    """Frequency and time of a crontab; `days` are those of week and month. None when no frequency is like it."""
    found = next((frequency for frequency, pattern in _DAYS.items() if pattern == days), None)
    if found is None or month != "*" or not (minute.isdecimal() and hour.isdecimal()):
        return None
    return found, dt.time(int(hour), int(minute))


def last_due(frequency: str, at: dt.time, now: dt.datetime, zone: ZoneInfo) -> tuple[dt.date, dt.datetime]:
    """The latest day on which a schedule was due until `now`, and the moment, both in `zone`.

    Days are counted on the calendar of `zone`, so a day of 23 or 25 hours is due once; a time that the clocks
    skip is due as much later as they skip, one that they show twice is due the first time.
    """
    day = now.astimezone(zone).date()
    while True:
        moment = dt.datetime.combine(day, at, zone).astimezone(dt.UTC)
        if moment <= now and _fits(frequency, day):
            return day, moment
        day -= DAY


def next_due(frequency: str, at: dt.time, now: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The first moment after `now` at which a schedule is due."""
    day = now.astimezone(zone).date()
    while True:
        moment = dt.datetime.combine(day, at, zone)
        if moment.astimezone(dt.UTC) > now and _fits(frequency, day):
            return moment
        day += DAY


def _fits(frequency: str, day: dt.date) -> bool:
    match frequency:
        case Frequency.WEEKDAYS:
            return day.weekday() < 5
        case Frequency.WEEKLY:
            return day.weekday() == 0
        case Frequency.MONTHLY:
            return day.day == 1
    return True


def period_of(frequency: str, due: dt.date) -> Period:
    """First and last day that a report due on `due` covers: everything since it was due before."""
    last = due - DAY
    match frequency:
        case Frequency.WEEKDAYS:
            return (due - 3 * DAY if due.weekday() == 0 else last), last
        case Frequency.WEEKLY:
            return due - 7 * DAY, last
        case Frequency.MONTHLY:
            return last.replace(day=1), last
    return last, last


def period_params(params: Iterable[Any], frequency: str, period: Period) -> dict[str, str]:
    """What the period means for the parameters of a report (`kit.exchange.params.Param`), as texts.

    A single day is the first of the period for daily schedules (after a weekend: Friday), else the last one.
    Reports that know where they begin, such as at the fiscal year, keep their own first day.
    """
    first, last = period
    single = first if frequency in (Frequency.DAILY, Frequency.WEEKDAYS) else last
    days = {"date": single, "as_of": last, "date_from": first, "date_to": last}
    found = {}
    for param in params:
        if param.kind == "period":
            found[param.name] = f"{last:%Y-%m}"
        elif param.kind == "date" and param.name in days and (param.name != "date_from" or param.default is None):
            found[param.name] = days[param.name].isoformat()
    return found
