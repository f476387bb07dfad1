"""Tasks and meetings in calendars."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from kit.pages.resources import by_model
from kit.rules.days import business_zone
from oa.organisation.models import User
from oa.records.calendar import CalendarEntry, sources
from oa.tasks.models import Attendee, Booking, Meeting, Task
from oa.tasks.models.meeting import BOOKED, Answer
from oa.tasks.models.task import ENDED


def task_entry(task: Task) -> CalendarEntry:
    """A task on the day it is due, at its time where it has one."""
    at = task.due_moment if task.due_at else task.due_on
    assert at is not None
    return CalendarEntry(
        uid=f"task-{task.pk}",
        person=task.owner_id,
        title=task.title,
        starts=at,
        ends=at,
        kind=_("Task"),
        tone="bad" if task.late else "",
        url=by_model[Task].url_for(task),
        text=task.description,
        ended=task.state in ENDED,
    )


def meeting_entry(meeting: Meeting, person: int, places: Iterable[str], *, answer: str = "") -> CalendarEntry:
    """A meeting in the calendar of one of its people."""
    over = meeting.ends_at < timezone.now() or meeting.state == "minuted"
    return CalendarEntry(
        uid=f"meeting-{meeting.pk}",
        person=person,
        title=meeting.title,
        starts=meeting.starts_at,
        ends=meeting.ends_at,
        kind=_("Meeting"),
        tone="viol" if meeting.state == "draft" or answer == Answer.NONE else "info",
        url=by_model[Meeting].url_for(meeting),
        place=", ".join([*places, *filter(None, [meeting.place])]),
        text=meeting.agenda,
        ended=over,
    )


def tasks_between(user: Any, people: Collection[int], start: dt.datetime, end: dt.datetime) -> Sequence[CalendarEntry]:
    """Tasks of these people that are due in the period, as far as `user` may see them."""
    zone = business_zone()
    last = (end - dt.timedelta(microseconds=1)).astimezone(zone).date()
    rows = Task.objects.visible_to(user).filter(
        owner__in=people, due_on__gte=start.astimezone(zone).date(), due_on__lte=last
    )
    return [task_entry(task) for task in rows.exclude(state="cancelled")[:1000]]


def meetings_between(
    user: Any, people: Collection[int], start: dt.datetime, end: dt.datetime
) -> Sequence[CalendarEntry]:
    """Meetings of these people; of those that `user` may not see only that the time is taken. Three statements."""
    if user.data_scope(Meeting) is None:
        return []
    rows = Attendee.objects.filter(user__in=people, meeting__starts_at__lt=end, meeting__ends_at__gt=start)
    rows = rows.exclude(meeting__state="cancelled").exclude(answer=Answer.DECLINED)
    found = list(rows.select_related("meeting").order_by("meeting__starts_at", "pk")[:2000])
    keys = {row.meeting_id for row in found}
    seen = set(Meeting.objects.visible_to(user).filter(pk__in=keys).values_list("pk", flat=True))
    places = _places(keys)
    made = []
    for row in found:
        meeting = row.meeting
        if meeting.pk in seen:
            answer = row.answer if row.user_id == user.pk and meeting.state in ("invited", "confirmed") else "-"
            made.append(meeting_entry(meeting, row.user_id, places.get(meeting.pk, ()), answer=answer))
        elif meeting.state in BOOKED:
            made.append(busy(f"meeting-{meeting.pk}", row.user_id, meeting.starts_at, meeting.ends_at))
    return made


def busy(uid: str, person: int, starts: dt.datetime | dt.date, ends: dt.datetime | dt.date) -> CalendarEntry:
    """That somebody has no time, and nothing else."""
    return CalendarEntry(uid, person, _("Busy"), starts, ends, tone="mute", busy=True)


def _places(keys: Collection[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    rows = Booking.objects.filter(meeting__in=keys).order_by("room__kind", "room__name")
    for key, name in rows.values_list("meeting", "room__name"):
        found.setdefault(key, []).append(name)
    return found


def bookings_between(user: Any, start: dt.datetime, end: dt.datetime) -> list[tuple[int, CalendarEntry]]:
    """(room, entry) of all that is booked; of meetings that `user` may not see who has called them. Two statements."""
    if user.data_scope(Meeting) is None:
        return []
    rows = Booking.objects.filter(taken=True, starts_at__lt=end, ends_at__gt=start).select_related("meeting__owner")
    found = list(rows.order_by("starts_at", "pk")[:2000])
    keys = {row.meeting_id for row in found}
    seen = set(Meeting.objects.visible_to(user).filter(pk__in=keys).values_list("pk", flat=True))
    made = []
    for row in found:
        meeting = row.meeting
        if meeting.pk in seen:
            made.append((row.room_id, meeting_entry(meeting, meeting.owner_id, (), answer="-")))
        else:
            made.append((row.room_id, _booked(row)))
    return made


def _booked(row: Booking) -> CalendarEntry:
    """That a room is taken, and by whom."""
    owner = row.meeting.owner
    title = _("Booked by %s") % owner
    uid = f"meeting-{row.meeting_id}"
    return CalendarEntry(uid, owner.pk, title, row.starts_at, row.ends_at, tone="mute", busy=True)


_TEAM = """
WITH RECURSIVE below AS (
    SELECT id FROM oa_user WHERE manager_id = %(user)s
    UNION SELECT u.id FROM oa_user u JOIN below b ON u.manager_id = b.id
)
SELECT u.id FROM oa_user u
 WHERE u.is_active AND (u.id = %(user)s OR u.id IN (SELECT id FROM below) OR u.department_id = ANY(%(near)s)
       OR u.id IN (SELECT user_id FROM oa_post WHERE department_id = ANY(%(near)s)))
"""
TEAM = 60  # people: more than a page can show anyway


def team_of(user: Any) -> list[User]:
    """Whose calendars a person may open: those below, and those in the same departments."""
    wide = user.data_scope(Meeting) in ("subtree", "all")
    near = user.department_ids if wide else user.own_department_ids
    rows = User.objects.raw(_TEAM, {"user": user.pk, "near": list(near)})
    keys = [person.pk for person in rows]
    return list(User.objects.filter(pk__in=keys).order_by("name", "username")[:TEAM])


sources += [tasks_between, meetings_between]
