"""Kinds of leave, working calendars, the ledger of balances, requests."""

from oa.leave.models.calendars import CalendarAssignment, CalendarDay, WorkCalendar
from oa.leave.models.ledger import Employment, LeaveEntry
from oa.leave.models.requests import LeaveRequest
from oa.leave.models.types import GrantStep, LeaveType

__all__ = [
    "CalendarAssignment",
    "CalendarDay",
    "Employment",
    "GrantStep",
    "LeaveEntry",
    "LeaveRequest",
    "LeaveType",
    "WorkCalendar",
]
