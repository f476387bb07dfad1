"""Tasks on every record page and on the desk; people and decisions on the page of a meeting."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.pages.actions import Action
from kit.pages.panels import ANY, Panel, Waiting, actions, panels, waiting
from kit.pages.panels import Task as Entry
from kit.pages.resources import by_model
from kit.rules.days import business_day
from oa.records.calendar import entries_between
from oa.tasks.forms import about
from oa.tasks.models import Room, Task
from oa.tasks.models.meeting import ENDED as MEETING_ENDED
from oa.tasks.models.meeting import Answer
from oa.tasks.models.task import ACTIVE, ENDED
from oa.tasks.rights import manages

SHOWN = 5  # tasks beside a record
AHEAD = dt.timedelta(days=7)  # how far the desk looks


def _rows(user: Any) -> Sequence[QuerySet[Task]]:
    """My open tasks that are due within a week or have no day, and those I gave that are done and not verified."""
    if not user.has_perm("oa.view_task"):
        return []
    soon = business_day() + AHEAD
    mine = Task.objects.filter(owner=user, state__in=("open", "progress")).exclude(due_on__gt=soon)
    given = Task.objects.filter(created_by=user, state="done").exclude(owner=user).exclude(done_by=user)
    return [mine, given]


def to_do(user: Any, limit: int) -> Sequence[Entry]:
    """What I have to do and to verify."""
    mine, given = _rows(user)
    found = mine.select_related("created_by").order_by("due_on", "priority", "pk")[:limit]
    done = given.select_related("owner").order_by("done_at")[:limit]
    resource = by_model[Task]
    made = [
        Entry(
            _("Task"),
            "bad" if task.late else "",
            task.title,
            resource.url_for(task),
            _("from %s") % task.created_by if task.created_by_id not in (None, user.pk) else task.labels,
            task.due_on,
            _("Done"),
            resource.url_for(task, "do", "finish"),
        )
        for task in found
    ]
    return made + [
        Entry(
            _("Task"),
            "viol",
            task.title,
            resource.url_for(task),
            _("done by %s, to be verified") % task.owner,
            None,
            _("Verify"),
            resource.url_for(task, "do", "verify"),
        )
        for task in done
    ]


def of_record(obj: Any, user: Any) -> dict[str, Any]:
    """The open tasks about a record that the reader may see."""
    kind = ContentType.objects.get_for_model(obj)
    rows = Task.objects.visible_to(user).filter(content_type=kind, object_id=obj.pk, state__in=(*ACTIVE, "done"))
    found = list(rows.select_related("owner").order_by("state", "due_on", "pk")[: SHOWN + 1])
    resource = by_model[Task]
    return {
        "rows": [(task, resource.url_for(task), Task.STATES[task.state]) for task in found[:SHOWN]],
        "more": len(found) > SHOWN,
        "today": business_day(),
    }


def new_task(obj: Any, user: Any) -> Sequence[Action]:
    """A task about any record."""
    resource = by_model.get(type(obj))
    if resource is None or not user.has_perm("oa.add_task"):
        return []
    url = f"{reverse('task-new')}?about={about(resource.slug, obj.pk)}"
    return [Action(_("New task"), url, "list-plus", menu=True, name="new-task")]


def file_action(obj: Any, user: Any) -> Sequence[Action]:
    """The entry for a calendar program."""
    if isinstance(obj, Task) and obj.due_on is None:
        return []
    url = reverse("calendar-entry", args=[by_model[type(obj)].slug, obj.pk])
    return [Action(_("Calendar file"), url, "calendar-plus", menu=True, name="ical")]


def checklist(task: Any, user: Any) -> dict[str, Any]:
    """The steps of a task, and whether the reader may work on them."""
    return {
        "steps": list(task.checklist.select_related("done_by")),
        "works": task.state not in ENDED and user.has_perm("oa.change_task"),
        "manages": manages(user, task),
        "url": reverse("task-checklist", args=[task.pk]),
        "submit": str(uuid.uuid4()),
    }


def people(meeting: Any, user: Any) -> dict[str, Any]:
    """Who comes, what they said, and who was there."""
    rows = list(meeting.attendee_rows.select_related("user").order_by("user__name", "pk"))
    mine = next((row for row in rows if row.user_id == user.pk), None)
    asked = meeting.state in ("invited", "confirmed")
    near = meeting.starts_at - dt.timedelta(hours=1) <= timezone.now()
    tones = {Answer.ACCEPTED: "ok", Answer.TENTATIVE: "warn", Answer.DECLINED: "bad"}
    return {
        "rows": [(row, tones.get(Answer(row.answer), "")) for row in rows],
        "mine": mine,
        "answers": [choice for choice in Answer.choices if choice[0]] if mine is not None and asked else [],
        "signs": near and meeting.state in ("invited", "confirmed", "held"),
        "manages": manages(user, meeting),
        "meeting": meeting,
        "submit": str(uuid.uuid4()),
    }


def decisions(meeting: Any, user: Any) -> dict[str, Any]:
    """What was decided, and the tasks that came of it."""
    resource = by_model[Task]
    rows = list(meeting.decisions.select_related("owner", "task"))
    writes = manages(user, meeting) and meeting.state not in (*MEETING_ENDED, "draft")
    keys = [row.task_id for row in rows if row.task_id]
    seen = set(Task.objects.visible_to(user).filter(pk__in=keys).values_list("pk", flat=True)) if keys else set()
    return {
        "rows": [(row, resource.url_for(row.task) if row.task_id in seen else "") for row in rows],
        "writes": writes and user.has_perm("oa.change_meeting"),
        "people": [row.user for row in meeting.attendee_rows.select_related("user")] if writes else [],
        "url": reverse("meeting-decisions", args=[meeting.pk]),
        "submit": str(uuid.uuid4()),
    }


def today(obj: Any, user: Any) -> dict[str, Any]:
    """What is in my calendar today, in order; what is over is shown quietly."""
    zone = timezone.get_current_timezone()
    now = timezone.now()
    start = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    entries = entries_between(user, [user.pk], start, start + dt.timedelta(days=1))
    rows = []
    for entry in entries[:8]:
        left = None if entry.all_day else entry.starts - now
        soon = left is not None and dt.timedelta() <= left <= dt.timedelta(hours=2)
        minutes = int(left.total_seconds() // 60) if left is not None else 0
        rows.append((entry, _("in %s min") % minutes if soon else ""))
    return {"rows": rows, "more": len(entries) > 8}


waiting.append(Waiting(_rows, to_do))
actions[ANY].append(new_task)
actions["oa.task"].append(file_action)
actions["oa.meeting"].append(file_action)
panels[ANY].append(
    Panel(
        "record-tasks", gettext_lazy("Tasks"), "side", template="oa/tasks/of_record.html", context=of_record,
        permission="oa.view_task", order=80,
    )
)  # fmt: skip
panels["desk"].append(
    Panel(
        "today", gettext_lazy("Today"), "side", template="oa/calendar/today.html", context=today,
        permission="oa.view_task", order=1, room=2,
    )
)  # fmt: skip
panels["oa.task"] += [
    Panel("checklist", gettext_lazy("Checklist"), "main", template="oa/tasks/checklist.html", context=checklist),
    Panel(
        "needs", gettext_lazy("Blocked by"), "main", "task", "needed_by", ("title", "owner", "due_on", "state"),
        permission="oa.view_task",
    ),
    Panel(
        "parts", gettext_lazy("Parts"), "tab", "task", "parent", ("title", "owner", "due_on", "state"),
        permission="oa.view_task", create=True,
    ),
    Panel(
        "needed-by", gettext_lazy("Blocks"), "tab", "task", "needs", ("title", "owner", "due_on", "state"),
        permission="oa.view_task",
    ),
]  # fmt: skip
panels["oa.taskseries"].append(
    Panel(
        "tasks", gettext_lazy("Tasks"), "main", "task", "series", ("due_on", "title", "owner", "state"),
        permission="oa.view_task",
    )
)  # fmt: skip
panels["oa.meeting"] += [
    Panel("people", gettext_lazy("People"), "side", template="oa/tasks/people.html", context=people, order=10),
    Panel("decisions", gettext_lazy("Decisions"), "main", template="oa/tasks/decisions.html", context=decisions),
]
panels[Room._meta.label_lower].append(
    Panel(
        "meetings", gettext_lazy("Meetings"), "main", "meeting", "rooms", ("starts_at", "title", "owner", "state"),
        permission="oa.view_meeting",
    )
)  # fmt: skip
