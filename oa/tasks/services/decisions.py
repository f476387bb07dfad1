"""What meetings decide, and the tasks that come of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.values.errors import BusinessError
from oa.organisation.models import User
from oa.records.bulk import bulk_set, locked
from oa.tasks.models import Decision, Meeting, Task
from oa.tasks.models.meeting import ENDED
from oa.tasks.rights import allow
from oa.tasks.telling import tell


@transaction.atomic
def add_decision(
    meeting: Meeting, text: str, owner: User | None = None, due_on: dt.date | None = None, *, by: Any
) -> Decision:
    """Write down what was decided, and who does it until when."""
    meeting = _open(meeting, by)
    if not text.strip():
        raise BusinessError(_("Enter a text."), field="text")
    if due_on is not None and owner is None:
        raise BusinessError(_("A decision with a day needs a person."), field="owner")
    last = meeting.decisions.order_by("-position").values_list("position", flat=True).first() or 0
    return Decision.objects.create(
        meeting=meeting, position=last + 1, text=text.strip()[:300], owner=owner, due_on=due_on
    )


@transaction.atomic
def drop_decision(meeting: Meeting, key: int, *, by: Any) -> Meeting:
    """Take back a decision that is no task yet."""
    meeting = _open(meeting, by)
    if Decision.objects.filter(meeting=meeting, pk=key).exclude(task=None).exists():
        raise BusinessError(_("This decision is a task already."))
    Decision.objects.filter(meeting=meeting, pk=key).delete()
    return meeting


@transaction.atomic
def make_task(meeting: Meeting, key: int, *, by: Any) -> Task:
    """Make the task of one decision now, before the minutes are published."""
    meeting = _open(meeting, by)
    decision = Decision.objects.select_for_update().filter(meeting=meeting, pk=key).first()
    if decision is None:
        raise BusinessError(_("The decision was deleted meanwhile."))
    if decision.task_id is not None:
        raise BusinessError(_("This decision is a task already."))
    if decision.owner_id is None:
        raise BusinessError(_("Say first who does it."))
    return make_tasks(meeting, [decision], by)[0]


def make_tasks(meeting: Meeting, decisions: Sequence[Decision], by: Any) -> list[Task]:
    """The tasks of decisions of a locked meeting, given by its organiser; three statements."""
    if not decisions:
        return []
    kind = ContentType.objects.get_for_model(Meeting)
    tasks = Task.objects.bulk_create(
        Task(
            title=decision.text[:200],
            description=decision.text if len(decision.text) > 200 else "",
            owner_id=decision.owner_id,
            created_by_id=meeting.owner_id,
            due_on=decision.due_on,
            private=meeting.private,
            content_type=kind,
            object_id=meeting.pk,
        )
        for decision in decisions
    )
    for decision, task in zip(decisions, tasks, strict=True):
        decision.task = task
    bulk_set(decisions, ["task"])
    text = gettext_lazy("From {meeting}: {what}")
    told = [task for task in tasks if task.owner_id != getattr(by, "pk", None)]
    tell([(task.owner_id, format_lazy(text, meeting=meeting.title, what=task.title), task) for task in told])
    return tasks


def _open(meeting: Meeting, by: Any) -> Meeting:
    meeting = locked(Meeting.objects.all(), meeting.pk)
    allow(by, "change", meeting, manage=True)
    if meeting.state in ENDED or meeting.state == "draft":
        raise BusinessError(_("Decisions are written down during the meeting and until its minutes are published."))
    return meeting
