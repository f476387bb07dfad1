"""Many people at the same room, and several workers at the same timer (spec office 5.8.3).

Every lock and constraint has a control which takes it away and shows that the race is real.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from django.db import connection

from oa.records.models import Notification
from oa.records.notifications import notify
from oa.reporting.models import OutboxMail
from oa.tasks.models import Booking, Meeting, Reminder, Task, TaskNeed, TaskSeries
from oa.tasks.services.series import save_series
from tests import factories as make
from tests.invariants import assert_books, broken
from tests.oa.office import hour, make_meeting, make_room, make_task

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

EVERYBODY = 8


def total(outcomes: list[Counter[str]]) -> Counter[str]:
    return sum(outcomes, Counter())


def drafts(rooms: int = 1) -> list[int]:
    """Eight meetings at overlapping times in the same rooms, not called yet."""
    taken = [make_room(f"Room {n}") for n in range(rooms)]
    made = []
    for n in range(EVERYBODY):
        owner, guest = make.make_user("", "sales"), make.make_user("", "sales")
        start = hour(2, 10) + dt.timedelta(minutes=5 * n)
        made.append(make_meeting(owner, guest, start=start, rooms=taken if n % 2 else taken[::-1]).pk)
    return made


def run(crowd: Any, command: str, entries: list[dict[str, Any]], **more: Any) -> Counter[str]:
    return total(crowd.run(command, entries, **more))


def test_a_room_is_booked_once(crowd: Any) -> None:
    """5.8.3: room conflicts are refused under concurrency; the others are told in words."""
    keys = drafts(rooms=3)
    assert run(crowd, "book", [{"keys": [key]} for key in keys]) == Counter(ok=1, refused=EVERYBODY - 1)
    assert Meeting.objects.filter(state="invited").count() == 1
    assert Booking.objects.filter(taken=True).count() == 3
    assert_books()


def test_the_constraint_alone_refuses_the_second_booking(crowd: Any) -> None:
    """Without the locks everybody finds the room free; the database lets one in, and words come of that too."""
    keys = drafts()
    outcome = run(crowd, "book", [{"keys": [key], "dawdle": True} for key in keys], control=True)
    assert outcome["ok"] == 1 and outcome["ok"] + outcome["refused"] + outcome["DeadlockDetected"] == EVERYBODY
    assert_books()


def test_a_room_is_booked_several_times_without_lock_and_constraint(crowd: Any) -> None:
    """The control: the race is real, and the invariant finds it."""
    keys = drafts()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE oa_booking DROP CONSTRAINT booking_no_overlap")
    outcome = run(crowd, "book", [{"keys": [key], "dawdle": True} for key in keys], control=True)
    assert outcome["ok"] > 1
    assert "I-60" in broken()


def test_meetings_one_after_the_other_do_not_disturb_each_other(crowd: Any) -> None:
    """The end of one is the beginning of the next; another room is free at the same time."""
    room, keys = make_room(), []
    for n in range(EVERYBODY):
        owner, guest = make.make_user("", "sales"), make.make_user("", "sales")
        keys.append(make_meeting(owner, guest, start=hour(2, 8 + n), rooms=[room]).pk)
    assert run(crowd, "book", [{"keys": [key]} for key in keys]) == Counter(ok=EVERYBODY)
    assert_books()


def due_work() -> dt.datetime:
    """Tasks that recur and reminders that are due."""
    ann, day = make.make_user("", "sales"), hour(5)
    for n in range(10):
        save_series(TaskSeries(title=f"S{n}", owner=ann, every="day", starts_on=day.date()), by=ann)
        make_task(ann, due_on=day.date(), due_at=day.time(), reminders="1h", title=f"T{n}")
    return day


def test_the_timer_run_eight_times_at_once_makes_and_tells_everything_once(crowd: Any) -> None:
    """Each occurrence and each reminder exactly once when the run is doubled."""
    now = due_work()
    outcome = run(crowd, "sweep_tasks", [{"now": now}] * EVERYBODY)
    assert (outcome["made"], outcome["reminded"]) == (10, 10)
    assert Task.objects.exclude(series=None).count() == 10 == Reminder.objects.count()
    assert Notification.objects.filter(text__startswith="Reminder").count() == 10
    assert_books()


def test_the_timer_collides_without_the_locks(crowd: Any) -> None:
    """The control: all take the same work at the same moment, and only the constraints keep it single.

    On a busy machine the first may be done before the others begin: new work is tried then.
    """
    for tried in range(1, 6):
        outcome = run(crowd, "sweep_tasks", [{"now": due_work()}] * EVERYBODY, control=True)
        assert Task.objects.exclude(series=None).count() == 10 * tried == Reminder.objects.count()
        if any(count for name, count in outcome.items() if name not in ("ok", "made", "reminded")):
            return
    pytest.fail("nobody met anybody")


def test_notifications_are_mailed_once_when_the_timer_is_doubled(crowd: Any) -> None:
    """X-12: eight senders at once make one mail a person with everything in it; nothing is lost, nothing comes twice."""
    people = [make.make_user(f"p{n}", "sales", notice_mails="each") for n in range(10)]
    for text in ("one", "two", "three"):
        notify(people, text)
    outcome = run(crowd, "mail_notices", [{}] * EVERYBODY)
    assert (outcome["mails"], outcome["ok"]) == (10, EVERYBODY)
    assert OutboxMail.objects.count() == 10 == len(set(OutboxMail.objects.values_list("user", flat=True)))
    assert all(word in mail.text for mail in OutboxMail.objects.all() for word in ("one", "two", "three"))
    assert not Notification.objects.filter(mail_due__isnull=False).exists()


def test_two_people_cannot_close_a_circle_from_both_ends(crowd: Any) -> None:
    """5.8.3: dependencies stay acyclic in the database, also when nobody sees the other's row yet."""
    ann = make.make_user("ann", "sales")
    keys = [make_task(ann, title=f"{n}").pk for n in range(EVERYBODY)]
    pairs = [{"pairs": [(key, keys[(n + 1) % EVERYBODY])]} for n, key in enumerate(keys)]
    outcome = run(crowd, "wait_for", pairs)
    assert outcome["ok"] == EVERYBODY - 1 == TaskNeed.objects.count()
    assert_books()


def test_a_circle_closes_without_the_trigger(crowd: Any) -> None:
    """The control: eight rows make a circle that nothing else refuses, and the invariant finds it."""
    ann = make.make_user("ann", "sales")
    keys = [make_task(ann, title=f"{n}").pk for n in range(EVERYBODY)]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE oa_taskneed DISABLE TRIGGER USER")
    pairs = [{"pairs": [(key, keys[(n + 1) % EVERYBODY])]} for n, key in enumerate(keys)]
    assert run(crowd, "wait_for", pairs)["ok"] == EVERYBODY
    assert "I-61" in broken()
