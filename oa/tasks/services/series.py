"""Recurring tasks: saving their rule, and making the tasks that are due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import DateField, Exists, ExpressionWrapper, F, OuterRef, Q, Value
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.records.bulk import bulk_set, locked
from oa.tasks import reminding
from oa.tasks.models import ChecklistItem, Task, TaskSeries
from oa.tasks.models.series import Makes
from oa.tasks.models.task import ACTIVE
from oa.tasks.recurrence import Rule
from oa.tasks.rights import allow
from oa.tasks.services.tasks import set_reminders
from oa.tasks.telling import tell

AT_ONCE = 100  # series, and tasks of one, in a run: the next run goes on


def rule_of(series: TaskSeries) -> Rule:
    """The rule in a series."""
    return Rule(
        series.every,
        series.starts_on,
        series.interval,
        tuple(filter(None, series.weekdays.split(","))),
        series.month_day,
        series.week,
        series.until,
        series.count,
    )


@transaction.atomic
def save_series(series: TaskSeries, *, by: Any) -> TaskSeries:
    """Store a recurring task; a changed rule holds from the day after the last task that was made."""
    before = TaskSeries.objects.select_for_update().filter(pk=series.pk).first() if series.pk else None
    allow(by, "change" if before else "add", before or series, manage=before is not None)
    try:
        series.reminders = reminding.written(reminding.parse(series.reminders))
    except ValueError:
        raise BusinessError(_("Write reminders as “1d 2h 30m”, at most six."), field="reminders") from None
    rule = rule_of(series)
    for field, kind in rule.problems():
        raise BusinessError(
            _("Say on which day it falls.") if kind == "missing" else _("This rule falls on no day."), field=field
        )
    if before is None:
        series.created_by = series.created_by or by
    last = Task.objects.filter(series=series).order_by("-occurrence").first() if series.pk else None
    series.next_on = rule.first(1)[0] if last is None else rule.after(last.occurrence or series.starts_on)
    series.save()
    return series


@transaction.atomic
def stop_series(series: TaskSeries, *, by: Any) -> TaskSeries:
    """No further tasks are made; those there are stay."""
    series = locked(TaskSeries.objects.all(), series.pk)
    allow(by, "change", series, manage=True)
    series.active = False
    series.version += 1
    series.save()
    return series


@transaction.atomic
def make_due(today: dt.date | None = None) -> int:
    """Make the tasks whose day has come, or whose predecessor is done; returns how many.

    A series is locked, its tasks are written and its next day is moved in one transaction: each day makes one
    task, whatever is killed or runs twice. Days that were missed are made up for.
    """
    today = today or business_day()
    still = Task.objects.filter(series=OuterRef("pk"), state__in=ACTIVE)
    ahead = Value(today, DateField()) + F("lead_days")  # days, as PostgreSQL adds them
    ready = Q(makes=Makes.DUE, next_on__lte=ExpressionWrapper(ahead, DateField())) | Q(makes=Makes.DONE)
    rows = TaskSeries.objects.filter(ready, ~Q(Q(makes=Makes.DONE) & Exists(still)), active=True, owner__is_active=True)
    series = list(rows.exclude(next_on=None).select_for_update(skip_locked=True, of=("self",)).order_by("pk")[:AT_ONCE])
    made = [(one, task) for one in series for task in _tasks_of(one, today)]
    if not made:
        return 0
    Task.objects.bulk_create(task for _series, task in made)
    bulk_set(series, ["next_on"])
    _complete(made)
    text = gettext_lazy("A recurring task is due: {what}")
    tell([(task.owner_id, format_lazy(text, what=task), task) for _series, task in made])
    return len(made)


def _tasks_of(series: TaskSeries, today: dt.date) -> list[Task]:
    """The tasks that a series makes now; its next day is moved on."""
    rule, next_on = rule_of(series), series.next_on
    assert next_on is not None
    if series.makes == Makes.DUE:
        days = rule.upto(next_on, today + dt.timedelta(days=series.lead_days), AT_ONCE)
    else:
        missed = next_on < today and Task.objects.filter(series=series).exists()
        day = rule.after(today, inclusive=True) if missed else next_on  # what was overtaken is not piled up
        days = [day] if day is not None else []
    series.next_on = rule.after(days[-1]) if days else None
    tasks = [_task(series, day) for day in days]
    for task in tasks:
        set_reminders(task)
    return tasks


def _task(series: TaskSeries, day: dt.date) -> Task:
    return Task(
        title=series.title,
        description=series.description,
        owner_id=series.owner_id,
        created_by_id=series.created_by_id,
        due_on=day,
        due_at=series.due_at,
        priority=series.priority,
        private=series.private,
        reminders=series.reminders,
        series=series,
        occurrence=day,
    )


def _complete(made: Sequence[tuple[TaskSeries, Task]]) -> None:
    """Participants and checklists of new tasks, two inserts."""
    takes_part: dict[int, list[int]] = {}
    members: Any = TaskSeries.participants.through
    rows = members.objects.filter(taskseries__in={series.pk for series, _task in made})
    for key, person in rows.values_list("taskseries", "user"):
        takes_part.setdefault(key, []).append(person)
    through: Any = Task.participants.through
    through.objects.bulk_create(
        through(task_id=task.pk, user_id=person) for series, task in made for person in takes_part.get(series.pk, ())
    )
    ChecklistItem.objects.bulk_create(
        ChecklistItem(task=task, position=position, text=line.strip()[:200])
        for series, task in made
        for position, line in enumerate(filter(str.strip, series.checklist.splitlines()), 1)
    )
