"""Back office of leave, to be read."""

from __future__ import annotations

from django.contrib import admin

from kit.pages.admin import ReadOnlyAdmin
from oa.leave.models import Employment, LeaveEntry, LeaveRequest, LeaveType, WorkCalendar


@admin.register(LeaveRequest)
class LeaveRequestAdmin(ReadOnlyAdmin):
    """Leave requests."""

    list_display = ["number", "person", "first_day", "last_day", "units", "state"]
    list_filter = ["state", "type"]
    list_select_related = ["person"]


@admin.register(LeaveEntry)
class LeaveEntryAdmin(ReadOnlyAdmin):
    """The ledger."""

    list_display = ["date", "person", "type", "kind", "units"]
    list_filter = ["kind", "type"]
    list_select_related = ["person", "type"]


@admin.register(LeaveType)
class LeaveTypeAdmin(ReadOnlyAdmin):
    """Types; they are changed on their pages, which count open requests again."""

    list_display = ["code", "name", "name_zh", "unit", "paid", "limited", "active"]
    list_filter = ["active", "paid", "limited"]


@admin.register(WorkCalendar)
class WorkCalendarAdmin(ReadOnlyAdmin):
    """Calendars; they are changed on their pages, which count open requests again."""

    list_display = ["name", "standard", "active"]


@admin.register(Employment)
class EmploymentAdmin(ReadOnlyAdmin):
    """What leave has to know of a person."""

    list_display = ["person", "gender", "worked_since"]
    list_select_related = ["person"]
