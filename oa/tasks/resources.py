"""Pages of tasks, recurring tasks, meetings and rooms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import BooleanField, Case, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kit.pages.actions import Command
from kit.pages.columns import Column
from kit.pages.nav import Link, tree
from kit.pages.panels import Figure
from kit.pages.resources import Resource, register, resource_of
from kit.rules.days import business_day
from kit.rules.permissions import may
from oa.records.notifications import may_see
from oa.tasks.forms import MeetingForm, SeriesForm, TaskForm
from oa.tasks.models import Meeting, Room, Task, TaskSeries
from oa.tasks.models.meeting import ENDED as MEETING_ENDED
from oa.tasks.models.task import ACTIVE, ENDED
from oa.tasks.rights import manages
from oa.tasks.services import meetings, series, tasks
from oa.tasks.wording import rule_in_words

tree.top.append(Link(_("Calendar"), "calendar", 30, "oa.view_meeting", "calendar", go="k"))
tree.top.append(Link(_("Tasks"), "task-list", 31, "oa.view_task", "list-checks"))
tree.add("work", Link(_("Task board"), "task-board", 23, "oa.view_task"))
tree.group("work", _("Meetings and tasks"), "calendar-days", 82, _("Office"))

MANAGED = {"cancel", "reopen"}  # transitions for who has a say in a task


def _flag(condition: Q) -> Case:
    return Case(When(condition, then=Value(value=True)), default=Value(value=False), output_field=BooleanField())


@register
class TaskResource(Resource):
    model = Task
    path = "tasks"
    key = "pk"
    icon = "list-checks"
    create_key = "t"
    columns = (
        Column("title", phone="cust"),
        "owner",
        Column("created_by", _("given by")),
        Column("due_on", phone="amt"),
        "priority",
        "state",
        "labels",
    )
    filters = ("state", "priority", "owner", "due_on", "series")
    search_fields = ("title", "labels")
    ordering = ("due_on", "priority", "id")
    sections = (
        (_("Task"), ("title", "owner", "due_on", "due_at", "priority", "description")),
        (_("Together"), ("participants", "needs", "parent")),
        (_("More"), ("reminders", "labels", "private")),
    )
    extra_fields = ("created_by", "deferred_until", "done_by", "done_at", "verified_by", "series")
    related = ("owner", "created_by", "series", "done_by", "verified_by")  # `parent`: as far as it is visible
    not_exported = ("parent",)
    annotations = ("given", "overdue")
    labels: ClassVar = {"created_by": _("given by")}
    quiet: ClassVar = {**Resource.quiet, "private": False, "priority": 3}
    views: ClassVar = {
        "given": (_("Given by me"), Q(given=True)),
        "overdue": (_("Overdue"), Q(overdue=True)),
    }
    importable = False
    form_class = TaskForm
    save = staticmethod(tasks.save_task)
    run: ClassVar = {
        "start": tasks.start_task,
        "finish": tasks.finish_task,
        "verify": tasks.verify_task,
        "reopen": tasks.reopen_task,
        "defer": tasks.defer_task,
        "resume": tasks.resume_task,
        "cancel": tasks.cancel_task,
    }

    def list_queryset(self, user: Any) -> QuerySet[Any]:
        """With what the views ask for."""
        late = Q(due_on__lt=business_day(), state__in=ACTIVE)
        return self.queryset(user).annotate(given=_flag(Q(created_by=user.pk)), overdue=_flag(late))

    def initial(self, request: Any) -> dict[str, Any]:
        """A new task is one's own until another is named."""
        given = super().initial(request)
        return {"owner": str(request.user.pk), "about": request.GET.get("about", ""), **given}

    def commands_for(self, obj: Any, user: Any) -> list[Command]:
        """Verifying is for who gave it and did not do it; giving up and sending back for who has a say."""
        found = super().commands_for(obj, user)
        if any(command.name in MANAGED for command in found) and not manages(user, obj):
            found = [command for command in found if command.name not in MANAGED]
        verifies = user.pk == obj.created_by_id and user.pk not in (obj.owner_id, obj.done_by_id)
        return [command for command in found if command.name != "verify" or verifies]

    def editable(self, obj: Any, user: Any) -> bool:
        """Until it has ended, by who has a say in it."""
        return obj.state not in ENDED and self.may(user, "change") and manages(user, obj)

    def deletable(self, obj: Any, user: Any) -> bool:
        """Before it was begun, by who has a say in it."""
        return super().deletable(obj, user) and manages(user, obj)

    def figures(self, obj: Any, user: Any) -> Sequence[Figure]:
        """The record it is about, where the reader may see it, and how far the checklist is."""
        made = []
        record = tasks.linked(obj)
        resource = resource_of(record) if record is not None else None
        if resource is not None and may(user, "view", resource.model) and may_see(user, record):  # type: ignore[arg-type]
            made.append(Figure(gettext("About"), str(record), resource.url_for(record), note=str(resource.title)))
        steps = list(obj.checklist.values_list("done_at", flat=True))
        if steps:
            done = sum(1 for at in steps if at is not None)
            made.append(Figure(gettext("Checklist"), f"{done} / {len(steps)}"))
        return made

    def subtitle(self, obj: Any) -> Sequence[Any]:
        """That it is late, or private."""
        return [word for word, holds in ((_("overdue"), obj.late), (_("private"), obj.private)) if holds]


