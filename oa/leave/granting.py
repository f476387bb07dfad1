"""What a year of service earns (rule H-01). Pure."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal


def after_months(day: dt.date, months: int) -> dt.date:
    """The same day `months` later; the last of the month where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def months_between(start: dt.date, day: dt.date) -> int:
    """Whole months of service on `day`."""
    months = (day.year - start.year) * 12 + day.month - start.month
    return months if after_months(start, months) <= day else months - 1


def yearly_grant(
    year: int, *, worked_since: dt.date, joined_on: dt.date, steps: Sequence[tuple[int, Decimal]]
) -> tuple[dt.date, Decimal] | None:
    """(day, days) that somebody earns for `year` by `steps` of (months of service, days); None for nothing.

    It is earned on 1 January, or on the day on which the person has joined and served long enough; then in proportion
    to the days left of the year, in whole days.
    """
    if not steps:
        return None
    first = dt.date(year, 1, 1)
    day = max(first, joined_on, after_months(worked_since, min(months for months, _units in steps)))
    if day.year != year:
        return None
    served = months_between(worked_since, day)
    units = max((pair for pair in steps if pair[0] <= served), key=lambda pair: pair[0])[1]
    if day > first:
        whole = (dt.date(year + 1, 1, 1) - first).days
        left = (dt.date(year + 1, 1, 1) - day).days
        units = (units * left / whole).to_integral_value(ROUND_FLOOR)
    return (day, units) if units > 0 else None
