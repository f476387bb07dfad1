"""Reminders: each person once for each moment (spec office 5.8.3)."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oa.organisation.models import User
from oa.records.models import Notification
from oa.tasks import reminding
from oa.tasks.models import Attendee, Meeting, Reminder, Task
from oa.tasks.services import tasks
from oa.tasks.services.meetings import answer_invitation, save_meeting
from oa.tasks.services.reminders import remind
from tests import factories as make
from tests.oa.office import hour, invited, make_task

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("1d 2h 30m", (1440, 120, 30)),
        ("2w", (20160,)),
        ("0m", (0,)),
        ("１天，30分钟", (1440, 30)),
        ("", ()),
        ("60m 1h", (60,)),
    ],
)
def test_lengths_of_time_as_people_type_them(text: str, minutes: tuple[int, ...]) -> None:
    """Also in Chinese and with full-width characters; the longest comes first."""
    assert reminding.parse(text) == minutes
    assert reminding.parse(reminding.written(minutes)) == minutes


@pytest.mark.parametrize("text", ["soon", "1x", "30", "1d2", "1d 2d 3d 4d 5d 6d 7d"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        reminding.parse(text)


def test_a_day_before_is_the_same_time_of_day_when_the_clocks_change() -> None:
    """Days by the calendar, hours by the clock of the world."""
    due = dt.datetime(2026, 3, 29, 9, tzinfo=BERLIN)
    day, hours = reminding.moments(due, "1d 20h")
    assert day.astimezone(BERLIN) == dt.datetime(2026, 3, 28, 9, tzinfo=BERLIN)
    assert due.astimezone(dt.UTC) - hours == dt.timedelta(hours=20)


@pytest.fixture
def ann(db: Any) -> Any:
    return make.make_user("ann", "sales")


def said(person: Any) -> list[str]:
    rows = Notification.objects.filter(user=person, text__startswith="Reminder")
    return list(rows.order_by("pk").values_list("text", flat=True))


def due_task(owner: Any, reminders: str = "1d 1h", **columns: Any) -> Task:
    day = hour(5, 10)
    return make_task(owner, due_on=day.date(), due_at=day.time(), reminders=reminders, **columns)


def test_owner_and_participants_are_reminded_once_for_each_moment(ann: Any) -> None:
    """Not before, not twice, and at the next moment again; with the record behind the message."""
    guest = make.make_user("guest", "sales")
    task = due_task(ann)
    task.participants.add(guest)
    due = hour(5, 10)
    assert remind(due - dt.timedelta(days=1, seconds=1)) == 0
    assert remind(due - dt.timedelta(days=1)) == 2
    assert remind(due - dt.timedelta(days=1)) == 0
    assert remind(due - dt.timedelta(hours=1)) == 2
    assert remind(due + dt.timedelta(days=1)) == 0
    assert len(said(ann)) == len(said(guest)) == 2 and due.strftime("%Y-%m-%d 10:00") in said(ann)[0]
    assert Notification.objects.filter(user=ann).last().url == f"/tasks/{task.pk}/"  # type: ignore[union-attr]


def test_after_a_pause_people_are_reminded_once(ann: Any) -> None:
    """Downtime: the moments that passed meanwhile come as one message."""
    due_task(ann, "3d 2d 1d")
    assert remind(hour(5, 10) - dt.timedelta(hours=3)) == 1
    assert len(said(ann)) == 1 == Reminder.objects.count()


def test_a_killed_worker_leaves_no_half_reminder(ann: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row is the intent: it, the message and the next moment are one transaction."""
    due_task(ann)

    def killed(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("oa.tasks.services.reminders.tell", killed)
    with pytest.raises(KeyboardInterrupt):
        remind(hour(5, 10) - dt.timedelta(hours=23))
    monkeypatch.undo()
    assert not Reminder.objects.exists() and not said(ann)
    assert remind(hour(5, 10) - dt.timedelta(hours=23)) == 1


def test_the_same_moment_is_never_told_twice(ann: Any) -> None:
    """Even when somebody sets the clock of the task back; the database refuses a second row."""
    task = due_task(ann, "1h")
    now = hour(5, 10) - dt.timedelta(minutes=30)
    assert remind(now) == 1
    Task.objects.filter(pk=task.pk).update(remind_at=now - dt.timedelta(hours=9))
    assert remind(now) == 0 and len(said(ann)) == 1
    row = Reminder.objects.get()
    row.pk = None
    with pytest.raises(IntegrityError, match="reminder_once"), transaction.atomic():
        row.save(force_insert=True)


def test_a_change_between_the_moment_and_the_clock_loses_no_reminder(ann: Any) -> None:
    """F-11: people go on working while the worker is down; with another time the old moments are forgotten."""
    start = timezone.now().replace(microsecond=0) + dt.timedelta(hours=3)
    missed, guest = start - dt.timedelta(hours=4), make.make_user("guest", "sales")
    kept, moved = (invited(ann, guest, start=start, reminders="4h 1h", title=name) for name in ("Kept", "Moved"))
    Meeting.objects.update(remind_at=missed)  # as if they had been called in time
    for meeting in (kept, moved):
        meeting.refresh_from_db()
    kept.title = "Kept and changed"
    moved.starts_at, moved.ends_at = (moment + dt.timedelta(days=1) for moment in (moved.starts_at, moved.ends_at))
    for meeting in (kept, moved):
        save_meeting(meeting, by=ann)
    assert (kept.remind_at, moved.remind_at) == (missed, missed + dt.timedelta(days=1))
    assert remind() == 2 and remind() == 0
    assert "Kept and changed" in said(ann)[0] and len(said(guest)) == 1
    kept.refresh_from_db()
    assert kept.remind_at == start - dt.timedelta(hours=1)


def test_nobody_is_reminded_of_what_is_done_or_of_what_they_may_not_see(ann: Any) -> None:
    """G-21: people who left, who lost the right, and tasks that have ended."""
    left, blind = make.make_user("left", "sales"), make.make_user("blind", "sales")
    task = due_task(ann, "1h")
    task.participants.add(left, blind)
    User.objects.filter(pk=left.pk).update(is_active=False)
    blind.groups.clear()
    done = due_task(ann, "1h", title="Done")
    tasks.finish_task(done, by=ann)
    assert remind(hour(5, 10)) == 1 and [row.user for row in Reminder.objects.all()] == [ann]


def test_people_of_a_meeting_are_reminded_but_those_who_declined(ann: Any) -> None:
    """Invitations count; a meeting that was over before the worker came back is not told."""
    bob, eve = make.make_user("bob", "sales"), make.make_user("eve", "sales")
    meeting = invited(ann, bob, eve, reminders="15m")
    answer_invitation(meeting, "declined", by=eve)
    assert remind(hour() - dt.timedelta(minutes=15)) == 2
    assert said(bob) and not said(eve)
    late = invited(ann, bob, start=hour(3), reminders="15m")
    assert remind(hour(3) + dt.timedelta(hours=2)) == 0
    assert Meeting.objects.get(pk=late.pk).remind_at is None


def test_many_reminders_take_as_many_statements_as_one(ann: Any) -> None:
    """Statements do not grow with tasks or people."""
    counts, now = [], timezone.now()
    for number in (1, 30):
        for n in range(number):
            task = due_task(ann, "1h", title=f"{n}")
            task.participants.add(*[make.make_user("", "sales") for _ in range(number and 2)])
        Task.objects.update(remind_at=now)
        with CaptureQueriesContext(connection) as queries:
            remind(hour(5, 10))
        counts.append(len(queries))
        Task.objects.update(remind_at=None, state="cancelled")
    assert counts[0] == counts[1] and Attendee.objects.count() == 0
