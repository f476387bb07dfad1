"""Each invariant of tasks and meetings finds what it claims to find (I-60 to I-64)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from oa.tasks.models import Meeting, TaskSeries
from oa.tasks.services import decisions, tasks
from oa.tasks.services.series import make_due, save_series
from tests import factories as make
from tests.invariants import assert_books, broken
from tests.oa.office import hour, invited, make_room, make_task

pytestmark = pytest.mark.django_db

MUTATIONS = [
    ("I-60", "UPDATE oa_booking SET starts_at = (SELECT min(starts_at) FROM oa_booking)", ("oa_booking", "booking_no_overlap")),
    ("I-60", "UPDATE oa_booking SET taken = false", None),
    ("I-60", "UPDATE oa_meeting SET state = 'cancelled'", None),
    ("I-60", "UPDATE oa_booking SET ends_at = ends_at - interval '1 minute'", None),
    ("I-61", "INSERT INTO oa_taskneed (task_id, needs_id) SELECT needs_id, task_id FROM oa_taskneed", None),
    ("I-61", "UPDATE oa_task SET parent_id = id WHERE title = 'first'", None),
    ("I-62", "UPDATE oa_task SET occurrence = NULL WHERE series_id IS NOT NULL", None),
    (
        "I-62",
        "INSERT INTO oa_task (title, description, owner_id, priority, labels, private, state, series_id, occurrence, "
        "pinyin, reminders, version, created_at, updated_at) SELECT title, description, owner_id, priority, labels, "
        "private, state, series_id, occurrence, pinyin, reminders, 1, now(), now() FROM oa_task "
        "WHERE series_id IS NOT NULL",
        ("oa_task", "task_occurrence_once"),
    ),
    ("I-62", "UPDATE oa_taskseries SET next_on = starts_on", None),
    ("I-63", "UPDATE oa_decision SET task_id = NULL", None),
    ("I-64", "UPDATE oa_task SET verified_by_id = done_by_id, state = 'verified' WHERE state = 'done'",
     ("oa_task", "task_verified_by_another")),
    ("I-64", "UPDATE oa_task SET done_at = NULL WHERE state = 'done'", ("oa_task", "task_done_at")),
]  # fmt: skip


def execute(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.rowcount


@contextmanager
def unguarded() -> Any:
    """Triggers and foreign keys sleep."""
    execute("SET LOCAL session_replication_role = replica")
    yield
    execute("SET LOCAL session_replication_role = origin")


@pytest.fixture
def office(db: Any) -> None:
    """Two meetings after each other in a room, one with minutes; tasks that wait, recur and are done."""
    ann, bob = make.make_user("ann", "sales"), make.make_user("bob", "sales")
    room = make_room()
    meeting = invited(ann, bob, rooms=[room])
    decisions.make_task(meeting, decisions.add_decision(meeting, "x", bob, by=ann).pk, by=ann)
    Meeting.objects.filter(pk=meeting.pk).update(state="held", minutes="m")
    Meeting.objects.filter(pk=meeting.pk).update(state="minuted")
    invited(ann, bob, start=hour(1, 11), rooms=[room])
    first, second = make_task(ann, title="first"), make_task(ann, title="second")
    tasks.set_needs(second, [first], by=ann)
    tasks.finish_task(make_task(bob, by=ann), by=bob)
    save_series(TaskSeries(title="s", owner=ann, every="day", starts_on=timezone.localdate()), by=ann)
    make_due()
    execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_office_is_sound(office: None) -> None:
    """What the mutations break is there, and nothing is broken before."""
    assert_books(("I-60", "I-61", "I-62", "I-63", "I-64"))


@pytest.mark.parametrize(("code", "sql", "drop"), MUTATIONS)
def test_a_broken_invariant_is_found(office: None, code: str, sql: str, drop: tuple[str, str] | None) -> None:
    """Broken by SQL past all guards."""
    if drop is not None:
        execute(f"ALTER TABLE {drop[0]} DROP CONSTRAINT {drop[1]}")
    with unguarded():
        assert execute(sql) > 0
    assert broken((code,))
