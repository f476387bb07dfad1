"""Reminders of tasks and meetings, each once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

from kit.pages import formats
from kit.rules.days import business_zone
from oa.records.bulk import bulk_set
from oa.tasks import reminding
from oa.tasks.models import Attendee, Meeting, Reminder, Task
from oa.tasks.models.meeting import Answer
from oa.tasks.models.task import ACTIVE
from oa.tasks.telling import readers, tell

AT_ONCE = 500  # records in a run: the next run goes on

_time = lazy(lambda moment: timezone.localtime(moment, business_zone()).strftime("%Y-%m-%d %H:%M"), str)
_day = lazy(formats.iso_date, str)


def remind(now: dt.datetime | None = None) -> int:
    """Remind people of tasks and meetings whose moment has come; returns how many messages.

    The row that says that a person was reminded, the message and the next moment are one transaction, so a killed
    worker leaves nothing, and a second one finds nothing to do. After a pause only the latest moment counts.
    """
    now = now or timezone.now()
    return _remind(Task, now) + _remind(Meeting, now)


@transaction.atomic
def _remind(model: type[Any], now: dt.datetime) -> int:
    due = model.objects.filter(remind_at__lte=now).select_for_update(skip_locked=True, of=("self",))
    records = list(due.order_by("remind_at", "pk")[:AT_ONCE])
    if not records:
        return 0
    wanted = []
    for record in records:
        moments = reminding.moments(record.due_moment, record.reminders) if record.due_moment else []
        passed = [moment for moment in moments if moment <= now]
        record.remind_at = next((moment for moment in moments if moment > now), None)
        if passed and _waits(record, now):
            wanted.append((record, passed[-1]))
    fresh = _unsaid(model, wanted)
    bulk_set(records, ["remind_at"])
    return len(tell([(key, _text(record), record) for record, key in fresh]))


def _waits(record: Any, now: dt.datetime) -> bool:
    """Whether there is anything to be reminded of: a meeting that was over before the worker came back is not."""
    if isinstance(record, Meeting):
        return record.state in ("invited", "confirmed") and record.ends_at > now
    return record.state in ACTIVE and record.state != "deferred"


def _unsaid(model: type[Any], wanted: Collection[tuple[Any, dt.datetime]]) -> list[tuple[Any, int]]:
    """Who is reminded of what for the first time: rows that are there already win."""
    kind = ContentType.objects.get_for_model(model)
    members = _members(model, [record.pk for record, _moment in wanted])
    people = {key: {record.owner_id} | members.get(record.pk, set()) for key, (record, _m) in enumerate(wanted)}
    may_read = set(readers({p for keys in people.values() for p in keys}, model).values_list("pk", flat=True))
    rows = [
        Reminder(content_type=kind, object_id=record.pk, moment=moment, user_id=person)
        for key, (record, moment) in enumerate(wanted)
        for person in sorted(people[key] & may_read)
    ]
    said = set(
        Reminder.objects.filter(content_type=kind, object_id__in={row.object_id for row in rows}).values_list(
            "object_id", "moment", "user"
        )
    )
    rows = [row for row in rows if (row.object_id, row.moment, row.user_id) not in said]
    Reminder.objects.bulk_create(rows)
    by_key = {record.pk: record for record, _moment in wanted}
    return [(by_key[row.object_id], row.user_id) for row in rows]


def _members(model: type[Any], keys: Collection[int]) -> dict[int, set[int]]:
    """Who takes part besides the owner; who declined a meeting is left alone."""
    pairs: Any
    if model is Task:
        through: Any = Task.participants.through
        pairs = through.objects.filter(task__in=keys).values_list("task", "user")
    else:
        rows = Attendee.objects.filter(meeting__in=keys).exclude(answer=Answer.DECLINED)
        pairs = rows.values_list("meeting", "user")
    found: dict[int, set[int]] = {}
    for key, person in pairs:
        found.setdefault(key, set()).add(person)
    return found


def _text(record: Any) -> Any:
    if isinstance(record, Meeting):
        return format_lazy(
            gettext_lazy("Reminder: {what} begins at {when}"), what=record.title, when=_time(record.starts_at)
        )
    when = _time(record.due_moment) if record.due_at else _day(record.due_on)
    return format_lazy(gettext_lazy("Reminder: {what} is due {when}"), what=record.title, when=when)
