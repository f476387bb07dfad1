"""On which days a rule falls. Pure functions of the rule: no clock, no database."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import islice

from dateutil import rrule

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LAST_DAY = 31


@dataclass(frozen=True)
class Rule:
    """Every `interval` days, weeks on `weekdays`, or months on `month_day` or the `week`-th of a weekday."""

    every: str  # day, week, monthday, weekday
    starts_on: dt.date
    interval: int = 1
    weekdays: tuple[str, ...] = ()
    month_day: int | None = None
    week: int | None = None  # 1 to 4, -1 the last
    until: dt.date | None = None
    count: int | None = None

    def problems(self) -> list[tuple[str, str]]:
        """What is missing, as (field, kind); empty for a rule that can be followed."""
        if self.every in ("week", "weekday") and not self.weekdays:
            return [("weekdays", "missing")]
        if self.every == "weekday" and self.week is None:
            return [("week", "missing")]
        if self.every == "monthday" and self.month_day is None:
            return [("month_day", "missing")]
        return [] if self.first(1) else [("starts_on", "never")]

    def first(self, number: int) -> list[dt.date]:
        """The first days of the rule."""
        return [moment.date() for moment in islice(self._days(), number)]

    def after(self, day: dt.date, *, inclusive: bool = False) -> dt.date | None:
        """The first day of the rule after `day`, None when it has ended."""
        found = self._days().after(_moment(day), inc=inclusive)
        return found.date() if found is not None else None

    def upto(self, first: dt.date, last: dt.date, most: int) -> list[dt.date]:
        """The days of the rule from `first` to `last`, at most `most` of them."""
        found: list[dt.date] = []
        day = self.after(first, inclusive=True)
        while day is not None and day <= last and len(found) < most:
            found.append(day)
            day = self.after(day)
        return found

    def _days(self) -> rrule.rrule:
        kwargs = {
            "dtstart": _moment(self.starts_on),
            "interval": self.interval,
            "until": _moment(self.until) if self.until else None,
            "count": self.count,
            "wkst": rrule.MO,
        }
        days = [getattr(rrule, name) for name in self.weekdays]
        if self.every == "day":
            return rrule.rrule(rrule.DAILY, **kwargs)
        if self.every == "week":
            return rrule.rrule(rrule.WEEKLY, byweekday=days, **kwargs)
        if self.every == "weekday":
            return rrule.rrule(rrule.MONTHLY, byweekday=[day(self.week) for day in days], **kwargs)
        # A month without the day has its last one: of the days up to it that there are, the greatest.
        day = self.month_day or LAST_DAY
        near = tuple(range(min(day, 28), day + 1))
        return rrule.rrule(rrule.MONTHLY, bymonthday=near, bysetpos=-1, **kwargs)


def _moment(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time())
