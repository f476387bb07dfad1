"""Back office of tasks and meetings, to be read."""

from __future__ import annotations

from django.contrib import admin

from kit.pages.admin import ReadOnlyAdmin
from oa.tasks.models import Meeting, Room, Task, TaskSeries


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin):
    """Tasks."""

    list_display = ["title", "owner", "created_by", "due_on", "state"]
    list_filter = ["state", "priority"]
    list_select_related = ["owner", "created_by"]
    search_fields = ["title"]


@admin.register(Meeting)
class MeetingAdmin(ReadOnlyAdmin):
    """Meetings."""

    list_display = ["starts_at", "title", "owner", "state"]
    list_filter = ["state"]
    list_select_related = ["owner"]
    search_fields = ["title"]


@admin.register(Room)
class RoomAdmin(ReadOnlyAdmin):
    """Rooms and equipment."""

    list_display = ["name", "kind", "seats", "place", "active"]
    list_filter = ["kind", "active"]


@admin.register(TaskSeries)
class TaskSeriesAdmin(ReadOnlyAdmin):
    """Recurring tasks."""

    list_display = ["title", "owner", "next_on", "active"]
    list_filter = ["active"]
    list_select_related = ["owner"]
    search_fields = ["title"]
