"""Makers of tasks and meetings for tests."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from oa.organisation.models import User
from oa.tasks.models import Meeting, Room, Task
from oa.tasks.services.meetings import invite_meeting, save_meeting, seat
from oa.tasks.services.tasks import save_task


def make_task(owner: User, *, by: User | None = None, **columns: Any) -> Task:
    """A task that `by` (or the owner) gave."""
    return save_task(Task(title=columns.pop("title", "Count the stock"), owner=owner, **columns), by=by or owner)


def hour(days: int = 1, at: int = 10) -> dt.datetime:
    """An hour of a day to come, on the company's clock."""
    day = timezone.localdate() + dt.timedelta(days=days)
    return dt.datetime.combine(day, dt.time(at), timezone.get_default_timezone())


def make_meeting(owner: User, *people: User, start: dt.datetime | None = None, **columns: Any) -> Meeting:
    """A draft for an hour with these people, in these `rooms`."""
    start = start or hour()
    rooms = columns.pop("rooms", [])
    end = columns.pop("ends_at", start + dt.timedelta(hours=1))
    title = columns.pop("title", "Weekly")
    meeting = save_meeting(Meeting(title=title, owner=owner, starts_at=start, ends_at=end, **columns), by=owner)
    return seat(meeting, people, rooms, by=owner)


def invited(owner: User, *people: User, **columns: Any) -> Meeting:
    """The same, with the invitations sent."""
    return invite_meeting(make_meeting(owner, *people, **columns), by=owner)


def make_room(name: str = "Room 3F", **columns: Any) -> Room:
    """A room."""
    return Room.objects.create(name=name, **columns)
