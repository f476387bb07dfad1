"""Tasks, recurring tasks, meetings and what can be booked for them."""

from oa.tasks.models.feed import CalendarAddress
from oa.tasks.models.meeting import Attendee, Booking, Decision, Meeting, Room
from oa.tasks.models.series import TaskSeries
from oa.tasks.models.shared import Reminder
from oa.tasks.models.task import ChecklistItem, Task, TaskNeed

__all__ = [
    "Attendee",
    "Booking",
    "CalendarAddress",
    "ChecklistItem",
    "Decision",
    "Meeting",
    "Reminder",
    "Room",
    "Task",
    "TaskNeed",
    "TaskSeries",
]
