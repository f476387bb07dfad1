"""The calendar: day, week, month and agenda; one's own, the team's, the rooms'."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET

from kit.pages import formats
from kit.pages.actions import Action
from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page
from oa.records.calendar import CalendarEntry, entries_between
from oa.tasks.calendar import bookings_between, team_of
from oa.tasks.models import Room
from oa.tasks.periods import VIEWS, Period, month_of, period, read_day

WHO = ("mine", "team", "rooms")
SHOWN = 4  # entries of a day in the month
HOURS = range(8, 20)  # rows that a day has in any case


@dataclass(frozen=True)
class Line:
    """An entry as a page shows it."""

    entry: CalendarEntry
    who: str  # person or room, empty in one's own calendar
    key: int  # of that person or room


@dataclass(frozen=True)
class Day:
    """A day with its entries."""

    date: dt.date
    lines: Sequence[Line]
    today: bool
    out: bool  # of another month

    @property
    def shown(self) -> Sequence[Line]:
        """What fits into the month."""
        return self.lines if len(self.lines) <= SHOWN else self.lines[: SHOWN - 1]

    @property
    def heading(self) -> str:
        """Today, or the date as prose."""
        return formats.day_heading(self.date)

    @property
    def more(self) -> int:
        """How many do not."""
        return len(self.lines) - len(self.shown)


@require_GET
def calendar_view(request: HttpRequest) -> HttpResponse:
    """One page of the calendar; everything is in the address, links lead back and forth."""
    user: Any = request.user
    if not user.has_perm("oa.view_meeting"):
        raise PermissionDenied
    view = request.GET.get("view") if request.GET.get("view") in VIEWS else "month"
    who = request.GET.get("who") if request.GET.get("who") in WHO else "mine"
    today = timezone.localdate()
    day = read_day(request.GET.get("date", ""), today)
    shown = period(str(view), day)
    lines = lines_between(user, str(who), *_moments(shown))
    days = _days(shown, lines, day if view == "month" else None, today)
    context = {
        "head": _head(user, str(view), shown, day),
        "view": view,
        "who": who,
        "day": day,
        "today": today,
        "previous": shown.previous,
        "following": shown.following,
        "views": [(name, label, name == view) for name, label in zip(VIEWS, _view_names(), strict=True)],
        "whos": [(name, label, name == who) for name, label in zip(WHO, _who_names(), strict=True)],
        "days": days,
        "agenda": [one for one in days if one.lines and not one.out],
        "weeks": [days[n : n + 7] for n in range(0, len(days), 7)] if view == "month" else [],
        "weekdays": [date_format(one.date, "D") for one in days[:7]],
        "hours": _hours(str(view), str(who), days, lines) if view in ("day", "week") else None,
        "new_meeting": user.has_perm("oa.add_meeting"),
    }
    return fragment_or_page(request, "oa/calendar/page.html", context)


def _view_names() -> list[str]:
    return [
        pgettext("calendar view", "Day"),
        pgettext("calendar view", "Week"),
        pgettext("calendar view", "Month"),
        pgettext("calendar view", "Agenda"),
    ]


def _who_names() -> list[str]:
    return [_("Mine"), _("Team"), _("Rooms")]


def _moments(shown: Period) -> tuple[dt.datetime, dt.datetime]:
    """The period from midnight to midnight in the person's time zone."""
    zone = timezone.get_current_timezone()
    end = shown.last + dt.timedelta(days=1)
    return dt.datetime.combine(shown.first, dt.time(), zone), dt.datetime.combine(end, dt.time(), zone)


def lines_between(user: Any, who: str, start: dt.datetime, end: dt.datetime) -> list[Line]:
    """The entries of one's own calendar, the team's or the rooms', in order."""
    if who == "rooms":
        rooms = dict(Room.objects.visible_to(user).values_list("pk", "name"))
        found = [(key, entry) for key, entry in bookings_between(user, start, end) if key in rooms]
        return [Line(entry, rooms[key], key) for key, entry in sorted(found, key=lambda pair: pair[1].order())]
    if who == "team":
        names = {person.pk: str(person) for person in team_of(user)}
        return [Line(e, names[e.person], e.person) for e in entries_between(user, list(names), start, end)]
    return [Line(entry, "", entry.person) for entry in entries_between(user, [user.pk], start, end)]


def _days(shown: Period, lines: Sequence[Line], month: dt.date | None, today: dt.date) -> list[Day]:
    zone = timezone.get_current_timezone()
    found: dict[dt.date, list[Line]] = defaultdict(list)
    for line in lines:
        first, last = line.entry.days(zone)
        first, last = max(first, shown.first), min(last, shown.last)
        for n in range((last - first).days + 1):
            found[first + dt.timedelta(days=n)].append(line)
    bounds = month_of(month) if month else (shown.first, shown.last)
    return [Day(d, found[d], d == today, not bounds[0] <= d <= bounds[1]) for d in shown.days]


def _hours(view: str, who: str, days: Sequence[Day], lines: Sequence[Line]) -> dict[str, Any]:
    """A table of hours: its columns are the days of a week, or of one day the people or rooms."""
    zone = timezone.get_current_timezone()
    if view == "week":
        columns: list[tuple[Any, str]] = [(d.date, date_format(d.date, pgettext("day of a week", "D j"))) for d in days]
    elif who == "mine":
        columns = [(days[0].date, formats.prose_day(days[0].date))]
    else:
        columns = list(dict.fromkeys((line.key, line.who) for line in lines))
    cells: dict[tuple[Any, Any], list[Line]] = defaultdict(list)
    for one in days:
        for line in one.lines:
            column = one.date if view == "week" or who == "mine" else line.key
            cells[_hour(line.entry, one.date, zone), column].append(line)
    used = {hour for hour, _column in cells if hour is not None} | set(HOURS)
    hours: list[int | None] = [None, *range(min(used), max(used) + 1)]
    rows = [
        ("" if h is None else f"{h:02}:00", h, [(key, cells.get((h, key), [])) for key, _l in columns]) for h in hours
    ]
    return {"columns": columns, "rows": rows}


def _hour(entry: CalendarEntry, day: dt.date, zone: dt.tzinfo) -> int | None:
    """In which row an entry stands on a day: that of its beginning; None at the top for whole days."""
    if not isinstance(entry.starts, dt.datetime):
        return None
    local = entry.starts.astimezone(zone)
    return local.hour if local.date() == day else None


def _head(user: Any, view: str, shown: Period, day: dt.date) -> Head:
    if view == "day":
        title = formats.prose_day(day)
    elif view == "month":
        title = date_format(day, pgettext("format of a month", "F Y"))
    else:
        title = f"{formats.iso_date(shown.first)} – {formats.iso_date(shown.last)}"
    made = [Action(_("Subscribe"), reverse("calendar-addresses"), icon="rss", name="subscribe")]
    if user.has_perm("oa.add_task"):
        made.append(Action(_("New task"), reverse("task-new"), icon="list-plus", name="new-task"))
    if user.has_perm("oa.add_meeting"):
        url = f"{reverse('meeting-new')}?starts_at={day.isoformat()}T09:00&ends_at={day.isoformat()}T10:00"
        made.append(Action(_("New meeting"), url, icon="plus", primary=True, key="c", name="new"))
    return Head(title=title, crumbs=[(_("Calendar"), "")], actions=made)
