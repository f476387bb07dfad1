"""Which days a calendar page shows. Pure functions; weeks begin on Monday."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass

DAY = dt.timedelta(days=1)
VIEWS = ("day", "week", "month", "agenda")
AGENDA = 30  # days
EDGE = 400  # days kept away from the first and last date there is


@dataclass(frozen=True)
class Period:
    """The days of a page, and where its neighbours begin."""

    first: dt.date
    last: dt.date
    previous: dt.date
    following: dt.date

    @property
    def days(self) -> list[dt.date]:
        """All days of the page."""
        return [self.first + n * DAY for n in range((self.last - self.first).days + 1)]


def period(view: str, day: dt.date) -> Period:
    """The page of `view` that holds `day`."""
    if view == "day":
        return Period(day, day, day - DAY, day + DAY)
    if view == "week":
        monday = day - day.weekday() * DAY
        return Period(monday, monday + 6 * DAY, monday - 7 * DAY, monday + 7 * DAY)
    if view == "month":
        first, last = month_of(day)
        return Period(first - first.weekday() * DAY, last + (6 - last.weekday()) * DAY, first - DAY, last + DAY)
    return Period(day, day + (AGENDA - 1) * DAY, day - AGENDA * DAY, day + AGENDA * DAY)


def month_of(day: dt.date) -> tuple[dt.date, dt.date]:
    """First and last day of the month of `day`."""
    return day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])


def read_day(text: str, today: dt.date) -> dt.date:
    """The day in an address; today for one that is none or lies out of reach."""
    try:
        found = dt.date.fromisoformat(text)
    except ValueError:
        return today
    return found if dt.date.min + EDGE * DAY < found < dt.date.max - EDGE * DAY else today
