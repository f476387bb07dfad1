"""What stands in calendars: sections register what they have under `sources`, the calendar page shows it all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from kit.rules.days import business_zone


@dataclass(frozen=True)
class CalendarEntry:
    """Something at a time. `starts` and `ends` are moments, or days (`ends` the last one) when it takes whole days.

    `busy`: the reader may know only that the person has no time then; nothing else of it may be filled in.
    """

    uid: str  # stays the same for the same thing, for calendar programs
    person: int  # key of whose calendar it stands in
    title: str
    starts: dt.datetime | dt.date
    ends: dt.datetime | dt.date
    kind: Any = ""  # the word for what it is
    tone: str = "info"
    url: str = ""
    place: str = ""
    text: str = ""  # more about it, for calendar programs
    busy: bool = False
    ended: bool = False  # done or over: shown quietly

    @property
    def all_day(self) -> bool:
        """Whether it takes whole days."""
        return not isinstance(self.starts, dt.datetime)

    def days(self, zone: dt.tzinfo) -> tuple[dt.date, dt.date]:
        """First and last day on which it is shown to somebody in `zone`."""
        if not isinstance(self.starts, dt.datetime) or not isinstance(self.ends, dt.datetime):
            return self.starts, self.ends
        first, last = self.starts.astimezone(zone), self.ends.astimezone(zone)
        if last > first and last.time() == dt.time():
            last -= dt.timedelta(microseconds=1)  # what ends at midnight does not touch the next day
        return first.date(), last.date()

    def order(self) -> tuple[bool, dt.datetime, str]:
        """Whole days first, then by time."""
        starts = self.starts
        moment = starts if isinstance(starts, dt.datetime) else dt.datetime.combine(starts, dt.time(), business_zone())
        return not self.all_day, moment, self.title


# (reader, keys of the people whose calendars are read, from, to) -> entries that the reader may see
CalendarSource = Callable[[Any, Collection[int], dt.datetime, dt.datetime], Sequence[CalendarEntry]]

sources: list[CalendarSource] = []


def entries_between(user: Any, people: Collection[int], start: dt.datetime, end: dt.datetime) -> list[CalendarEntry]:
    """What stands in the calendars of `people` from `start` to before `end`, as far as `user` may see it, in order."""
    found = [entry for source in sources for entry in source(user, people, start, end)]
    return sorted(found, key=CalendarEntry.order)
