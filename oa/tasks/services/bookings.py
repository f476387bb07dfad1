"""Rooms and equipment: who has them when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError, Problem
from oa.tasks.models import Attendee, Booking, Meeting, Room
from oa.tasks.models.meeting import BOOKED, Answer

CONSTRAINT = "booking_no_overlap"


def set_rooms(meeting: Meeting, rooms: Collection[Room]) -> None:
    """Bring the bookings of a locked meeting in step with its rooms, time and state; refuses what is taken.

    The rooms are locked in key order, so that of two people the second one waits, sees the first one's booking and
    is told whose it is. Without the lock the constraint would still refuse the second.
    """
    keys = sorted({room.pk for room in rooms})
    list(Room.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
    taken = meeting.state in BOOKED
    if taken:
        explain_conflicts(meeting, keys)
    times = {"starts_at": meeting.starts_at, "ends_at": meeting.ends_at, "taken": taken}
    with _in_words():
        Booking.objects.filter(meeting=meeting).exclude(room__in=keys).delete()
        Booking.objects.filter(meeting=meeting).update(**times)
        present = set(Booking.objects.filter(meeting=meeting).values_list("room", flat=True))
        Booking.objects.bulk_create(
            Booking(meeting=meeting, room_id=key, **times) for key in keys if key not in present
        )


def keep_rooms(meeting: Meeting) -> None:
    """`set_rooms` with the rooms that the meeting has."""
    set_rooms(meeting, list(Room.objects.filter(bookings__meeting=meeting)))


def explain_conflicts(meeting: Meeting, rooms: Collection[int]) -> None:
    """Refuse with the room, the time and who has it; the title of another meeting is not told."""
    found = list(conflicts(meeting, rooms)[:3])
    if found:
        raise BusinessError(problems=[Problem(_taken(row), "rooms") for row in found])


def conflicts(meeting: Meeting, rooms: Collection[int]) -> Any:
    """Bookings of others that overlap with a meeting in its rooms."""
    return (
        Booking.objects.filter(room__in=rooms, taken=True, starts_at__lt=meeting.ends_at, ends_at__gt=meeting.starts_at)
        .exclude(meeting=meeting.pk)
        .select_related("room", "meeting__owner")
        .order_by("starts_at", "pk")
    )


def _taken(row: Booking) -> str:
    return _("%(room)s is taken from %(start)s to %(end)s by %(who)s.") % {
        "room": row.room,
        "start": _clock(row.starts_at),
        "end": _clock(row.ends_at, row.starts_at),
        "who": row.meeting.owner,
    }


def _clock(moment: dt.datetime, other: dt.datetime | None = None) -> str:
    local = timezone.localtime(moment)
    same = other is not None and timezone.localtime(other).date() == local.date()
    return local.strftime("%H:%M" if same else "%Y-%m-%d %H:%M")


@contextmanager
def _in_words() -> Iterator[None]:
    """What the constraint refuses, in words: the room went to somebody else in this very moment."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") != CONSTRAINT:
            raise
        raise BusinessError(_("The room was taken by somebody else at this moment."), field="rooms") from error


def double_booked(meeting: Meeting) -> list[str]:
    """Attendees who have another meeting at the same time: a warning, nothing is refused."""
    people = set(Attendee.objects.filter(meeting=meeting).values_list("user", flat=True)) | {meeting.owner_id}
    rows = (
        Attendee.objects.filter(user__in=people, meeting__state__in=("invited", "confirmed"))
        .filter(meeting__starts_at__lt=meeting.ends_at, meeting__ends_at__gt=meeting.starts_at)
        .exclude(meeting=meeting.pk)
        .exclude(answer=Answer.DECLINED)
        .select_related("user")
        .order_by("user__name", "pk")
    )
    return list(dict.fromkeys(str(row.user) for row in rows))
