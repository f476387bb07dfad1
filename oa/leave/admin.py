"""Back office of leave, to be read."""

from __future__ import annotations

from django.contrib import admin

from kit.pages.admin import ReadOnlyAdmin
from oa.leave.models import LeaveEntry, LeaveRequest


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