@register
class TaskSeriesResource(Resource):
    model = TaskSeries
    path = "tasks-recurring"
    group = "work"
    order = 24
    key = "pk"
    icon = "repeat"
    columns = (Column("title", phone="cust"), "owner", "every", "makes", "next_on", "until", "active")
    filters = ("owner", "every", "active")
    search_fields = ("title",)
    sections = (
        (_("Task"), ("title", "owner", "priority", "description", "checklist", "participants", "private")),
        (
            _("Repetition"),
            ("every", "interval", "month_day", "week", "starts_on", "until", "count", "due_at", "reminders", "makes",
             "lead_days", "active"),
        ),
    )  # fmt: skip
    extra_fields = ("created_by", "next_on")
    labels: ClassVar = {"created_by": _("given by")}
    quiet: ClassVar = {**Resource.quiet, "private": False, "priority": 3, "interval": 1, "lead_days": 0}
    related = ("owner", "created_by")
    importable = False
    form_class = SeriesForm
    save = staticmethod(series.save_series)
    commands = (
        Command(
            "stop", _("Stop"), series.stop_series, "oa.change_taskseries", when=lambda obj: obj.active, icon="ban",
            danger=True, menu=True, confirm=_("Make no further tasks? Those there are stay."),
        ),
    )  # fmt: skip

    def initial(self, request: Any) -> dict[str, Any]:
        """A new one is one's own until another is named."""
        return {"owner": str(request.user.pk), **super().initial(request)}

    def subtitle(self, obj: Any) -> Sequence[Any]:
        """The rule in words."""
        return [rule_in_words(obj)]

    def editable(self, obj: Any, user: Any) -> bool:
        """By who has a say in it."""
        return self.may(user, "change") and manages(user, obj)

    def deletable(self, obj: Any, user: Any) -> bool:
        """By who has a say in it, while it has made nothing."""
        return super().deletable(obj, user) and manages(user, obj)


@register
class MeetingResource(Resource):
    model = Meeting
    path = "meetings"
    group = "work"
    order = 20
    key = "pk"
    icon = "users"
    create_key = "m"
    columns = (
        "starts_at",
        Column("title", phone="cust"),
        "owner",
        "ends_at",
        "place",
        "state",
    )
    filters = ("state", "owner", "rooms")
    search_fields = ("title", "place")
    ordering = ("-starts_at", "-id")
    sections = (
        (_("Meeting"), ("title", "starts_at", "ends_at", "attendees", "rooms", "place")),
        (_("Agenda and minutes"), ("agenda", "minutes")),
        (_("More"), ("reminders", "private")),
    )
    extra_fields = ("owner",)
    labels: ClassVar = {"created_by": _("called by")}
    quiet: ClassVar = {**Resource.quiet, "private": False}
    related = ("owner", "created_by")
    importable = False
    form_class = MeetingForm
    save = staticmethod(meetings.save_meeting)
    run: ClassVar = {
        "invite": meetings.invite_meeting,
        "confirm": meetings.confirm_meeting,
        "hold": meetings.hold_meeting,
        "minute": meetings.minute_meeting,
        "cancel": meetings.cancel_meeting,
    }
    commands = (
        Command(
            "repeat", _("Repeat weekly"), meetings.repeat_meeting, "oa.add_meeting",
            when=lambda obj: obj.state not in MEETING_ENDED, icon="repeat", menu=True, fields=("date",),
            confirm=_("Copies are made for every week up to this day, at the same time of day, as drafts."),
        ),
    )  # fmt: skip

    def commands_for(self, obj: Any, user: Any) -> list[Command]:
        """The organiser leads the meeting; others answer and sign in."""
        found = super().commands_for(obj, user)
        return found if found and manages(user, obj) else []

    def editable(self, obj: Any, user: Any) -> bool:
        """Until the minutes are published, by who has a say in it."""
        return obj.state not in MEETING_ENDED and self.may(user, "change") and manages(user, obj)

    def deletable(self, obj: Any, user: Any) -> bool:
        """A draft nobody was invited to."""
        return super().deletable(obj, user) and manages(user, obj)

    def fixed(self, obj: Any) -> Sequence[str]:
        """What has begun keeps its time."""
        return ("starts_at", "ends_at", "rooms") if obj.state == "held" else ()

    def initial(self, request: Any) -> dict[str, Any]:
        """The organiser comes, at the hour that was chosen in the calendar."""
        given = super().initial(request)
        start = timezone.localtime().replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=1)
        times = {"starts_at": start, "ends_at": start + dt.timedelta(hours=1)}
        return {**times, "attendees": [request.user.pk], "reminders": "15m", **given}


@register
class RoomResource(Resource):
    model = Room
    path = "rooms"
    group = "work"
    order = 22
    key = "pk"
    icon = "door-open"
    small = True
    columns = (Column("name", phone="cust"), "kind", "seats", "place", "active")
    filters = ("kind", "active")
    search_fields = ("name", "place")
    fields = ("name", "kind", "seats", "place", "active")
    import_key = ("name",)
