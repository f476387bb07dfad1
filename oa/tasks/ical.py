"""Calendar files (RFC 5545), written by the icalendar library."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from icalendar import Calendar, Event

from oa.records.calendar import CalendarEntry

CONTENT_TYPE = "text/calendar; charset=utf-8"


def calendar_file(entries: Iterable[CalendarEntry], name: str, now: dt.datetime) -> bytes:
    """A calendar with these entries; moments are written in UTC, which every program understands."""
    made = Calendar()
    made.add("prodid", "-//Sanhe//Calendar//EN")
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", name)
    for entry in entries:
        made.add_component(_event(entry, now))
    return bytes(made.to_ical())


def _event(entry: CalendarEntry, now: dt.datetime) -> Event:
    event = Event()
    event.add("uid", f"{entry.uid}@{urlsplit(settings.SANHE_URL).hostname}")
    event.add("dtstamp", now.astimezone(dt.UTC))
    event.add("summary", entry.title)
    starts, ends = entry.starts, entry.ends
    if isinstance(starts, dt.datetime) and isinstance(ends, dt.datetime):
        event.add("dtstart", starts.astimezone(dt.UTC))
        if ends > starts:
            event.add("dtend", ends.astimezone(dt.UTC))
    else:
        event.add("dtstart", starts)
        event.add("dtend", ends + dt.timedelta(days=1))  # the first day that is not part of it
        event.add("transp", "TRANSPARENT")
    if entry.place:
        event.add("location", entry.place)
    if entry.text:
        event.add("description", entry.text)
    if entry.kind:
        event.add("categories", [str(entry.kind)])
    if entry.url:
        event.add("url", f"{settings.SANHE_URL}{entry.url}")
    if entry.busy:
        event.add("class", "PRIVATE")
    return event
