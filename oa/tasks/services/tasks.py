"""Commands on tasks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.records.bulk import locked
from oa.records.comments import add_comment
from oa.records.models import Record
from oa.tasks import reminding
from oa.tasks.models import ChecklistItem, Task, TaskNeed
from oa.tasks.models.shared import Reminded
from oa.tasks.models.task import ACTIVE, ENDED
from oa.tasks.rights import allow
from oa.tasks.telling import tell

_LEADS_BACK = """
WITH RECURSIVE way AS (
    SELECT unnest(%(needs)s::bigint[]) AS id
    UNION SELECT n.needs_id FROM oa_taskneed n JOIN way ON n.task_id = way.id
) SELECT 1 FROM way WHERE id = %(task)s
"""
_IS_PART = """
WITH RECURSIVE way AS (
    SELECT %(parent)s::bigint AS id
    UNION SELECT t.parent_id FROM oa_task t JOIN way ON t.id = way.id WHERE t.parent_id IS NOT NULL
) SELECT 1 FROM way WHERE id = %(task)s
"""


@transaction.atomic
def save_task(task: Task, *, by: Any) -> Task:
    """Store a new or changed task; whoever is given it is told."""
    before = Task.objects.select_for_update().filter(pk=task.pk).first() if task.pk else None
    allow(by, "change" if before else "add", before or task, manage=before is not None)
    if before is not None and before.state in ENDED:
        raise BusinessError(_("%s has ended and is not changed any more.") % before)
    if task.due_at is not None and task.due_on is None:
        raise BusinessError(_("A time needs a day."), field="due_on")
    if task.parent_id is not None and task.pk and _finds(_IS_PART, parent=task.parent_id, task=task.pk):
        raise BusinessError(_("A task cannot be a part of itself."), field="parent")
    set_reminders(task)
    if before is None:
        task.created_by = task.created_by or by
    task.save()
    if task.owner_id != getattr(by, "pk", None) and (before is None or before.owner_id != task.owner_id):
        tell(
            [(task.owner_id, format_lazy(gettext_lazy("{who} gave you a task: {what}"), who=by or "", what=task), task)]
        )
    return task


def set_reminders(record: Reminded) -> None:
    """Bring the reminders into one form, and find the next moment; refuses what is no length of time."""
    try:
        record.reminders = reminding.written(reminding.parse(record.reminders))
    except ValueError:
        raise BusinessError(_("Write reminders as “1d 2h 30m”, at most six."), field="reminders") from None
    due: dt.datetime | None = record.due_moment  # type: ignore[attr-defined]
    now, untold = timezone.now(), record.remind_at
    if due and untold and untold <= now and untold in reminding.moments(due, record.reminders):
        return  # the clock has not come round to it yet
    record.remind_at = reminding.next_moment(due, record.reminders, now)


@transaction.atomic
def set_needs(task: Task, needs: Iterable[Task], *, by: Any) -> Task:
    """Say which tasks must be done before; refuses tasks that would wait for each other."""
    task = locked(Task.objects.all(), task.pk)
    allow(by, "change" if task.version > 1 else "add", task, manage=True)
    wanted = {need.pk for need in needs}
    if wanted and _finds(_LEADS_BACK, needs=sorted(wanted), task=task.pk):
        raise BusinessError(_("Tasks cannot wait for each other."), field="needs")
    present = set(TaskNeed.objects.filter(task=task).values_list("needs", flat=True))
    TaskNeed.objects.filter(task=task, needs__in=present - wanted).delete()
    TaskNeed.objects.bulk_create(TaskNeed(task=task, needs_id=key) for key in sorted(wanted - present))
    return task


def _finds(sql: str, **params: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone() is not None


# ---- states ----


def _moved(task: Task, name: str, by: Any, *, manage: bool = False) -> Task:
    """The task, locked, in the target state of transition `name`; not stored yet."""
    task = locked(Task.objects.all(), task.pk)
    allow(by, "change", task, manage=manage)
    task.state = Task.STATES.check(name, task).target
    task.version += 1
    return task


@transaction.atomic
def start_task(task: Task, *, by: Any) -> Task:
    """Begin a task, once all that it waits for is done."""
    task = _moved(task, "start", by)
    _refuse_blocked(task)
    task.save()
    return task


@transaction.atomic
def finish_task(task: Task, *, by: Any) -> Task:
    """Done; refused while it is blocked, or a part or a step of the checklist is open. The giver is told."""
    task = _moved(task, "finish", by)
    _refuse_blocked(task)
    if parts := list(Task.objects.filter(parent=task, state__in=ACTIVE)[:3]):
        raise BusinessError(_("First finish the parts: %s.") % ", ".join(map(str, parts)))
    if steps := list(ChecklistItem.objects.filter(task=task, done_at=None)[:3]):
        raise BusinessError(_("The checklist is not done: %s.") % ", ".join(map(str, steps)))
    task.done_at, task.done_by, task.remind_at = timezone.now(), by, None
    task.save()
    if task.created_by_id not in (None, getattr(by, "pk", None)):
        text = format_lazy(gettext_lazy("{who} has done: {what}"), who=by or "", what=task)
        tell([(task.created_by_id, text, task)])
    return task


def _refuse_blocked(task: Task) -> None:
    rows = Task.objects.filter(needed_rows__task=task, state__in=ACTIVE)
    if waiting := rows.count():
        raise BusinessError(
            _("This task waits for others that are not done: %s.") % ", ".join(map(str, rows[:3]))
            if waiting <= 3
            else _("This task waits for %s others that are not done.") % waiting
        )


@transaction.atomic
def verify_task(task: Task, *, by: Any) -> Task:
    """Confirm that it is done well: by who gave it, and never by who did it."""
    task = _moved(task, "verify", by)
    if by is not None and by.pk in (task.owner_id, task.done_by_id):
        raise BusinessError(_("Nobody verifies what they did themselves."))
    if by is None or by.pk != task.created_by_id:
        raise BusinessError(_("Only %s, who gave this task, can verify it.") % (task.created_by or _("nobody")))
    task.verified_by = by
    task.save()
    return task


@transaction.atomic
def reopen_task(task: Task, reason: str = "", *, by: Any) -> Task:
    """Send a task back that is not done well; the doer is told why."""
    task = _moved(task, "reopen", by, manage=True)
    task.done_at = task.done_by = task.verified_by = None
    set_reminders(task)
    task.save()
    _explain(task, reason, by)
    return task


@transaction.atomic
def defer_task(task: Task, date: dt.date, *, by: Any) -> Task:
    """Put a task off until a day, on which it comes back by itself."""
    task = _moved(task, "defer", by)
    if date <= business_day():
        raise BusinessError(_("Defer it to a day to come."), field="date")
    task.deferred_until = date
    task.save()
    return task


@transaction.atomic
def resume_task(task: Task, *, by: Any) -> Task:
    """Take up a deferred task."""
    task = _moved(task, "resume", by)
    task.deferred_until = None
    task.save()
    return task


@transaction.atomic
def cancel_task(task: Task, reason: str = "", *, by: Any) -> Task:
    """Give a task up; says who gave it or whose it is, and why."""
    task = _moved(task, "cancel", by, manage=True)
    task.deferred_until = task.remind_at = None
    task.save()
    _explain(task, reason, by)
    return task


def _explain(task: Task, reason: str, by: Any) -> None:
    """Keep the reason as a note, and tell the doer."""
    if reason.strip() and by is not None:
        add_comment(task, reason, by=by)
    if task.owner_id != getattr(by, "pk", None):
        text = format_lazy(
            gettext_lazy("{what}: {state}. {why}"), what=task, state=task.get_state_display(), why=reason
        )
        tell([(task.owner_id, text, task)])


@transaction.atomic
def resume_due(today: dt.date | None = None) -> int:
    """Bring back tasks whose day has come; returns how many. One statement, whoever else works on them."""
    rows = Task.objects.filter(state="deferred", deferred_until__lte=today or business_day())
    keys = list(rows.select_for_update(skip_locked=True).values_list("pk", flat=True)[:1000])
    return Task.objects.filter(pk__in=keys).update(state="open", deferred_until=None)


# ---- checklist ----


@transaction.atomic
def add_steps(task: Task, text: str, *, by: Any) -> Task:
    """Add steps to the checklist, one a line."""
    task = locked(Task.objects.all(), task.pk)
    allow(by, "change", task)
    lines = [line.strip()[:200] for line in text.splitlines() if line.strip()]
    if not lines:
        raise BusinessError(_("Enter a text."), field="text")
    if task.state in ENDED:
        raise BusinessError(_("%s has ended and is not changed any more.") % task)
    last = ChecklistItem.objects.filter(task=task).order_by("-position").values_list("position", flat=True).first() or 0
    ChecklistItem.objects.bulk_create(
        ChecklistItem(task=task, position=last + n, text=line) for n, line in enumerate(lines, 1)
    )
    return task


@transaction.atomic
def tick(task: Task, key: int, done: bool, *, by: Any) -> Task:
    """Tick a step off, or take the tick away again."""
    task = locked(Task.objects.all(), task.pk)
    allow(by, "change", task)
    if task.state in ENDED:
        raise BusinessError(_("%s has ended and is not changed any more.") % task)
    ChecklistItem.objects.filter(task=task, pk=key).update(
        done_at=timezone.now() if done else None, done_by=by if done else None
    )
    return task


@transaction.atomic
def move_step(task: Task, key: int, up: bool, *, by: Any) -> Task:
    """Move a step of the checklist one place up or down."""
    task = locked(Task.objects.all(), task.pk)
    allow(by, "change", task)
    items = list(task.checklist.all())
    place = next((i for i, item in enumerate(items) if item.pk == key), None)
    other = None if place is None else place + (-1 if up else 1)
    if place is not None and other is not None and 0 <= other < len(items):
        items[place], items[other] = items[other], items[place]
        for position, item in enumerate(items, 1):
            item.position = position
        ChecklistItem.objects.bulk_update(items, ["position"])
    return task


@transaction.atomic
def drop_step(task: Task, key: int, *, by: Any) -> Task:
    """Take a step off the checklist."""
    task = locked(Task.objects.all(), task.pk)
    allow(by, "change", task, manage=True)
    ChecklistItem.objects.filter(task=task, pk=key).delete()
    return task


def linked(task: Any) -> Record | None:
    """The record a task is about, whoever may see it."""
    model: Any = task.content_type.model_class() if task.content_type_id else None
    return model._default_manager.filter(pk=task.object_id).first() if model is not None else None
