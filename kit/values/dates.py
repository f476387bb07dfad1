"""Calendar arithmetic that business documents need."""

from __future__ import annotations

import calendar
import datetime as dt


def month_end(day: dt.date) -> dt.date:
    """The last day of the month of `day`."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day `months` later, or the last day of that month when it is shorter."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


PERIODS = ("past", "today", "week", "next-week", "last-7", "last-30", "month", "last-month", "quarter", "year")


def days_of(period: str, today: dt.date) -> tuple[dt.date | None, dt.date]:
    """The first and the last day of a period by its name; weeks begin on Monday. What is past has no first day."""
    day, monday, first = dt.timedelta(days=1), today - dt.timedelta(days=today.weekday()), today.replace(day=1)
    quarter = first.replace(month=first.month - (first.month - 1) % 3)
    return {
        "past": (None, today - day),
        "today": (today, today),
        "week": (monday, monday + 6 * day),
        "next-week": (monday + 7 * day, monday + 13 * day),
        "last-7": (today - 6 * day, today),
        "last-30": (today - 29 * day, today),
        "month": (first, month_end(today)),
        "last-month": (add_months(first, -1), first - day),
        "quarter": (quarter, add_months(quarter, 3) - day),
        "year": (today.replace(month=1, day=1), today.replace(month=12, day=31)),
    }[period]
