"""Recurring tasks: which days a rule falls on, and that each day makes one task (spec office 5.8.3)."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from oa.organisation.models import CompanyProfile
from oa.organisation.zones import learn_zone
from oa.records.models import Notification
from oa.tasks.models import Task, TaskSeries
from oa.tasks.recurrence import Rule
from oa.tasks.services import tasks
from oa.tasks.services.series import make_due, save_series, stop_series
from tests import factories as make
from tests.refusals import refused

D = dt.date


def days(**rule: Any) -> list[str]:
    given = {"starts_on": D(2026, 1, 1), **rule}
    return [f"{day:%m-%d}" for day in Rule(**given).first(5)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"every": "day", "interval": 3}, ["01-01", "01-04", "01-07", "01-10", "01-13"]),
        ({"every": "week", "weekdays": ("MO", "FR")}, ["01-02", "01-05", "01-09", "01-12", "01-16"]),
        ({"every": "week", "interval": 2, "weekdays": ("WE",)}, ["01-14", "01-28", "02-11", "02-25", "03-11"]),
        ({"every": "monthday", "month_day": 15}, ["01-15", "02-15", "03-15", "04-15", "05-15"]),
        ({"every": "monthday", "month_day": 31}, ["01-31", "02-28", "03-31", "04-30", "05-31"]),
        ({"every": "monthday", "month_day": 30}, ["01-30", "02-28", "03-30", "04-30", "05-30"]),
        ({"every": "weekday", "week": 2, "weekdays": ("TU",)}, ["01-13", "02-10", "03-10", "04-14", "05-12"]),
        ({"every": "weekday", "week": -1, "weekdays": ("FR",)}, ["01-30", "02-27", "03-27", "04-24", "05-29"]),
        ({"every": "day", "until": D(2026, 1, 2)}, ["01-01", "01-02"]),
        ({"every": "day", "interval": 7, "count": 2}, ["01-01", "01-08"]),
    ],
)
def test_a_rule_falls_on_the_days_it_says(rule: dict[str, Any], expected: list[str]) -> None:
    """Days, weeks on weekdays, months on a day or the nth weekday, until or count; a short month has its last day."""
    assert days(**rule) == expected


def make_series(owner: Any, **columns: Any) -> TaskSeries:
    given = {"every": "day", "starts_on": D(2026, 3, 2), "title": "Back up", **columns}
    return save_series(TaskSeries(owner=owner, **given), by=owner)


@pytest.fixture
def ann(db: Any) -> Any:
    return make.make_user("ann", "sales")


def occurrences(series: TaskSeries) -> list[dt.date]:
    return list(Task.objects.filter(series=series).order_by("occurrence").values_list("occurrence", flat=True))


def test_each_day_makes_one_task_also_after_a_pause(ann: Any) -> None:
    """Exactly once: not before its day, not twice, and what was missed is made up for."""
    series = make_series(ann)
    assert make_due(D(2026, 3, 1)) == 0
    assert make_due(D(2026, 3, 2)) == 1 and make_due(D(2026, 3, 2)) == 0
    assert make_due(D(2026, 3, 5)) == 3
    assert occurrences(series) == [D(2026, 3, 2), D(2026, 3, 3), D(2026, 3, 4), D(2026, 3, 5)]
    assert Notification.objects.filter(user=ann, text="A recurring task is due: Back up").count() == 4


def test_the_database_refuses_a_second_task_of_a_day(ann: Any) -> None:
    """The unique constraint holds whatever runs twice."""
    series = make_series(ann)
    make_due(D(2026, 3, 2))
    with pytest.raises(IntegrityError, match="task_occurrence_once"), transaction.atomic():
        Task.objects.create(title="x", owner=ann, series=series, occurrence=D(2026, 3, 2))


def test_a_killed_worker_leaves_nothing_behind(ann: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks and the next day are one transaction."""
    series = make_series(ann)

    def killed(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("oa.tasks.services.series.tell", killed)
    with pytest.raises(KeyboardInterrupt):
        make_due(D(2026, 3, 2))
    monkeypatch.undo()
    assert occurrences(series) == []
    assert make_due(D(2026, 3, 2)) == 1 and occurrences(series) == [D(2026, 3, 2)]


def test_a_task_is_made_some_days_ahead(ann: Any) -> None:
    """When due, or so many days before."""
    series = make_series(ann, every="week", weekdays="MO", lead_days=3)
    assert make_due(D(2026, 2, 26)) == 0 and make_due(D(2026, 2, 27)) == 1
    assert occurrences(series) == [D(2026, 3, 2)] and Task.objects.get(series=series).due_on == D(2026, 3, 2)


def test_the_next_one_comes_when_the_last_is_done(ann: Any) -> None:
    """Made when the last one is done or given up; days that were overtaken are not piled up."""
    series = make_series(ann, makes="done")
    assert make_due(D(2026, 3, 1)) == 1 and make_due(D(2026, 3, 9)) == 0
    tasks.finish_task(Task.objects.get(series=series), by=ann)
    assert make_due(D(2026, 3, 9)) == 1
    assert occurrences(series) == [D(2026, 3, 2), D(2026, 3, 9)]
    tasks.cancel_task(Task.objects.get(series=series, state="open"), "x", by=ann)
    assert make_due(D(2026, 3, 9)) == 1 and occurrences(series)[-1] == D(2026, 3, 10)


def test_a_series_ends_after_its_count_its_last_day_or_when_it_is_stopped(ann: Any) -> None:
    """Until and count; stopping keeps the tasks there are."""
    counted, dated, stopped = (
        make_series(ann, count=2),
        make_series(ann, until=D(2026, 3, 4)),
        make_series(ann),
    )
    make_due(D(2026, 3, 2))
    stop_series(stopped, by=ann)
    make_due(D(2026, 4, 2))
    assert [len(occurrences(one)) for one in (counted, dated, stopped)] == [2, 3, 1]
    counted.refresh_from_db()
    assert counted.next_on is None


def test_the_time_of_day_holds_when_the_clocks_change(ann: Any) -> None:
    """G-18: days and times are the company's; nine o'clock stays nine o'clock."""
    CompanyProfile.objects.update(time_zone="Europe/Berlin")
    learn_zone("Europe/Berlin")
    series = make_series(ann, starts_on=D(2026, 3, 28), due_at=dt.time(9), reminders="1d")
    make_due(D(2026, 3, 30))
    made = list(Task.objects.filter(series=series).order_by("occurrence"))
    moments = [task.due_moment for task in made]
    assert [m.astimezone(ZoneInfo("UTC")).hour for m in moments if m] == [8, 7, 7]
    assert {m.hour for m in moments if m} == {9}


def test_a_made_task_takes_over_what_the_series_says(ann: Any) -> None:
    """Participants, checklist, priority, time, reminders and who gave it."""
    bob = make.make_user("bob", "sales")
    series = make_series(ann, checklist="a\n\nb", priority=1, due_at=dt.time(9), private=True)
    series.participants.add(bob)
    make_due(D(2026, 3, 2))
    task = Task.objects.get(series=series)
    assert (task.priority, task.due_at, task.private, task.created_by) == (1, dt.time(9), True, ann)
    assert list(task.participants.all()) == [bob]
    assert list(task.checklist.values_list("text", flat=True)) == ["a", "b"]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"every": "week"}, "which day"),
        ({"every": "weekday", "weekdays": "MO"}, "which day"),
        ({"every": "monthday"}, "which day"),
        ({"every": "week", "weekdays": "MO", "until": D(2026, 3, 1)}, "no day"),
    ],
)
def test_a_rule_that_says_too_little_is_refused(ann: Any, columns: dict[str, Any], told: str) -> None:
    """What a clerk forgot is told in words."""
    with refused(told):
        make_series(ann, **columns)


def test_making_many_takes_as_many_statements_as_making_one(ann: Any) -> None:
    """Statements do not grow with series or days."""
    counts = []
    for number in (1, 30):
        for _ in range(number):
            make_series(ann, checklist="a\nb", starts_on=D(2026, 3, 2)).participants.add(ann)
        make_due(D(2026, 3, 2))
        with CaptureQueriesContext(connection) as queries:
            made = make_due(D(2026, 3, 3))
        counts.append(len(queries))
        assert made >= number
        TaskSeries.objects.update(active=False)
    assert counts[0] == counts[1]
